"""Variance components by protocol factor, and generalizability."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from persona_lab.errors import InputError
from persona_lab.psychometrics import generalizability, variance_components

PLANTED = {"persona": 1.0, "wording": 0.3, "order": 0.1, "persona:wording": 0.2, "residual": 0.4}


def protocol(
    rng: np.random.Generator, personas: int, wordings: int, orders: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Scores of bots in every wording and order, with planted components."""
    p, w, o = (x.ravel() for x in np.indices((personas, wordings, orders)))
    sd = {name: variance**0.5 for name, variance in PLANTED.items()}
    y = (
        rng.normal(0, sd["persona"], personas)[p]
        + rng.normal(0, sd["wording"], wordings)[w]
        + rng.normal(0, sd["order"], orders)[o]
        + rng.normal(0, sd["persona:wording"], (personas, wordings))[p, w]
        + rng.normal(0, sd["residual"], len(p))
    )
    return y, {"persona": p, "wording": w, "order": o}


def test_a_balanced_table_gives_the_analysis_of_variance() -> None:
    y = np.array([[9.0, 7, 8], [4, 5, 3], [6, 6, 9], [2, 1, 2]])
    n, k = y.shape
    rows, columns = (x.ravel() for x in np.indices(y.shape))
    result = variance_components(y.ravel(), {"persona": rows, "wording": columns}, n_boot=10)
    between = k * y.mean(axis=1).var(ddof=1)
    across = n * y.mean(axis=0).var(ddof=1)
    error = ((y - y.mean()) ** 2).sum() - (n - 1) * between - (k - 1) * across
    error /= (n - 1) * (k - 1)
    assert result["residual"].raw == pytest.approx(error)
    assert result["persona"].raw == pytest.approx((between - error) / k)
    assert result["wording"].raw == pytest.approx((across - error) / n)
    # this wording component is below 0, and counts as 0
    assert (across - error) / n < 0 and result["wording"].variance == 0
    assert [c.levels for c in result.components] == [4, 3, 12]
    assert result.total == pytest.approx(sum(c.variance for c in result.components))


def test_components_of_500_bots_hold_the_planted_values() -> None:
    y, factors = protocol(np.random.default_rng(2), 500, 8, 4)
    # a tenth of the scores is missing
    y[np.random.default_rng(3).random(len(y)) < 0.1] = np.nan
    result = variance_components(y, factors, interactions=["persona:wording"], n_boot=200)
    assert [c.effect for c in result.components] == list(PLANTED)
    assert result.n == np.isfinite(y).sum()
    total = sum(PLANTED.values())
    for name, planted in PLANTED.items():
        share = result[name].share
        assert share.low is not None and share.high is not None
        assert share.low < planted / total < share.high, name
    for name in ("persona", "persona:wording", "residual"):
        assert result[name].variance == pytest.approx(PLANTED[name], rel=0.1)
    # eight wordings say little about wordings at large, and the interval says so
    wide, narrow = result["wording"].share, result["persona:wording"].share
    assert wide.low is not None and wide.high is not None
    assert narrow.low is not None and narrow.high is not None
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_intervals_hold_the_shares_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    total = sum(PLANTED.values())
    held = dict.fromkeys(PLANTED, 0)
    for seed in range(60):
        y, factors = protocol(rng, 40, 4, 3)
        result = variance_components(
            y, factors, interactions=["persona:wording"], n_boot=150, seed=seed
        )
        for name, planted in PLANTED.items():
            share = result[name].share
            assert share.low is not None and share.high is not None
            held[name] += share.low <= planted / total <= share.high
    assert all(n >= 0.87 * 60 for n in held.values()), held


def test_generalizability_of_a_mean() -> None:
    y, factors = protocol(np.random.default_rng(4), 500, 8, 4)
    result = variance_components(y, factors, interactions=["persona:wording"], n_boot=100)
    v = {c.effect: c.variance for c in result.components}
    error = v["wording"] / 5 + v["order"] / 2 + v["persona:wording"] / 5 + v["residual"] / 10
    phi = generalizability(result, "persona", {"wording": 5, "order": 2})
    assert phi.estimate == pytest.approx(v["persona"] / (v["persona"] + error))
    assert phi.estimate is not None and phi.low is not None and phi.high is not None
    assert phi.low < phi.estimate < phi.high
    relative = v["persona:wording"] / 5 + v["residual"] / 10
    g = generalizability(result, "persona", {"wording": 5, "order": 2}, absolute=False)
    assert g.estimate == pytest.approx(v["persona"] / (v["persona"] + relative))
    with pytest.raises(InputError, match="there are: persona, wording, order"):
        generalizability(result, "mood", {})


def test_effects_that_cannot_be_told_apart_say_so_and_leave_the_others() -> None:
    y, factors = protocol(np.random.default_rng(5), 30, 3, 2)
    more = factors | {
        "model": ["gpt"] * len(y),
        "prompt": [f"prompt {w}" for w in factors["wording"]],
        "row": range(len(y)),
    }
    result = variance_components(y, more, n_boot=20)
    codes = {c.effect: c.share.code for c in result.components}
    assert codes == {
        "persona": None,
        "wording": "confounded",
        "order": None,
        "model": "one_level",
        "prompt": "confounded",
        "row": "confounded",
        "residual": None,
    }
    assert result["wording"].raw is None and result["wording"].share.reason
    assert generalizability(result, "model", {}).code == "one_level"


def test_a_design_whose_sums_do_not_determine_the_components() -> None:
    # any two of the three factors fix the third, with one score each
    a, b = (x.ravel() for x in np.indices((2, 2)))
    result = variance_components([1.0, 2.0, 3.0, 5.0], {"a": a, "b": b, "c": (a + b) % 2}, n_boot=5)
    assert (result.components, result.code) == ((), "confounded")


@pytest.mark.parametrize(
    ("code", "scores"),
    [("no_data", []), ("no_data", [None, None]), ("no_variance", [2, 2, 2, None])],
)
def test_tables_that_cannot_be_scored_say_why(code: str, scores: list[float | None]) -> None:
    result = variance_components(scores, {"persona": list(range(len(scores)))})
    assert (result.components, result.total, result.code) == ((), None, code)
    assert generalizability(result, "persona", {}).code == code


def test_factors_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="'persona' has 1 levels for 2 scores"):
        variance_components([1, 2], {"persona": ["a"]})
    with pytest.raises(InputError, match="the factors are: persona"):
        variance_components([1, 2], {"persona": ["a", "b"]}, interactions=["persona:mood"])
