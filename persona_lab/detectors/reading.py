"""What one component (words, or encoder) reads in one speaker's text.

Every component is linear in its segments: the log-odds of a trait are a bias plus a
weighted mean of one value a segment. That makes everything after it cheap arithmetic:
bootstrap intervals, evidence by utterance, windows over turns.

A *row* is a pair (register, trait): traits are judged by one expert for each register
(kind of text) that the model was trained on, because the same words mean different
things in an essay and in a chat; a *gate* tells which register the text belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


def count_words(text: str) -> int:
    """Words of a text: runs of letters and digits, ``don't`` counts once."""
    return len(_WORD.findall(text))


@dataclass(frozen=True, slots=True)
class Row:
    """One expert's judgement: a trait, as learnt on one register."""

    register: str
    trait: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A component's reading of one speaker.

    Attributes:
        values: ``(n_segments, n_rows)`` log-odds that each segment alone speaks for.
        weights: ``(n_segments, n_rows)`` attention, each column sums to 1.
        members: ``(n_members, n_rows)`` log-odds of the whole text by each member of the
            ensemble; their mean is the estimate, their spread the model's own doubt.
        gate: ``(n_registers,)`` log-probabilities that the text is of a register.
        covers: per segment, ``(utterance_index, share)`` with shares that sum to 1.
    """

    values: Array
    weights: Array
    members: Array
    gate: Array
    covers: tuple[tuple[tuple[int, float], ...], ...]


class Experts(Protocol):
    """Whatever has rows, and registers that its gate tells apart."""

    rows: tuple[Row, ...]
    registers: tuple[str, ...]


class Component(Experts, Protocol):
    """Reads texts; ``lexical`` and ``pooled`` are the two there are."""

    def read(self, texts: Sequence[Sequence[str]], *, pack: bool = True) -> list[Reading]:
        """Read many speakers at once.

        Args:
            texts: per speaker, the utterances (masked where masking is wanted); at least
                one word each.
            pack: put short neighbouring utterances into one segment; without it each
                segment is of one utterance, which evidence needs.
        """

    def save(self, folder: Path) -> None:
        """Write the arrays into a model's folder."""


def log_softmax(logits: Array) -> Array:
    """Log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(
        shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float32
    )


def softmax(logits: Array, axis: int = 0) -> Array:
    """Softmax over one axis."""
    shifted = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=axis, keepdims=True), dtype=np.float32)
