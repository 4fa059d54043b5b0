"""Plain text by one author: a file or standard input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from persona_lab.dialogue import Dialogue
from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.chat_text import missed
from persona_lab.formats.source import Source

_MOST_DAMAGE = 0.1
"""Share of lines that can be left out of a text before it is another text."""


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    start = source.peek(1)[0].number
    lines = list(source.lines())
    bad = [line for line in lines if line.problem]
    if len(bad) > len(lines) * _MOST_DAMAGE:  # it is in another encoding
        raise source.bad_line(bad[0])
    yield from map(source.bad_line, bad)
    text = "\n".join(line.text for line in lines if not line.problem)
    if remark := missed(text):
        source.note(remark)
    yield replace(Dialogue.from_text(text, id=source.stem), place=source.place(start))


FORMAT = Format(
    name="text",
    help="one plain text by one author; blank lines separate paragraphs",
    labels="",
    read=_read,
)
