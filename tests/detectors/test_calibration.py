"""Probabilities, intervals and abstention on readings whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_lab.detectors.calibration import GENERAL, Calibration, Judgement, judge
from persona_lab.detectors.lexical import Lexical
from persona_lab.detectors.reading import Reading, Row
from persona_lab.detectors.trained import TrainedDetector, sigmoid, trait_scores
from persona_lab.profile import ModelInfo, Profile
from persona_lab.traits import BIG_FIVE, MBTI

MakeCalibration = Callable[..., Calibration]

ROWS = (Row(GENERAL, "EI"), Row("chat", "EI"), Row(GENERAL, "TF"))
REGISTERS = ("essay", "chat", "other")


def small_calibration(**changes: Any) -> Calibration:
    """Two traits, one of them with an expert for chats; the identity unless changed."""
    one, line = np.ones((1, 3), np.float32), np.zeros(3, np.float32)
    fields: dict[str, Any] = {
        "rows": ROWS,
        "registers": REGISTERS,
        "intercept": line,
        "slope": one,
        "slope_log": 0 * one,
        "borrow": 0 * one,
        "spread": one,
        "min_log": line - 1.0,
        "max_log": line + 1.0,
        "thresholds": {"EI": 0.5, "TF": 0.5},
        "min_words": {GENERAL: 40, "chat": 10},
    }
    return Calibration(**(fields | changes))


def reading(values: Any, *, members: Any = None, gate: Any = (1.0, 0.0, 0.0)) -> Reading:
    """A reading with equal attention; each segment is an utterance."""
    values = np.asarray(values, np.float32)
    n = len(values)
    if members is None:
        members = [values.mean(axis=0)]
    with np.errstate(divide="ignore"):
        log_gate = np.log(np.asarray(gate, np.float32))
    return Reading(
        values=values,
        weights=np.full(values.shape, 1 / n, np.float32),
        members=np.asarray(members, np.float32),
        gate=log_gate,
        covers=tuple(((i, 1.0),) for i in range(n)),
    )


@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3))
def test_mixing_lines_sum_to_one(shares: list[float]) -> None:
    gate = np.array(shares) / sum(shares)
    mix = small_calibration().mixing(gate, ["TF", "EI"])
    assert mix.sum(axis=1) == pytest.approx([1.0, 1.0])
    # TF has no expert for chats, and no trait has one for essays: the general one takes over
    assert mix[0] == pytest.approx([0.0, 0.0, 1.0])
    assert mix[1] == pytest.approx([gate[0] + gate[2], gate[1], 0.0])


def test_the_slope_depends_on_length_within_what_was_seen() -> None:
    calibration = small_calibration(slope_log=np.full((1, 3), 0.5, np.float32))
    assert calibration.slopes(100)[0] == pytest.approx([1.0] * 3)
    assert calibration.slopes(200)[0] == pytest.approx([1 + 0.5 * np.log(2)] * 3)
    assert calibration.slopes(10**6)[0] == pytest.approx([1.5] * 3)  # max_log is 1
    assert calibration.slopes(0)[0] == pytest.approx([0.5] * 3)
    falling = small_calibration(slope_log=np.full((1, 3), -2.0, np.float32))
    # more evidence for the high pole never lowers its probability
    assert falling.slopes(10**6)[0] == pytest.approx([0.0] * 3)


def test_a_small_register_borrows_from_the_general_expert() -> None:
    calibration = small_calibration(
        slope=np.array([[1.0, 0.5, 1.0]], np.float32),
        borrow=np.array([[0.0, 0.25, 0.0]], np.float32),
    )
    values = [[2.0, 4.0, 8.0]]
    essay = judge([reading(values)], calibration, ["EI"], 100)
    chat = judge([reading(values, gate=(0, 1, 0))], calibration, ["EI"], 100)
    both = judge([reading(values, gate=(0.5, 0.5, 0))], calibration, ["EI"], 100)
    assert essay.mean == pytest.approx([2.0])
    assert chat.mean == pytest.approx([0.5 * 4 + 0.25 * 2])
    assert both.mean == pytest.approx([(2.0 + 2.5) / 2])


def test_intercept_and_slope_are_applied_row_by_row() -> None:
    calibration = small_calibration(
        intercept=np.array([0.5, -1.0, 0.25], np.float32),
        slope=np.array([[2.0, 1.0, 0.5]], np.float32),
    )
    judged = judge([reading([[1.0, 9.0, 3.0]])], calibration, ["TF", "EI"], 100)
    assert judged.mean == pytest.approx([0.5 * 3 + 0.25, 2 * 1 + 0.5])


def test_components_are_added() -> None:
    calibration = small_calibration(
        slope=np.array([[0.5] * 3, [0.25] * 3], np.float32),
        slope_log=np.zeros((2, 3), np.float32),
        borrow=np.zeros((2, 3), np.float32),
        spread=np.zeros((2, 3), np.float32),
    )
    # the components may cut the text into different numbers of segments
    judged = judge([reading([[2.0] * 3] * 3), reading([[4.0] * 3])], calibration, ["EI"], 100)
    assert judged.mean == pytest.approx([0.5 * 2 + 0.25 * 4])
    assert judged.sd == pytest.approx([0.0], abs=1e-6)


def test_one_member_can_judge_alone() -> None:
    given_reading = reading([[1.0] * 3], members=[[0.0] * 3, [3.0] * 3])
    calibration = small_calibration(spread=np.zeros((1, 3), np.float32))
    everyone = judge([given_reading], calibration, ["EI"], 100)
    assert everyone.mean == pytest.approx([1.5])
    assert everyone.sd == pytest.approx([1.5])  # nothing but the members' spread
    assert judge([given_reading], calibration, ["EI"], 100, member=1).mean == pytest.approx([3.0])


def test_one_segment_has_the_spread_of_training_texts() -> None:
    judged = judge([reading([[1.0] * 3])], small_calibration(), ["EI"], 100)
    assert judged.sd == pytest.approx([1.0])
    assert judged.interval()[0] == pytest.approx([1.0 - 1.6449])
    assert judged.interval()[1] == pytest.approx([1.0 + 1.6449])


def test_the_interval_shrinks_with_more_segments() -> None:
    rng = np.random.default_rng(0)
    widths = [
        judge([reading(rng.normal(size=(n, 3)))], small_calibration(), ["EI"], 100).sd[0]
        for n in (1, 4, 16, 64, 256)
    ]
    assert widths == sorted(widths, reverse=True)
    # the standard error of a mean of n values with standard deviation 1
    assert widths[-1] == pytest.approx(1 / 16, rel=0.25)
    assert widths[-2] == pytest.approx(1 / 8, rel=0.35)


def test_segments_that_agree_narrow_the_interval_but_not_to_nothing() -> None:
    # no variance is seen; four segments' worth of the training texts' spread remains
    judged = judge([reading([[1.0] * 3] * 6)], small_calibration(), ["EI"], 100)
    assert judged.sd**2 == pytest.approx([4 * (1 / 6) / (6 + 4)])


def test_ninety_percent_intervals_hold_the_truth_nine_times_in_ten() -> None:
    rng = np.random.default_rng(1)
    held = []
    for truth in rng.normal(scale=2.0, size=400):
        judged = judge([reading(truth + rng.normal(size=(8, 3)))], small_calibration(), ["EI"], 100)
        low, high = judged.interval()
        held.append(low[0] <= truth <= high[0])
    assert 0.85 <= np.mean(held) <= 0.95


def test_the_same_text_gets_the_same_interval() -> None:
    values = np.random.default_rng(2).normal(size=(9, 3))
    first, second = (
        judge([reading(values)], small_calibration(), ["EI", "TF"], 100) for _ in range(2)
    )
    assert np.array_equal(first.sd, second.sd)


def judgement(mean: float, sd: float, *, too_short: bool = False) -> Judgement:
    """The same log-odds for all axes."""
    four = np.ones(4, np.float32)
    return Judgement(mean * four, sd * four, np.zeros((1, 4, 4), np.float32), too_short, 40.0)


@pytest.mark.parametrize(
    ("mean", "sd", "threshold", "label"),
    [
        (1.0, 0.5, 0.5, "high"),
        (-1.0, 0.5, 0.5, "low"),
        (1.0, 0.7, 0.5, "abstain"),
        (-1.0, 0.7, 0.5, "abstain"),
        (1.0, 0.5, 0.7, "abstain"),  # 0.73, from 0.54 to 0.86
        (1.0, 0.5, 0.9, "low"),
        (0.0, 0.0, 0.5, "high"),  # no doubt at all: the tie goes to the high pole
        (-0.001, 0.0, 0.5, "low"),
    ],
)
def test_labels(mean: float, sd: float, threshold: float, label: str) -> None:
    scores = trait_scores(judgement(mean, sd), MBTI, dict.fromkeys(MBTI.keys, threshold))
    for score in scores.values():
        assert score.label == label
        assert 0 <= score.low <= score.p_high <= score.high <= 1
        assert score.threshold == threshold
        assert score.p_high == pytest.approx(1 / (1 + np.exp(-mean)), abs=1e-6)


def test_too_short_a_text_gets_no_label_however_clear_it_looks() -> None:
    scores = trait_scores(judgement(9.0, 0.1, too_short=True), MBTI, {})
    assert {score.label for score in scores.values()} == {"abstain"}
    assert scores["EI"].p_high > 0.99


def test_how_short_is_too_short_depends_on_the_kind_of_text() -> None:
    calibration = small_calibration()
    assert calibration.shortest(np.array([1.0, 0.0, 0.0])) == pytest.approx(40)
    assert calibration.shortest(np.array([0.0, 1.0, 0.0])) == pytest.approx(10)
    assert calibration.shortest(np.array([0.25, 0.5, 0.25])) == pytest.approx(25)
    chat = reading([[9.0] * 3], gate=(0.0, 1.0, 0.0))
    assert judge([chat], calibration, ["EI"], 9).too_short
    assert not judge([chat], calibration, ["EI"], 10).too_short
    assert judge([reading([[9.0] * 3])], calibration, ["EI"], 39).too_short


def test_log_odds_of_any_size_become_probabilities() -> None:
    assert sigmoid(1000.0) == 1.0 and sigmoid(-1000.0) == 0.0 and sigmoid(0.0) == 0.5


def test_a_calibration_survives_json(make_calibration: MakeCalibration) -> None:
    for calibration in (small_calibration(), make_calibration()):
        again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
        assert (again.rows, again.registers) == (calibration.rows, calibration.registers)
        assert again.thresholds == calibration.thresholds
        assert again.min_words == calibration.min_words
        for n_words in (5, 77, 9000):
            mix = calibration.mixing([1] * len(again.registers), ["EI", "TF"])
            assert np.array_equal(again.transfer(mix, n_words), calibration.transfer(mix, n_words))


def score(detector: TrainedDetector, text: str, framework: str) -> Profile:
    """Score a text that can be scored."""
    result = detector.profile(text, framework=framework)
    assert isinstance(result, Profile)
    return result


def test_probabilities_of_a_known_model_are_exact(
    lexical: Lexical, make_calibration: MakeCalibration
) -> None:
    nine = np.arange(9, dtype=np.float32)
    calibration = make_calibration(intercept=nine / 10, slope=np.full((1, 9), 0.5, np.float32))
    detector = TrainedDetector(ModelInfo("toy", "1", "0"), [lexical], calibration)
    profile = score(
        detector, "We went to the party. " + "And then we did this and that. " * 5, "bigfive"
    )
    # one known word of length 1: its weights, halved, plus the intercepts 0.0, 0.1, ...
    expected = dict(zip(BIG_FIVE.keys, [0.0, 0.1, 0.2 + 0.5 * 4.0, 0.3, 0.4], strict=True))
    for key, z in expected.items():
        assert profile.traits[key].p_high == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-6), key
    # the members say 3.75 and 4.25, halved; one segment has the training texts' spread, halved
    half = 1.6449 * np.sqrt(0.125**2 + 0.5**2)
    assert profile.traits["extraversion"].low == pytest.approx(
        1 / (1 + np.exp(half - 2.2)), abs=1e-5
    )
    assert profile.traits["extraversion"].label == "high"
    assert profile.traits["openness"].label == "abstain"
    assert profile.n_segments == 1
