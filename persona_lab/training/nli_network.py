"""The network that is trained to read pairs: an encoder and a linear layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.pairs import PairJoiner, Tokens
from persona_lab.encoding.segment import Segmenter
from persona_lab.training.encoder_network import EncoderNetwork
from persona_lab.training.nli_draw import NliSettings
from persona_lab.training.segments import like_lengths

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

Floats = NDArray[np.float64]


class PairNetwork(EncoderNetwork):
    """A copy of an encoder with a linear layer to three classes.

    Attributes:
        head: ``weight`` ``(3, dim)`` and ``bias`` ``(3,)``.
        joiner: makes token ids of pairs.
    """

    def __init__(self, model: Any, tokenizer: Tokenizer, settings: NliSettings) -> None:
        """Copy the model; the linear layer starts at small values by chance."""
        import torch

        super().__init__(model, frozen=settings.frozen, bf16=settings.bf16)
        dice = torch.Generator().manual_seed(settings.seed)
        self.head = {
            "weight": (torch.randn(3, self.dim, generator=dice) * 0.02).to(self.device),
            "bias": torch.zeros(3, device=self.device),
        }
        for tensor in self.head.values():
            tensor.requires_grad_(True)
        self.joiner = PairJoiner(Segmenter(tokenizer, max_tokens=settings.max_tokens))

    def logits(self, segments: Sequence[Tokens], dropout: float = 0.0) -> torch.Tensor:
        """Log-odds ``(n, 3)`` of a batch."""
        import torch

        states, mask = self.embedded([np.array(segment, np.int32) for segment in segments])
        with torch.set_grad_enabled(False):
            states = self.run(states, mask, 0, self.frozen)
        return self.pooled(self.run(states, mask, self.frozen, len(self.layers)), mask, dropout)

    def predict(self, pairs: Sequence[tuple[str, str]], batch_tokens: int = 4096) -> Floats:
        """Log-odds ``(n, 3)`` of any number of pairs, without gradients."""
        import torch

        segments, _ = self.joiner.join(pairs)
        found = np.empty((len(segments), 3))
        arrays = [np.array(segment, np.int32) for segment in segments]
        with torch.no_grad():
            for group in like_lengths(arrays, batch_tokens):
                found[group] = self.logits([segments[i] for i in group]).cpu().numpy()
        return found
