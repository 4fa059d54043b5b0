"""Multi-Session Chat (Xu et al. 2022): dialogues with a persona for each side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.formats.base import BadRow, Columns, Format, Result, each
from persona_lab.formats.records import (
    Record,
    list_of,
    objects_of,
    optional_text,
    read_records,
    text_of,
)
from persona_lab.formats.source import Source

_TURNS, _OPENING, _ID = "dialog", "init_personachat", "initial_data_id"
_ZERO_BASED = re.compile(r"bot_(\d+)")
_ONE_BASED = re.compile(r"Speaker (\d+)")


def _side(speaker: str, seen: list[str]) -> int:
    """Which of the two personas is a speaker's: by the number in the name, else by order."""
    if match := _ZERO_BASED.fullmatch(speaker):
        return int(match[1])
    if match := _ONE_BASED.fullmatch(speaker):
        return int(match[1]) - 1
    return seen.index(speaker)


def _personas(record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The two lists of statements: inside the opening in session 1, beside it later."""
    opening = record.get(_OPENING)
    inside = opening if isinstance(opening, Mapping) else record
    lists = inside.get("init_personas", record.get("personas"))
    return [
        tuple(text_of(statement, "persona") for statement in list_of(side, "init_personas"))
        for side in list_of(lists, "init_personas")
    ]


def _dialogue(row: Record) -> Dialogue:
    record = row.object()
    if _TURNS not in record:
        raise BadRow(f'the record has no {_TURNS!r}; give a list of {{"id", "text"}}')
    utterances = tuple(
        Utterance(str(i), text_of(turn.get("id"), "id"), text_of(turn.get("text"), "text"))
        for i, turn in enumerate(objects_of(record[_TURNS], _TURNS))
    )
    seen = list(dict.fromkeys(u.speaker for u in utterances))
    if "" in seen:
        raise BadRow(f"a turn of {_TURNS!r} has no 'id' to tell its speaker")
    personas = _personas(record)
    speakers = {}
    for name in seen:
        side = _side(name, seen)
        speakers[name] = Speaker(name, {}, personas[side] if side < len(personas) else ())
    facts = record.get("metadata")
    later = facts if isinstance(facts, Mapping) else {}
    source_id = optional_text(record, _ID) or optional_text(later, _ID)
    session = optional_text(later, "session_id")
    own_id = source_id or row.fallback
    return Dialogue(
        id=f"{own_id}:session-{session}" if session is not None else own_id,
        utterances=utterances,
        speakers=speakers,
        group=source_id,
        place=row.place,
    )


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    yield from each(read_records(source, id_key=_ID), _dialogue)


FORMAT = Format(
    name="msc",
    help="Multi-Session Chat sessions: dialog turns and init_personachat personas",
    labels="",
    read=_read,
    keys=((_TURNS, _OPENING), (_TURNS, "personas")),
)
