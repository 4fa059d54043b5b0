"""Cut texts of any length into segments an encoder can take, and lose no token.

A segment ends where an utterance ends if that is possible, else where a sentence ends,
else where a word ends, and in the middle of a word only where a word alone is too long.
Each segment knows how many tokens of which utterances it holds, so that what is found in
a segment can be traced back to who said what.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from persona_lab.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_PIECE = 10_000
"""Characters given to the tokenizer at once: keeps its time linear in the text."""

_SENTENCE_END = re.compile(
    r"""(?<![.!?\u2026])[.!?\u2026]+["')\]\u201d\u2019]*(?=\s)  # Western, before a space
    | [\u3002\uff01\uff1f]+[\u201d\u300d]*                      # Chinese and Japanese
    | (?<!\n)(?=\n)                                            # a line break
    """,
    re.VERBOSE,
)
"""Ends of sentences. It looks back so that a megabyte of dots is not tried at each dot."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text as an encoder takes it.

    Attributes:
        token_ids: with the special tokens the model wants around a text.
        covers: ``(utterance_index, n_tokens)`` in order, special tokens not counted; the
            index is the position in the list that was cut.
    """

    token_ids: tuple[int, ...]
    covers: tuple[tuple[int, int], ...]

    @property
    def n_tokens(self) -> int:
        """Tokens of the text, special tokens not counted."""
        return sum(count for _, count in self.covers)


class Segmenter:
    """Cuts utterances into segments with one model's tokenizer.

    Attributes:
        max_tokens: the longest segment, special tokens included.
        prefix: ids of the special tokens before a text.
        suffix: ids of the special tokens after a text.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int = 128) -> None:
        """Prepare a tokenizer.

        Args:
            tokenizer: of the ``tokenizers`` library; it is copied. In the copy, truncation
                and padding are off, and the names of special tokens that occur in a text
                (``[SEP]``, ``</s>``) are read as text.
            max_tokens: the longest segment, special tokens included.

        Raises:
            ModelError: the tokenizer marks no text between its special tokens.
            ValueError: ``max_tokens`` leaves no room for text.
        """
        self._tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self.prefix, self.suffix = _special_tokens(self._tokenizer)
        self.max_tokens = max_tokens
        self._budget = max_tokens - len(self.prefix) - len(self.suffix)
        if self._budget < 1:
            raise ValueError(
                f"max_tokens={max_tokens} leaves no room for text beside "
                f"{len(self.prefix) + len(self.suffix)} special tokens"
            )

    def token_ids(self, text: str) -> tuple[int, ...]:
        """The tokens of a text of any length, without special tokens."""
        return self.token_ids_of([text])[0]

    def token_ids_of(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """:meth:`token_ids` of many texts, in one call of the tokenizer."""
        return [tuple(tokens.ids) for tokens in self._encode(texts)]

    def segments(self, utterances: Sequence[str], *, pack: bool = True) -> list[Segment]:
        """Cut utterances of one speaker, or of one text.

        Time and memory are linear in the length of the texts.

        Args:
            utterances: in order, each of any length.
            pack: put neighbouring utterances into one segment as long as they fit whole
                (the pieces of a cut utterance count as utterances). Without it, no
                segment holds tokens of two utterances.

        Returns:
            Segments in order. Their tokens, special tokens left out, are the tokens of the
            utterances in order, each exactly once. An utterance without tokens (blank)
            is in no segment.
        """
        segments: list[Segment] = []
        ids: list[int] = []
        covers: list[tuple[int, int]] = []

        def close() -> None:
            if ids:
                segments.append(Segment((*self.prefix, *ids, *self.suffix), tuple(covers)))
                ids.clear()
                covers.clear()

        for index, tokens in enumerate(self._encode(utterances)):
            for start, end in pairwise(self._cuts(tokens)):
                if not pack or len(ids) + end - start > self._budget:
                    close()
                ids.extend(tokens.ids[start:end])
                covers.append((index, end - start))
                if end < len(tokens.ids):
                    close()  # the utterance was cut here: nothing else fits by choice
        close()
        return segments

    def _encode(self, texts: Sequence[str]) -> list[_Tokens]:
        """Tokenize all texts in one call, long ones in pieces."""
        pieces = [list(_pieces(text)) for text in texts]
        encodings = iter(
            self._tokenizer.encode_batch(
                [
                    text[start:end]
                    for text, cuts in zip(texts, pieces, strict=True)
                    for start, end in cuts
                ],
                add_special_tokens=False,
            )
        )
        return [
            _join(text, cuts, [next(encodings) for _ in cuts], self._budget)
            for text, cuts in zip(texts, pieces, strict=True)
        ]

    def _cuts(self, tokens: _Tokens) -> list[int]:
        """Where to cut one utterance: rising token positions from 0 to its length."""
        cuts, total = [0], len(tokens.ids)
        while cuts[-1] < total:
            start = cuts[-1]
            end = start + self._budget
            if end >= total:
                end = total
            else:
                for places in (tokens.sentences, tokens.words):
                    place = bisect_right(places, end) - 1
                    if place >= 0 and places[place] > start:
                        end = places[place]
                        break
            cuts.append(end)
        return cuts


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The tokens of one text; token positions where sentences and words begin, rising."""

    ids: list[int]
    sentences: list[int]
    words: list[int]


def _join(
    text: str, cuts: list[tuple[int, int]], encodings: list[Encoding], budget: int
) -> _Tokens:
    """Put the pieces of one text together; look for borders only where they are needed."""
    ids = [token for encoding in encodings for token in encoding.ids]
    if len(ids) <= budget:
        return _Tokens(ids, [], [])
    spans = [
        (start + left, start + right)
        for (start, _), encoding in zip(cuts, encodings, strict=True)
        for left, right in encoding.offsets
    ]
    words = [
        index
        for index, (before, after) in enumerate(pairwise(spans), start=1)
        if after[0] > before[1] or text[after[0] : after[0] + 1].isspace()
    ]
    sentences = []
    index = 0
    for match in _SENTENCE_END.finditer(text):
        while index < len(spans) and spans[index][0] < match.end():
            index += 1
        sentences.append(index)
    return _Tokens(ids, sentences, words)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Spans of at most 10,000 characters, cut before a space where there is one."""
    start = 0
    while len(text) - start > _PIECE:
        end = text.rfind(" ", start + 1, start + _PIECE + 1)
        if end < 0:
            end = start + _PIECE
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _special_tokens(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ids that the tokenizer puts before and after a single text."""
    try:
        probe = tokenizer.encode("a")
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"the tokenizer cannot read the letter 'a': {error}") from error
    mask = probe.special_tokens_mask
    if 0 not in mask:
        raise ModelError(
            "the tokenizer makes no token of the letter 'a'; use one with an unknown token"
        )
    first = mask.index(0)
    last = len(mask) - mask[::-1].index(0)
    return tuple(probe.ids[:first]), tuple(probe.ids[last:])
