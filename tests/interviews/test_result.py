"""From ratings to figures: means, intervals, bounds, reliability."""

from __future__ import annotations

import pytest

from persona_lab.instruments import load_instrument
from persona_lab.interviews.raters.rating import Quote, Rating
from persona_lab.interviews.result import domain_result, measurements

MINI = load_instrument("ipip-20")


def rated(unit: str, score: float | None, **more: object) -> Rating:
    given = {
        "id": f"{unit}{more}", "rater": "closed", "judge": None, "bot": "b", "persona": None,
        "protocol": "self-report", "domain": "openness", "facet": None, "unit": unit, "repeat": 0,
        "score": score, "code": None if score is not None else "refusal", "reason": "said so",
    }  # fmt: skip
    return Rating(**given | more)  # type: ignore[arg-type]


def test_mean_interval_and_bounds_by_hand() -> None:
    ratings = [rated("1", 0.5), rated("2", 1.0), rated("3", 0.75), rated("4", None)]
    found = domain_result(ratings)
    assert found.score == pytest.approx(0.75)
    # t(2) = 4.3027, standard error .25 / sqrt 3
    assert found.low == pytest.approx(0.75 - 4.3027 * 0.25 / 3**0.5, abs=1e-4)
    assert found.high == 1.0
    assert (found.worst, found.best) == pytest.approx((2.25 / 4, 3.25 / 4))
    assert (found.n_scored, found.n_unscored) == (3, 1)


def test_repeats_are_not_more_items() -> None:
    once = [rated("1", 0.25), rated("2", 0.75)]
    thrice = [rated(u, s, repeat=r) for r in range(3) for u, s in (("1", 0.25), ("2", 0.75))]
    assert domain_result(once).low == domain_result(thrice).low
    assert domain_result(thrice).units == {
        "1": {"0": 0.25, "1": 0.25, "2": 0.25},
        "2": {"0": 0.75, "1": 0.75, "2": 0.75},
    }


def test_one_unit_has_an_interval_over_repeats_only() -> None:
    assert domain_result([rated("1", 0.5)]).low is None
    found = domain_result([rated("1", s, repeat=i) for i, s in enumerate((0.5, 0.75, 1.0))])
    assert found.low is not None and found.low < 0.75


def test_a_detector_keeps_its_own_interval() -> None:
    ratings = [
        rated(str(i), s, rater="detector", low=s - 0.2, high=s + 0.1)
        for i, s in enumerate((0.5, 0.7))
    ]
    found = domain_result(ratings)
    assert (found.low, found.high) == pytest.approx((0.4, 0.7))


def test_nothing_scored_says_why() -> None:
    found = domain_result([rated("1", None, reason="the model declined to answer")])
    assert (found.score, found.code, found.reason) == (
        None, "refusal", "the model declined to answer",
    )  # fmt: skip
    assert domain_result([]).code == "no_answers"


def test_the_clearest_quotes_of_the_scores_side_come_first() -> None:
    ratings = [
        rated("1", 0.25, quotes=(Quote("r1", "not me"),)),
        rated("2", 1.0, quotes=(Quote("r2", "always me"),)),
        rated("3", 0.75, quotes=(Quote("r3", "often me"), Quote("r4", "always me"))),
    ]
    assert domain_result(ratings).quotes == (
        ("r2", "always me"), ("r3", "often me"), ("r1", "not me"),
    )  # fmt: skip


def test_reliability_of_repeats_and_judges() -> None:
    ratings = [
        rated(u, s + 0.01 * r, repeat=r) for u, s in (("1", 0.1), ("2", 0.5), ("3", 0.9))
        for r in range(2)
    ]  # fmt: skip
    (one,) = measurements(ratings, MINI)
    assert one.reliability["retest"]["estimate"] > 0.99
    assert "judges" not in one.reliability
    judged = [
        rated(u, s, rater="llm", judge=j)
        for u, s in (("1", 0.0), ("2", 0.5), ("3", 1.0))
        for j in ("x", "y")
    ]
    (two,) = measurements(judged, MINI)
    assert two.reliability["judges"]["estimate"] == pytest.approx(1.0)
    assert two.domains["openness"].score == pytest.approx(0.5)
