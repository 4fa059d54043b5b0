"""From units to the speaker."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from persona_lab.detectors.reader.rule import Rule, judge
from persona_lab.detectors.reader.scale import AXES, axis_of

E, N = axis_of("extraversion"), axis_of("neuroticism")


def unit(**levels: float) -> np.ndarray:
    """Chances ``(8, 5)`` whose expected rating is as said, 0 where nothing is."""
    found = np.zeros((len(AXES), 5), np.float32)
    found[:, 2] = 1.0
    for axis, level in levels.items():
        row = np.zeros(5)
        row[4 if level > 0 else 0] = abs(level) / 2
        row[2] = 1 - abs(level) / 2
        found[AXES.index(axis)] = row
    return found


def judged(*units: np.ndarray, rule: Rule | None = None):
    return judge(np.stack(units), rule or Rule.plain())


def test_e_or_i_is_read_off_extraversion() -> None:
    assert axis_of("EI") == E
    assert [axis_of(t) for t in ("SN", "TF", "JP")] == [5, 6, 7]


@pytest.mark.parametrize("level", [-1.9, -1.0, 0.0, 0.3, 2.0])
def test_one_unit_says_its_own_level(level: float) -> None:
    found = judged(unit(extraversion=level))
    assert found.level[E] == pytest.approx(level, abs=1e-4)
    assert found.level[N] == 0


def test_nothing_shown_is_a_half_without_label() -> None:
    found = judged(unit(), unit(), unit())
    assert found.p_high == pytest.approx([0.5] * len(AXES))
    assert not found.label.any()
    assert not found.mixed.any()
    assert (found.level_low < 0).all()
    assert (found.level_high > 0).all()


def test_signs_add_up_and_silence_costs_little() -> None:
    one = judged(unit(extraversion=1.0)).level[E]
    assert judged(*[unit(extraversion=1.0)] * 4).level[E] > one
    beside_silence = judged(unit(extraversion=1.9), *[unit()] * 9).level[E]
    assert 0.6 < beside_silence < 1.9  # a mean would say 0.19
    assert judged(unit(extraversion=1.9), *[unit()] * 9).label[E] == 1


def test_the_order_of_units_does_not_matter() -> None:
    units = [unit(extraversion=1.5), unit(neuroticism=-1.0), unit(), unit(extraversion=-0.3)]
    one, other = judged(*units), judged(*units[::-1])
    assert one.level == pytest.approx(other.level, abs=1e-6)


def test_signs_of_both_poles_are_mixed() -> None:
    found = judged(unit(extraversion=1.8), unit(extraversion=-1.8))
    assert found.mixed[E]
    assert found.label[E] == 0
    assert not judged(unit(extraversion=1.8), unit(extraversion=-0.2)).mixed[E]


def test_the_interval_holds_the_level_and_follows_the_doubt() -> None:
    sure = replace(Rule.plain(), doubt=np.full(len(AXES), 0.05, np.float32))
    unsure = replace(Rule.plain(), doubt=np.full(len(AXES), 0.8, np.float32))
    width = [
        judged(unit(extraversion=1.0), rule=rule).level_high[E]
        - judged(unit(extraversion=1.0), rule=rule).level_low[E]
        for rule in (sure, unsure)
    ]
    assert 0 < width[0] < width[1]
    found = judged(unit(extraversion=1.0))
    assert found.level_low[E] < found.level[E] < found.level_high[E]
    assert found.p_low_end[E] < found.p_high[E] < found.p_high_end[E]


def test_a_rule_survives_json() -> None:
    rule = replace(Rule.plain(), dilution=0.37, high=np.linspace(0.4, 0.9, 8, dtype=np.float32))
    again = Rule.from_json(json.loads(json.dumps(rule.to_json())))
    assert again.dilution == 0.37
    assert again.high == pytest.approx(rule.high, abs=1e-5)
