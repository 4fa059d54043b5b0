"""Frameworks in reporting order, and what a target may look like."""

from __future__ import annotations

import pytest

from persona_lab.errors import TargetError
from persona_lab.traits import ALL_TRAITS, BIG_FIVE, FRAMEWORKS, MBTI, Target, mbti_labels


def test_trait_keys_are_those_of_result_rows() -> None:
    assert BIG_FIVE.keys == (
        "openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism",
    )  # fmt: skip
    assert MBTI.keys == ("EI", "SN", "TF", "JP")
    assert BIG_FIVE.keys + MBTI.keys == ALL_TRAITS
    assert list(FRAMEWORKS) == ["bigfive", "mbti"]


def test_the_high_pole_of_an_axis_is_its_first_letter() -> None:
    assert [(t.high, t.low) for t in MBTI.traits] == [tuple(key) for key in MBTI.keys]


def test_the_high_pole_of_neuroticism_is_not_the_calm_one() -> None:
    trait = BIG_FIVE.traits[-1]
    assert (trait.key, trait.high, trait.low) == ("neuroticism", "neurotic", "stable")


@pytest.mark.parametrize(
    ("code", "labels"),
    [
        ("INFP", {"EI": 0.0, "SN": 0.0, "TF": 0.0, "JP": 0.0}),
        ("ESTJ", {"EI": 1.0, "SN": 1.0, "TF": 1.0, "JP": 1.0}),
        (" entj ", {"EI": 1.0, "SN": 0.0, "TF": 1.0, "JP": 1.0}),
        ("IXFX", {"EI": 0.0, "TF": 0.0}),
    ],
)
def test_types_become_labels(code: str, labels: dict[str, float]) -> None:
    assert mbti_labels(code) == labels


@pytest.mark.parametrize("code", ["", "INF", "INFPS", "NIFP", "IIII"])
def test_what_is_no_type_is_refused(code: str) -> None:
    with pytest.raises(TargetError, match="not an MBTI type"):
        mbti_labels(code)


@pytest.mark.parametrize(
    ("given", "framework", "values"),
    [
        ("E+ N-", BIG_FIVE, {"extraversion": 1.0, "neuroticism": 0.0}),
        ("o-,c+", BIG_FIVE, {"openness": 0.0, "conscientiousness": 1.0}),
        ("A+", BIG_FIVE, {"agreeableness": 1.0}),
        ("N- N-", BIG_FIVE, {"neuroticism": 0.0}),
        ("INFP", MBTI, {"EI": 0.0, "SN": 0.0, "TF": 0.0, "JP": 0.0}),
        ("xxtx", MBTI, {"TF": 1.0}),
        ({"openness": 0.8}, BIG_FIVE, {"openness": 0.8}),
        ({"EI": 0.0, "JP": 1.0}, MBTI, {"EI": 0.0, "JP": 1.0}),
    ],
)
def test_targets(given: str | dict[str, float], framework: object, values: object) -> None:
    target = Target.parse(given)
    assert (target.framework, target.values) == (framework, values)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "cannot read the target"),
        ("E", "cannot read the target"),
        ("E+ friendly", "cannot read the target"),
        ("E+ E-", "both poles"),
        ("NEAR", "not an MBTI type"),
        ({}, "belong to no framework"),
        ({"warmth": 0.5}, "belong to no framework"),
        ({"openness": 0.5, "EI": 0.5}, "belong to no framework"),
        ({"openness": 1.2}, r"must lie in 0\.\.1"),
        ({"EI": -0.1}, r"must lie in 0\.\.1"),
    ],
)
def test_targets_that_cannot_be_understood(given: str | dict[str, float], says: str) -> None:
    with pytest.raises(TargetError, match=says):
        Target.parse(given)
