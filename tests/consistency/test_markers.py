"""Log-odds with a prior, worked out by hand."""

from __future__ import annotations

from math import log, sqrt

import pytest

from persona_lab.consistency.markers import contrasts, markers, word_counts


def test_words() -> None:
    assert word_counts(["Don't STOP, don\u2019t!", "42 stops"]) == {
        "don't": 2,
        "stop": 1,
        "stops": 1,
    }


def test_by_hand() -> None:
    # Monroe et al. 2008, equations 16 and 22, with a prior of 10 words from the two sides:
    # 'a' occurs 3 + 1 times of 8, one added to each of the two words: 5/10 of the prior
    one, other = {"a": 3, "b": 1}, {"a": 1, "b": 3}
    a, b = 3 + 5, 1 + 5
    delta = log(a / (14 - a)) - log(b / (14 - b))
    expected = delta / sqrt(1 / a + 1 / b)
    scores = contrasts(one, other, prior_words=10)
    assert scores["a"].z == pytest.approx(expected)
    assert scores["b"].z == pytest.approx(-expected)
    assert scores["a"].log_odds == pytest.approx(delta)


def test_a_strong_prior_shrinks() -> None:
    one, other = {"cat": 5, "the": 20}, {"dog": 5, "the": 20}
    weak, strong = (contrasts(one, other, prior_words=n)["cat"].z for n in (5.0, 5000.0))
    assert weak > strong > 0


def test_a_word_of_both_is_no_marker() -> None:
    cats, dogs = ["the cat sat"] * 40, ["the dog ran"] * 40
    found = markers(cats, dogs)
    assert {m.word for m in found} == {"cat", "sat"}
    assert all(m.count == 40 and m.z > 1.96 for m in found)
    assert {m.word for m in markers(dogs, cats, most=1)} < {"dog", "ran"}


def test_the_background_decides_what_is_expected() -> None:
    one, other = ["whale whale boat"] * 5, ["boat boat whale"] * 5
    sea = ["whale boat"] * 1000
    counts = word_counts(one), word_counts(other)
    common = contrasts(*counts, word_counts(sea))["whale"]
    rare = contrasts(*counts, word_counts(["rare"] * 2000))["whale"]
    assert common.z < rare.z


def test_an_empty_side() -> None:
    assert contrasts({}, {"a": 1}) == {}
    assert markers([], ["some words"]) == ()
