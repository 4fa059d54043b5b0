"""Plain text by one author: a file or standard input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from persona_lab.dialogue import Dialogue
from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.source import Source


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    line = source.peek(1)[0].number
    dialogue = Dialogue.from_text(source.whole(), id=source.stem)
    yield replace(dialogue, place=source.place(line))


FORMAT = Format(
    name="text",
    help="one plain text by one author; blank lines separate paragraphs",
    labels="",
    read=_read,
)
