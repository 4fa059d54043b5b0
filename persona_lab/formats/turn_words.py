"""Who speaks a turn of a chat file and what the words are, whatever shape they have."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping

from persona_lab.formats.base import BadRow
from persona_lab.formats.records import kind, mend, whole

_PERSON_KEYS = ("role", "nickname", "global_name", "display_name", "name", "username")
_ROLE_KEYS = frozenset({"role", "from"})
_THINGS = frozenset(
    {
        *("thinking", "redacted_thinking", "reasoning", "tool_use", "tool_call", "tool_result"),
        *("image", "image_url"),
    }
)
"""Types of parts that are no words of the speaker, whatever text they carry."""

_SPOKEN = frozenset({"text", "multimodal_text"})


def parsed(value: object) -> object:
    """JSON in a text (or a Python literal, as tables save lists) as what it says."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value


def person(value: object, key: str) -> str | None:
    """The name of a person: a text, a number, or an object with a name or role.

    Raises:
        BadRow: it is something else.
    """
    if isinstance(value, Mapping):
        found = (value.get(part) for part in _PERSON_KEYS)
        return next((mend(name) for name in found if isinstance(name, str) and name), None)
    name = None if key in _ROLE_KEYS and not isinstance(value, str) else whole(value)
    if name is None and value is not None:
        raise BadRow(f"{key!r} must be text, not {kind(value)}")
    return name


def words_of(value: object, key: str) -> str | None:
    """The words of a turn, from a text or a list of parts.

    Returns:
        None for a turn without any, such as a call of a tool.

    Raises:
        BadRow: it is something else.
    """
    if value is None or isinstance(value, str):
        return None if value is None else mend(value)
    if isinstance(value, Mapping):
        if value.get("content_type", "text") not in _SPOKEN:
            return None
        inner = next((value[k] for k in ("parts", "text", "value", "content") if k in value), None)
        return None if isinstance(inner, Mapping) else words_of(inner, key)
    if not isinstance(value, list):
        raise BadRow(f"{key!r} must be text, a list of parts or null, not {kind(value)}")
    parts: list[str] = []
    for part in value:
        if isinstance(part, Mapping):
            part = None if part.get("type") in _THINGS else part.get("text")
            part = part if isinstance(part, str) else None
        elif not isinstance(part, str):
            raise BadRow(f"a part of {key!r} must be an object, not {kind(part)}")
        if part is not None:
            parts.append(mend(part))
    # Telegram cuts a text where bold print begins; elsewhere parts are parts.
    return ("" if key == "text" else "\n").join(parts) if parts else None
