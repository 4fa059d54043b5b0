"""The lexical component: TF-IDF of words and characters, linear experts.

In this field it is hard to beat, and it needs no encoder: the fast tier and the honest
baseline. Weights are kept as plain arrays; nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.ngrams import NGramCounter
from persona_lab.detectors.reading import Array, Reading, Row, count_words, log_softmax

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

CHUNK_WORDS = 100
"""Utterances are packed into chunks of at most this many words where they fit."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a speaker's text, and how much of which utterance it holds."""

    text: str
    covers: tuple[tuple[int, float], ...]


def chunks(utterances: Sequence[str], *, pack: bool = True) -> list[Chunk]:
    """Cut utterances into chunks of about :data:`CHUNK_WORDS` words.

    Args:
        utterances: in order, each of any length.
        pack: join short neighbours; else each chunk is of one utterance.

    Returns:
        Chunks in order; every word is in exactly one. Utterances without words are left
        out; shares of a chunk sum to 1.
    """
    done: list[Chunk] = []
    parts: list[tuple[int, int, str]] = []

    def close() -> None:
        if parts:
            total = sum(n for _, n, _ in parts)
            covers = tuple((index, n / total) for index, n, _ in parts)
            done.append(Chunk("\n".join(text for _, _, text in parts), covers))
            parts.clear()

    for index, utterance in enumerate(utterances):
        for piece in _pieces(utterance):
            n = count_words(piece)
            if n == 0:
                continue
            if parts and (not pack or n + sum(m for _, m, _ in parts) > CHUNK_WORDS):
                close()
            parts.append((index, n, piece))
    close()
    return done


def _pieces(text: str) -> Iterable[str]:
    tokens = text.split()
    if len(tokens) <= CHUNK_WORDS:
        yield text
        return
    n_pieces = -(-len(tokens) // CHUNK_WORDS)
    for part in range(n_pieces):
        start, end = (k * len(tokens) // n_pieces for k in (part, part + 1))
        yield " ".join(tokens[start:end])


class LexicalFeatures:
    """Counts of known words and character n-grams, and their TF-IDF.

    Attributes:
        blocks: terms of each block (words, characters), in column order.
        idf: ``(n_features,)`` inverse document frequencies.
    """

    def __init__(self, blocks: Sequence[Sequence[str]], idf: Array, settings: dict[str, Any]):
        """Build from saved terms.

        Args:
            blocks: word terms, then character terms (may be empty).
            idf: as in scikit-learn's smoothed formula.
            settings: ``words`` and ``chars``: lengths of n-grams, as ``[low, high]``.
        """
        self.blocks = [list(block) for block in blocks]
        self.idf = np.asarray(idf, np.float32)
        self.settings = settings
        words, chars = self.blocks
        self._counter = NGramCounter(
            words, chars,
            word_lengths=tuple(settings["words"]), char_lengths=tuple(settings["chars"]),
        )  # fmt: skip

    @property
    def n_features(self) -> int:
        """Columns of all blocks together."""
        return len(self.idf)

    def counts(self, texts: Sequence[str]) -> csr_matrix:
        """Count terms: ``(n_texts, n_features)``."""
        return self._counter.counts(texts)

    def tfidf(self, counts: csr_matrix) -> csr_matrix:
        """Sublinear TF times IDF, each block scaled to length 1 (float32)."""
        from scipy.sparse import csr_matrix

        x = csr_matrix(counts, dtype=np.float32, copy=True)
        x.data = (1.0 + np.log(x.data)) * self.idf[x.indices]
        row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
        # squares by row and block; the words come first
        cell = 2 * row + (x.indices >= len(self.blocks[0]))
        squares = np.bincount(cell, weights=x.data.astype(float) ** 2, minlength=2 * x.shape[0])
        x.data = (x.data / np.sqrt(squares)[cell]).astype(np.float32)
        return x


class Lexical:
    """Linear experts over lexical features."""

    def __init__(
        self,
        features: LexicalFeatures,
        rows: Sequence[Row],
        registers: Sequence[str],
        weights: Array,
        bias: Array,
        gate_weights: Array,
        gate_bias: Array,
    ) -> None:
        """Put a component together.

        Args:
            features: the columns.
            rows: experts, in the order of ``weights``.
            registers: kinds of text, in the order of the gate.
            weights: ``(n_features, n_members, n_rows)``, half precision is enough.
            bias: ``(n_members, n_rows)``.
            gate_weights: ``(n_features, n_registers)``.
            gate_bias: ``(n_registers,)``.
        """
        self.features = features
        self.rows = tuple(rows)
        self.registers = tuple(registers)
        self._weights = np.ascontiguousarray(weights, np.float32)
        self._bias = bias
        self._mean = self._weights.mean(axis=1)
        self._gate_weights = np.ascontiguousarray(gate_weights, np.float32)
        self._gate_bias = gate_bias

    def read(self, texts: Sequence[Sequence[str]], *, pack: bool = True) -> list[Reading]:
        """See :class:`~persona_lab.detectors.reading.Component`."""
        from scipy.sparse import csr_matrix

        cut = [chunks(utterances, pack=pack) for utterances in texts]
        sizes = np.array([len(speaker) for speaker in cut], np.int64)
        counts = self.features.counts([chunk.text for speaker in cut for chunk in speaker])
        ends = np.concatenate([[0], np.cumsum(sizes)])
        own = (np.ones(ends[-1]), np.arange(ends[-1]), ends)
        total = csr_matrix(csr_matrix(own, shape=(len(cut), ends[-1])) @ counts)
        total.sort_indices()
        x = self.features.tfidf(total)
        shared = _shared(x, total, counts, np.repeat(np.arange(len(cut)), sizes))
        values = np.asarray(shared @ self._mean) * np.repeat(sizes, sizes)[:, None]
        members = np.asarray(x @ self._weights.reshape(len(self._weights), -1))
        members = members.reshape(len(cut), *self._bias.shape) + self._bias
        gate = log_softmax(np.asarray(x @ self._gate_weights) + self._gate_bias)
        return [
            Reading(
                values=values[start : start + n].astype(np.float32),
                weights=np.full((n, len(self.rows)), 1.0 / n, np.float32),
                members=members[i].astype(np.float32),
                gate=gate[i],
                covers=tuple(chunk.covers for chunk in cut[i]),
            )
            for i, (start, n) in enumerate(zip(ends, sizes, strict=False))
        ]

    def save(self, folder: Path) -> None:
        """Write ``lexical.npz`` and ``vocabulary.json``."""
        np.savez_compressed(
            folder / "lexical.npz",
            weights=self._weights.astype(np.float16),
            bias=self._bias.astype(np.float32),
            gate_weights=self._gate_weights.astype(np.float16),
            gate_bias=self._gate_bias.astype(np.float32),
            idf=self.features.idf,
        )
        facts = {
            "settings": self.features.settings,
            "blocks": self.features.blocks,
            "rows": [[row.register, row.trait] for row in self.rows],
            "registers": list(self.registers),
        }
        (folder / "vocabulary.json").write_text(
            json.dumps(facts, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> Lexical:
        """Read what :meth:`save` wrote."""
        facts = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        with np.load(folder / "lexical.npz", allow_pickle=False) as arrays:
            got = {name: arrays[name] for name in arrays.files}
        return cls(
            LexicalFeatures(facts["blocks"], got["idf"], facts["settings"]),
            [Row(*pair) for pair in facts["rows"]],
            facts["registers"],
            got["weights"],
            got["bias"],
            got["gate_weights"],
            got["gate_bias"],
        )


def _shared(
    x: csr_matrix, total: csr_matrix, counts: csr_matrix, speaker: NDArray[np.int64]
) -> csr_matrix:
    """Each term's TF-IDF, shared among a speaker's chunks by how often each has the term.

    Args:
        x: ``(n_speakers, n_features)``.
        total: counts of the speakers, with the entries of ``x``.
        counts: ``(n_chunks, n_features)``.
        speaker: ``(n_chunks,)`` whose chunk.
    """
    from scipy.sparse import csr_matrix

    def cells(matrix: csr_matrix, owner: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = np.repeat(owner, np.diff(matrix.indptr))
        return np.asarray(rows * matrix.shape[1] + matrix.indices)

    place = np.searchsorted(cells(total, np.arange(total.shape[0])), cells(counts, speaker))
    data = (counts.data * (x.data / total.data)[place]).astype(np.float32)
    return csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)
