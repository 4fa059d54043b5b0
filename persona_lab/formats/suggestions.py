"""Which ``--columns`` to try on a file whose layout is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from persona_lab.formats.base import shown
from persona_lab.formats.turn_keys import TEXT_KEYS
from persona_lab.formats.turn_words import parsed

_ANY = "--columns text=KEY"
_SAMPLE = 20
_ID_KEYS = ("id", "uuid", "ts", "timestamp", "date")
_AUTHOR_KEYS = ("speaker", "author", "sender", "from")


def columns_line(record: Mapping[str, Any]) -> str:
    """The option that fits a record: its longest list of objects, else its longest text.

    Args:
        record: the first one of the file. Only its keys come into the line.
    """
    for key, value in record.items():
        turns = parsed(value)
        rows = [row for row in turns if isinstance(row, Mapping)] if isinstance(turns, list) else []
        if rows and (found := _speaker_and_text(rows[:_SAMPLE])) is not None:
            speaker, text = found
            line = f"--columns turns={key},speaker={speaker},text={text}"
            return line if _are_names(key, speaker, text) else _ANY
    texts = _texts([record])
    if not texts or not _are_names(texts[-1]):
        return _ANY
    author = next((key for key in _AUTHOR_KEYS if key in texts[:-1]), None)
    return f"--columns text={texts[-1]}" + (f",speaker={author}" if author else "")


def _speaker_and_text(turns: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """The key that holds the most words, and of the others the one that differs least."""
    texts = _texts(turns)
    if len(texts) < 2:
        return None
    text = next((key for key in TEXT_KEYS if key in texts), texts[-1])
    others = [key for key in texts if key not in (text, *_ID_KEYS)]
    if not others:
        return None
    values = {key: len({str(turn.get(key)) for turn in turns}) for key in others}
    # a key of one value for all turns tells nobody apart
    return min(others, key=lambda key: (values[key] == 1 < len(turns), values[key])), text


def _texts(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys that hold texts, the shortest one first."""
    lengths: Counter[str] = Counter()
    for record in records:
        lengths.update({str(k): len(v) for k, v in record.items() if isinstance(v, str)})
    return sorted(lengths, key=lambda key: lengths[key])


def _are_names(*keys: str) -> bool:
    return all(shown([key]) == key and not set(key) & set(",=") for key in keys)
