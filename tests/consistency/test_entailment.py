"""Pairs are few, scores are by hand, and contradictions are listed with their turns."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.consistency.candidates import (
    PAIRS_PER_CLAIM,
    STATEMENTS_PER_TURN,
    earlier_claims,
    says_of_itself,
)
from persona_lab.consistency.entailment import SILENT, Coherence, coherence
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.personas import Statement

SAID = ("I have two dogs.", "Nice weather today.", "I never had dogs.", "I love sailing boats.")
DIRECTIONS = np.array([[1, 0, 0], [0, 1, 0], [0.9, 0, 0.1], [0, 0, 1.0]])


def measured(found: Coherence | NotScored) -> Coherence:
    assert isinstance(found, Coherence)
    return found


@pytest.fixture
def turns(make_turns):
    return make_turns(np.zeros((4, 5)), texts=SAID, vectors=DIRECTIONS)


def test_a_turn_against_an_earlier_one(turns, nli) -> None:
    found = measured(coherence(turns, "Ann", nli))
    # the weather says nothing of the speaker
    assert nli.pairs == [
        (SAID[0], SAID[2]), (SAID[0], SAID[3]), (SAID[2], SAID[3])
    ]  # fmt: skip
    assert found.n_pairs == 3
    (conflict,) = found.conflicts
    assert (conflict.earlier_turn, conflict.later_turn) == (0, 2)
    assert (conflict.earlier, conflict.later) == (SAID[0], SAID[2])
    assert conflict.probability == pytest.approx(0.95)
    assert found.free == pytest.approx(0.05)
    assert found.score.value == found.free
    assert (found.match, found.c_score, found.apc) == (None, None, None)


def test_the_persona(turns, nli) -> None:
    persona = (Statement("I own dogs."), Statement("I never go sailing."))
    vectors = np.array([[1.0, 0, 0], [0, 0, 1.0]], np.float32)
    found = measured(coherence(turns, "Ann", nli, persona, vectors))
    dogs, sailing = found.statements
    assert (dogs.entailed_by, dogs.contradicted_by) == (0, 2)
    assert (sailing.contradicted_by, sailing.contradicted) == (3, pytest.approx(0.95))
    # of the pairs read, one entails and two contradict, among four turns
    assert found.c_score == pytest.approx((1 - 2) / 4)
    assert found.match is not None
    assert found.score.value == pytest.approx(found.free * (SILENT + (1 - SILENT) * found.match))
    assert {c.earlier_turn for c in found.conflicts} == {None, 0}


def test_the_wrong_persona_fits_less(turns, nli) -> None:
    near, far = np.array([[1.0, 0, 0]], np.float32), np.array([[0, -1.0, 0]], np.float32)
    own = measured(coherence(turns, "Ann", nli, (Statement("I own dogs."),), near))
    other = measured(coherence(turns, "Ann", nli, (Statement("I fly planes."),), far))
    assert own.match is not None
    assert other.match is not None
    assert own.match > 0.9 > 0.1 > other.match


def test_apc_of_active_and_passive_statements(make_turns, nli) -> None:
    turns = make_turns(np.zeros((1, 5)), texts=["I have dogs."], vectors=np.array([[1.0, 0]]))
    persona = (Statement("I own dogs."), Statement("I fly planes."))
    vectors = np.array([[1.0, 0], [0.05, 0]], np.float32)
    found = measured(coherence(turns, "Ann", nli, persona, vectors))
    active, passive = found.statements
    assert active.relevance > 0.99
    assert active.apc == pytest.approx(0.9, abs=0.01)  # it should be entailed, and is by .9
    assert passive.relevance < 0.02
    assert passive.contradicted_by is None  # too far away to be read
    assert passive.apc == pytest.approx(0.99, abs=0.01)  # it must not be contradicted
    assert found.apc == pytest.approx((active.apc + passive.apc) / 2)


def test_statements_of_the_speaker_are_not_held_against_their_own_turn(turns, nli) -> None:
    persona = (Statement("I have two dogs.", 0),)
    found = measured(coherence(turns, "Ann", nli, persona, DIRECTIONS[:1].astype(np.float32)))
    assert ("I have two dogs.", "I have two dogs.") not in nli.pairs
    assert found.match is None  # nobody else's persona: nothing to match
    assert found.conflicts[0].later_turn == 2


def test_pairs_grow_with_the_turns_and_not_with_their_square(make_turns, nli) -> None:
    counts = []
    for n in (300, 600):
        texts = [f"I have dogs and {i} cats." for i in range(n)]
        turns = make_turns(np.zeros((n, 5)), texts=texts, vectors=np.ones((n, 2)) / np.sqrt(2))
        persona = tuple(Statement(f"statement {i}") for i in range(10))
        found = coherence(turns, "Ann", nli, persona, np.ones((10, 2), np.float32) / np.sqrt(2))
        counts.append(measured(found).n_pairs)
    per_turn = STATEMENTS_PER_TURN + PAIRS_PER_CLAIM
    assert counts == [300 * per_turn, 600 * per_turn]


def test_all_pairs_of_a_chat_are_read_and_the_nearest_of_a_long_talk() -> None:
    dice = np.random.default_rng(0)
    vectors = dice.standard_normal((700, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chat = earlier_claims(vectors[:12], [True] * 12)
    assert len(chat.later) == 66
    claims = [i % 3 == 0 for i in range(700)]
    kept = earlier_claims(vectors, claims)
    assert all(claims[i] for i in (*kept.later, *kept.earlier))
    assert (kept.earlier < kept.later).all()
    cosine = vectors @ vectors.T
    places = np.flatnonzero(claims)
    every = [cosine[i, j] for i in places for j in places if j < i]
    best = np.sort(every)[-PAIRS_PER_CLAIM * len(places) :]
    assert np.sort(cosine[kept.later, kept.earlier]) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "heard", "says"),
    [
        ("I fish on Sundays.", "", True),
        ("Only on Sundays.", "Do you fish?", True),
        ("Rye, mostly.", "What is in the oven?", False),
        ("It opens at nine, in Ireland.", "When does it open?", False),
    ],
)
def test_which_turns_say_something_of_their_speaker(text: str, heard: str, says: bool) -> None:
    assert says_of_itself(text, heard) == says


def test_a_short_answer_is_read_with_its_question(make_turns, nli) -> None:
    said = ["Do you smoke?", "Never.", "Any plans?", "I will smoke my pipe outside."]
    turns = make_turns(np.zeros((4, 5)), ["Bob", "Ann"] * 2, np.eye(4), texts=said)
    coherence(turns, "Ann", nli)
    assert nli.pairs == [("Do you smoke? / Never.", "Any plans? / I will smoke my pipe outside.")]


def test_one_more_contradiction_never_raises_the_score(make_turns, nli) -> None:
    persona = (Statement("I own dogs."), Statement("I like boats."))
    vectors = np.eye(3, dtype=np.float32)[:2]
    silent = ["Hello there.", "Nice weather.", "My name is Ann.", "See you."]
    lines = {
        "supports": [silent[0], "I own dogs and they bark.", "I like boats a lot.", silent[3]],
        "silent": silent,
        "one": [silent[0], "I never own dogs.", silent[2], silent[3]],
        "two": [silent[0], "I never own dogs.", "I never like boats.", silent[3]],
    }
    scores = {}
    for name, texts in lines.items():
        near = np.array([np.eye(3)[0 if "dogs" in t else 1 if "boats" in t else 2] for t in texts])
        turns = make_turns(np.zeros((4, 5)), vectors=near, texts=texts)
        scores[name] = measured(coherence(turns, "Ann", nli, persona, vectors)).score.value
    assert scores["supports"] > scores["silent"] > scores["one"] >= scores["two"]


def test_nothing_to_compare(make_turns, nli) -> None:
    lonely = coherence(make_turns(np.zeros((1, 5))), "Ann", nli)
    assert isinstance(lonely, NotScored)
    assert lonely.code == "too_short"
    apart = coherence(make_turns(np.zeros((5, 5))), "Ann", nli)
    assert isinstance(apart, NotScored)
    assert apart.code == "unrelated"
    assert nli.pairs == []


def test_every_contradicting_pair_is_listed(make_turns, nli) -> None:
    """A speaker who takes back the same claim again and again."""
    texts = [SAID[0], *[SAID[2]] * 14]
    turns = make_turns(
        np.zeros((15, 5)), texts=texts, speakers=["Ann"] * 15, vectors=np.ones((15, 2)) / np.sqrt(2)
    )
    found = measured(coherence(turns, "Ann", nli))
    # not only the first ten; later turns are held against the claims that are nearest
    assert {c.later_turn for c in found.conflicts} >= set(range(1, 12))
    assert found.suspect is None
