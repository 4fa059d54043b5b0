"""Which rows have been seen before, in little memory: 16 bytes a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from persona_lab.filtering.reading import Row

_RECENT = 65_536


class SeenRows:
    """The first row of each content.

    New entries go to a dictionary; when that is full it is merged into sorted arrays.
    The key is half of the 128-bit hash: among a hundred million rows two different ones
    are taken for the same with a probability of 0.03 %.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._recent: dict[int, int] = {}
        self._keys = np.empty(0, np.uint64)
        self._firsts = np.empty(0, np.int64)

    def first(self, content: str, ordinal: int) -> int | None:
        """The ordinal of the first row with this content; None (and noted) if it is new."""
        key = int(content[:16], 16)
        known = self._recent.get(key)
        if known is not None:
            return known
        at = int(np.searchsorted(self._keys, np.uint64(key)))
        if at < len(self._keys) and int(self._keys[at]) == key:
            return int(self._firsts[at])
        self._recent[key] = ordinal
        if len(self._recent) >= _RECENT:
            self._merge()
        return None

    def _merge(self) -> None:
        keys = np.fromiter(self._recent.keys(), np.uint64, len(self._recent))
        firsts = np.fromiter(self._recent.values(), np.int64, len(self._recent))
        keys, firsts = np.concatenate([self._keys, keys]), np.concatenate([self._firsts, firsts])
        order = np.argsort(keys, kind="stable")
        self._keys, self._firsts = keys[order], firsts[order]
        self._recent.clear()


def mark_repeats(rows: Iterable[Row]) -> Iterator[Row]:
    """Say of each row which earlier one its scores can be taken from."""
    seen = SeenRows()
    for row in rows:
        first = seen.first(row.content, row.ordinal) if row.content else None
        yield row if first is None else replace(row, copy_of=first, repeats=True)
