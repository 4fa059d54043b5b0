"""Do raters agree, beyond what chance would give?

Ratings are ``(units, raters)``; cells may be numbers, letters or None. The interval of a
chance-corrected figure is a bootstrap over units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from persona_lab.errors import InputError
from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    Floats,
    normal_quantile,
    percentiles,
    scored,
    table,
    unscored,
)

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]

_POWERS: dict[str, int] = {"none": 0, "linear": 1, "quadratic": 2}
_LEVELS = ("nominal", "ordinal", "interval")


def wilson(successes: int, n: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """A proportion with the interval of Wilson (1927).

    Args:
        successes: how often it came out so, 0..n.
        n: how often it was tried.
        confidence: of the interval.

    Raises:
        InputError: there are more successes than tries, or fewer than none.
    """
    if not 0 <= successes <= n:
        raise InputError(f"{successes} of {n} is no proportion")
    if n == 0:
        return unscored("no_data")

    from scipy.stats import binomtest

    ends = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return scored(successes / n, ends.low, ends.high, n)


def percent_agreement(ratings: Any, *, confidence: float = CONFIDENCE) -> Estimate:
    """Share of pairs of ratings of the same unit that are the same, averaged over units.

    Args:
        ratings: ``(units, raters)``; units with fewer than two ratings are left out.
        confidence: of the interval, Wilson's with one trial a unit (on the safe side where
            there are more than two raters).

    Returns:
        0..1.
    """
    counts, _ = _counted(ratings)
    if not len(counts):
        return unscored("no_pairs")
    m = counts.sum(axis=1)
    same = ((counts**2).sum(axis=1) - m) / (m * (m - 1))
    return _wilson_of_share(float(same.mean()), len(counts), confidence)


def _wilson_of_share(share: float, n: int, confidence: float) -> Estimate:
    """Wilson's interval of a share that need not be a whole number of units."""
    z2 = normal_quantile(confidence) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * share * (1 - share) / n + z2**2 / (4 * n**2)) / (1 + z2 / n)
    return scored(share, max(0.0, middle - half), min(1.0, middle + half), n)


def weighted_kappa(
    first: Sequence[Any],
    second: Sequence[Any],
    *,
    weights: Weights = "quadratic",
    categories: Sequence[Any] | None = None,
    confidence: float = CONFIDENCE,
    n_boot: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Cohen's (1960, 1968) kappa of two raters.

    Args:
        first: ``(units,)`` ratings of one rater.
        second: of the other; units without both are left out.
        weights: how disagreement grows with the distance of two categories: ``none`` counts
            all alike.
        categories: in order, also those that nobody used; by default the values that occur,
            sorted. Distance is counted in steps.
        confidence: of the percentile interval.
        n_boot: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        1 for agreement, 0 for chance, at least -1.

    Raises:
        InputError: the lists differ in length, or the weights are unknown.
    """
    if weights not in _POWERS:
        raise InputError(f"kappa weights are one of {', '.join(_POWERS)}, not {weights!r}")
    if len(first) != len(second):
        raise InputError(f"two raters of {len(first)} and {len(second)} units")
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if not (_missing(a) or _missing(b))]
    if not pairs:
        return unscored("no_data")
    values = list(categories) if categories is not None else _sorted({v for p in pairs for v in p})
    place = {value: i for i, value in enumerate(values)}
    unknown = next((v for p in pairs for v in p if v not in place), None)
    if unknown is not None:
        raise InputError(f"the rating {unknown!r} is not among the categories")
    if len({v for p in pairs for v in p}) == 1:
        return unscored("one_value", len(pairs))
    k, n = len(values), len(pairs)
    joint = np.zeros((k, k))
    for a, b in pairs:
        joint[place[a], place[b]] += 1
    steps = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(float)
    cost = (steps > 0).astype(float) if weights == "none" else steps ** _POWERS[weights]
    draws = np.random.default_rng(seed).multinomial(n, (joint / n).ravel(), size=n_boot)
    value = _kappa(joint[None], cost)[0]
    boot = _kappa(draws.reshape(-1, k, k).astype(float), cost)
    return scored(float(value), *percentiles(boot, confidence), n=n)


def _kappa(joint: Floats, cost: Floats) -> Floats:
    """Kappa of each of ``(draws, k, k)`` tables; NaN where chance agreement is certain."""
    n = joint.sum(axis=(1, 2))
    seen = (joint * cost).sum(axis=(1, 2)) / n
    chance = np.einsum("bi,ij,bj->b", joint.sum(axis=2), cost, joint.sum(axis=1)) / n**2
    ratio = np.divide(seen, chance, out=np.full(len(n), np.nan), where=chance > 0)
    return np.asarray(1 - ratio)


def krippendorff_alpha(
    ratings: Any,
    level: Level = "nominal",
    *,
    confidence: float = CONFIDENCE,
    n_boot: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Krippendorff's alpha (Content Analysis, 3rd ed. 2013, ch. 12): any raters, gaps allowed.

    The observed disagreement is that of pairs within units, the expected one that of all
    pairs. The ordinal difference of two values is that of their mid-ranks, so ordinal alpha
    is interval alpha on mid-ranks.

    Args:
        ratings: ``(units, raters)``; units with fewer than two ratings are left out.
        level: of measurement: ``nominal``, ``ordinal`` or ``interval``.
        confidence: of the percentile interval over units.
        n_boot: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        1 for agreement, 0 for chance; ``n`` counts units.

    Raises:
        InputError: the level is unknown, or interval ratings are not numbers.
    """
    if level not in _LEVELS:
        raise InputError(f"the level is one of {', '.join(_LEVELS)}, not {level!r}")
    counts, values = _counted(ratings)
    if not len(counts):
        return unscored("no_pairs")
    used = counts.sum(axis=0) > 0
    counts, values = counts[:, used], [v for v, u in zip(values, used, strict=True) if u]
    if len(values) == 1:
        return unscored("one_value", len(counts))
    points = _points(values) if level == "interval" else None
    rng = np.random.default_rng(seed)
    n = len(counts)
    draws = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(n_boot)])
    value = _alpha(np.ones((1, n)), counts, level, points)[0]
    boot = _alpha(draws.astype(float), counts, level, points)
    return scored(float(value), *percentiles(boot, confidence), n=n)


def _alpha(weights: Floats, counts: Floats, level: Level, points: Floats | None) -> Floats:
    """Alpha for each row of ``(draws, units)`` weights.

    Args:
        weights: how often each unit counts.
        counts: ``(units, values)`` ratings.
        level: of measurement.
        points: ``(values,)`` numbers, for the interval level.
    """
    m = counts.sum(axis=1)
    marginal = weights @ counts
    total = marginal.sum(axis=1)
    if level == "nominal":
        within = m**2 - (counts**2).sum(axis=1)
        seen = weights @ (within / (m - 1))
        chance = total**2 - (marginal**2).sum(axis=1)
    else:
        at = np.cumsum(marginal, axis=1) - marginal / 2 if points is None else points[None]
        # centred, or large numbers would swallow small differences
        at = at - (marginal * at).sum(axis=1, keepdims=True) / total[:, None]
        # the sum over pairs of squared differences is 2 (m sum x^2 - (sum x)^2)
        within = 2 * (m * ((at**2) @ counts.T) - (at @ counts.T) ** 2)
        seen = (weights * within / (m - 1)).sum(axis=1)
        chance = 2 * total * (marginal * at**2).sum(axis=1)
    ratio = np.divide(
        (total - 1) * seen, chance, out=np.full(len(total), np.nan), where=chance > 1e-12
    )
    return np.asarray(1 - ratio)


def _points(values: list[Any]) -> Floats:
    try:
        return np.array([float(v) for v in values])
    except (TypeError, ValueError):
        raise InputError("interval ratings must be numbers; use level='nominal'") from None


def _counted(ratings: Any) -> tuple[Floats, list[Any]]:
    """How often each value was given to each unit that has two ratings or more.

    Returns:
        ``(units, values)`` counts, and the values in order.
    """
    if isinstance(ratings, np.ndarray) and ratings.dtype.kind in "fiu":
        ratings = table(ratings, "units x raters")
    try:
        rows = [[v for v in row if not _missing(v)] for row in ratings]
    except TypeError:
        raise InputError("expected ratings as a table (units x raters)") from None
    rows = [row for row in rows if len(row) > 1]
    values = _sorted({v for row in rows for v in row})
    place = {value: i for i, value in enumerate(values)}
    counts = np.zeros((len(rows), len(values)))
    for i, row in enumerate(rows):
        for value in row:
            counts[i, place[value]] += 1
    return counts, values


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, (float, np.floating)) and not np.isfinite(value))


def _sorted(values: set[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        raise InputError("ratings mix numbers and text, so they have no order") from None
