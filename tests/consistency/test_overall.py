"""One number: weights, monotony, intervals, and the sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_lab.consistency.overall import WEIGHTS, costs_of, explain, overall
from persona_lab.consistency.parts import NotScored, Score

MISSING = NotScored("no target was given", "not_asked")
UNIT = st.floats(0.0, 1.0)


def exact(value: float) -> Score:
    return Score(value, value, value)


def test_each_part_takes_off_its_own_and_a_missing_one_nothing() -> None:
    parts = {"stability": exact(1.0), "drift": exact(0.2), "target": MISSING}
    assert costs_of(parts) == pytest.approx({"stability": 0.0, "drift": 0.8 * WEIGHTS["drift"]})
    score = overall(parts)
    assert isinstance(score, Score)
    assert score.value == pytest.approx(1 - 0.8 * WEIGHTS["drift"])


def test_one_grave_fault_is_enough() -> None:
    fine = {"stability": exact(1.0), "drift": exact(0.98), "accommodation": exact(0.9)}
    for fault in ("drift", "contradiction"):
        score = overall(fine | {fault: exact(0.05)})
        assert isinstance(score, Score)
        assert score.value < 0.3


@given(st.sets(st.sampled_from(sorted(WEIGHTS)), min_size=1), st.data())
def test_monotone_in_each_part(names: set[str], data: st.DataObject) -> None:
    values = {name: data.draw(UNIT) for name in sorted(names)}
    raised = data.draw(st.sampled_from(sorted(names)))
    higher = values | {raised: data.draw(st.floats(values[raised], 1.0))}
    before, after = (
        overall({name: exact(value) for name, value in given.items()}) for given in (values, higher)
    )
    assert isinstance(before, Score)
    assert isinstance(after, Score)
    assert after.value >= before.value - 1e-12
    assert 0.0 <= before.value <= 1.0


def test_the_interval_of_two_independent_parts() -> None:
    wide = Score(0.5, 0.4, 0.6)
    score = overall({"stability": wide, "drift": wide})
    assert isinstance(score, Score)
    one, two = (1 - 0.5 * WEIGHTS[name] for name in ("stability", "drift"))
    assert score.value == pytest.approx(one * two)
    half = 0.1 * ((WEIGHTS["stability"] * two) ** 2 + (WEIGHTS["drift"] * one) ** 2) ** 0.5
    assert (score.low, score.high) == pytest.approx((one * two - half, one * two + half))


def test_nothing_scored() -> None:
    score = overall({"stability": NotScored("2 turns", "too_short"), "target": MISSING})
    assert score == NotScored("2 turns", "too_short")
    assert explain({}, score, {}) == "Not scored: 2 turns."
    assert overall({}) == NotScored("there are no parts", "no_parts")


def test_the_sentence_names_the_costliest_part_first() -> None:
    parts = {"stability": exact(0.0), "drift": exact(0.9), "contradiction": exact(0.2)}
    sentence = explain(parts, overall(parts), {"contradiction": "2 contradicting pairs"})
    assert sentence.index("agreement with persona") < sentence.index("steadiness")
    assert sentence.index("steadiness") < sentence.index("change point")
    assert "2 contradicting pairs" in sentence


def test_a_part_that_takes_nothing_is_not_named() -> None:
    parts = {"drift": exact(1.0), "contradiction": exact(0.5)}
    assert "change point" not in explain(parts, overall(parts), {})
    parts = {"drift": exact(1.0)}
    assert explain(parts, overall(parts), {}) == "1.00 of 1. No part takes anything off."


def test_an_unknown_part() -> None:
    with pytest.raises(KeyError):
        overall({"charm": exact(1.0)})
