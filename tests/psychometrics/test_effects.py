"""Effect sizes, paired tests, the multitrait-multimethod matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import nct, ttest_rel

from persona_lab.errors import InputError
from persona_lab.psychometrics import (
    cliffs_delta,
    cohens_d,
    cohens_dz,
    correlation,
    hedges_g,
    holm,
    multitrait_multimethod,
    paired_tests,
)


def test_three_spreads_of_cohens_d() -> None:
    first, second = [2.0, 4.0, 6.0], [1.0, 2.0, 3.0, 2.0]
    # variances 4 and 2/3 over n - 1, 8/3 and 1/2 over n
    difference = 4 - 2
    assert cohens_d(first, second).estimate == pytest.approx(
        difference / ((2 * 4 + 3 * 2 / 3) / 5) ** 0.5
    )
    assert cohens_d(first, second, spread="population").estimate == pytest.approx(
        difference / ((2 * 8 / 3 + 3 / 2) / 5) ** 0.5
    )
    assert cohens_d(first, second, spread="average").estimate == pytest.approx(
        difference / ((4 + 2 / 3) / 2) ** 0.5
    )
    with pytest.raises(InputError, match="pooled, population, average"):
        cohens_d(first, second, spread="none")  # type: ignore[arg-type]


def test_the_interval_of_d_is_that_of_the_noncentral_t() -> None:
    rng = np.random.default_rng(0)
    d = cohens_d(rng.normal(1, 1, 30), rng.normal(0, 1, 20))
    assert d.estimate is not None and d.low is not None and d.high is not None
    root = (30 * 20 / 50) ** 0.5
    assert nct.sf(d.estimate * root, 48, d.low * root) == pytest.approx(0.025, abs=1e-6)
    assert nct.cdf(d.estimate * root, 48, d.high * root) == pytest.approx(0.025, abs=1e-6)


def test_huge_effects_have_intervals_too() -> None:
    rng = np.random.default_rng(1)
    d = cohens_d(rng.normal(8, 1, 160), rng.normal(0, 1, 160))
    assert d.low is not None and d.high is not None and d.low < 8 < d.high < d.low + 1.5


def test_intervals_hold_the_planted_effect_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    held = {"d": 0, "dz": 0, "delta": 0}
    planted_delta = 0.4292  # 2 Phi(0.8 / sqrt 2) - 1
    for _ in range(300):
        a, b = rng.normal(0.8, 1, 25), rng.normal(0, 1, 25)
        for name, estimate, planted in (
            ("d", cohens_d(a, b), 0.8),
            ("dz", cohens_dz(a, b), 0.8 / 2**0.5),
            ("delta", cliffs_delta(a, b), planted_delta),
        ):
            assert estimate.low is not None and estimate.high is not None
            held[name] += estimate.low <= planted <= estimate.high
    assert all(0.91 <= n / 300 <= 0.985 for n in held.values()), held


def test_hedges_correction() -> None:
    first, second = np.arange(6.0), np.arange(6.0) + 1
    d, g = cohens_d(first, second).estimate, hedges_g(first, second).estimate
    assert d is not None and g is not None
    # gamma(5) / (sqrt(5) gamma(4.5))
    assert g / d == pytest.approx(0.92275, abs=1e-5)


def test_cliffs_delta_by_hand_and_without_overlap() -> None:
    assert cliffs_delta([1, 2, 3], [2, 3, 4]).estimate == pytest.approx(-5 / 9)
    apart = cliffs_delta(range(10, 30), range(10))
    # Wilson's interval of 10 of 10 is 0.7225..1
    assert apart.estimate == apart.high == 1
    assert apart.low is not None and apart.low == pytest.approx(2 * 0.72247 - 1, abs=1e-4)
    below = cliffs_delta(range(10), range(10, 30))
    assert below.low == -1 and below.high == -apart.low
    same = cliffs_delta([3, 3], [3, 3])
    assert (same.estimate, same.low, same.high) == (0, 0, 0)


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.5, 0.9]) == (1.0, 1.0)
    assert holm([]) == ()


def test_paired_tests_are_corrected_together() -> None:
    rng = np.random.default_rng(3)
    base = rng.normal(size=20)
    pairs: dict[str, tuple[Any, Any]] = {
        "shifted": (base + 1 + rng.normal(size=20) * 0.3, base),
        "same": (base + rng.normal(size=20) * 0.3, base),
        "constant": (base + 2, base),
        "empty": ([None], [1.0]),
    }
    shifted, same, constant, empty = paired_tests(pairs)
    expected = ttest_rel(*pairs["shifted"]).pvalue
    assert shifted.p == pytest.approx(expected) and shifted.p_holm == pytest.approx(2 * expected)
    assert same.p is not None and same.p == same.p_holm
    assert constant.p is None and constant.difference.estimate == pytest.approx(2)
    assert constant.dz.code == "no_variance"
    assert empty.difference.code == "no_data" and empty.p_holm is None


def test_groups_that_cannot_be_compared_say_why() -> None:
    for estimate in (cohens_d, hedges_g):
        assert estimate([1, 1], [2, 2]).code == "no_variance"
        assert estimate([], []).code == "no_data"
        assert estimate([1], [2, None]).code == "too_few"
    assert cliffs_delta([None], [None]).code == "no_data"
    assert cohens_dz([1, 2], [2, 3]).code == "no_variance"
    with pytest.raises(InputError, match="2 and 3 scores"):
        cohens_dz([1, 2], [1, 2, 3])


def test_correlation_with_fishers_interval() -> None:
    # r = .5 of 28 pairs: z = .5493 +- 1.96 / 5
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 28))
    a, b = (x - x.mean() for x in (a, b))
    b -= a * (a @ b) / (a @ a)
    mixed = a / np.linalg.norm(a) * 0.5 + b / np.linalg.norm(b) * 0.75**0.5
    result = correlation(a, mixed)
    assert result.estimate == pytest.approx(0.5)
    assert (result.low, result.high) == pytest.approx((0.1561, 0.7356), abs=1e-3)
    assert correlation([1, 2, 3, 4], [2, 4, 6, 8]).estimate == 1
    assert correlation([1, 2, 3], [5, 5, 5]).code == "no_variance"


def test_the_matrix_tells_convergent_from_discriminant() -> None:
    rng = np.random.default_rng(5)
    n = 400
    traits = {"E": rng.normal(size=n), "N": rng.normal(size=n)}
    methods = {"test": rng.normal(size=n), "talk": rng.normal(size=n)}
    measures = {
        (t, m): trait + 0.7 * method + 0.5 * rng.normal(size=n)
        for t, trait in traits.items()
        for m, method in methods.items()
    }
    matrix = multitrait_multimethod(measures)
    assert len(matrix.cells) == 6
    total = 1 + 0.49 + 0.25
    for kind, planted in (
        ("convergent", 1 / total),
        ("heterotrait_monomethod", 0.49 / total),
        ("heterotrait_heteromethod", 0.0),
    ):
        mean = matrix.means[kind]  # type: ignore[index]
        assert mean.low is not None and mean.high is not None
        assert mean.low < planted < mean.high < mean.low + 0.25, kind
    # each of 2 convergent correlations shares a measure with 2 of either kind
    assert (matrix.heteromethod.estimate, matrix.heteromethod.n) == (1, 4)
    assert (matrix.monomethod.estimate, matrix.monomethod.n) == (1, 4)


def test_a_matrix_with_a_dead_measure_or_one_method() -> None:
    measures = {("E", "a"): [1, 2, 3, 4, None], ("E", "b"): [2] * 5, ("N", "a"): [2, 1, 4, 3, 5]}
    matrix = multitrait_multimethod(measures)
    assert matrix.means["convergent"].code == "no_data"
    assert matrix.heteromethod.code == "no_data"
    codes = {(c.first, c.second): c.r.code for c in matrix.cells}
    assert codes[("E", "a"), ("E", "b")] == "no_variance"
    with pytest.raises(InputError, match="same units"):
        multitrait_multimethod({("E", "a"): [1, 2], ("E", "b"): [1]})
