"""Turns that answer fit their neighbours; turns from elsewhere do not."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.consistency.accommodation import (
    BELONGS,
    Accommodation,
    accommodation,
    belonging,
)
from persona_lab.consistency.parts import NotScored

N = 12
WHO = ["Ann", "Bob"] * (N // 2)


def pairs_of_topics() -> np.ndarray:
    """Each of Ann's turns and Bob's next one share a direction."""
    return np.repeat(np.eye(N // 2), 2, axis=0)


def measured(turns, speaker: str = "Bob") -> Accommodation:
    found = accommodation(turns, speaker)
    assert isinstance(found, Accommodation)
    return found


def test_answers_fit(make_turns) -> None:
    found = measured(make_turns(np.zeros((N, 5)), WHO, pairs_of_topics()))
    assert found.score.value > 0.99
    assert found.nearness == pytest.approx([1.0] * 6)
    # each of Bob's turns but the last has two neighbours, one of them like it
    assert found.style.value == pytest.approx(6 / 11)
    assert found.style.gain > 0.3


def test_a_turn_from_elsewhere(make_turns) -> None:
    vectors = pairs_of_topics()
    vectors[5] = [0, 0, 0, 0, 0, -1.0]
    found = measured(make_turns(np.zeros((N, 5)), WHO, vectors))
    assert found.weakest == 5
    whole = measured(make_turns(np.zeros((N, 5)), WHO, pairs_of_topics()))
    assert found.score.value < whole.score.value


def test_the_score_by_hand() -> None:
    middle, slope = BELONGS
    p = 1 / (1 + np.exp(-slope * (0.3 - middle)))
    assert belonging(np.array([middle, 0.3])) == pytest.approx(np.sqrt(0.5 * p))
    assert belonging(np.array([[1.0, 1.0], [-1.0, -1.0]]))[0] > 0.99


def test_words_and_function_words(make_turns) -> None:
    texts = ["we like red boats", "the red boats of my aunt"] * (N // 2)
    found = measured(make_turns(np.zeros((N, 5)), WHO, texts=texts))
    # of red, boats, aunt and five pairs of words, red, boats and 'red boats' are the partner's
    assert found.words.value == pytest.approx(3 / 8)
    assert found.words.gain == pytest.approx(0.0)
    assert 0.0 < found.function_words.value < 1.0
    same = measured(make_turns(np.zeros((N, 5)), WHO, texts=["the cat and I"] * N))
    assert same.function_words.value == pytest.approx(1.0)


def test_nobody_to_answer(make_turns) -> None:
    found = accommodation(make_turns(np.zeros((6, 5))), "Ann")
    assert isinstance(found, NotScored)
    assert found.code == "one_speaker"


def test_too_few_turns_beside_a_partner(make_turns) -> None:
    who = ["Ann"] * 6 + ["Bob"]
    found = accommodation(make_turns(np.zeros((7, 5)), who), "Ann")
    assert isinstance(found, NotScored)
    assert (found.code, found.reason) == (
        "too_short",
        "1 turns stand next to a partner's turn; this needs 3",
    )
