"""Which ``--columns`` to try on a file whose layout is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from persona_lab.formats.base import shown
from persona_lab.formats.turn_words import parsed

_ANY = "--columns text=KEY"


def columns_line(record: Mapping[str, Any]) -> str:
    """The option that fits a record: its longest list of objects, else its longest text.

    Args:
        record: the first one of the file. Only its keys come into the line.
    """
    for key, value in record.items():
        turns = parsed(value)
        first = turns[0] if isinstance(turns, list) and turns else None
        if isinstance(first, Mapping) and len(inner := _texts(first)) > 1:
            line = f"--columns turns={key},speaker={inner[0]},text={inner[-1]}"
            return line if _are_names(key, *inner) else _ANY
    texts = _texts(record)
    return f"--columns text={texts[-1]}" if texts and _are_names(texts[-1]) else _ANY


def _texts(record: Mapping[str, Any]) -> list[str]:
    """Keys that hold texts, the shortest one first."""
    lengths = {str(key): len(value) for key, value in record.items() if isinstance(value, str)}
    return sorted(lengths, key=lambda key: lengths[key])


def _are_names(*keys: str) -> bool:
    return all(shown([key]) == key and not set(key) & set(",=") for key in keys)
