"""From an encoder's vectors to the chances of each rating."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.scale import AXES, RATINGS, STEPS
from persona_lab.detectors.reading import softmax

Floats = NDArray[np.float32]

HEAD_FILE = "head.npz"


@dataclass(frozen=True, slots=True)
class ReaderHead:
    """A linear layer to five ratings for each axis.

    Attributes:
        weight: ``(8 * 5, dim)``, axis by axis.
        bias: ``(8 * 5,)``.
    """

    weight: Floats
    bias: Floats

    def chances(self, vectors: Floats) -> Floats:
        """Probability of each rating: ``(n, dim)`` to ``(n, 8, 5)``."""
        logits = (vectors @ self.weight.T + self.bias).reshape(-1, len(AXES), len(RATINGS))
        return softmax(logits, axis=-1)

    @property
    def directions(self) -> Floats:
        """``(dim, 8)`` in which a vector's expected rating rises, for tracing it to tokens."""
        by_axis = self.weight.reshape(len(AXES), len(RATINGS), -1)
        return np.asarray(np.einsum("ard,r->da", by_axis, STEPS), np.float32)

    def save(self, folder: Path) -> None:
        """Write it into a model's folder."""
        np.savez(folder / HEAD_FILE, allow_pickle=False, weight=self.weight, bias=self.bias)

    @classmethod
    def load(cls, folder: Path) -> ReaderHead:
        """Read what :meth:`save` wrote."""
        with np.load(folder / HEAD_FILE, allow_pickle=False) as arrays:
            return cls(arrays["weight"].astype(np.float32), arrays["bias"].astype(np.float32))
