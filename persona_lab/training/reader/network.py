"""The network that is trained to read: an encoder, and a distribution of ratings for each trait.

The encoder is any that :func:`~persona_lab.training.backbone.load_backbone` opens. Its lower
layers may stay as they are; what they make of a text is then computed once and kept, which
saves a third of the time of training.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.scale import AXES, RATINGS
from persona_lab.encoding.segment import Segmenter
from persona_lab.training.segments import good_at_bf16, like_lengths, pad

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]

_PREDICT_TOKENS = 4096
_START = (-2.5, -1.5, 1.5, -1.5, -2.5)
"""Log-odds of the ratings before anything is learnt: most texts show nothing."""


class ReaderNetwork:
    """A copy of an encoder with a linear layer to five ratings for each axis.

    Attributes:
        model: the encoder; its embeddings stay as they are.
        head: ``weight`` ``(8 * 5, dim)`` and ``bias`` ``(8 * 5,)``, axis by axis.
        tokenizer: the encoder's.
        segmenter: makes token ids, of texts of any length.
        frozen: lower layers that are not trained.
        device: ``cuda`` where there is one.
        bf16: whether it computes in bfloat16.
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

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.bf16 = good_at_bf16(self.device) if bf16 is None else bf16
        copied: Any = copy.deepcopy(model)
        self.model: Any = copied.to(device=self.device, dtype=torch.float32).train(False)
        self.frozen = frozen
        self.model.embeddings.requires_grad_(False)
        for index, layer in enumerate(self.layers):
            layer.requires_grad_(index >= frozen)
            attention = getattr(layer, "attention", None)
            if attention is not None:
                attention.self.dropout.p = 0.0  # it makes training on a CPU three times slower
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

    @property
    def layers(self) -> Any:
        """The encoder's layers, from below."""
        return self.model.layers if hasattr(self.model, "layers") else self.model.encoder.layer

    @property
    def dim(self) -> int:
        """Length of a hidden state."""
        return int(self.model.config.hidden_size)

    def below(self, ids: Sequence[Ids]) -> list[torch.Tensor]:
        """Hidden states ``(length, dim)`` after the frozen layers, in 16 bits where it counts."""
        import torch

        found: list[torch.Tensor] = [torch.empty(0)] * len(ids)
        kind = torch.bfloat16 if self.bf16 else torch.float32
        with torch.no_grad():
            for group in like_lengths(ids, _PREDICT_TOKENS):
                states = self._run(*self._embedded([ids[i] for i in group]), 0, self.frozen)
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
        states = self._run(states, mask, self.frozen, len(self.layers)).float()
        mean = (states * mask[..., None]).sum(dim=1) / lengths[:, None]
        vectors = torch.nn.functional.dropout(mean, dropout)
        flat = vectors @ self.head["weight"].T + self.head["bias"]
        return flat.view(len(below), len(AXES), len(RATINGS))

    def predict(self, ids: Sequence[Ids]) -> Floats:
        """Probabilities of the ratings, ``(n, 8, 5)``, of any number of units."""
        import torch

        found = np.empty((len(ids), len(AXES), len(RATINGS)), np.float32)
        with torch.no_grad():
            for group in like_lengths(ids, _PREDICT_TOKENS):
                logits = self.logits(self.below([ids[i] for i in group]))
                found[group] = torch.softmax(logits, dim=-1).cpu().numpy()
        return found

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that training changes, by name."""
        layers = {
            f"layer.{i}.{name}": parameter
            for i, layer in enumerate(self.layers)
            if i >= self.frozen
            for name, parameter in layer.named_parameters()
        }
        return layers | {f"head.{name}": tensor for name, tensor in self.head.items()}

    def load(self, saved: Mapping[str, torch.Tensor]) -> None:
        """Take over the values that :meth:`tensors` gave."""
        import torch

        own = self.tensors()
        with torch.no_grad():
            for name, value in saved.items():
                own[name].copy_(value)

    def optimizer(
        self, rate: float, *, head_rate: float, layer_decay: float, weight_decay: float
    ) -> torch.optim.AdamW:
        """AdamW with a rate for each layer; vectors do not decay."""
        import torch

        trained = list(self.layers)[self.frozen :]
        parts = [
            (rate * layer_decay**depth, list(layer.parameters()))
            for depth, layer in enumerate(reversed(trained))
        ]
        parts.append((head_rate, list(self.head.values())))
        groups: list[dict[str, Any]] = []
        for own, parameters in parts:
            for decay, matrices in ((weight_decay, True), (0.0, False)):
                some = [p for p in parameters if (p.ndim > 1) == matrices]
                groups.append({"params": some, "weight_decay": decay, "lr": own, "rate": own})
        return torch.optim.AdamW(groups)

    def _embedded(self, ids: Sequence[Ids]) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings and mask of a batch, padded on the right."""
        import torch

        tokens, mask = pad(list(ids), self.model.config.pad_token_id or 0)
        tokens, mask = tokens.to(self.device), mask.to(self.device).bool()
        with torch.no_grad():
            return self.model.embeddings(input_ids=tokens), mask

    def _run(self, states: torch.Tensor, mask: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Some of the encoder's layers."""
        import torch

        allowed = None if bool(mask.all()) else mask[:, None, None, :]
        more = dict(self._rotation(states))
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16):
            for layer in self.layers[start:stop]:
                states = layer(states, attention_mask=allowed, **more)
                states = states[0] if isinstance(states, tuple) else states
        return states

    def _rotation(self, states: torch.Tensor) -> Iterator[tuple[str, Any]]:
        """What layers with rotary positions want besides."""
        import torch

        if hasattr(self.model, "rotary_emb"):
            places = torch.arange(states.shape[1], device=self.device)[None]
            yield "position_embeddings", self.model.rotary_emb(states, places)
