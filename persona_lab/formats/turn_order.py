"""Turns as they were said: in the order of their numbers or times, less replies nobody chose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from persona_lab.formats.labels import Note
from persona_lab.formats.records import whole
from persona_lab.formats.turn_keys import SPEAKER_KEYS

_TURN_KEYS = (
    "turnindex", "turnidx", "turnnumber", "turnnum", "turnno", "turnid", "turn",
)  # fmt: skip
_NUMBER_KEYS = (
    *_TURN_KEYS,
    "utteranceindex", "utteranceidx", "utterancenumber", "utteranceid",
    "messageindex", "messageidx", "messagenumber", "sequencenumber", "sequence", "seq",
    "position", "index", "idx", "order",
)  # fmt: skip
_TIME_KEYS = (
    "timestamp", "datetime", "time", "date", "createdat", "createtime", "sentat", "sendtime",
    "messagetimestamp", "created",
)  # fmt: skip
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0+)?")
_CHOSEN_KEYS = ("if_chosen", "chosen", "is_chosen")

_MOVED = "turns that stand out of order are put in the order of their numbers or time stamps"
_LEFT_OUT = "of replies that were written side by side, those marked as not chosen are left out"


def order_columns(names: Iterable[str]) -> list[str]:
    """Those of the names under which rows tell their place in a dialogue."""
    return [name for name in names if _folded(name) in (*_NUMBER_KEYS, *_TIME_KEYS)]


def in_order(rows: Sequence[Any], note: Note) -> list[Any]:
    """The rows of one dialogue, in the order that they tell.

    Numbers count where all rows have different whole ones under one key; times where all
    rows have one in ISO form, and none has a number. Other rows stay as they stand.

    Args:
        rows: in the order of the file.
        note: is told where a row was moved.
    """
    if len(rows) < 2 or not all(isinstance(row, Mapping) for row in rows):
        return list(rows)
    keys = [{_folded(str(key)): key for key in row} for row in rows]

    def column(name: str) -> list[Any]:
        return [row.get(own.get(name)) for row, own in zip(rows, keys, strict=True)]

    numbers = [[_number(value) for value in column(name)] for name in _NUMBER_KEYS]
    by_number = next((c for c in numbers if None not in c and len(set(c)) == len(c)), None)
    if by_number is not None:
        return _sorted(rows, by_number, note)
    if any(number is not None for c in numbers for number in c):
        return list(rows)
    times = [[_time(value) for value in column(name)] for name in _TIME_KEYS]
    by_time = next((c for c in times if None not in c and _comparable(c)), None)
    return list(rows) if by_time is None else _sorted(rows, by_time, note)


def _sorted(rows: Sequence[Any], places: Sequence[Any], note: Note) -> list[Any]:
    if all(a <= b for a, b in pairwise(places)):
        return list(rows)
    note(_MOVED)
    if all(a >= b for a, b in pairwise(places)):  # newest first: equal times are turned, too
        return list(rows)[::-1]
    return [rows[i] for i in sorted(range(len(rows)), key=places.__getitem__)]


def _number(value: object) -> int | None:
    found = _WHOLE.fullmatch((whole(value) or "").strip())
    return int(found[1]) if found else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:  # Python 3.10 does not know the Z
        return datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in "Zz" else text)
    except ValueError:
        return None


def _comparable(times: Sequence[datetime | None]) -> bool:
    """Have all of them a zone, or none?"""
    return len({time is not None and time.utcoffset() is None for time in times}) == 1


def chosen_only(items: Sequence[Any], note: Note) -> list[Any]:
    """A list of turns without the replies that were written side by side and not chosen.

    A reply is one of several where marked turns of one side and one number stand together
    and one is chosen; elsewhere the mark may mean anything, and the turn stays.

    Args:
        items: turns.
        note: is told where a reply was left out.
    """
    kept: list[Any] = []
    for _, group in groupby(items, _place):
        replies = list(group)
        best = [item for item in replies if _mark(item)]
        kept += best or replies  # turns without a mark have no best
    if len(kept) < len(items):
        note(_LEFT_OUT)
    return kept


def _mark(item: object) -> bool | None:
    found = [item.get(key) for key in _CHOSEN_KEYS] if isinstance(item, Mapping) else []
    return next((mark for mark in found if isinstance(mark, bool)), None)


def _place(item: object) -> tuple[bool, int | None, str]:
    """What replies to one turn have in common: a mark, the number of the turn, the side."""
    if not isinstance(item, Mapping) or _mark(item) is None:
        return False, None, ""
    found = (_number(value) for key, value in item.items() if _folded(str(key)) in _TURN_KEYS)
    number = next((number for number in found if number is not None), None)
    keys = SPEAKER_KEYS if number is None else ("role",)
    return True, number, next((str(item[key]) for key in keys if key in item), "")


def _folded(key: str) -> str:
    return "".join(letter for letter in key.casefold() if letter.isalnum())
