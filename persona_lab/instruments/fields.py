"""Reading fields of JSON objects, with one clear error for what is missing or of a wrong kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from persona_lab.formats.records import kind
from persona_lab.instruments.errors import InstrumentError


def object_(value: object, where: str) -> Mapping[str, Any]:
    """The value as an object.

    Raises:
        InstrumentError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise InstrumentError(f"{where} must be a JSON object, not {kind(value)}")
    return value


def list_(record: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """A list field.

    Raises:
        InstrumentError: it is missing or something else.
    """
    value = _needed(record, key, where)
    if not isinstance(value, list):
        raise InstrumentError(f"{where}: {key!r} must be a list, not {kind(value)}")
    return value


def text(record: Mapping[str, Any], key: str, where: str) -> str:
    """A text field, white space tidied; never empty.

    Raises:
        InstrumentError: it is missing, empty or something else.
    """
    value = _needed(record, key, where)
    if not isinstance(value, str):
        raise InstrumentError(f"{where}: {key!r} must be text, not {kind(value)}")
    tidy = " ".join(value.split())
    if not tidy:
        raise InstrumentError(f"{where}: {key!r} is empty; write its text or take the item out")
    return tidy


def optional_text(record: Mapping[str, Any], key: str, where: str) -> str | None:
    """A text field that may be missing, null or empty.

    Raises:
        InstrumentError: it holds something else.
    """
    return text(record, key, where) if record.get(key) not in (None, "") else None


def whole(record: Mapping[str, Any], key: str, where: str) -> int:
    """A whole number.

    Raises:
        InstrumentError: it is missing or something else.
    """
    value = _needed(record, key, where)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InstrumentError(f"{where}: {key!r} must be a whole number")
    return value


def _needed(record: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in record:
        found = ", ".join(map(repr, list(record)[:12])) or "nothing"
        raise InstrumentError(f"{where} lacks the field {key!r}; it has: {found}")
    return record[key]
