"""How far the items of one scale measure the same thing: alpha, omega, split halves.

All three take ``(people, items)`` scores in which reversed items are scored back already,
and leave out people with a missing answer.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    Floats,
    complete,
    constant,
    percentiles,
    scored,
    table,
    unscored,
)

_SWEEPS = 200
_CONVERGED = 1e-9
_FEW_PEOPLE = 3


def cronbach_alpha(items: Any, *, confidence: float = CONFIDENCE) -> Estimate:
    """Cronbach's (1951) alpha, with the interval of Feldt, Woodruff & Salih (1987).

    Args:
        items: ``(people, items)`` scores.
        confidence: of the interval, which rests on the F distribution (eq. 10 there).

    Returns:
        Alpha, at most 1; below 0 where items contradict one another (often one whose
        keying was forgotten).
    """
    x = complete(table(items, "people x items"))
    problem = _problem(x)
    if problem is not None:
        return problem
    n, k = x.shape
    value = _alpha(np.cov(x, rowvar=False))

    from scipy.stats import f

    tail = (1 - confidence) / 2
    ends = [1 - (1 - value) * f.ppf(q, n - 1, (n - 1) * (k - 1)) for q in (1 - tail, tail)]
    return scored(value, ends[0], ends[1], n)


def mcdonald_omega(
    items: Any, *, confidence: float = CONFIDENCE, n_boot: int = 1000, seed: int = 0
) -> Estimate:
    """McDonald's (1999) omega total of a one-factor model.

    Loadings are minres (unweighted least squares on the correlations, Harman & Jones
    1966) and taken back to the items' own units, so omega and alpha speak of the same sum
    score: ``(sum l)^2 / ((sum l)^2 + sum u^2)`` with loadings l and unique variances u^2.
    A uniqueness is kept at 0 or above (Heywood cases).

    Args:
        items: ``(people, items)`` scores; items that never vary are left out.
        confidence: of the percentile interval over people.
        n_boot: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        Omega, 0..1.
    """
    x = complete(table(items, "people x items"))
    problem = _problem(x)
    if problem is not None:
        return problem
    x = x[:, [not constant(column) for column in x.T]]
    if x.shape[1] < 3:
        return unscored("too_few_items", len(x))
    value = float(_omega(np.cov(x, rowvar=False)[None])[0])
    draws = _omega(_resampled(x, lambda c: c, n_boot, seed))
    return scored(value, *percentiles(draws, confidence), n=len(x))


def split_half(
    items: Any,
    *,
    n_splits: int = 200,
    confidence: float = CONFIDENCE,
    n_boot: int = 500,
    seed: int = 0,
) -> Estimate:
    """Split-half reliability, stepped up to the length of the whole scale.

    The correlation of two halves is averaged over splits, then stepped up by Spearman
    (1910) and Brown (1910); where the number of items is odd, by Horst's (1951) formula for
    halves of unequal length.

    Args:
        items: ``(people, items)`` scores.
        n_splits: all splits are used if there are no more than these, else this many
            random ones.
        confidence: of the percentile interval over people.
        n_boot: bootstrap draws.
        seed: of splits and bootstrap.
    """
    x = complete(table(items, "people x items"))
    problem = _problem(x)
    if problem is not None:
        return problem
    halves = _halves(x.shape[1], n_splits, seed)
    share = x.shape[1] // 2 / x.shape[1]
    value = _stepped_up(_mean_correlation(np.cov(x, rowvar=False), halves), share)
    draws = _resampled(x, lambda c: _stepped_up(_mean_correlation(c, halves), share), n_boot, seed)
    return scored(value, *percentiles(draws, confidence), n=len(x))


def _problem(x: Floats) -> Estimate | None:
    """Why complete answers ``(people, items)`` cannot be scored, if they cannot."""
    n, k = x.shape
    if k == 1:
        return unscored("one_item", n)
    if not x.size:
        return unscored("no_data")
    if n < _FEW_PEOPLE:
        return unscored("too_few", n)
    if constant(x.sum(axis=1)):
        return unscored("no_variance", n)
    return None


def _alpha(covariance: Floats) -> float:
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def _omega(covariances: Floats) -> Floats:
    """Omega of each of ``(n, k, k)`` covariance matrices."""
    sd = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    product = sd[:, :, None] * sd[:, None, :]
    # an item that does not vary in a resample correlates with nothing
    r = np.divide(covariances, product, out=np.zeros_like(covariances), where=product > 0)
    loading = minres(r)
    common = (loading * sd).sum(axis=1) ** 2
    unique = ((1 - loading**2) * sd**2).sum(axis=1)
    return np.asarray(
        np.divide(common, common + unique, out=np.full(len(sd), np.nan), where=common + unique > 0)
    )


def minres(correlations: Floats) -> Floats:
    """Loadings of one factor that leave the least squared residual correlations.

    One loading after the other is solved for, given the rest (Harman & Jones 1966, eq. 14),
    and held within -1..1.

    Args:
        correlations: ``(n, k, k)`` matrices; the diagonal is not looked at.

    Returns:
        ``(n, k)`` loadings, turned so that their sum is positive.
    """
    k = correlations.shape[1]
    r = correlations * (1 - np.eye(k))
    loading = np.linalg.eigh(r + np.eye(k))[1][:, :, -1]
    for _ in range(_SWEEPS):
        before = loading.copy()
        for i in range(k):
            rest = (loading**2).sum(axis=1) - loading[:, i] ** 2
            fitted = (r[:, i] * loading).sum(axis=1)
            step = np.divide(fitted, rest, out=np.zeros_like(rest), where=rest > 0)
            loading[:, i] = np.clip(step, -1, 1)
        if np.abs(loading - before).max() < _CONVERGED:
            break
    return np.asarray(loading * np.where(loading.sum(axis=1) < 0, -1, 1)[:, None])


def _resampled(x: Floats, of_covariance: Callable[[Floats], Any], n_boot: int, seed: int) -> Floats:
    """A figure of the covariance matrix in each bootstrap sample of people."""
    rng = np.random.default_rng(seed)
    draws = (x[rng.integers(0, len(x), len(x))] for _ in range(n_boot))
    return np.array([of_covariance(np.cov(draw, rowvar=False)) for draw in draws])


def _halves(k: int, n_splits: int, seed: int) -> Floats:
    """``(splits, items)`` membership in the first half, each split once."""
    size = k // 2
    # with two equal halves each split has a twin that swaps them
    twins = 2 if k % 2 == 0 else 1
    if comb(k, size) // twins <= n_splits:
        chosen = [c for c in combinations(range(k), size) if twins == 1 or 0 in c]
    else:
        rng = np.random.default_rng(seed)
        chosen = [tuple(rng.permutation(k)[:size]) for _ in range(n_splits)]
    halves = np.zeros((len(chosen), k))
    for row, members in zip(halves, chosen, strict=True):
        row[list(members)] = 1
    return halves


def _mean_correlation(covariance: Floats, halves: Floats) -> float:
    """Mean correlation of the halves; splits with a half that does not vary are left out."""
    other = 1 - halves
    first = ((halves @ covariance) * halves).sum(axis=1)
    second = ((other @ covariance) * other).sum(axis=1)
    varies = (first > 0) & (second > 0)
    if not varies.any():
        return float("nan")
    both = ((halves @ covariance) * other).sum(axis=1)[varies]
    return float(np.mean(both / np.sqrt(first[varies] * second[varies])))


def _stepped_up(r: float, share: float) -> float:
    """Horst's formula; with halves of equal length it is Spearman and Brown's 2r / (1 + r)."""
    if np.isnan(r) or r <= -1:
        return float("nan")
    if r >= 1:
        return 1.0
    product = share * (1 - share)
    left = r**2 * (1 - 4 * product) + 4 * product
    return float((r * np.sqrt(left) - r**2) / (2 * product * (1 - r**2)))
