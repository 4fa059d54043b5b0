"""How exports wrap a turn: a level deeper, as a notice, newest first, with flags for the sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from persona_lab.formats.roles import ASSISTANT, USER, role_of
from persona_lab.formats.turn_keys import LATE_SPEAKER_KEYS, SPEAKER_KEYS, TEXT_KEYS

_INNER_KEYS = ("message", "data")
_SPOKEN_KINDS = frozenset({"message", "default", "reply", "text", "chat", "human", "ai"})
_SLACK_NOTICES = ("channel_", "group_", "bot_add", "bot_remove", "pinned_item", "unpinned_item")
_SKYPE_NOTICES = ("Event/", "ThreadActivity/", "PopCard", "Notice")
_THOUGHT_CHANNELS = ("analysis", "commentary")
_FLAGS = {"is_bot": (USER, ASSISTANT), "is_user": (ASSISTANT, USER), "is_human": (ASSISTANT, USER)}
_META_TIME = "timestamp_ms"


def unwrapped(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A turn whose speaker and text stand one level deeper."""
    for key in _INNER_KEYS:
        inner = item.get(key)
        if isinstance(inner, Mapping) and any(part in inner for part in TEXT_KEYS):
            return {**item, **inner}
    return item


def with_side(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A turn that tells by a flag which side it is, with the role; others as they are."""
    if any(item.get(key) for key in (*SPEAKER_KEYS, *LATE_SPEAKER_KEYS)):
        return item
    for flag, sides in _FLAGS.items():
        if isinstance(item.get(flag), bool):
            return {**item, "role": sides[item[flag]]}
    return item


def is_notice(item: Mapping[str, Any]) -> bool:
    """Is it a notice of the program, such as "Ann joined", or a thought, rather than a turn?"""
    what = item.get("type")
    if item.get("is_system") is True or item.get("system") is True:
        return True
    if str(item.get("subtype") or "").startswith(_SLACK_NOTICES):
        return True
    if str(item.get("messagetype") or "").startswith(_SKYPE_NOTICES):
        return True
    if item.get("channel") in _THOUGHT_CHANNELS or (what == "reasoning" and "role" not in item):
        return True
    if not isinstance(what, str) or not ("author" in item or "from" in item or "actor" in item):
        return False
    return what.casefold() not in _SPOKEN_KINDS and role_of(what) is None


def from_meta(items: Sequence[Any]) -> Sequence[Any]:
    """Turns as they were said: Messenger and Instagram put the last first, in broken letters."""
    turns = [item for item in items if isinstance(item, Mapping)]
    times = [turn.get(_META_TIME) for turn in turns]
    numbers = [time for time in times if isinstance(time, (int, float))]
    if not items or len(numbers) < len(items):
        return items
    mended = [{key: _mended(value) for key, value in turn.items()} for turn in turns]
    return mended if any(a < b for a, b in pairwise(numbers)) else mended[::-1]


def _mended(value: object) -> object:
    """UTF-8 that was saved as if each byte were a letter."""
    try:
        return value.encode("latin-1").decode() if isinstance(value, str) else value
    except UnicodeError:
        return value
