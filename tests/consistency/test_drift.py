"""Planted changes are found where they are, and noise is not called one."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.consistency.drift import Drift, drift
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.scan import PRIOR


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 5))


def measured(turns, speaker: str = "Ann") -> Drift:
    found = drift(turns, speaker)
    assert isinstance(found, Drift)
    return found


def test_a_planted_change(make_turns) -> None:
    z = noise(20)
    z[12:] += [0, 0, 5, 0, -5]
    found = measured(make_turns(z, words=[100] * 20))
    assert found.change_point.turn == 12
    assert found.change_point.probability > 0.95
    assert found.score.value == pytest.approx(1 - found.change_point.probability)
    assert found.change_point.shift["extraversion"] == pytest.approx(5, abs=1)
    assert found.change_point.shift["neuroticism"] == pytest.approx(-5, abs=1)
    assert abs(found.change_point.shift["openness"]) < 1.5
    assert found.early["extraversion"] < 0.7 < 0.95 < found.late["extraversion"]


def test_noise_is_no_change(make_turns) -> None:
    chances = [
        measured(make_turns(noise(20, seed), words=[100] * 20)).change_point.probability
        for seed in range(20)
    ]
    assert max(chances) < 0.5
    assert np.median(chances) < PRIOR


def test_more_evidence_is_a_higher_probability(make_turns) -> None:
    chances = []
    for jump in (0.0, 1.0, 2.0, 4.0):
        z = noise(16)
        z[8:] += jump
        chances.append(measured(make_turns(z, words=[100] * 16)).change_point.probability)
    assert chances == sorted(chances)


def test_the_turn_is_that_of_the_file(make_turns) -> None:
    z = np.zeros((24, 5))
    z[12:] = 6.0
    z += 0.1 * noise(24)
    found = measured(make_turns(z, speakers=["Ann", "Bob"] * 12, words=[100] * 24))
    assert found.change_point.turn == 12
    bob = measured(make_turns(z, speakers=["Ann", "Bob"] * 12, words=[100] * 24), "Bob")
    assert bob.change_point.turn == 13


def test_slope(make_turns) -> None:
    z = np.zeros((11, 5))
    z[:, 3] = np.linspace(1.0, -1.0, 11)
    found = measured(make_turns(z))
    assert found.slopes["agreeableness"].total == pytest.approx(-2.0, abs=1e-5)
    assert found.slopes["openness"].total == pytest.approx(0.0, abs=1e-6)
    assert found.slopes["agreeableness"].low < -2.0 < found.slopes["agreeableness"].high


def test_early_and_late_style(make_turns) -> None:
    vectors = np.zeros((6, 2))
    vectors[:3, 0], vectors[3:, 1] = 1.0, 1.0
    assert measured(make_turns(np.zeros((6, 5)), vectors=vectors)).style_distance == pytest.approx(
        1.0
    )
    vectors[:] = [1.0, 0.0]
    assert measured(make_turns(np.zeros((6, 5)), vectors=vectors)).style_distance == pytest.approx(
        0.0, abs=1e-6
    )


def test_one_page_does_not_outweigh_all_other_turns(make_turns) -> None:
    z = np.zeros((10, 5))
    z[4] = 3.0
    even = measured(make_turns(z, words=[100] * 10))
    page = measured(make_turns(z, words=[100] * 4 + [10_000] + [100] * 5))
    assert page.change_point.turn == even.change_point.turn


def test_too_little(make_turns) -> None:
    found = drift(make_turns(np.zeros((2, 5)), words=[500, 500]), "Ann")
    assert isinstance(found, NotScored)
    assert found.code == "too_short"
