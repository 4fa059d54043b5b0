"""The detector around the components: what is scored, what is not, and on which grounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from persona_lab.detectors import Request
from persona_lab.detectors.base import batches
from persona_lab.detectors.calibration import Calibration
from persona_lab.detectors.lexical import Lexical
from persona_lab.detectors.screening import Options
from persona_lab.detectors.trained import TrainedDetector
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import ModelError, SpeakerError
from persona_lab.profile import ModelInfo, Profile, Unscored

FILLER = "and then we did this and that and the other thing with them "
GERMAN = "Ich habe heute lange darüber nachgedacht, was ich in den Ferien machen will. " * 2


@pytest.fixture
def detector(lexical: Lexical, make_calibration: Callable[..., Calibration]) -> TrainedDetector:
    """The toy model."""
    return TrainedDetector(ModelInfo("toy", "1", "0"), [lexical], make_calibration())


def talk(*turns: tuple[str, str], id: str = "d") -> Dialogue:
    """A dialogue of (speaker, text)."""
    return Dialogue(id, tuple(Utterance(str(i), who, said) for i, (who, said) in enumerate(turns)))


def scored(result: object) -> Profile:
    """The result, which must be a profile."""
    assert isinstance(result, Profile)
    return result


def test_a_speaker_is_judged_by_nothing_that_others_say(detector: TrainedDetector) -> None:
    dialogue = talk(("Ann", "a party"), ("Bob", "alone"), ("Ann", "the party"))
    ann = scored(detector.profile(dialogue, "Ann", framework="mbti"))
    bob = scored(detector.profile(dialogue, "Bob", framework="mbti"))
    assert ann.traits["EI"].p_high > 0.9 > 0.1 > bob.traits["EI"].p_high
    assert (ann.word_count, bob.word_count) == (4, 1)


def test_several_speakers_need_a_choice(detector: TrainedDetector) -> None:
    with pytest.raises(SpeakerError, match="has 2 speakers; name the one to score: Ann, Bob"):
        detector.profile(talk(("Ann", "hi"), ("Bob", "hi")))


def test_an_unknown_framework_is_told_what_there_is(detector: TrainedDetector) -> None:
    with pytest.raises(ModelError, match="does not score 'hexaco'; it scores: bigfive, mbti"):
        detector.profile("hello", framework="hexaco")


def test_a_detector_without_mbti_experts_scores_the_big_five_only(
    lexical: Lexical, make_calibration: Callable[..., Calibration]
) -> None:
    calibration = make_calibration()
    part = replace(calibration, rows=calibration.rows[:5])
    detector = TrainedDetector(ModelInfo("b5", "1", "0"), [lexical], part)
    assert [framework.name for framework in detector.frameworks] == ["bigfive"]


@pytest.mark.parametrize(
    ("utterances", "reason"),
    [
        ([], "there are no utterances of this speaker"),
        (["", "...", "?!"], "the speaker says nothing that contains a word"),
        (["INFP!", "intj"], "all its words name types or traits, and those are masked"),
    ],
)
def test_without_words_there_is_no_score(
    detector: TrainedDetector, utterances: list[str], reason: str
) -> None:
    said = tuple(Utterance(str(i), "Ann", text) for i, text in enumerate(utterances))
    results = list(detector.profiles([Request("d", "Ann", said)]))
    assert len(results) == 2
    for result in results:
        assert isinstance(result, Unscored)
        assert (result.code, result.reason, result.speaker) == ("no_words", reason, "Ann")
        assert result.model == detector.info


def test_other_languages_are_not_scored(detector: TrainedDetector) -> None:
    german = detector.profile(GERMAN)
    assert isinstance(german, Unscored)
    assert german.code == "language" and "'de'" in german.reason
    assert [warning.code for warning in german.warnings] == ["language"]
    chinese = detector.profile("\u4f60\u597d")
    assert isinstance(chinese, Unscored) and "Latin letters" in chinese.reason
    detector.options = Options(check_language=False)
    assert scored(detector.profile(GERMAN)).word_count == 26


def test_masking_is_on_unless_it_is_turned_off(detector: TrainedDetector) -> None:
    text = "introvert alone " + FILLER * 3
    seen: list[str] = []
    (component,) = detector.components
    original = component.read

    def spy(texts: list[list[str]], *, pack: bool = True) -> object:
        seen.extend(text for speaker in texts for text in speaker)
        return original(texts, pack=pack)

    component.read = spy  # type: ignore[method-assign]
    try:
        detector.profile(text)
        detector.options = Options(mask=False)
        detector.profile(text)
    finally:
        del component.read
    assert "introvert" not in seen[0] and "alone" in seen[0]
    assert "introvert" in seen[1]


def test_five_words_are_too_short_for_a_label(detector: TrainedDetector) -> None:
    short = scored(detector.profile("I like the party tonight"))
    assert [warning.code for warning in short.warnings] == ["too_short"]
    assert "5 words" in short.warnings[0].message and "20" in short.warnings[0].message
    assert {score.label for score in short.traits.values()} == {"abstain"}
    enough = scored(detector.profile("I like the party tonight " + FILLER * 2))
    assert enough.warnings == ()
    assert enough.traits["extraversion"].label == "high"


def test_evidence_points_at_what_was_said(detector: TrainedDetector) -> None:
    dialogue = talk(
        ("Ann", FILLER), ("Ann", "party party"), ("Bob", "party"), ("Ann", "alone"), ("Ann", "calm")
    )
    profile = scored(detector.profile(dialogue, "Ann", framework="bigfive", explain=True))
    by_trait = {(e.trait, e.utterance_id): e.weight for e in profile.evidence}
    assert set(by_trait) == {
        ("extraversion", "1"), ("extraversion", "3"), ("neuroticism", "4"),
    }  # fmt: skip
    assert by_trait["extraversion", "1"] > 0 > by_trait["extraversion", "3"]
    weights = [abs(e.weight) for e in profile.evidence]
    assert weights == sorted(weights, reverse=True)
    # with no bias, what the utterances add is the whole score
    z = by_trait["extraversion", "1"] + by_trait["extraversion", "3"]
    assert profile.traits["extraversion"].p_high == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-5)
    assert not scored(detector.profile(dialogue, "Ann")).evidence


def test_results_come_in_order_whatever_they_are(detector: TrainedDetector) -> None:
    texts = ["party " + FILLER, "...", GERMAN, "alone", "", "calm " * 400]
    requests = [
        Request(f"r{i}", "Ann", (Utterance("0", "Ann", text),)) for i, text in enumerate(texts)
    ]
    together = list(detector.profiles(requests))
    assert [(r.id, r.framework and r.framework.name) for r in together] == [
        (request.id, name) for request in requests for name in ("bigfive", "mbti")
    ]
    for i, request in enumerate(requests):
        alone = list(detector.profiles([request]))
        assert [r.to_row() for r in alone] == [r.to_row() for r in together[2 * i : 2 * i + 2]]


def test_requests_are_read_as_they_are_needed(detector: TrainedDetector) -> None:
    asked = []

    def requests() -> object:
        for i in range(2000):
            asked.append(i)
            yield Request(str(i), "Ann", (Utterance("0", "Ann", "party " * 50),))

    results = detector.profiles(requests())  # type: ignore[arg-type]
    next(results)
    assert len(asked) < 500


def test_batches_hold_everything_in_order() -> None:
    sizes = [1, 30_000, 2, 3, 90_000, 150_000, 1] + [10] * 600
    requests = [
        Request(str(i), "Ann", (Utterance("0", "Ann", "x" * size),)) for i, size in enumerate(sizes)
    ]
    found = list(batches(requests))
    assert [r.id for batch in found for r in batch] == [r.id for r in requests]
    assert max(map(len, found)) <= 256
    assert [r.id for r in found[0]] == ["0", "1", "2", "3", "4"]  # over 100,000 characters


def test_a_megabyte_is_read_whole(detector: TrainedDetector) -> None:
    profile = scored(detector.profile(FILLER * 17_000 + "party"))
    assert profile.word_count == 13 * 17_000 + 1
    assert profile.n_segments > 2000
    assert profile.traits["extraversion"].p_high > 0.95  # the last word of it counted
