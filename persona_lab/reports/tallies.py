"""What the pages about many rows count alike: reasons, warnings, models, and spread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from persona_lab.psychometrics.estimate import mean_estimate

Floats = NDArray[np.float64]

BINS: Final = 20
"""Bins of a distribution from 0 to 1."""

WORD_EDGES: Final = (0, 10, 20, 40, 60, 80, 100, 150, 200, 300, 500, 1000, 2000, 5000)
"""Where bins of text lengths begin; the last one has no end."""

_MOST_REASONS: Final = 12
_DIGITS: Final = 4
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(slots=True)
class Reasons:
    """Counts of reasons; those that differ in their figures only are one.

    Attributes:
        counts: by code or wording.
        examples: the first reason of each.
    """

    counts: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    examples: dict[tuple[str | None, str], str] = field(default_factory=dict)

    def add(self, reason: str, code: str | None = None) -> None:
        """Count one; without a code its words tell it from others."""
        key = (code, "" if code else _NUMBER.sub("#", reason))
        self.counts[key] += 1
        self.examples.setdefault(key, reason)

    def to_rows(self) -> list[dict[str, Any]]:
        """As JSON types, the most frequent first: ``code``, ``rows``, ``example``."""
        return [
            {"code": key[0], "rows": n, "example": self.examples[key]}
            for key, n in self.counts.most_common(_MOST_REASONS)
        ]


@dataclass(slots=True)
class Models:
    """Which models made the rows, and how many each."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, model: Mapping[str, Any] | None) -> None:
        """Count the model of a row.

        Raises:
            KeyError: it lacks its name, version or hash.
        """
        if model is not None:
            self.counts[str(model["name"]), str(model["version"]), str(model["sha256"])] += 1

    def to_rows(self) -> list[dict[str, Any]]:
        """As JSON types, the most used first."""
        return [
            {"name": name, "version": version, "sha256": sha256, "rows": n}
            for (name, version, sha256), n in self.counts.most_common()
        ]


def mean_of(values: Floats) -> dict[str, Any]:
    """The mean of ``(n,)`` numbers with its 95 % t interval cut to 0..1, as JSON types.

    Returns:
        ``n``, ``mean``, ``low``, ``high``; None where there are too few numbers.
    """
    found = mean_estimate(values)
    low = None if found.low is None else max(0.0, found.low)
    high = None if found.high is None else min(1.0, found.high)
    return {
        "n": found.n,
        "mean": rounded(found.estimate),
        "low": rounded(low),
        "high": rounded(high),
    }


def spread_of(values: Floats) -> dict[str, float | None]:
    """Quantiles of ``(n,)`` numbers: ``q05``, ``q25``, ``median``, ``q75``, ``q95``."""
    names = ("q05", "q25", "median", "q75", "q95")
    if not len(values):
        return dict.fromkeys(names)
    found = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    return {name: rounded(float(x)) for name, x in zip(names, found, strict=True)}


def binned(values: Floats) -> list[int]:
    """Counts of numbers 0..1 in :data:`BINS` equal bins; 1 belongs to the last one."""
    at = np.minimum((values * BINS + 1e-9).astype(np.int64), BINS - 1)
    return [int(n) for n in np.bincount(at, minlength=BINS)]


def word_bins(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bin of :data:`WORD_EDGES` of each length ``(n,)``."""
    return np.asarray(np.searchsorted(WORD_EDGES, words, side="right") - 1, np.int64)


def word_label(number: int) -> str:
    """What a bin of lengths holds, for people."""
    low = WORD_EDGES[number]
    if number + 1 == len(WORD_EDGES):
        return f"{low:,} or more"
    return f"{low:,}\u2013{WORD_EDGES[number + 1] - 1:,}"


def used_bins(counts: Sequence[int]) -> range:
    """The bins from the first that holds something to the last one."""
    used = [number for number, n in enumerate(counts) if n]
    return range(used[0], used[-1] + 1) if used else range(0)


def rounded(value: float | None, digits: int = _DIGITS) -> float | None:
    """As numbers are written in result files."""
    return None if value is None else round(float(value), digits)
