"""Count known words and character n-grams: what scikit-learn's ``CountVectorizer`` counts.

Scoring does not import scikit-learn (over a second of a cold start), and characters are
counted by array arithmetic: every window of the text gets a 64-bit polynomial hash, and
the hashes are looked up among those of the vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

WORD_PATTERN: Final = r"[^\W_]+(?:['\u2019]\w+)?|[^\w\s]+"
"""Words, and runs of punctuation: '...' and '!!' tell something about people."""

_WORD = re.compile(WORD_PATTERN)
_BASE: Final = np.uint64(0x9E3779B97F4A7C15)
"""Odd and large; the hash is a polynomial in it, modulo 2**64."""

Columns = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class NGramCounter:
    """Counts the terms of a vocabulary in texts.

    Lower case; words are joined by a space into n-grams; character n-grams stay within
    words that are padded with a space on each side (scikit-learn's ``char_wb``).
    """

    def __init__(
        self,
        words: Sequence[str],
        chars: Sequence[str],
        *,
        word_lengths: tuple[int, int],
        char_lengths: tuple[int, int],
    ) -> None:
        """Prepare for a vocabulary.

        Args:
            words: word n-grams, the first columns.
            chars: character n-grams, the columns after them.
            word_lengths: shortest and longest word n-gram, in words.
            char_lengths: shortest (2 or more) and longest character n-gram, in characters.
        """
        self.n_features = len(words) + len(chars)
        self._column = {term: place for place, term in enumerate(words)}
        self._word_lengths, self._char_lengths = word_lengths, char_lengths
        self._by_length = {
            n: _table([(term, len(words) + i) for i, term in enumerate(chars) if len(term) == n])
            for n in sorted({len(term) for term in chars})
        }

    def counts(self, texts: Sequence[str]) -> csr_matrix:
        """Count terms: ``(n_texts, n_features)``, float, sorted columns."""
        from scipy.sparse import csr_matrix

        lowered = [text.lower() for text in texts]
        found = [self._words(lowered), *self._chars(lowered)]
        place = np.concatenate([text * self.n_features + column for text, column in found])
        cells, counts = np.unique(place, return_counts=True)
        rows, columns = np.divmod(cells, max(self.n_features, 1))
        starts = np.searchsorted(rows, np.arange(len(texts) + 1))
        shape = (len(texts), self.n_features)
        return csr_matrix((counts.astype(float), columns, starts), shape=shape)

    def _words(self, texts: Sequence[str]) -> tuple[Columns, Columns]:
        """Text and column of every known word n-gram."""
        column = self._column
        owners, columns = [], []
        for i, text in enumerate(texts if column else ()):
            words = _WORD.findall(text)
            for n in range(self._word_lengths[0], self._word_lengths[1] + 1):
                terms = words if n == 1 else map(" ".join, zip(*(words[k:] for k in range(n))))  # noqa: B905
                known = [column[term] for term in terms if term in column]
                columns += known
                owners.append((i, len(known)))
        texts_of = np.repeat([i for i, _ in owners], [n for _, n in owners])
        return texts_of.astype(np.int64), np.array(columns, np.int64)

    def _chars(self, texts: Sequence[str]) -> list[tuple[Columns, Columns]]:
        """Text and column of every known character n-gram, by length."""
        padded = [" " + " ".join(text.split()) for text in texts] if self._by_length else []
        padded = [text if len(text) > 1 else "" for text in padded]
        codes = _codes("".join(padded) + " ")
        owner = np.repeat(np.arange(len(padded)), [len(text) for text in padded])
        # the end of the padded word that begins or goes on at a place: after its next space
        spaces = np.flatnonzero(codes == ord(" "))
        ends = spaces[np.searchsorted(spaces, np.arange(len(owner)), side="right")] + 1
        lowest, longest = self._char_lengths
        hashes = np.zeros(len(codes), np.uint64)
        found = []
        for n in range(1, longest + 1):
            hashes = hashes[: len(codes) - n + 1] * _BASE + codes[n - 1 :]
            if n not in self._by_length or not len(owner):
                continue
            inside = np.arange(min(len(owner), len(hashes)))
            room = ends[inside] - inside
            whole = n < lowest  # a word shorter than the shortest n-gram counts as it is
            starts = codes[inside] == ord(" ")
            inside = inside[(starts & (room == n)) if whole else room >= n]
            known, columns = _look_up(self._by_length[n], hashes[inside])
            found.append((owner[inside[known]], columns))
        return found


def _codes(text: str) -> Hashes:
    """Code points."""
    raw = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(raw, np.uint32).astype(np.uint64)


def _table(terms: Sequence[tuple[str, int]]) -> tuple[Hashes, Columns]:
    """Sorted hashes of terms of one length, and their columns."""
    codes = _codes("".join(term for term, _ in terms)).reshape(len(terms), -1)
    hashes = np.zeros(len(terms), np.uint64)
    for column in codes.T:
        hashes = hashes * _BASE + column
    order = np.argsort(hashes)
    return hashes[order], np.array([place for _, place in terms], np.int64)[order]


def _look_up(table: tuple[Hashes, Columns], hashes: Hashes) -> tuple[NDArray[np.int64], Columns]:
    """Which hashes are known, and their columns."""
    known, columns = table
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    hits = np.flatnonzero(known[place] == hashes)
    return hits, columns[place[hits]]
