"""Cutting texts: no token lost, no segment too long, borders where a reader expects them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from persona_lab.encoding import Segment, Segmenter
from persona_lab.errors import ModelError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz.!?"]
WORDS += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def wordpiece() -> Tokenizer:
    """BERT's kind of tokenizer that makes one token of each letter."""
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def byte_level() -> Tokenizer:
    """RoBERTa's kind of tokenizer without merges: one token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = ["<s>", "<pad>", "</s>", *alphabet]
    vocabulary = {word: index for index, word in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>"])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def words_of(segmenter: Segmenter, segment: Segment) -> list[str]:
    """The text tokens of a segment as strings of the WordPiece vocabulary."""
    inner = segment.token_ids[len(segmenter.prefix) : -len(segmenter.suffix)]
    return [WORDS[token] for token in inner]


TEXTS = st.lists(
    st.text(alphabet=st.sampled_from("abz .!?\n\t[SEP]<s>é。文😀"), max_size=120), max_size=8
)


@pytest.mark.parametrize("make", [wordpiece, byte_level])
@settings(max_examples=150, deadline=None)
@given(texts=TEXTS, max_tokens=st.integers(3, 20), pack=st.booleans())
def test_each_token_is_in_exactly_one_segment(make, texts, max_tokens, pack):
    segmenter = Segmenter(make(), max_tokens=max_tokens)
    segments = segmenter.segments(texts, pack=pack)
    joined = [token for segment in segments for token in segment.token_ids[1:-1]]
    assert joined == [token for text in texts for token in segmenter.token_ids(text)]

    counted = [0] * len(texts)
    for segment in segments:
        assert 3 <= len(segment.token_ids) <= max_tokens
        assert segment.token_ids[0] == segmenter.prefix[0]
        assert segment.token_ids[-1] == segmenter.suffix[0]
        assert segment.n_tokens == len(segment.token_ids) - 2
        assert pack or len(segment.covers) == 1
        for index, count in segment.covers:
            assert count > 0
            counted[index] += count
    assert counted == [len(segmenter.token_ids(text)) for text in texts]
    order = [index for segment in segments for index, _ in segment.covers]
    assert order == sorted(order)


def test_short_utterances_share_a_segment_up_to_the_limit():
    segmenter = Segmenter(wordpiece(), max_tokens=7)
    segments = segmenter.segments(["a b", "c d", "e f", "g"])
    assert [segment.covers for segment in segments] == [((0, 2), (1, 2)), ((2, 2), (3, 1))]


def test_without_packing_each_utterance_has_its_own_segments():
    segmenter = Segmenter(wordpiece(), max_tokens=7)
    segments = segmenter.segments(["a b", " ", "c d e f g h"], pack=False)
    assert [segment.covers for segment in segments] == [((0, 2),), ((2, 5),), ((2, 1),)]


def test_an_utterance_that_fits_a_segment_is_not_cut():
    segmenter = Segmenter(wordpiece(), max_tokens=7)
    segments = segmenter.segments(["a b c", "d e f g"])
    assert [segment.covers for segment in segments] == [((0, 3),), ((1, 4),)]


def test_a_long_utterance_is_cut_between_sentences():
    segmenter = Segmenter(wordpiece(), max_tokens=10)
    (first, second) = segmenter.segments(["a b. c d? e f g h i."])
    assert words_of(segmenter, first) == ["a", "b", ".", "c", "d", "?"]
    assert words_of(segmenter, second) == ["e", "f", "g", "h", "i", "."]


@pytest.mark.parametrize("make", [wordpiece, byte_level])
def test_a_long_sentence_is_cut_between_words(make):
    segmenter = Segmenter(make(), max_tokens=8)
    segments = segmenter.segments(["abcd efgh ijkl"])
    assert [segment.n_tokens for segment in segments] == (
        [4, 4, 4] if make is wordpiece else [4, 5, 5]
    )


def test_a_long_word_is_cut_hard():
    segmenter = Segmenter(wordpiece(), max_tokens=6)
    assert [s.n_tokens for s in segmenter.segments(["abcdefghij"])] == [4, 4, 2]


def test_line_breaks_and_chinese_full_stops_end_sentences():
    segmenter = Segmenter(wordpiece(), max_tokens=8)
    assert [s.n_tokens for s in segmenter.segments(["a b c d\ne f g h"])] == [4, 4]
    assert [s.n_tokens for s in segmenter.segments(["文文文。文文文文"])] == [4, 4]


def test_names_of_special_tokens_in_a_text_are_text():
    segmenter = Segmenter(wordpiece())
    assert not {0, 2, 3} & set(segmenter.token_ids("a [SEP] b [PAD][CLS]"))


def test_lengths_set_in_the_tokenizer_do_not_cut():
    tokenizer = wordpiece()
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(length=64)
    assert len(Segmenter(tokenizer).token_ids("a " * 300)) == 300
    assert tokenizer.truncation is not None  # the caller's tokenizer is left as it was


def test_pieces_given_to_the_tokenizer_do_not_show():
    text = "ab cd. " * 8000
    expected = wordpiece().encode(text, add_special_tokens=False).ids
    assert list(Segmenter(wordpiece()).token_ids(text)) == expected
    expected = byte_level().encode(text, add_special_tokens=False).ids
    assert list(Segmenter(byte_level()).token_ids(text)) == expected


@pytest.mark.parametrize("unit", ["abc de. ", ".", " ", "\n", "a", "。", '."'])
def test_time_is_linear_in_the_text(unit):
    segmenter = Segmenter(wordpiece())
    start = time.perf_counter()
    segmenter.segments([unit * (500_000 // len(unit))])
    assert time.perf_counter() - start < 20  # quadratic time would be minutes


def test_nothing_gives_nothing():
    segmenter = Segmenter(wordpiece())
    assert segmenter.segments([]) == []
    assert segmenter.segments(["", "\n "]) == []


def test_a_limit_without_room_for_text_is_refused():
    with pytest.raises(ValueError, match="max_tokens=2"):
        Segmenter(wordpiece(), max_tokens=2)


def test_a_tokenizer_that_swallows_letters_is_refused():
    with pytest.raises(ModelError, match="unknown token"):
        Segmenter(Tokenizer(models.BPE({"hello": 0}, merges=[])))
