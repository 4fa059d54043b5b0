"""Do scores depend on what should not matter: wording, order of options, keying?

Gupta, Song & Anumanchipalli (arXiv 2309.08163) give the same questionnaire in prompts that
mean the same, and with the options in both orders: a measurement must not change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from persona_lab.errors import InputError
from persona_lab.psychometrics.agreement import wilson
from persona_lab.psychometrics.effects import cohens_dz, holm, paired_tests
from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    constant,
    mean_estimate,
    paired,
    table,
    unscored,
)

_EXACT_UP_TO = 14


@dataclass(frozen=True, slots=True)
class Shift:
    """How scores of the same units differ between two ways of asking.

    Attributes:
        first: name of one way.
        second: of the other.
        difference: mean of first minus second with its t interval, in the scores' unit.
        dz: the same over the standard deviation of the differences.
        same: share of units with the same score both ways.
        p: of the paired sign-flip permutation test, two-sided; 1 where nothing differs, None
            without data.
        p_holm: adjusted for all comparisons made together.
    """

    first: str
    second: str
    difference: Estimate
    dz: Estimate
    same: Estimate
    p: float | None
    p_holm: float | None


def sign_flip_test(
    first: Any, second: Any, *, n_permutations: int = 10_000, seed: int = 0
) -> float | None:
    """Two-sided p-value of a paired permutation test of the mean difference.

    If the way of asking does not matter, each difference could as well have the other sign.
    All sign patterns are tried for up to 14 pairs that differ, random ones beyond (the
    observed one counts among them, Phipson & Smyth 2010).

    Args:
        first: ``(n,)`` scores.
        second: ``(n,)`` scores of the same units; incomplete pairs are left out.
        n_permutations: random patterns.
        seed: of the patterns.

    Returns:
        The p-value; 1 where no pair differs; None without a complete pair.
    """
    a, b = paired(first, second, "first and second of each unit")
    if not len(a):
        return None
    differences = (a - b)[a != b]
    n = len(differences)
    if n <= _EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        extra = 0
    else:
        rng = np.random.default_rng(seed)
        signs = 1 - 2 * rng.integers(0, 2, (n_permutations, n), dtype=np.int8)
        extra = 1
    # sums that differ by rounding only are ties
    limit = abs(differences.sum()) - 1e-9 * max(1.0, float(np.abs(differences).sum()))
    hits = int((np.abs(signs @ differences) >= limit).sum())
    return (hits + extra) / (len(signs) + extra)


def wording_sensitivity(
    scores: Mapping[str, Any], *, confidence: float = CONFIDENCE, seed: int = 0
) -> tuple[Shift, ...]:
    """Compare every two wordings of a prompt.

    Args:
        scores: ``(n,)`` scores of the same units in the same order, by wording.
        confidence: of the intervals.
        seed: of the permutations.

    Returns:
        A shift a pair of wordings, corrected for their number.
    """
    shifts = [
        _shift(a, b, scores[a], scores[b], confidence, seed) for a, b in combinations(scores, 2)
    ]
    return _corrected(shifts)


def option_order_symmetry(
    forward: Any, backward: Any, *, confidence: float = CONFIDENCE, seed: int = 0
) -> Shift:
    """Compare answers to options in both orders.

    Args:
        forward: ``(n,)`` scores with the options as they are.
        backward: with the options turned around, scored back to the same meaning.
        confidence: of the intervals.
        seed: of the permutations.

    Returns:
        ``difference`` is above 0 where the order as it is gives higher scores; ``same`` is 1
        for a symmetric answerer.
    """
    return _corrected([_shift("forward", "backward", forward, backward, confidence, seed)])[0]


def negation_consistency(
    answers: Any, twins: Any, scale: tuple[float, float], *, confidence: float = CONFIDENCE
) -> Estimate:
    """How often an item and its negated twin get opposite answers.

    Args:
        answers: ``(n,)`` answers to items, as given.
        twins: ``(n,)`` answers to their negations, as given.
        scale: lowest and highest answer.
        confidence: of Wilson's interval.

    Returns:
        Share of pairs on opposite sides of the middle of the scale, 0..1. Two answers at the
        middle agree; one at the middle and one beside it do not.
    """
    a, b = paired(answers, twins, "item and negated twin")
    middle = sum(scale) / 2
    agree = np.sign(a - middle) == -np.sign(b - middle)
    return wilson(int(agree.sum()), len(a), confidence=confidence)


def acquiescence(
    answers: Any,
    reversed_: Sequence[bool],
    scale: tuple[float, float],
    *,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """How far agreeing is preferred, whatever the item says.

    The mean answer to items keyed one way and the mean answer to those keyed the other way
    should lie alike above and below the middle; what is left of their mean is acquiescence.

    Args:
        answers: ``(people, items)`` answers as given, before reversed items are turned.
        reversed_: ``(items,)`` which items are keyed the other way.
        scale: lowest and highest answer.
        confidence: of the t interval over people.

    Returns:
        -1 (always no) to 1 (always yes), 0 for a balanced answerer.

    Raises:
        InputError: there is not one key for each item.
    """
    x = table(answers, "people x items")
    turned = np.array(reversed_, dtype=bool)
    if x.size and len(turned) != x.shape[1]:
        raise InputError(f"{len(turned)} keys for {x.shape[1]} items")
    if turned.all() or not turned.any():
        return unscored("one_keying", len(x))
    # someone who left out all items of one keying cannot be balanced
    x = x[[bool(np.isfinite(row[turned]).any() and np.isfinite(row[~turned]).any()) for row in x]]
    if not len(x):
        return unscored("no_data")
    leaning = (np.nanmean(x[:, turned], axis=1) + np.nanmean(x[:, ~turned], axis=1)) / 2
    half = (scale[1] - scale[0]) / 2
    return mean_estimate((leaning - sum(scale) / 2) / half, confidence)


def straight_lining(answers: Any, *, confidence: float = CONFIDENCE) -> Estimate:
    """Share of people who give the same answer to every item.

    Args:
        answers: ``(people, items)`` answers as given; people with fewer than two are left out.
        confidence: of Wilson's interval.

    Returns:
        0..1.
    """
    x = table(answers, "people x items")
    rows = [row[~np.isnan(row)] for row in x]
    rows = [row for row in rows if len(row) > 1]
    return wilson(sum(constant(row) for row in rows), len(rows), confidence=confidence)


def _shift(first: str, second: str, a: Any, b: Any, confidence: float, seed: int) -> Shift:
    test = paired_tests({"": (a, b)}, confidence=confidence)[0]
    known = paired(a, b, "scores of the same units")
    return Shift(
        first,
        second,
        test.difference,
        cohens_dz(a, b, confidence=confidence),
        wilson(int((known[0] == known[1]).sum()), len(known[0]), confidence=confidence),
        sign_flip_test(a, b, seed=seed),
        None,
    )


def _corrected(shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    adjusted = iter(holm([s.p for s in shifts if s.p is not None]))
    return tuple(s if s.p is None else replace(s, p_holm=next(adjusted)) for s in shifts)
