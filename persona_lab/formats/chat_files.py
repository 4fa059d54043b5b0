"""Reading text files that hold chats: whole layouts of :mod:`chat_text` as formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from persona_lab.dialogue import AUTHOR, Dialogue, Speaker
from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.captions import UNNAMED
from persona_lab.formats.chat_text import LAYOUTS, LOOK_AHEAD, Split, TextLayout
from persona_lab.formats.roles import ASSISTANT, SYSTEM
from persona_lab.formats.source import Source
from persona_lab.formats.turns import Chat

NOBODYS = "left out as nobody's words (titles, notices, placeholders)"
"""What is said of lines that belong to no speaker."""


def _read(source: Source, columns: Columns, *, layout: TextLayout) -> Iterator[Result]:
    del columns
    ahead = [line.text for line in source.peek(LOOK_AHEAD) if not line.problem]
    start = source.peek(1)[0].number
    split = layout.find(ahead, False) or layout.anyhow
    if layout.by_line(ahead):
        yield from _by_line(source, layout, split)
        return
    lines: list[str] = []
    for line in source.lines():
        if line.problem:
            yield source.bad_line(line)
        else:
            lines.append(line.text)
    for chat in split(lines):
        if not chat.turns:
            raise FormatError(_remedy(source.name, layout))
        if chat.dropped:
            lines_are = "line is" if chat.dropped == 1 else "lines are"
            source.note(f"{chat.dropped:,} {lines_are} {NOBODYS}")
        yield _dialogue(chat, source.stem, source, start)


def _by_line(source: Source, layout: TextLayout, split: Split) -> Iterator[Result]:
    for line in source.lines():
        row_id = f"line-{line.number}"
        if line.problem:
            yield source.bad_line(line)
        elif not line.blank:
            chat = next(split([line.text]))
            if chat.turns:
                yield _dialogue(chat, row_id, source, line.number)
            else:
                place = source.place(line.number)
                yield RowError(layout.wanted, row_id=row_id, place=place)


def _remedy(name: str, layout: TextLayout) -> str:
    return (
        f"{name}: {layout.wanted}; write one turn a line as 'Name: what is said', "
        "or read it as --format text"
    )


def _dialogue(chat: Chat, name: str, source: Source, line: int) -> Dialogue:
    place = source.place(line)
    if {speaker for speaker, _ in chat.turns} == {AUTHOR}:
        source.note(UNNAMED)
        return replace(Dialogue.from_text(chat.turns[0][1], id=name), place=place)
    turns = [(who, said) for who, said in chat.turns if who != SYSTEM]
    persona = tuple(said for who, said in chat.turns if who == SYSTEM)
    return Dialogue(
        id=name,
        utterances=Chat(tuple(turns)).utterances(),
        speakers={ASSISTANT: Speaker(ASSISTANT, {}, persona)} if persona else {},
        place=place,
    )


def _format(layout: TextLayout) -> Format:
    read = partial(_read, layout=layout)
    return Format(name=layout.name, help=layout.help, labels="", read=read)


*MARKED, TRANSCRIPT = map(_format, LAYOUTS)
"""The layouts, as :mod:`persona_lab.formats.reading` reads them."""
