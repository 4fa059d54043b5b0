"""The records of a file made into dialogues: the stream around :mod:`chat_json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, groupby
from typing import Any

from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import Columns, Result, each_of
from persona_lab.formats.chat_json import ROLES, How, dialogues_of, has_turns, is_chat
from persona_lab.formats.labels import Note
from persona_lab.formats.members import Members, name_of
from persona_lab.formats.records import Record, read_records
from persona_lab.formats.source import Source
from persona_lab.formats.turn_lists import has_role, is_turn, looks_like_turns
from persona_lab.formats.utterance_rows import (
    RowKeys,
    as_one,
    dialogue_key,
    in_dialogues,
    is_header,
    is_line,
    one_chat,
)

_DEPTH = 4

Rows = Iterator[Record | RowError]


def read_chats(source: Source, columns: Columns, *, wanted: str | None = None) -> Iterator[Result]:
    """All dialogues of a JSON file.

    Args:
        source: JSON lines, arrays or documents.
        columns: chosen keys by role.
        wanted: the key of the turns where the layout was named.

    Raises:
        FormatError: a role is unknown, or a document breaks before its first record.
    """
    unknown = [role for role in columns if role not in ROLES]
    if unknown:
        raise FormatError(
            f"--columns has no role {', '.join(map(repr, unknown))} for jsonl; "
            f"use {', '.join(ROLES)}"
        )
    how = How(source.note, columns, wanted)
    records = read_records(source, id_key=columns.get("id", "id"))
    yield from dialogues(records, how, source)


def dialogues(records: Rows, how: How, source: Source) -> Iterator[Result]:
    """The dialogues of records.

    Args:
        records: of a file.
        how: they are read.
        source: where they come from; it is told which rows went into which dialogue.
    """
    for row in _arranged(records, how, source):
        for result in each_of(_unpacked(row, how), partial(dialogues_of, how=how)):
            if source.members is not None:
                source.members.made.append(name_of(row))
            yield result


def is_readable(value: object) -> bool:
    """Can a JSON value be told as a chat, a turn with its dialogue, or a header of one?"""
    if isinstance(value, list):
        return looks_like_turns(value) or any(map(is_readable, value[:1]))
    if not isinstance(value, Mapping):
        return False
    turn = is_turn(value) and (has_role(value) or dialogue_key(value) is not None)
    return turn or is_header(value) or is_chat(value) or bool(_nested(value))


def _arranged(records: Rows, how: How, source: Source) -> Rows:
    """Rows that are single turns put together; all others as they come."""
    before: list[Record | RowError] = []
    for first in records:
        before.append(first)
        if isinstance(first, Record):
            break
    value = before[-1].value if before and isinstance(before[-1], Record) else None
    array = before[-1].array if before and isinstance(before[-1], Record) else 0
    key = how.columns.get("dialogue")
    found = dialogue_key(value, how.turn_keys) if isinstance(value, Mapping) else None
    named = key or (found if isinstance(value, Mapping) and not is_chat(value) else None)
    lines = is_header(value) or one_chat([value], lines=True)
    rows: Rows = chain(before, records)
    if not (named or array or lines):
        yield from rows
        return
    source.members = members = Members()
    rows = members.watched(rows)
    if named:
        own, persona = how.columns.get("id"), how.columns.get("persona")
        keys = RowKeys(named, key is not None, how.turn_keys, own, persona)
        yield from in_dialogues(rows, keys, how.note, members)
    elif array:
        for number, part in groupby(rows, lambda row: getattr(row, "array", array)):
            name = source.stem if number == 1 else f"{source.stem}-{number}"
            yield from _whole(list(part), name, members, how.note, lines=False)
    else:
        yield from _whole(list(rows), source.stem, members, how.note, lines=True)


def _whole(
    rows: list[Record | RowError], name: str, members: Members, note: Note, *, lines: bool
) -> Rows:
    """The rows of an array or a file: one dialogue if they are turns."""
    good = [row for row in rows if isinstance(row, Record)]
    spoken = [row for row in good if is_line(row.value)]
    pairs = bool(good) and all(isinstance(row.value, list) for row in good)
    if (lines and spoken) or (not lines and one_chat([row.value for row in good], lines=False)):
        members.joined |= {row.fallback: name for row in spoken}
        yield from (row for row in rows if name_of(row) not in members.joined)
        yield as_one([row.value for row in spoken], name, spoken[0].place, note)
    elif pairs and looks_like_turns([row.value for row in good]):
        members.joined |= {row.fallback: name for row in good}
        yield from (row for row in rows if isinstance(row, RowError))
        yield as_one([row.value for row in good], name, good[0].place, note)
    else:
        yield from rows


def _unpacked(row: Record | RowError, how: How) -> Rows:
    """A record that is a list, or holds its chats deeper, as the records that are in it."""
    value = row.value if isinstance(row, Record) else None
    if isinstance(row, RowError) or not isinstance(value, (list, Mapping)):
        yield row
    elif isinstance(value, list):
        rows = [item for item in value if isinstance(item, (list, Mapping))]
        bare = not any(isinstance(item, Mapping) for item in value) and looks_like_turns(value)
        if one_chat(value, lines=False) or bare or len(rows) != len(value) or not value:
            yield Record(row.fallback, row.place, {"messages": value})
            return
        for number, item in enumerate(value, start=1):
            name = row.fallback if len(value) == 1 else f"{row.fallback}.{number}"
            yield from _unpacked(Record(name, row.place, item, row.id_key), how)
    elif how.columns or "text" in value or is_chat(value):
        yield row
    else:
        inner = _nested(value)
        for number, (key, chat) in enumerate(inner, start=1):
            name = row.id if len(inner) == 1 else f"{row.id}.{number}"
            yield Record(key or name, row.place, chat)
        if not inner:
            yield row


def _nested(value: Any, depth: int = _DEPTH) -> list[tuple[str | None, Mapping[str, Any]]]:
    """The chats deep inside an export, such as the list of chats of a whole account.

    Only turns that name who speaks count: questions with their answers may be anything there.

    Returns:
        Chats with the keys that are their ids; None for those that stand under none.
    """
    if depth == 0:
        return []
    if isinstance(value, list) and one_chat(value, lines=False):
        return [(None, {"messages": value})]
    parts = list(value.values() if isinstance(value, Mapping) else value)
    found = [_inside(part, depth - 1) for part in parts]
    if isinstance(value, Mapping):
        keys = list(map(str, value))
        # a single chat may as well stand under a word for what it is
        named = len(keys) > 1 or any(map(str.isdigit, "".join(keys)))
        if named and any(found):
            found = [chats or _bare(part) for chats, part in zip(found, parts, strict=True)]
            if all(len(chats) == 1 for chats in found):
                return [
                    (id or key, chat)
                    for key, chats in zip(keys, found, strict=True)
                    for id, chat in chats
                ]
    return [chat for chats in found for chat in chats]


def _inside(part: Any, depth: int) -> list[tuple[str | None, Mapping[str, Any]]]:
    if isinstance(part, Mapping) and has_turns(part):
        return [(None, part)]
    return _nested(part, depth) if isinstance(part, (list, Mapping)) else []


def _bare(part: Any) -> list[tuple[str | None, Mapping[str, Any]]]:
    """A list that only its neighbours show to be a chat: empty, or by a single speaker."""
    is_bare = isinstance(part, list) and all(map(is_line, part))
    return [(None, {"messages": part})] if is_bare else []
