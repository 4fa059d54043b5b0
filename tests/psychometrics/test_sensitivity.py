"""Wording, option order, negated twins, acquiescence, straight-lining."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.errors import InputError
from persona_lab.psychometrics import (
    acquiescence,
    negation_consistency,
    option_order_symmetry,
    sign_flip_test,
    straight_lining,
    wording_sensitivity,
)


def test_sign_flips_by_hand() -> None:
    # of 8 patterns of 1, 2, 3 only +++ and --- reach a sum of 6
    assert sign_flip_test([1, 2, 3], [0, 0, 0]) == 2 / 8
    # pairs without a difference and incomplete ones say nothing
    assert sign_flip_test([1, 2, 3, 5, None], [0, 0, 0, 5, 1]) == 2 / 8
    assert sign_flip_test([1, 1], [1, 1]) == 1
    assert sign_flip_test([None], [1]) is None
    # sums that differ by rounding are the same sum
    assert sign_flip_test([0.1, 0.2, 0.3], [0, 0, 0]) == 2 / 8


def test_random_sign_flips_are_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(0)
    p_values = [
        sign_flip_test(*rng.normal(size=(2, 30)), n_permutations=500, seed=i) for i in range(200)
    ]
    below = np.mean([p is not None and p < 0.2 for p in p_values])
    assert 0.13 < below < 0.28
    certain = sign_flip_test(np.arange(1, 31), np.zeros(30), n_permutations=999)
    assert certain == 1 / 1000


def test_wordings_are_compared_in_pairs_with_correction() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=40)
    scores = {
        "plain": base,
        "polite": base + rng.normal(0, 0.2, 40),
        "rude": base + 0.5 + rng.normal(0, 0.2, 40),
    }
    shifts = {(s.first, s.second): s for s in wording_sensitivity(scores)}
    assert list(shifts) == [("plain", "polite"), ("plain", "rude"), ("polite", "rude")]
    rude = shifts["plain", "rude"]
    assert rude.p_holm is not None and rude.p_holm < 0.01
    assert rude.difference.estimate == pytest.approx(-0.5, abs=0.1)
    assert rude.dz.estimate == pytest.approx(-2.5, abs=0.7)
    polite = shifts["plain", "polite"]
    assert polite.p is not None and polite.p_holm == polite.p > 0.05


def test_option_order() -> None:
    same = option_order_symmetry([1, 2, 3, 4], [1, 2, 3, 4])
    assert (same.difference.estimate, same.same.estimate, same.p, same.p_holm) == (0, 1, 1, 1)
    first = option_order_symmetry([5, 5, 5, 4], [1, 2, 3, 4])
    assert first.difference.estimate == pytest.approx(2.25)
    assert first.same.estimate == 0.25 and first.p == 2 / 8
    nothing = option_order_symmetry([None], [None])
    assert nothing.difference.code == nothing.same.code == "no_data" and nothing.p is None


def test_negated_twins() -> None:
    answers, twins = [5, 4, 3, 3, 1, 2, None], [1, 3, 3, 2, 4, 2, 5]
    result = negation_consistency(answers, twins, (1, 5))
    # opposite: 5/1, 3/3, 1/4
    assert (result.estimate, result.n) == (3 / 6, 6)


def test_acquiescence() -> None:
    turned = [False, False, True, True]
    balanced = [[5, 4, 1, 2], [1, 1, 5, 5]]
    assert acquiescence(balanced, turned, (1, 5)).estimate == 0
    assert acquiescence([[5, 5, 5, 5]], turned, (1, 5)).estimate == 1
    yes = acquiescence([[5, 5, 3, 3], [4, 4, 4, None], [None, None, 1, 2]], turned, (1, 5))
    assert yes.estimate == pytest.approx(0.5) and yes.n == 2
    # five items one way and one the other weigh alike
    assert acquiescence([[5, 5, 5, 5, 5, 1]], [False] * 5 + [True], (1, 5)).estimate == 0
    assert acquiescence([[1, 2]], [True, True], (1, 5)).code == "one_keying"
    assert acquiescence([[None, None]], [True, False], (1, 5)).code == "no_data"
    with pytest.raises(InputError, match="1 keys for 2 items"):
        acquiescence([[1, 2]], [True], (1, 5))


def test_straight_lining() -> None:
    answers = [[3, 3, 3], [1, 2, 3], [4, None, 4], [2, None, None]]
    result = straight_lining(answers)
    assert (result.estimate, result.n) == (2 / 3, 3)
    assert straight_lining([[1], [2]]).code == "no_data"
    assert straight_lining([]).code == "no_data"
