"""A change of what is shown is found where it is; moods, silence and noise are none."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.consistency.change import weigh
from persona_lab.consistency.drift import Drift, drift
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.stability import Stability, agreement, stability
from persona_lab.detectors.reader.signs import EDGES, Signs
from persona_lab.training.reader.course import calibrated

OUTGOING = [1.2, 0.0, 0.6, 0.0, 0.8]
WITHDRAWN = [-x for x in OUTGOING]


def measured(turns, speaker: str = "Ann") -> Drift:
    found = drift(turns, speaker)
    assert isinstance(found, Drift)
    return found


def acted(
    rng: np.random.Generator, poles: np.ndarray, own: np.ndarray, nothing: np.ndarray
) -> np.ndarray:
    """Evidence of turns of a character, drawn from what turns show."""
    middle = np.r_[EDGES[0] - 0.2, (np.array(EDGES[1:]) + EDGES[:-1]) / 2, EDGES[-1] + 0.2]
    drawn = middle[rng.choice(len(middle), size=poles.shape, p=own)] * poles
    return np.where(poles == 0, middle[rng.choice(len(middle), size=poles.shape, p=nothing)], drawn)


def test_a_character_that_turns(make_shown) -> None:
    found = measured(make_shown(extraversion=OUTGOING + WITHDRAWN))
    point = found.change_point
    assert point.turn == 5
    assert point.probability > 0.9
    assert found.score.value == pytest.approx(1 - point.probability)
    assert found.score.low <= found.score.value <= found.score.high
    assert point.in_words == "turns 0-4 outgoing (0, 2, 4), from turn 5 withdrawn (5, 7, 9)"
    assert point.before is not None
    assert point.before.to_row() == {
        "first": 0, "last": 4, "poles": {"extraversion": "high"}, "turns": [0, 2, 4],
        "words": "outgoing",
    }  # fmt: skip
    assert point.shift["extraversion"] < 0
    assert point.shift["openness"] == 0


def test_two_traits_that_turn_together(make_shown) -> None:
    turns = make_shown(extraversion=OUTGOING + WITHDRAWN, neuroticism=WITHDRAWN + OUTGOING)
    assert measured(turns).change_point.in_words == (
        "turns 0-4 outgoing, calm (0, 2, 4), from turn 5 withdrawn, anxious (5, 7, 9)"
    )


@pytest.mark.parametrize(
    "course",
    [
        OUTGOING + OUTGOING,
        [*OUTGOING, -1.2, *OUTGOING],
        [*OUTGOING, -1.2, -0.8, *OUTGOING],
        [0.0] * 6 + OUTGOING,
        OUTGOING + [0.0] * 8,
    ],
    ids=["steady", "a moment", "a mood of two turns", "begins late", "falls silent"],
)
def test_what_is_no_change(make_shown, course: list[float]) -> None:
    point = measured(make_shown(extraversion=course)).change_point
    assert point.probability < 0.5
    assert point.in_words is None


def test_who_shows_nothing_is_not_called_steady(make_shown) -> None:
    silent = make_shown(openness=[0.05] * 12)
    for part in (drift(silent, "Ann"), stability(silent, "Ann")):
        assert isinstance(part, NotScored)
        assert part.code == "little_shown"
        assert part.reason == "no turns of 12 show a trait; this needs 3"
    one = drift(make_shown(openness=[0.9] + [0.0] * 9), "Ann")
    assert isinstance(one, NotScored)
    assert one.reason == "1 turn of 10 shows a trait; this needs 3"


def test_the_turn_is_that_of_the_file(make_shown) -> None:
    course = [x for pair in zip(OUTGOING + WITHDRAWN, [0.0] * 10, strict=True) for x in pair]
    point = measured(make_shown(["Ann", "Bob"] * 10, extraversion=course)).change_point
    assert point.turn == 10
    assert point.in_words == "turns 0-8 outgoing (0, 4, 8), from turn 10 withdrawn (10, 14, 18)"


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_probability_of_a_half_is_right_half_of_the_time(share: float) -> None:
    """Simulation with known truth, calibrated on one half and checked on the other."""
    rng = np.random.default_rng(0)
    signs = Signs.plain()
    changed = rng.random(2400) < share
    factors = []
    for changes in changed:
        poles = np.zeros((10, 5), int)
        column = rng.integers(5)
        poles[:, column] = rng.choice([-1, 1])
        if changes:
            poles[rng.integers(3, 8) :, column] *= -1
        evidence = acted(rng, poles, signs.own, signs.nothing)
        factors.append(float(weigh(evidence, signs).together()))
    half = len(factors) // 2
    intercept, slope = calibrated(factors[:half], changed[:half].tolist())
    p = 1 / (1 + np.exp(-(intercept + slope * np.array(factors[half:]))))
    later = changed[half:]
    # the share for which it is calibrated is a fifth, whatever there was
    weight = np.where(later, 0.2 / later.mean(), 0.8 / (1 - later.mean()))
    for low, high in ((0.1, 0.5), (0.3, 0.8), (0.5, 0.95)):
        some = (p > low) & (p <= high)
        assert some.sum() > 20
        found = np.average(later[some], weights=weight[some])
        assert found == pytest.approx(np.average(p[some], weights=weight[some]), abs=0.15)


def test_draws_of_a_bootstrap_are_weighed_alone() -> None:
    signs = Signs.plain()
    evidence = np.array([OUTGOING + WITHDRAWN]).T
    plain = weigh(evidence, signs)
    drawn = weigh(evidence, signs, np.array([[1.0] * 10, [0.5] * 10]))
    assert drawn.together()[0] == pytest.approx(plain.together())
    assert drawn.together()[1] < plain.together()
    assert drawn.by_place.shape == (2, 7, 1)


def test_signs_of_both_poles_are_less_steady(make_shown) -> None:
    steady = stability(make_shown(extraversion=OUTGOING * 2), "Ann")
    turned = stability(make_shown(extraversion=OUTGOING + WITHDRAWN), "Ann")
    assert isinstance(steady, Stability)
    assert isinstance(turned, Stability)
    assert steady.score.value == 1.0
    assert turned.score.value == pytest.approx(0.0, abs=1e-6)
    assert steady.chance is None


def test_agreement_counts_traits_by_what_is_shown() -> None:
    assert agreement(np.array([[1.0, 0.0], [-0.5, 0.0], [0.0, 0.1]])) == pytest.approx(1 / 3)
    assert agreement(np.array([[1.0, 0.5], [1.0, -0.5]])) == pytest.approx(2 / 3)
    assert agreement(np.zeros((4, 2))) == 1.0


def test_signs_are_kept_and_checked() -> None:
    signs = Signs.plain()
    again = Signs.from_json(signs.to_json())
    assert again.own == pytest.approx(signs.own, abs=1e-4)
    assert again.intercept == signs.intercept
    with pytest.raises(ValueError, match="11 bins"):
        Signs.from_json(signs.to_json() | {"own": [0.5, 0.5], "nothing": [0.5, 0.5]})
