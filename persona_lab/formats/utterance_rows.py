"""Rows that are single turns: put together into dialogues, in whatever order they come.

Their turns stand in the order of their numbers or times (:mod:`turn_order`), if they have any.
A row names its dialogue (``conversation_id``), or all rows of an array or a file are one.
Rows of a dialogue may stand apart, so all turns are held until the last row is read: the
only data that are not read in constant memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from persona_lab.errors import RowError
from persona_lab.formats.base import BadRow
from persona_lab.formats.exports import kept_branch
from persona_lab.formats.labels import Note
from persona_lab.formats.members import Members
from persona_lab.formats.own_rows import group_of, labels_of
from persona_lab.formats.records import Record, lookup, whole
from persona_lab.formats.roles import NOBODY
from persona_lab.formats.turn_keys import USUAL, TurnKeys
from persona_lab.formats.turn_lists import has_role, is_turn, is_wordless, turns_of
from persona_lab.formats.turn_order import in_order

_DIALOGUE_KEYS = (
    "conversationid", "conversation", "convid", "dialogueid", "dialogid", "dialogue", "dialog",
    "threadid", "sessionid", "chatid", "messagetreeid", "root",
)  # fmt: skip
_TREE = "messagetreeid"
_HEADER = ("user_name", "character_name", "chat_metadata")
_OF_A_ROW = frozenset({"labels", "group", "messages", "conversations", "turns", "replies"})


def dialogue_key(record: Mapping[str, Any], keys: TurnKeys = USUAL) -> str | None:
    """The key by which a row that is one turn names its dialogue.

    Returns:
        None where the row is no turn, or names no dialogue.
    """
    if not is_turn(record, keys):
        return None
    found = {_folded(key): key for key in record if whole(record[key])}
    return next((found[name] for name in _DIALOGUE_KEYS if name in found), None)


@dataclass(frozen=True, slots=True)
class RowKeys:
    """The keys of rows that are turns.

    Attributes:
        dialogue: names the dialogue; dots reach into nested objects.
        chosen: was that asked for? Then a row without it is a bad one.
        turn: chosen keys of speaker and text.
        id: chosen key of the turn's own id.
        persona: chosen key of what the row says about who assists.
    """

    dialogue: str
    chosen: bool
    turn: TurnKeys = USUAL
    id: str | None = None
    persona: str | None = None


def in_dialogues(
    rows: Iterable[Record | RowError], keys: RowKeys, note: Note, members: Members
) -> Iterator[Record | RowError]:
    """Put rows that name their dialogue together; other records are handed on.

    Args:
        rows: in any order.
        keys: of the rows.
        note: takes remarks about the file.
        members: is told which row went into which dialogue.
    """
    found: dict[str, _Open] = {}
    for row in rows:
        value = row.value if isinstance(row, Record) else None
        if not isinstance(row, Record) or not isinstance(value, Mapping):
            yield row
            continue
        name = (whole(lookup(value, keys.dialogue)) or "").strip()
        if not name and not keys.chosen:
            yield row
            continue
        try:
            if not name:
                raise BadRow(f"no value in the dialogue column {keys.dialogue!r}")
            found.setdefault(name, _Open(name, row.place)).add(row, keys, note)
            members.joined[row.fallback] = name
        except BadRow as bad:
            members.joined[row.fallback] = row.id
            yield RowError(str(bad), row_id=row.id, place=row.place)
    for dialogue in found.values():
        if dialogue.rows:
            yield dialogue.done(keys, note)


@dataclass(slots=True)
class _Open:
    """A dialogue whose rows are still coming."""

    name: str
    place: str
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    speakers: dict[str, dict[str, Any]] = field(default_factory=dict)
    group: str | None = None
    persona: Any = None

    def add(self, row: Record, keys: RowKeys, note: Note) -> None:
        """Take a row in.

        Raises:
            BadRow: it is no turn; nothing of it is kept.
        """
        record = row.object()
        (turn, *_) = turns_of([record], "row", keys.turn)
        labels = labels_of(record, note)
        if labels:
            known = self.speakers.setdefault(turn.speaker, {"labels": {}})["labels"]
            self.speakers[turn.speaker]["labels"] = {**labels, **known}
        self.group = self.group or group_of(record, note)
        self.persona = self.persona or (lookup(record, keys.persona) if keys.persona else None)
        self.rows.append(record if keys.id is None else {**record, "id": lookup(record, keys.id)})

    def done(self, keys: RowKeys, note: Note) -> Record:
        """The dialogue as one record."""
        path = kept_branch(self.rows) if _folded(keys.dialogue) == _TREE else None
        if path is not None:
            note("of replies that were written side by side, only the best ranked are read")
        rows = in_order(self.rows, note) if path is None else path
        value: dict[str, Any] = {"id": self.name, "messages": rows}
        value |= {"speakers": self.speakers} if self.speakers else {}
        value |= {"group": self.group} if self.group is not None else {}
        value |= {keys.persona: self.persona} if keys.persona else {}
        return Record(self.name, self.place, value)


def one_chat(values: Sequence[object], *, lines: bool) -> bool:
    """Are the records of an array, or the lines of a file, the turns of one dialogue?

    Args:
        values: the records.
        lines: are they lines? A line with a speaker and a text is as often a text with its
            author, so there only a role tells.
    """
    turns = [value for value in values if isinstance(value, Mapping) and is_line(value)]
    if len(turns) < len(values) or not any(map(is_turn, turns)):
        return False
    if any(_OF_A_ROW & turn.keys() for turn in turns):
        return False
    if all(map(has_role, turns)):
        return True
    if lines:
        return False
    names = [turn.speaker for turn in turns_of(turns, "messages") if turn.role != NOBODY]
    return 1 < len(set(names)) < max(len(names), 3)


def as_one(values: Sequence[object], fallback: str, place: str, note: Note) -> Record:
    """Turns as the record of one dialogue; a header tells whom it is about."""
    first = values[0] if values else None
    if is_header(first) and isinstance(first, Mapping):
        messages = in_order(values[1:], note)
        value: dict[str, Any] = {"messages": messages, "focus": first.get("character_name")}
    else:
        value = {"messages": in_order(values, note)}
    return Record(fallback, place, value)


def is_line(value: object) -> bool:
    """Is it a turn, perhaps one without words such as a call of a tool, or a header?"""
    if is_turn(value) or is_header(value):
        return True
    return isinstance(value, Mapping) and (has_role(value) or is_wordless(value))


def is_header(value: object) -> bool:
    """Is it the line with which SillyTavern begins a chat?"""
    return isinstance(value, Mapping) and any(key in value for key in _HEADER)


def _folded(key: str) -> str:
    return "".join(letter for letter in key.casefold() if letter.isalnum())
