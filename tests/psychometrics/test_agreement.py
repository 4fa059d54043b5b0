"""Wilson's interval, percent agreement, kappa, Krippendorff's alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from persona_lab.errors import InputError
from persona_lab.psychometrics import (
    krippendorff_alpha,
    percent_agreement,
    weighted_kappa,
    wilson,
)
from persona_lab.psychometrics.agreement import Level, Weights

N = None
KRIPPENDORFF: list[list[Any]] = [
    [1, 1, N, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [N, 5, 5, 5],
    [N, N, 1, 1],
    [N, N, 3, N],
]
"""Twelve units by four coders (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011)."""


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_krippendorffs_worked_example(level: Level, published: float) -> None:
    result = krippendorff_alpha(KRIPPENDORFF, level)
    assert result.estimate == pytest.approx(published, abs=0.0005)
    assert result.n == 11
    assert result.low is not None and result.high is not None
    assert result.low < published < result.high


def test_alpha_takes_letters_and_a_shift_of_numbers_does_not_matter() -> None:
    letters = [[N if v is N else "abcde"[v - 1] for v in unit] for unit in KRIPPENDORFF]
    for level in ("nominal", "ordinal"):
        assert krippendorff_alpha(letters, level) == krippendorff_alpha(KRIPPENDORFF, level)
    far = [[N if v is N else v + 1e6 for v in unit] for unit in KRIPPENDORFF]
    assert krippendorff_alpha(far, "interval").estimate == pytest.approx(0.8491, abs=1e-4)
    with pytest.raises(InputError, match="must be numbers"):
        krippendorff_alpha(letters, "interval")


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_is_that_of_scikit_learn(weights: Weights) -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(1, 6, 80)
    second = np.clip(first + rng.integers(-1, 2, 80), 1, 5)
    expected = cohen_kappa_score(first, second, weights=None if weights == "none" else weights)
    result = weighted_kappa(list(first), list(second), weights=weights)
    assert result.estimate == pytest.approx(expected)
    assert result.low is not None and result.high is not None and result.low < expected
    assert result.high < 1


def test_unused_categories_do_not_change_quadratic_kappa_but_gaps_do() -> None:
    first, second = [1, 2, 5, 5, 2], [1, 5, 5, 2, 2]
    plain = weighted_kappa(first, second, n_boot=10).estimate
    assert weighted_kappa(first, second, categories=[1, 2, 5, 6], n_boot=10).estimate == plain
    spaced = weighted_kappa(first, second, categories=[1, 2, 3, 4, 5], n_boot=10).estimate
    assert plain is not None and spaced is not None and spaced < plain
    with pytest.raises(InputError, match="5 is not among the categories"):
        weighted_kappa(first, second, categories=[1, 2])


def test_wilsons_interval() -> None:
    # Newcombe (1998, table I): 81 of 263 and 0 of 20
    result = wilson(81, 263)
    assert (result.low, result.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    none = wilson(0, 20)
    assert (none.estimate, none.low) == (0, 0) and none.high == pytest.approx(0.1611, abs=5e-5)
    assert wilson(0, 0).code == "no_data"
    with pytest.raises(InputError, match="5 of 4"):
        wilson(5, 4)


def test_percent_agreement_by_hand() -> None:
    # 1 of 3 pairs agrees in the first unit, all in the second, none in the third
    result = percent_agreement([["a", "a", "b"], ["c", "c", "c"], ["a", "b", N], ["a", N, N]])
    assert result.estimate == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert result.n == 3
    # with two raters it is a proportion
    pairs = [[1, 1]] * 7 + [[1, 2]] * 3
    share, seven = percent_agreement(pairs), wilson(7, 10)
    assert (share.low, share.high) == pytest.approx((seven.low, seven.high))


@pytest.mark.parametrize(
    ("code", "ratings"),
    [
        ("no_pairs", []),
        ("no_pairs", [[1], [2]]),
        ("no_pairs", [[N, N], [1, N]]),
        ("one_value", [[2, 2], [2, 2]]),
    ],
)
def test_ratings_without_anything_to_compare(code: str, ratings: Any) -> None:
    for level in ("nominal", "ordinal", "interval"):
        result = krippendorff_alpha(ratings, level)
        assert (result.estimate, result.code) == (None, code)
    assert percent_agreement(ratings).code == (None if code == "one_value" else code)


def test_a_constant_rater_has_a_kappa_of_0_and_two_have_none() -> None:
    assert weighted_kappa([1, 1, 1, 1], [1, 2, 3, 1]).estimate == pytest.approx(0)
    assert weighted_kappa([1, 1, N], [1, 1, 2]).code == "one_value"
    assert weighted_kappa([N], [1]).code == "no_data"
    with pytest.raises(InputError, match="2 and 1 units"):
        weighted_kappa([1, 2], [1])
    with pytest.raises(InputError, match="mix numbers and text"):
        weighted_kappa([1, "a"], [1, "a"])
