"""The lexical component: no word is lost, and segments add up to the whole exactly."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from persona_lab.detectors.lexical import (
    CHUNK_WORDS,
    Lexical,
    LexicalFeatures,
    chunks,
)
from persona_lab.detectors.ngrams import WORD_PATTERN
from persona_lab.detectors.reading import Row, count_words
from persona_lab.traits import ALL_TRAITS

WORDS = ["i", "you", "we", "love", "hate", "meet", "people", "order", "doubt", "don't", "new"]


def random_lexical(seed: int = 0) -> Lexical:
    """Words, pairs and letters; three members with biases; two registers."""
    rng = np.random.default_rng(seed)
    words = sorted([*WORDS, "i love", "you hate", "people order", "...", "!!"])
    chars = sorted({" lo", "ove", "at", "e ", "ou", " n"})
    rows = [Row("general", "EI"), Row("chat", "EI"), Row("general", "openness")]
    n = len(words) + len(chars)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Lexical(
        LexicalFeatures(
            [words, chars],
            (1 + rng.random(n)).astype(np.float32),
            {"words": [1, 2], "chars": [2, 3]},
        ),
        rows,
        ["essay", "chat"],
        normal(n, 3, 3),
        normal(3, 3),
        normal(n, 2),
        normal(2),
    )


texts = st.lists(st.sampled_from([*WORDS, "!!", "...", "\n", "(x/y)"]), max_size=260).map(" ".join)
speakers = st.lists(texts, min_size=1, max_size=6).filter(lambda us: any(map(count_words, us)))


@given(st.lists(texts, max_size=8), st.booleans())
def test_every_word_is_in_exactly_one_chunk(utterances: list[str], pack: bool) -> None:
    cut = chunks(utterances, pack=pack)
    got = [word for chunk in cut for word in chunk.text.split() if count_words(word)]
    assert got == [word for text in utterances for word in text.split() if count_words(word)]


@given(st.lists(texts, max_size=8), st.booleans())
def test_chunks_know_what_they_hold(utterances: list[str], pack: bool) -> None:
    held = np.zeros(len(utterances))
    for chunk in chunks(utterances, pack=pack):
        assert sum(share for _, share in chunk.covers) == pytest.approx(1.0)
        assert pack or len(chunk.covers) == 1
        for index, share in chunk.covers:
            held[index] += share * count_words(chunk.text)
    assert held == pytest.approx([count_words(text) for text in utterances])


@given(st.lists(st.integers(0, 150), max_size=20))
def test_chunks_are_filled_but_not_over(lengths: list[int]) -> None:
    cut = chunks([" ".join(["word"] * n) for n in lengths])
    sizes = [count_words(chunk.text) for chunk in cut]
    assert all(size <= CHUNK_WORDS for size in sizes)
    for (size, chunk), (_, after) in pairwise(zip(sizes, cut, strict=True)):
        first = after.text.split("\n")[0]
        assert size + count_words(first) > CHUNK_WORDS, (chunk, after)


def test_a_long_utterance_is_cut_into_equal_parts() -> None:
    cut = chunks([" ".join(["word"] * 250)])
    assert [count_words(chunk.text) for chunk in cut] == [83, 83, 84]


def test_utterances_without_words_are_in_no_chunk() -> None:
    assert chunks(["...", "", "hi"], pack=False)[0].covers == ((2, 1.0),)
    assert chunks(["...", "?!"]) == []


@given(speakers, st.booleans())
def test_segments_add_up_to_the_whole(utterances: list[str], pack: bool) -> None:
    lexical = random_lexical()
    (reading,) = lexical.read([utterances], pack=pack)
    total = (reading.weights * reading.values).sum(axis=0) + lexical._bias.mean(axis=0)
    assert total == pytest.approx(reading.members.mean(axis=0), abs=1e-4)
    assert reading.weights.sum(axis=0) == pytest.approx(np.ones(3))
    assert np.exp(reading.gate).sum() == pytest.approx(1.0, abs=1e-5)


def test_a_reading_does_not_depend_on_what_else_is_read() -> None:
    lexical = random_lexical()
    rng = np.random.default_rng(1)
    batch = [[" ".join(rng.choice(WORDS, size=n))] for n in (3, 400, 1, 90)]
    together = lexical.read(batch)
    backwards = lexical.read(batch[::-1])[::-1]
    for given_texts, one, other in zip(batch, together, backwards, strict=True):
        (alone,) = lexical.read([given_texts])
        for name in ("values", "weights", "members", "gate"):
            assert np.array_equal(getattr(alone, name), getattr(one, name)), name
            assert np.array_equal(getattr(alone, name), getattr(other, name)), name


def test_features_are_those_of_scikit_learn() -> None:
    features = random_lexical().features
    text = ["i love people ... i love new people !! don't meet you"]
    got = features.tfidf(features.counts(text)).toarray()[0]
    shapes = (
        {"token_pattern": WORD_PATTERN, "ngram_range": (1, 2)},
        {"analyzer": "char_wb", "ngram_range": (2, 3)},
    )
    start, expected = 0, []
    for block, shape in zip(features.blocks, shapes, strict=True):
        model = TfidfVectorizer(vocabulary=block, sublinear_tf=True, **shape)
        model.idf_ = features.idf[start : start + len(block)].astype(float)
        expected.append(model.transform(text).toarray()[0])
        start += len(block)
    assert got == pytest.approx(np.concatenate(expected), abs=1e-6)
    assert np.linalg.norm(got) == pytest.approx(np.sqrt(2))  # each block has length 1


def test_a_score_by_hand(lexical: Lexical) -> None:
    (reading,) = lexical.read([["A party? A PARTY, and then alone."]])
    party, alone = 1 + np.log(2), 1.0
    z = (4 * party - 4 * alone) / np.hypot(party, alone)
    at = ALL_TRAITS.index("extraversion")
    assert reading.members.mean(axis=0)[at] == pytest.approx(z, abs=1e-5)
    # the two members differ from their mean by 0.25 of what each word weighs
    assert np.ptp(reading.members[:, at]) == pytest.approx(0.5 * z / 4, abs=1e-5)
    assert reading.members[:, ALL_TRAITS.index("openness")] == pytest.approx([0, 0])


def test_a_text_without_known_words_scores_its_bias() -> None:
    lexical = random_lexical()
    (reading,) = lexical.read([["zzz"]])
    assert reading.members == pytest.approx(lexical._bias)
    assert not reading.values.any()


def test_a_component_can_be_saved(tmp_path: Path) -> None:
    lexical = random_lexical()
    lexical.save(tmp_path)
    again = Lexical.load(tmp_path)
    assert again.rows == lexical.rows and again.registers == lexical.registers
    for before, after in zip(
        lexical.read([["i love you !!"]]), again.read([["i love you !!"]]), strict=True
    ):
        # weights are kept in half precision
        assert after.members == pytest.approx(before.members, abs=5e-3)
        assert after.gate == pytest.approx(before.gate, abs=5e-3)
    # and a second round changes nothing any more
    again.save(tmp_path)
    assert np.array_equal(Lexical.load(tmp_path)._weights, again._weights)
