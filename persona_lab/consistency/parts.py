"""What every part of the consistency score comes as: a number with an interval, or a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]
"""Real numbers of any precision."""

Z90 = 1.6449
"""Half-width of a 90 % normal interval in standard deviations."""

LIKELY = 0.5
"""Probability from which a change is called one."""

LEAST_TURNS = 4
"""Turns with words that a speaker needs for anything about the course of a dialogue."""

LEAST_WORDS = 30
"""Words that go with them."""


@dataclass(frozen=True, slots=True)
class Score:
    """A part's score.

    Attributes:
        value: 0..1, 1 is fully consistent.
        low: lower end of the 90 % interval.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, draws: Numbers) -> Score:
        """A value with the interval that bootstrap draws give; it holds the value."""
        low, high = np.quantile(draws, (0.05, 0.95))
        return cls(float(value), float(min(low, value)), float(max(high, value)))

    @property
    def sd(self) -> float:
        """Standard deviation that goes with the interval."""
        return (self.high - self.low) / (2.0 * Z90)


@dataclass(frozen=True, slots=True)
class NotScored:
    """Why a part has no score.

    Attributes:
        reason: for people.
        code: stable, for programs.
    """

    reason: str
    code: str


def too_little(n_turns: int, n_words: int) -> NotScored | None:
    """The reason where a speaker says too little to judge a course; None if it is enough."""
    if n_turns >= LEAST_TURNS and n_words >= LEAST_WORDS:
        return None
    return NotScored(
        f"{n_turns} turn{'s' * (n_turns != 1)} with {n_words} words; this needs "
        f"{LEAST_TURNS} turns and {LEAST_WORDS} words",
        "too_short",
    )
