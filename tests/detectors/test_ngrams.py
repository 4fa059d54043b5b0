"""The counter counts what scikit-learn's CountVectorizer counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from persona_lab.detectors.ngrams import WORD_PATTERN, NGramCounter

TEXTS = [
    "I can't, can't, CAN'T believe it... a b\tc\n\nnaïve Überraschung!! ",
    "  ",
    "",
    "don\u2019t you? I do. I do, I do: it's 10% of 'that'_ok",
    "\U0001f600 smile 日本語 x",
    "a",
]


def reference(texts, words, chars, lengths):
    counters = [
        CountVectorizer(vocabulary=words, token_pattern=WORD_PATTERN, ngram_range=lengths[0]),
        CountVectorizer(
            vocabulary=chars, analyzer="char_wb", token_pattern=None, ngram_range=lengths[1]
        ),
    ]
    return np.hstack([counter.transform(texts).toarray() for counter in counters])


def vocabulary(texts, lengths):
    made = []
    for shape, ngrams in zip(
        ({"token_pattern": WORD_PATTERN}, {"analyzer": "char_wb", "token_pattern": None}),
        lengths,
        strict=True,
    ):
        made.append(sorted(CountVectorizer(ngram_range=ngrams, **shape).fit(texts).vocabulary_))
    return made


def counted(texts, words, chars, lengths):
    counter = NGramCounter(words, chars, word_lengths=lengths[0], char_lengths=lengths[1])
    return counter.counts(texts).toarray()


@pytest.mark.parametrize("lengths", [((1, 1), (2, 4)), ((1, 3), (2, 5)), ((2, 2), (4, 6))])
def test_as_scikit_learn(lengths):
    words, chars = vocabulary(TEXTS, lengths)
    # every second term, so that unknown ones occur
    words, chars = words[::2], chars[::2]
    expected = reference(TEXTS, words, chars, lengths)
    assert expected.sum() > 50
    np.testing.assert_array_equal(counted(TEXTS, words, chars, lengths), expected)


@given(st.lists(st.text(alphabet="ab é.!'_\n\t\u2003Zß\U0001f600\u0130", max_size=40), max_size=5))
@settings(max_examples=60, deadline=None)
def test_as_scikit_learn_on_anything(texts):
    lengths = ((1, 2), (2, 4))
    words, chars = vocabulary([*TEXTS, "ab ba é! z ss ab. a'b"], lengths)
    if texts:
        np.testing.assert_array_equal(
            counted(texts, words, chars, lengths), reference(texts, words, chars, lengths)
        )


def test_nothing_to_count():
    counter = NGramCounter(["a"], ["ab"], word_lengths=(1, 1), char_lengths=(2, 2))
    assert counter.counts(["", "!"]).shape == (2, 2)
    assert counter.counts(["", "!"]).nnz == 0
    assert counter.counts([]).shape == (0, 2)
    words_only = NGramCounter(["a"], [], word_lengths=(1, 1), char_lengths=(2, 4))
    assert words_only.counts(["a a b"]).toarray().tolist() == [[2.0]]
