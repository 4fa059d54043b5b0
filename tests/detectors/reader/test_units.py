"""Cutting into units: everything is read, once, with what belongs to it."""

from __future__ import annotations

import pytest

from persona_lab.detectors import Request
from persona_lab.detectors.reader.units import LONGEST, cut
from persona_lab.dialogue import Dialogue, Utterance
from tests.detectors.reader.acted import ToyEncoder


@pytest.fixture(scope="module")
def segmenter():
    return ToyEncoder().segmenter


def request_of(*turns: tuple[str, str], who: str = "b") -> Request:
    said = tuple(Utterance(str(i), name, text) for i, (name, text) in enumerate(turns))
    return Request.of(Dialogue("d", said), who)


def text_tokens(segmenter, unit) -> list[int]:
    return [t for s in unit.sentences for t in unit.token_ids[s.first : s.last]]


@pytest.mark.parametrize("n", [1, 3, 17, 40, 333])
def test_every_token_is_in_one_unit(segmenter, n: int) -> None:
    text = "we went there . it was a party ? and " * n
    units = cut([request_of(("b", text))], segmenter)[0]
    assert [t for u in units for t in text_tokens(segmenter, u)] == list(segmenter.token_ids(text))
    assert all(unit.n_tokens <= LONGEST for unit in units)
    lengths = [unit.n_tokens for unit in units]
    assert max(lengths) <= 2 * min(lengths)


def test_sentences_are_where_they_stand_in_the_text(segmenter) -> None:
    text = "  We went. It was\n a party!  Then"
    (unit,) = cut([request_of(("b", text))], segmenter)[0]
    found = [text[s.start : s.end].strip() for s in unit.sentences]
    assert found == ["We went.", "It was", "a party!", "Then"]
    (unit,) = cut([request_of(("b", 'At 4.40 we went... "There!" he'))], segmenter)[0]
    text = 'At 4.40 we went... "There!" he'
    found = [text[s.start : s.end].strip() for s in unit.sentences]
    assert found == ["At 4.40 we went...", '"There!"', "he"]


def test_a_long_sentence_is_cut_evenly(segmenter) -> None:
    units = cut([request_of(("b", "we went " * 50))], segmenter)[0]
    assert [unit.n_tokens for unit in units] == [50, 50]


def test_a_short_answer_is_read_with_its_question(segmenter) -> None:
    asked, short, long = ("a", "you went alone ?"), ("b", "calm"), ("b", "and then " * 10)
    (unit,) = cut([request_of(asked, short)], segmenter, answer_words=12)[0]
    whole = segmenter.token_ids("Q: you went alone ? / A: calm")
    assert unit.token_ids == (*segmenter.prefix, *whole, *segmenter.suffix)
    assert text_tokens(segmenter, unit) == list(segmenter.token_ids("calm"))
    (unit,) = cut([request_of(asked, long)], segmenter, answer_words=12)[0]
    assert text_tokens(segmenter, unit) == list(unit.token_ids[1:-1])


def test_the_own_turn_before_is_no_question(segmenter) -> None:
    units = cut([request_of(("b", "we went ?"), ("b", "calm"))], segmenter, answer_words=12)[0]
    assert [len(unit.token_ids) for unit in units] == [5, 3]


def test_a_focus_stands_before_each_unit(segmenter) -> None:
    text = "[Ann] " + "it was a party . " * 30
    units = cut([request_of(("b", text))], segmenter)[0]
    lead = segmenter.token_ids("[Ann]")
    assert len(units) > 1
    assert all(unit.token_ids[1 : 1 + len(lead)] == lead for unit in units)
    tokens = [t for u in units for t in text_tokens(segmenter, u)]
    assert tokens == list(segmenter.token_ids(text[6:]))


def test_blank_turns_have_no_unit(segmenter) -> None:
    units = cut([request_of(("b", " "), ("b", "calm"), ("b", ""))], segmenter)[0]
    assert [unit.utterance for unit in units] == [1]


def test_type_words_are_hidden(segmenter) -> None:
    (bare,) = cut([request_of(("b", "as an INFP we went alone"))], segmenter)[0]
    (plain,) = cut([request_of(("b", "as an we went alone"))], segmenter)[0]
    (shown,) = cut([request_of(("b", "as an INFP we went alone"))], segmenter, masked=False)[0]
    assert bare.token_ids == plain.token_ids != shown.token_ids
