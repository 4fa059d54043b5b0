"""Estimate: a figure with its interval, or the reason why there is none.

Every statistic of this room returns one, so a caller never meets NaN, and nothing that
could not be computed passes for a zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from persona_lab.errors import InputError

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Share of intervals that hold the true value, wherever none is asked for."""

REASONS = {
    "no_data": "there are no scores",
    "too_few": "there are too few complete rows",
    "one_item": "the scale has one item",
    "too_few_items": "a common factor needs three items that vary",
    "one_column": "there is one column, and nothing to compare it with",
    "one_level": "the factor has one level",
    "no_variance": "the scores have no variance",
    "one_value": "only one value occurs, so agreement by chance is certain",
    "confounded": "the factor cannot be told apart from another factor or the error",
    "one_keying": "all items are keyed the same way",
    "no_reliability": "the reliability it needs is not known",
    "no_pairs": "no unit has two ratings",
    "undefined": "the figure is not defined for these scores",
}
"""What each code of an unscored estimate means, for people."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its interval.

    Attributes:
        estimate: the value; None where it could not be computed.
        low: lower end of the interval; None where there is none.
        high: upper end.
        n: units that it rests on (people, bots, texts, pairs), after incomplete ones were
            left out.
        reason: why it is unscored, one sentence; None where it is scored.
        code: the same for programs, a key of :data:`REASONS`.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None
    code: str | None = None

    @property
    def scored(self) -> bool:
        """Is there a value?"""
        return self.estimate is not None

    def to_row(self, digits: int = 4) -> dict[str, Any]:
        """As JSON types, rounded; ``reason`` and ``code`` only where it is unscored."""
        row: dict[str, Any] = {
            name: None if value is None else round(value, digits)
            for name, value in (
                ("estimate", self.estimate),
                ("low", self.low),
                ("high", self.high),
            )
        }
        row["n"] = self.n
        if not self.scored:
            row |= {"reason": self.reason, "code": self.code}
        return row


def unscored(code: str, n: int = 0) -> Estimate:
    """An estimate that could not be made.

    Args:
        code: a key of :data:`REASONS`.
        n: units that there were.
    """
    return Estimate(None, None, None, n, REASONS[code], code)


def scored(value: float, low: float, high: float, n: int) -> Estimate:
    """An estimate; ends that are not finite become None, a value that is not is unscored."""
    if not np.isfinite(value):
        return unscored("undefined", n)
    ends = [float(end) if np.isfinite(end) else None for end in (low, high)]
    return Estimate(float(value), ends[0], ends[1], n)


def table(scores: ArrayLike | Sequence[Any], what: str) -> Floats:
    """Scores as ``(rows, columns)`` numbers, missing cells NaN.

    Args:
        scores: numbers; None and NaN are missing cells.
        what: names the rows and columns in the error, such as "people x items".

    Raises:
        InputError: the scores are not a table of numbers.
    """
    try:
        numbers = np.array(scores, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"expected a table of numbers ({what}), rows of equal length, None where one is missing"
        ) from None
    if numbers.size == 0:
        return numbers.reshape(0, numbers.shape[1] if numbers.ndim == 2 else 0)
    if numbers.ndim != 2:
        raise InputError(f"expected a table ({what}), not {numbers.ndim} dimensions")
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def column(scores: ArrayLike | Sequence[Any], what: str) -> Floats:
    """Scores as ``(n,)`` numbers, missing ones NaN.

    Raises:
        InputError: they are not a list of numbers.
    """
    try:
        numbers = np.array(scores, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"expected a list of numbers ({what}), None where one is missing"
        ) from None
    if numbers.ndim != 1:
        raise InputError(f"expected a list of numbers ({what}), not {numbers.ndim} dimensions")
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def paired(first: Any, second: Any, what: str) -> tuple[Floats, Floats]:
    """Two lists, reduced to the places where both have a value.

    Raises:
        InputError: they are not two lists of numbers of the same length.
    """
    a, b = column(first, what), column(second, what)
    if len(a) != len(b):
        raise InputError(f"expected pairs ({what}), not {len(a)} and {len(b)} scores")
    known = ~np.isnan(a) & ~np.isnan(b)
    return a[known], b[known]


def complete(numbers: Floats) -> Floats:
    """The rows without a missing cell."""
    return numbers[~np.isnan(numbers).any(axis=1)]


def constant(numbers: Floats) -> bool:
    """Is the spread no more than rounding error?"""
    if numbers.size == 0:
        return True
    return bool(np.ptp(numbers) <= 1e-12 * max(1.0, float(np.abs(numbers).max())))


def percentiles(draws: Floats, confidence: float) -> tuple[float, float]:
    """The middle share of bootstrap draws; NaN where fewer than half are finite."""
    finite = draws[np.isfinite(draws)]
    if len(finite) * 2 < len(draws) or not len(finite):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    return float(np.quantile(finite, tail)), float(np.quantile(finite, 1 - tail))


def mean_estimate(numbers: Floats, confidence: float = CONFIDENCE) -> Estimate:
    """A mean with its t interval; a single number has none.

    Args:
        numbers: ``(n,)``, none missing.
        confidence: of the interval.
    """
    from scipy.stats import t

    n = len(numbers)
    if not n:
        return unscored("no_data")
    mean = float(numbers.mean())
    if n == 1:
        return scored(mean, float("nan"), float("nan"), n)
    error = float(numbers.std(ddof=1) / np.sqrt(n))
    reach = float(t.ppf(1 - (1 - confidence) / 2, n - 1)) * error
    return scored(mean, mean - reach, mean + reach, n)


def normal_quantile(confidence: float) -> float:
    """How many standard errors an interval reaches to either side."""
    from scipy.special import ndtri

    return float(ndtri(1 - (1 - confidence) / 2))
