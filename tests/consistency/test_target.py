"""Match with a target: by hand, by window, by sentence, and read from files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.target import TargetMatch, match_target, read_target, success_rate
from persona_lab.errors import TargetError
from persona_lab.traits import Target

LOG3 = np.log(3.0)  # a probability of .75


def made(make_turns, z) -> TargetMatch:
    found = match_target(make_turns(np.asarray(z, float)), "Ann", Target.parse("E+ N-"))
    assert isinstance(found, TargetMatch)
    return found


def row(extraversion: float, neuroticism: float) -> list[float]:
    return [0.0, 0.0, extraversion, 0.0, neuroticism]


def test_by_hand(make_turns) -> None:
    found = made(make_turns, [row(LOG3, LOG3)] * 3)
    assert found.traits == pytest.approx({"extraversion": 0.75, "neuroticism": 0.25})
    assert found.score.value == pytest.approx(0.5)
    assert found.together == pytest.approx(0.1875)
    assert found.distance == pytest.approx(np.sqrt((0.0625 + 0.5625) / 2))
    assert not found.success


def test_a_wanted_probability_in_between(make_turns) -> None:
    turns = make_turns(np.array([row(LOG3, 0.0)] * 3))
    found = match_target(turns, "Ann", Target.parse({"extraversion": 0.75, "neuroticism": 0.8}))
    assert isinstance(found, TargetMatch)
    assert found.traits == pytest.approx({"extraversion": 1.0, "neuroticism": 0.7})


def test_a_bot_that_starts_right_and_ends_wrong(make_turns) -> None:
    z = np.array([row(2.0, -2.0)] * 6 + [row(-2.0, 2.0)] * 6)
    found = made(make_turns, z)
    assert found.windows[0].match > 0.85
    assert found.windows[-1].match < 0.15
    assert (found.windows[0].first, found.windows[-1].last) == (0, 11)
    assert found.aligned == {"extraversion": 0.5, "neuroticism": 0.5}
    assert found.score.low < found.score.value < found.score.high


def test_success_rate(make_turns) -> None:
    right, wrong = made(make_turns, [row(1.0, -1.0)] * 3), made(make_turns, [row(1.0, 1.0)] * 3)
    assert right.success
    assert success_rate([right, wrong, wrong]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="no dialogue"):
        success_rate([])


def test_nobody_speaks_and_another_framework(make_turns) -> None:
    turns = make_turns(np.zeros((2, 5)))
    silent = match_target(turns, "Bob", Target.parse("E+"))
    assert isinstance(silent, NotScored)
    assert silent.code == "no_words"
    with pytest.raises(ValueError, match="mbti"):
        match_target(turns, "Ann", Target.parse("INFP"))


def test_targets_from_files(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"openness": 0.8}))
    assert read_target(str(path)).values == {"openness": 0.8}
    scored = {"framework": "bigfive", "traits": {"openness": {"p_high": 0.3, "low": 0.1}}}
    path.write_text(json.dumps(scored))
    assert read_target(str(path)).values == {"openness": 0.3}
    assert read_target("E+ N-") == Target.parse("E+ N-")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "cannot read the target"),
        ("[]", "holds no target"),
        ('{"openness": "much"}', "holds no target"),
        ('{"honesty": 0.5}', "belong to no framework"),
        ('{"openness": 3}', "must lie in 0..1"),
    ],
)
def test_files_that_are_no_target(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "target.json"
    path.write_text(content)
    with pytest.raises(TargetError, match=message):
        read_target(str(path))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="FileNotFoundError"):
        read_target(str(tmp_path / "none.json"))


def test_who_shows_nothing_does_not_meet_the_target(make_shown) -> None:
    silent = match_target(make_shown(openness=[0.0] * 6), "Ann", Target.parse("E+"))
    shown = match_target(make_shown(extraversion=[1.2, 0.0, -0.9, 0.8]), "Ann", Target.parse("E+"))
    assert isinstance(silent, TargetMatch)
    assert isinstance(shown, TargetMatch)
    assert not silent.success
    assert silent.aligned == {"extraversion": None}
    assert silent.traits["extraversion"] == pytest.approx(0.5)
    assert shown.success
    assert shown.aligned["extraversion"] == pytest.approx(2 / 3)
