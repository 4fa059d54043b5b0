"""Sizes of encoders, and the operations that their sequences take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of an encoder.

    Attributes:
        name: for people.
        hidden: size of a token's vector.
        inner: size inside the feed-forward block.
        depth: layers.
        heads: of the attention.
        vocabulary: token ids.
    """

    name: str
    hidden: int
    inner: int
    depth: int
    heads: int
    vocabulary: int

    def operations(self, lengths: Iterable[int]) -> float:
        """Multiplications and additions that some sequences need.

        A token takes ``2 (4 hidden^2 + 2 hidden inner)`` of them in the matrices of a layer,
        and ``4 length hidden`` in its attention. Padding, embeddings and normalisation count
        nothing.

        Args:
            lengths: tokens of each sequence, special tokens included.
        """
        matrices = 2 * (4 * self.hidden**2 + 2 * self.hidden * self.inner)
        return float(sum(self.depth * n * (matrices + 4 * n * self.hidden) for n in lengths))


ROBERTA = Shape("RoBERTa-base size", 768, 3072, depth=12, heads=12, vocabulary=50_265)
MINILM = Shape("MiniLM-L6 size", 384, 1536, depth=6, heads=12, vocabulary=30_522)
TINY = Shape("tiny", 64, 128, depth=2, heads=4, vocabulary=30_522)
