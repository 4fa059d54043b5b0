"""Alpha, omega, split halves, intraclass correlations, errors of measurement."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from persona_lab.errors import InputError
from persona_lab.psychometrics import (
    Estimate,
    cronbach_alpha,
    icc,
    mcdonald_omega,
    minimal_detectable_change,
    retest_standard_error,
    split_half,
    standard_error_of_measurement,
)
from persona_lab.psychometrics.reliability import minres
from persona_lab.psychometrics.retest import FORMS, Form

SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]
"""Six targets by four judges (Shrout & Fleiss 1979, table 2)."""

N_BOTS = 500
LOADINGS = np.array([0.8, 0.7, 0.6, 0.5, 0.4])


def bots(rng: np.random.Generator, loadings: np.ndarray = LOADINGS, n: int = N_BOTS) -> np.ndarray:
    """Answers ``(n, items)`` of bots with one trait, every item of variance 1."""
    trait = rng.normal(size=(n, 1))
    return np.asarray(trait * loadings + rng.normal(size=(n, 5)) * np.sqrt(1 - loadings**2))


@pytest.mark.parametrize(
    ("form", "published"),
    list(zip(FORMS, (0.17, 0.29, 0.71, 0.44, 0.62, 0.91), strict=True)),
)
def test_intraclass_correlations_of_shrout_and_fleiss(form: Form, published: float) -> None:
    assert icc(SHROUT_FLEISS, form).estimate == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize(
    ("form", "low", "high"),
    [
        # as the R package psych prints them for these data
        ("ICC(1,1)", -0.133, 0.723),
        ("ICC(2,1)", 0.019, 0.761),
        ("ICC(3,1)", 0.342, 0.946),
        ("ICC(1,k)", -0.884, 0.912),
        ("ICC(2,k)", 0.071, 0.927),
        ("ICC(3,k)", 0.676, 0.986),
    ],
)
def test_intervals_of_shrout_and_fleiss(form: Form, low: float, high: float) -> None:
    result = icc(SHROUT_FLEISS, form)
    assert (result.low, result.high) == pytest.approx((low, high), abs=0.0006)
    assert result.n == 6


def test_minres_finds_the_loadings_that_three_items_determine() -> None:
    r12, r13, r23 = 0.56, 0.48, 0.42
    matrix = np.array([[1, r12, r13], [r12, 1, r23], [r13, r23, 1]])
    assert minres(matrix[None])[0] == pytest.approx([0.8, 0.7, 0.6], abs=1e-6)
    # with one item turned, the others keep their sign
    turn = np.diag([1.0, -1.0, 1.0])
    assert minres((turn @ matrix @ turn)[None])[0] == pytest.approx([0.8, -0.7, 0.6], abs=1e-6)


def test_omega_of_500_bots_holds_the_planted_value() -> None:
    common = LOADINGS.sum() ** 2
    planted = common / (common + (1 - LOADINGS**2).sum())
    x = bots(np.random.default_rng(1))
    omega, alpha = mcdonald_omega(x), cronbach_alpha(x)
    assert omega.low is not None and omega.high is not None and omega.estimate is not None
    assert omega.low < planted < omega.high < omega.low + 0.1
    # items that load differently make alpha a lower bound
    assert alpha.estimate is not None and alpha.estimate < omega.estimate
    assert mcdonald_omega(x) == omega


def test_alpha_and_omega_speak_of_the_same_sum_in_the_items_own_units() -> None:
    x = bots(np.random.default_rng(2), np.full(5, 0.7))
    wide = x * [1, 1, 1, 1, 10]
    for estimate in (cronbach_alpha, mcdonald_omega):
        same, other = estimate(x).estimate, estimate(wide).estimate
        assert same is not None and other is not None and other < same - 0.1
    # equal loadings and variances: the two agree
    assert cronbach_alpha(x).estimate == pytest.approx(mcdonald_omega(x).estimate, abs=0.01)


def test_feldts_interval_holds_alpha_as_often_as_it_says() -> None:
    loadings = np.full(5, 0.6)
    planted = 5 * 0.36 / (1 + 4 * 0.36)
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        interval = cronbach_alpha(bots(rng, loadings, 60))
        assert interval.low is not None and interval.high is not None
        held += interval.low <= planted <= interval.high
    assert 0.92 <= held / 400 <= 0.98


def test_split_half_of_two_items_is_spearman_brown() -> None:
    rng = np.random.default_rng(4)
    x = bots(rng)[:, :2]
    r = np.corrcoef(x, rowvar=False)[0, 1]
    assert split_half(x, n_boot=20).estimate == pytest.approx(2 * r / (1 + r))


def test_split_half_of_parallel_items_is_their_reliability_for_even_and_odd_numbers() -> None:
    rng = np.random.default_rng(5)
    for k in (4, 5, 9):
        x = rng.normal(size=(20_000, 1)) + rng.normal(size=(20_000, k))
        planted = k / (k + 1)
        assert split_half(x, n_boot=10).estimate == pytest.approx(planted, abs=0.01), k


def test_a_constant_shift_is_an_error_of_agreement_only() -> None:
    rng = np.random.default_rng(6)
    first = rng.normal(size=200)
    second = first + rng.normal(size=200) * 0.1 + 3
    both = np.stack([first, second], axis=1)
    consistency, agreement = icc(both, "ICC(3,1)").estimate, icc(both, "ICC(2,1)").estimate
    assert consistency is not None and consistency > 0.98
    assert agreement is not None and agreement < 0.3
    assert retest_standard_error(both, absolute=False).estimate == pytest.approx(0.07, abs=0.01)
    absolute = retest_standard_error(both).estimate
    assert absolute is not None and absolute > 1


def test_retest_figures_of_500_bots_hold_the_planted_values() -> None:
    rng = np.random.default_rng(7)
    error = 0.5
    runs = rng.normal(size=(N_BOTS, 1)) + rng.normal(size=(N_BOTS, 3)) * error
    change = minimal_detectable_change(retest_standard_error(runs))
    planted = 1.959964 * np.sqrt(2) * error
    assert change.low is not None and change.high is not None
    assert change.low < planted < change.high < change.low * 1.15
    single = icc(runs, "ICC(2,1)")
    assert single.low is not None and single.high is not None
    assert single.low < 1 / (1 + error**2) < single.high < single.low + 0.1


def test_errors_of_measurement_by_hand() -> None:
    reliability = Estimate(0.84, 0.75, 0.91, 100)
    error = standard_error_of_measurement([10.0, 20.0, 30.0], reliability)
    # the standard deviation is 10
    assert error.estimate == pytest.approx(4)
    assert (error.low, error.high) == pytest.approx((3, 5))
    change = minimal_detectable_change(error)
    assert change.estimate == pytest.approx(1.96 * 2**0.5 * 4, abs=0.001)


N = None
BAD: list[tuple[str, Any]] = [
    ("no_data", []),
    ("no_data", [[N, N], [N, N]]),
    ("no_variance", [[3, 3]] * 5),
    ("one_item", [[1], [2], [3]]),
    ("too_few", [[1, 2], [2, 1], [N, 3]]),
]


@pytest.mark.parametrize(("code", "items"), BAD)
@pytest.mark.parametrize("estimate", [cronbach_alpha, mcdonald_omega, split_half])
def test_scales_that_cannot_be_scored_say_why(estimate: Any, code: str, items: Any) -> None:
    result = estimate(items)
    assert (result.estimate, result.low, result.high, result.code) == (None, None, None, code)
    assert result.reason


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("code", "scores"),
    [
        ("no_data", []),
        ("one_column", [[1], [2]]),
        ("too_few", [[1, 2], [N, 2]]),
        ("no_variance", [[3, 3], [3, 3]]),
        # raters differ, targets do not
        ("no_variance", [[1, 4], [1, 4], [1, 4]]),
    ],
)
def test_retests_that_cannot_be_scored_say_why(form: Form, code: str, scores: Any) -> None:
    assert icc(scores, form).code == code


def test_bots_that_repeat_themselves_exactly() -> None:
    runs = [[1, 1], [2, 2], [5, 5]]
    for form in FORMS:
        assert icc(runs, form).estimate == pytest.approx(1)
    assert retest_standard_error(runs) == Estimate(0.0, 0.0, 0.0, 3)
    assert retest_standard_error([[3, 3], [3, 3]]).estimate == 0


def test_a_scale_of_two_items_has_no_omega_and_a_dead_item_does_not_count() -> None:
    x = bots(np.random.default_rng(8))
    assert mcdonald_omega(x[:, :2]).code == "too_few_items"
    dead = np.column_stack([x, np.full(len(x), 3.0)])
    assert mcdonald_omega(dead).estimate == pytest.approx(mcdonald_omega(x).estimate)


def test_incomplete_rows_are_left_out() -> None:
    gaps = [*SHROUT_FLEISS, [1, None, 2, 3], [1, 2, float("nan"), 4]]
    assert icc(gaps) == icc(SHROUT_FLEISS)
    assert cronbach_alpha(gaps).n == 6


def test_what_is_no_table_of_numbers_is_refused() -> None:
    with pytest.raises(InputError, match="people x items"):
        cronbach_alpha([["a", "b"]])
    with pytest.raises(InputError, match="rows of equal length"):
        cronbach_alpha([[1, 2], [1]])
    with pytest.raises(InputError, match="1 dimensions"):
        icc([1, 2, 3])
    with pytest.raises(InputError, match=r"use one of ICC\(1,1\)"):
        icc(SHROUT_FLEISS, "ICC(4,1)")  # type: ignore[arg-type]
