"""Re-pooling: any set of turns has the log-odds that the detector would give it."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.consistency.turns import TurnReader, Turns
from persona_lab.detectors.trained import TrainedDetector, sigmoid
from persona_lab.profile import Profile
from persona_lab.traits import BIG_FIVE

LINES = ("The party was loud.", "I went alone, and alone I was.", "My plan is a kind plan.")


def test_all_turns_together_are_the_profile(toy: TrainedDetector, talk) -> None:
    dialogue = talk(*(("Ann", line) for line in LINES))
    turns = TurnReader(toy).read(dialogue, BIG_FIVE)
    profile = toy.profile(dialogue, "Ann", framework="bigfive")
    assert isinstance(profile, Profile)
    p = sigmoid(turns.log_odds([0, 1, 2]))
    assert p == pytest.approx([profile.traits[k].p_high for k in BIG_FIVE.keys], abs=1e-5)


def test_a_set_is_the_mean_of_its_turns_by_words(make_turns) -> None:
    turns = make_turns(np.array([[1.0] * 5, [4.0] * 5]), words=[30, 10])
    assert turns.log_odds([0, 1]) == pytest.approx([1.75] * 5)
    assert turns.log_odds([1]) == pytest.approx([4.0] * 5)
    assert turns.per_turn(40)[:, 0] == pytest.approx([1.0, 4.0])


def test_where_a_trait_is_said(toy: TrainedDetector, talk) -> None:
    turns = TurnReader(toy).read(talk(*(("Ann", line) for line in LINES)), BIG_FIVE)
    extraversion = turns.per_turn(15)[:, BIG_FIVE.keys.index("extraversion")]
    assert extraversion[0] > 0 > extraversion[1]
    assert extraversion[2] == 0


def test_white_space_does_not_count(toy: TrainedDetector, talk) -> None:
    reader = TurnReader(toy)
    plain = reader.read(talk(("Ann", "The party was loud.")), BIG_FIVE)
    airy = reader.read(talk(("Ann", "  The\n party  was\tloud. ")), BIG_FIVE)
    assert airy.texts == plain.texts
    assert np.array_equal(airy.traits.values, plain.traits.values)
    assert np.array_equal(airy.vectors, plain.vectors)


def test_empty_turns_and_emoji_have_no_words(toy: TrainedDetector, talk) -> None:
    turns = TurnReader(toy).read(talk(("Ann", ""), ("Ann", "🙂🙂"), ("Ann", "party")), BIG_FIVE)
    assert turns.of("Ann") == [2]
    assert turns.words.tolist() == [0, 0, 1]
    assert not turns.vectors[0].any()
    assert np.linalg.norm(turns.vectors[2]) == pytest.approx(1.0, abs=1e-5)


def test_a_dialogue_without_any_word(toy: TrainedDetector, talk) -> None:
    turns = TurnReader(toy).read(talk(("Ann", "🙂"), ("Bob", "...")), BIG_FIVE)
    assert isinstance(turns, Turns)
    assert turns.spoken == []


def test_no_text_is_encoded_twice(monkeypatch: pytest.MonkeyPatch, talk) -> None:
    from persona_lab.detectors.registry import load_detector

    detector = load_detector("pooled")
    reader = TurnReader(detector)
    encoder = detector.components[0].encoder  # type: ignore[attr-defined]
    encoded: list[int] = []
    encode = encoder.encode

    def counted(segments, **how):
        encoded.append(len(segments))
        return encode(segments, **how)

    monkeypatch.setattr(encoder, "encode", counted)
    reader.read(talk(("Ann", "Hello there."), ("Bob", "Hello there."), ("Ann", "🙂")), BIG_FIVE)
    assert sum(encoded) == 2
    reader.vectors(["Hello there.", "I am new."])
    assert sum(encoded) == 3
    reader.forget()
    reader.vectors(["Hello there."])
    assert sum(encoded) == 4


def test_prepared_dialogues_need_no_more_encoding(monkeypatch: pytest.MonkeyPatch, talk) -> None:
    from persona_lab.detectors.registry import load_detector

    chats = [talk(("Ann", "I love parties."), ("Bob", "Hi.")), talk(("Cy", "I read alone."))]
    alone = [TurnReader(load_detector("pooled")).read(chat, BIG_FIVE) for chat in chats]
    reader = TurnReader(load_detector("pooled"))
    reader.prepare(chats)
    encoder = reader.detector.components[0].encoder  # type: ignore[attr-defined]
    monkeypatch.setattr(encoder, "encode", None)
    for chat, expected in zip(chats, alone, strict=True):
        found = reader.read(chat, BIG_FIVE)
        assert found.vectors == pytest.approx(expected.vectors, abs=1e-5)
        assert found.traits.values == pytest.approx(expected.traits.values, abs=1e-5)


def test_vectors_of_a_long_turn_and_of_none() -> None:
    from persona_lab.detectors.registry import load_detector

    reader = TurnReader(load_detector("pooled"))
    vectors = reader.vectors(["I love my dog. " * 100, "", "I love my dog."])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0, 0.0, 1.0], abs=1e-5)
    assert vectors[0] @ vectors[2] > 0.5


def test_unrelated_turns_are_about_orthogonal() -> None:
    from persona_lab.detectors.registry import load_detector

    reader = TurnReader(load_detector("pooled"))
    asked = ["Do you have any pets?", "Where do you work?"]
    said = ["I have two dogs and a cat.", "I am a nurse in the city hospital."]
    cosine = reader.vectors(asked) @ reader.vectors(said).T
    assert min(cosine[0, 0], cosine[1, 1]) > 0.25
    assert max(cosine[0, 1], cosine[1, 0]) < 0.2
