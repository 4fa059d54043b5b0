"""How large a difference is: standardised mean differences, dominance, paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from persona_lab.errors import InputError
from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    Floats,
    column,
    constant,
    mean_estimate,
    normal_quantile,
    paired,
    scored,
    unscored,
)

Spread = Literal["pooled", "population", "average"]
_SPREADS = ("pooled", "population", "average")


def cohens_d(
    first: Any, second: Any, *, spread: Spread = "pooled", confidence: float = CONFIDENCE
) -> Estimate:
    """Cohen's d of two independent groups, first minus second.

    Args:
        first: ``(n1,)`` scores.
        second: ``(n2,)`` scores.
        spread: what the difference is divided by. ``pooled``: the usual pooled standard
            deviation. ``population``: the same weights n - 1, but variances over n, as in
            PersonaLLM's script (arXiv 2305.02547). ``average``: the root of the mean of
            both variances, as in Frisch & Giulianelli's script (arXiv 2402.02896).
        confidence: of the interval, from the noncentral t distribution (Steiger & Fouladi
            1997); it holds for normal scores of equal variance.

    Raises:
        InputError: the spread is unknown.
    """
    if spread not in _SPREADS:
        raise InputError(f"the spread is one of {', '.join(_SPREADS)}, not {spread!r}")
    a, b = _known(first), _known(second)
    n = len(a) + len(b)
    if min(len(a), len(b)) < 2:
        return unscored("too_few" if n else "no_data", n)
    if constant(a) and constant(b):
        return unscored("no_variance", n)
    value = float(a.mean() - b.mean()) / _spread(a, b, spread)
    low, high = _noncentral(value, float(np.sqrt(len(a) * len(b) / n)), n - 2, confidence)
    return scored(value, low, high, n)


def hedges_g(first: Any, second: Any, *, confidence: float = CONFIDENCE) -> Estimate:
    """Hedges' (1981) g: Cohen's d of pooled spread without its bias in small groups.

    Args:
        first: ``(n1,)`` scores.
        second: ``(n2,)`` scores.
        confidence: of the interval, that of d times the same factor.
    """
    d = cohens_d(first, second, confidence=confidence)
    if d.estimate is None:
        return d

    from scipy.special import gammaln

    df = d.n - 2
    factor = float(np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2))
    value, low, high = (
        float("nan") if end is None else factor * end for end in (d.estimate, d.low, d.high)
    )
    return scored(value, low, high, d.n)


def cohens_dz(first: Any, second: Any, *, confidence: float = CONFIDENCE) -> Estimate:
    """Cohen's dz of pairs: mean difference (first minus second) over its standard deviation.

    Args:
        first: ``(n,)`` scores.
        second: ``(n,)`` scores of the same units; pairs with a missing one are left out.
        confidence: of the interval, from the noncentral t distribution.
    """
    a, b = paired(first, second, "first and second of each unit")
    n = len(a)
    if n < 2:
        return unscored("too_few" if n else "no_data", n)
    if constant(a - b):
        return unscored("no_variance", n)
    value = float((a - b).mean() / (a - b).std(ddof=1))
    low, high = _noncentral(value, float(np.sqrt(n)), n - 1, confidence)
    return scored(value, low, high, n)


def cliffs_delta(first: Any, second: Any, *, confidence: float = CONFIDENCE) -> Estimate:
    """Cliff's (1993) delta: how much more often a first score beats a second than loses.

    Args:
        first: ``(n1,)`` scores.
        second: ``(n2,)`` scores.
        confidence: of Cliff's asymmetric interval (1993, eq. 11 with the consistent
            variance). Where no pair overlaps the variance is 0, and the interval is
            Wilson's for the smaller group.

    Returns:
        -1..1.
    """
    a, b = _known(first), _known(second)
    n = len(a) + len(b)
    if min(len(a), len(b)) < 2:
        return unscored("too_few" if n else "no_data", n)
    wins = np.sign(a[:, None] - b[None, :])
    delta = float(wins.mean())
    z = normal_quantile(confidence)
    if abs(delta) == 1:
        m = min(len(a), len(b))
        near = (m - z**2) / (m + z**2)
        return scored(delta, *((near, 1.0) if delta > 0 else (-1.0, -near)), n=n)
    of_first = ((wins.mean(axis=1) - delta) ** 2).sum() / (len(a) - 1)
    of_second = ((wins.mean(axis=0) - delta) ** 2).sum() / (len(b) - 1)
    single = ((wins - delta) ** 2).sum() / (len(a) * len(b) - 1)
    variance = (len(b) * of_first + len(a) * of_second + single) / (len(a) * len(b))
    below = 1 - delta**2 + z**2 * variance
    half = z * np.sqrt(variance) * np.sqrt((1 - delta**2) ** 2 + z**2 * variance)
    ends = [(delta - delta**3 + sign * half) / below for sign in (-1, 1)]
    return scored(delta, max(-1.0, ends[0]), min(1.0, ends[1]), n)


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A paired t test among several.

    Attributes:
        name: of the comparison.
        difference: mean of first minus second, with its t interval, in the scores' unit.
        dz: the same, standardised.
        p: two-sided; None where it could not be tested.
        p_holm: adjusted for all comparisons that were tested (Holm 1979).
    """

    name: str
    difference: Estimate
    dz: Estimate
    p: float | None
    p_holm: float | None


def paired_tests(
    pairs: Mapping[str, tuple[Any, Any]], *, confidence: float = CONFIDENCE
) -> tuple[PairedTest, ...]:
    """Paired t tests of several measures, with Holm's correction.

    Args:
        pairs: first and second scores ``(n,)`` of each comparison.
        confidence: of the intervals, one by one.

    Returns:
        One result a comparison, in order.
    """
    results = [
        (name, *_mean_difference(first, second, confidence), first, second)
        for name, (first, second) in pairs.items()
    ]
    adjusted = iter(holm([p for _, _, p, _, _ in results if p is not None]))
    return tuple(
        PairedTest(
            name,
            difference,
            cohens_dz(first, second, confidence=confidence),
            p,
            None if p is None else next(adjusted),
        )
        for name, difference, p, first, second in results
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted for being several (Holm 1979), in the given order."""
    n = len(p_values)
    adjusted = [0.0] * n
    highest = 0.0
    for rank, i in enumerate(sorted(range(n), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (n - rank) * p_values[i]))
        adjusted[i] = highest
    return tuple(adjusted)


def _mean_difference(first: Any, second: Any, confidence: float) -> tuple[Estimate, float | None]:
    from scipy.stats import t

    a, b = paired(first, second, "first and second of each unit")
    n = len(a)
    if n < 2:
        return unscored("too_few" if n else "no_data", n), None
    difference = mean_estimate(a - b, confidence)
    if difference.estimate is None or constant(a - b):
        # the same shift for all: certain in this sample, and beyond a t test
        return difference, None
    error = float((a - b).std(ddof=1) / np.sqrt(n))
    return difference, float(2 * t.sf(abs(difference.estimate) / error, n - 1))


def _known(scores: Any) -> Floats:
    x = column(scores, "scores of one group")
    return x[~np.isnan(x)]


def _spread(a: Floats, b: Floats, spread: Spread) -> float:
    if spread == "average":
        return float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    ddof = 1 if spread == "pooled" else 0
    weights = np.array([len(a) - 1, len(b) - 1])
    return float(np.sqrt(weights @ [a.var(ddof=ddof), b.var(ddof=ddof)] / weights.sum()))


def _noncentral(value: float, root: float, df: int, confidence: float) -> tuple[float, float]:
    """Ends of a standardised difference: noncentral t distributions that just allow it.

    Args:
        value: the difference.
        root: that turns it into t.
        df: degrees of freedom.
        confidence: of the interval.
    """
    from scipy.special import nctdtrinc

    t = value * root
    tail = (1 - confidence) / 2
    low, high = (float(nctdtrinc(df, share, t)) for share in (1 - tail, tail))
    return low / root, high / root
