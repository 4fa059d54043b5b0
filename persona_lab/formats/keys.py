"""What the keys or columns of a file were read as, for people who want to see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from persona_lab.formats.base import Columns
from persona_lab.formats.chat_json import (
    BOTH_KEYS,
    ID_KEYS,
    PERSONA_KEYS,
    REPLY_KEYS,
    TURN_KEYS,
    asked_and_answered,
)
from persona_lab.formats.delimited import columns_of
from persona_lab.formats.detection import first_value, record_in
from persona_lab.formats.reading import FORMATS
from persona_lab.formats.records import lookup
from persona_lab.formats.source import Source, SourceLike
from persona_lab.formats.tables import header_of
from persona_lab.formats.turn_keys import LATE_SPEAKER_KEYS, SPEAKER_KEYS, TEXT_KEYS, pair_of
from persona_lab.formats.turn_lists import looks_like_turns
from persona_lab.formats.turn_words import parsed
from persona_lab.formats.utterance_rows import dialogue_key

_FACTS = ("speakers", "focus", "labels", "group", "options")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys or columns of a file.

    Attributes:
        names: as the first record or the header has them; empty for other layouts.
        read_as: by role, the key that plays it; ``turns[].role`` is a key inside turns.
    """

    names: tuple[str, ...]
    read_as: Mapping[str, str]


def keys_of(source: SourceLike, layout: str, columns: Columns) -> Keys:
    """Look at the first record or the header of a file.

    Args:
        source: a path.
        layout: its layout, from a reader that was opened on it.
        columns: chosen columns.
    """
    form = FORMATS[layout]
    with closing(Source(source)) as opened:
        if opened.is_folder:
            return Keys((), {})
        if form.keys:
            record = record_in(first_value(opened))
            return Keys(tuple(map(str, record)), {**_roles(record), **columns})
        if form.takes_columns:
            header = tuple(header_of(opened))
            return Keys(header, {**_of_header(header), **columns_of(header, columns)})
        return Keys(tuple(header_of(opened)) if form.header else (), {})


def _of_header(header: Sequence[str]) -> dict[str, str]:
    """The roles that columns play which hold whole chats; none beside a text."""
    if "text" in header:
        return {}
    turns = [key for key in (*TURN_KEYS, *BOTH_KEYS, *REPLY_KEYS) if key in header]
    pair = pair_of(lambda key: key in header)
    if turns or pair is None:
        return {"turns": ", ".join(turns)} if turns else {}
    return {"user": pair[0], "assistant": pair[1]}


def _roles(record: Mapping[str, Any]) -> dict[str, str]:
    """The roles that the keys of a JSON record play."""
    roles = {"id": next((key for key in ID_KEYS if record.get(key) is not None), "")}
    turns = [k for k in (*TURN_KEYS, *BOTH_KEYS, *REPLY_KEYS) if looks_like_turns(record.get(k))]
    pair = asked_and_answered(record)
    if turns:
        roles["turns"] = ", ".join(turns)
        roles |= _inside(parsed(record[turns[0]]), f"{turns[0]}[].")
    elif pair is not None:
        roles |= {"user": pair[0], "assistant": pair[1]}
    else:
        roles |= _inside(record, "")
        roles["dialogue"] = dialogue_key(record) or ""
    roles["persona"] = ", ".join(key for key in PERSONA_KEYS if record.get(key))
    roles |= {key: key for key in _FACTS if record.get(key) is not None}
    return {role: key for role, key in roles.items() if key}


def _inside(value: object, before: str) -> dict[str, str]:
    turn = value[0] if isinstance(value, list) and value else value
    if not isinstance(turn, Mapping):
        return {}
    found = {"speaker": (*SPEAKER_KEYS, *LATE_SPEAKER_KEYS), "text": TEXT_KEYS}
    first = {role: next((k for k in keys if lookup(turn, k)), "") for role, keys in found.items()}
    return {role: before + key for role, key in first.items() if key}
