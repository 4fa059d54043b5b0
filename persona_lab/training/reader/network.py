"""The network that is trained to read: an encoder, and a distribution of ratings for each trait.

Lower layers of the encoder may stay as they are; what they make of a text is then computed once
and kept, which saves a third of the time of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.scale import AXES, RATINGS
from persona_lab.encoding.segment import Segmenter
from persona_lab.training.encoder_network import EncoderNetwork, Ids
from persona_lab.training.segments import like_lengths

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]

_PREDICT_TOKENS = 4096
_START = (-2.5, -1.5, 1.5, -1.5, -2.5)
"""Log-odds of the ratings before anything is learnt: most texts show nothing."""


class ReaderNetwork(EncoderNetwork):
    """A copy of an encoder with a linear layer to five ratings for each axis.

    Attributes:
        head: ``weight`` ``(8 * 5, dim)`` and ``bias`` ``(8 * 5,)``, axis by axis.
        tokenizer: the encoder's.
        segmenter: makes token ids, of texts of any length.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        frozen: int = 0,
        seed: int = 0,
        bf16: bool | None = None,
    ) -> None:
        """Copy the model; the linear layer starts at small values by chance.

        Args:
            model: an encoder of :func:`~persona_lab.training.backbone.load_backbone`.
            tokenizer: its tokenizer.
            frozen: lower layers that are not trained.
            seed: of the linear layer.
            bf16: compute in bfloat16; None does where the processor is good at it.
        """
        import torch

        super().__init__(model, frozen=frozen, bf16=bf16)
        dice = torch.Generator().manual_seed(seed)
        weight = torch.randn(len(AXES) * len(RATINGS), self.dim, generator=dice) * 0.02
        self.head = {
            "weight": weight.to(self.device),
            "bias": torch.tensor(_START * len(AXES)).to(self.device),
        }
        for tensor in self.head.values():
            tensor.requires_grad_(True)
        self.tokenizer = tokenizer
        self.segmenter = Segmenter(tokenizer, max_tokens=1_000_000)

    def below(self, ids: Sequence[Ids]) -> list[torch.Tensor]:
        """Hidden states ``(length, dim)`` after the frozen layers, in 16 bits where it counts."""
        import torch

        found: list[torch.Tensor] = [torch.empty(0)] * len(ids)
        kind = torch.bfloat16 if self.bf16 else torch.float32
        with torch.no_grad():
            for group in like_lengths(ids, _PREDICT_TOKENS):
                states = self.run(*self.embedded([ids[i] for i in group]), 0, self.frozen)
                for i, row in zip(group, states.to(kind), strict=True):
                    found[i] = row[: len(ids[i])].clone()
        return found

    def logits(self, below: Sequence[torch.Tensor], dropout: float = 0.0) -> torch.Tensor:
        """Log-odds ``(n, 8, 5)`` of a batch.

        Args:
            below: what :meth:`below` gave of each text.
            dropout: of the pooled vector.
        """
        import torch

        lengths = torch.tensor([len(state) for state in below], device=self.device)
        states = torch.nn.utils.rnn.pad_sequence(list(below), batch_first=True).float()
        mask = torch.arange(states.shape[1], device=self.device) < lengths[:, None]
        states = self.run(states, mask, self.frozen, len(self.layers))
        return self.pooled(states, mask, dropout).view(len(below), len(AXES), len(RATINGS))

    def predict(self, ids: Sequence[Ids]) -> Floats:
        """Probabilities of the ratings, ``(n, 8, 5)``, of any number of units."""
        import torch

        found = np.empty((len(ids), len(AXES), len(RATINGS)), np.float32)
        with torch.no_grad():
            for group in like_lengths(ids, _PREDICT_TOKENS):
                logits = self.logits(self.below([ids[i] for i in group]))
                found[group] = torch.softmax(logits, dim=-1).cpu().numpy()
        return found
