"""Pairs are few, scores are by hand, and contradictions are listed with their turns."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.consistency.candidates import STATEMENTS_PER_TURN
from persona_lab.consistency.entailment import MATCH_SHARE, Coherence, coherence
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
    # only the two turns about dogs are near enough to be paired
    assert nli.pairs == [("I have two dogs.", "I never had dogs.")]
    assert found.n_pairs == 1
    conflict = found.conflicts[0]
    assert (conflict.earlier_turn, conflict.later_turn) == (0, 2)
    assert (conflict.earlier, conflict.later) == (SAID[0], SAID[2])
    assert conflict.probability == pytest.approx(0.95)
    # odds of 19 for a balanced pair, e^3 less among pairs of which few contradict
    odds = 19 * np.exp(-3.0)
    assert found.free == pytest.approx(1 / (1 + odds), abs=1e-6)
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
    assert found.score.value == pytest.approx(
        MATCH_SHARE * found.match + (1 - MATCH_SHARE) * found.free
    )
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
    assert counts == [300 * STATEMENTS_PER_TURN + 150, 600 * STATEMENTS_PER_TURN + 300]


def test_nothing_to_compare(make_turns, nli) -> None:
    lonely = coherence(make_turns(np.zeros((1, 5))), "Ann", nli)
    assert isinstance(lonely, NotScored)
    assert lonely.code == "too_short"
    apart = coherence(make_turns(np.zeros((5, 5))), "Ann", nli)
    assert isinstance(apart, NotScored)
    assert apart.code == "unrelated"
    assert nli.pairs == []
