"""Result rows: what is in them, and that nothing is lost on the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from persona_lab.profile import (
    Evidence,
    Label,
    ModelInfo,
    Profile,
    TraitScore,
    Unscored,
    Warning_,
)
from persona_lab.traits import BIG_FIVE, MBTI, Framework

MODEL = ModelInfo("toy", "1.2", "ab" * 32)


def profile(framework: Framework, labels: str, **changes: Any) -> Profile:
    """A profile with labels given as ``+``, ``-`` and ``?``."""
    names: dict[str, Label] = {"+": "high", "-": "low", "?": "abstain"}
    traits = {
        key: TraitScore(0.612345, 0.5, 0.7, names[sign])
        for key, sign in zip(framework.keys, labels, strict=True)
    }
    fields: dict[str, Any] = {
        "id": "d1",
        "speaker": "Ann",
        "framework": framework,
        "traits": traits,
        "word_count": 120,
        "n_segments": 2,
        "model": MODEL,
    }
    return Profile(**(fields | changes))


@pytest.mark.parametrize(
    ("labels", "code"), [("++++", "ESTJ"), ("----", "INFP"), ("-?-+", "IXFJ"), ("????", "XXXX")]
)
def test_the_type_follows_the_labels(labels: str, code: str) -> None:
    assert profile(MBTI, labels).type == code
    assert profile(MBTI, labels).to_row()["type"] == code


def test_the_big_five_have_no_type() -> None:
    assert profile(BIG_FIVE, "+-?+-").type is None
    assert "type" not in profile(BIG_FIVE, "+-?+-").to_row()


def test_a_row_has_what_the_documentation_promises() -> None:
    row = profile(
        BIG_FIVE,
        "+-?+-",
        warnings=(Warning_("too_short", "12 words"),),
        evidence=(Evidence("3", "openness", 0.123456),),
    ).to_row(explain=True)
    assert row["id"] == "d1" and row["speaker"] == "Ann"
    assert row["framework"] == "bigfive" and row["status"] == "scored"
    assert list(row["traits"]) == list(BIG_FIVE.keys)
    assert row["traits"]["conscientiousness"] == {
        "p_high": 0.6123, "low": 0.5, "high": 0.7, "label": "low", "threshold": 0.5,
    }  # fmt: skip
    assert row["word_count"] == 120
    assert row["warnings"] == [{"code": "too_short", "message": "12 words"}]
    assert row["model"] == {"name": "toy", "version": "1.2", "sha256": "ab" * 32}
    assert row["evidence"] == [{"utterance_id": "3", "trait": "openness", "weight": 0.1235}]


def test_evidence_is_written_only_when_asked_for() -> None:
    given = profile(BIG_FIVE, "?????", evidence=(Evidence("3", "openness", 0.5),))
    assert "evidence" not in given.to_row()


@pytest.mark.parametrize("framework", [BIG_FIVE, MBTI])
def test_rows_can_be_read_back(framework: Framework) -> None:
    row = profile(
        framework,
        "+-?+-"[: len(framework.keys)],
        warnings=(Warning_("a", "b"),),
        evidence=(Evidence("3", framework.keys[0], -0.5),),
    ).to_row(explain=True)
    again = Profile.from_row(json.loads(json.dumps(row)))
    assert again.to_row(explain=True) == row
    assert again.framework is framework and again.n_segments == 2


def test_an_unscored_row_is_no_profile() -> None:
    row = Unscored("d2", None, None, "broken", "unreadable").to_row(explain=True)
    assert row == {
        "id": "d2",
        "speaker": None,
        "framework": None,
        "status": "unscored",
        "reason": "broken",
        "code": "unreadable",
        "traits": {},
        "word_count": 0,
        "warnings": [],
        "model": None,
    }
    with pytest.raises(KeyError):
        Profile.from_row(row)


@pytest.mark.parametrize(
    ("p_high", "threshold", "high"),
    [(0.55, 0.5, True), (0.55, 0.6, False), (0.5, 0.5, True), (0.49, 0.5, False)],
)
def test_a_forced_guess_uses_the_threshold(p_high: float, threshold: float, high: bool) -> None:
    assert TraitScore(p_high, 0.1, 0.9, "abstain", threshold).forced_high is high
