"""The network that is trained to read pairs: an encoder and a linear layer."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.pairs import PairJoiner, Tokens
from persona_lab.encoding.segment import Segmenter
from persona_lab.training.nli_draw import NliSettings
from persona_lab.training.segments import good_at_bf16, like_lengths, pad

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import RobertaModel

Floats = NDArray[np.float64]


class PairNetwork:
    """A copy of an encoder with a linear layer to three classes.

    Attributes:
        model: the encoder; its embeddings stay as they are.
        head: ``weight`` ``(3, dim)`` and ``bias`` ``(3,)``.
        joiner: makes token ids of pairs.
    """

    def __init__(self, model: RobertaModel, tokenizer: Tokenizer, settings: NliSettings) -> None:
        """Copy the model; the linear layer starts at small values by chance."""
        import torch

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.bf16 = good_at_bf16(self.device) if settings.bf16 is None else settings.bf16
        copied: Any = copy.deepcopy(model)
        self.model: Any = copied.to(device=self.device, dtype=torch.float32).train(False)
        self.model.embeddings.requires_grad_(False)
        for layer in self.model.encoder.layer:
            layer.attention.self.dropout.p = 0.0
        dim = self.model.config.hidden_size
        dice = torch.Generator().manual_seed(settings.seed)
        self.head = {
            "weight": (torch.randn(3, dim, generator=dice) * 0.02).to(self.device),
            "bias": torch.zeros(3, device=self.device),
        }
        for tensor in self.head.values():
            tensor.requires_grad_(True)
        self.joiner = PairJoiner(Segmenter(tokenizer, max_tokens=settings.max_tokens))
        self._settings = settings

    def logits(self, segments: Sequence[Tokens], dropout: float = 0.0) -> torch.Tensor:
        """Log-odds ``(n, 3)`` of a batch."""
        import torch

        arrays = [np.array(segment, np.int32) for segment in segments]
        ids, mask = pad(arrays, self.model.config.pad_token_id)
        ids, mask = ids.to(self.device), mask.to(self.device)
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16):
            hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        share = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(1)
        vectors = torch.nn.functional.dropout((share @ hidden.float()).squeeze(1), dropout)
        return vectors @ self.head["weight"].T + self.head["bias"]

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

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that training changes, by name."""
        layers = {
            f"layer.{i}.{name}": parameter
            for i, layer in enumerate(self.model.encoder.layer)
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

    def optimizer(self) -> torch.optim.AdamW:
        """AdamW with a rate for each layer; vectors do not decay."""
        import torch

        given = self._settings
        layers = list(self.model.encoder.layer)
        parts = [
            (given.learning_rate * given.layer_decay**depth, list(layer.parameters()))
            for depth, layer in enumerate(reversed(layers))
        ]
        parts.append((given.head_learning_rate, list(self.head.values())))
        groups: list[dict[str, Any]] = []
        for rate, parameters in parts:
            for decay, matrices in ((given.weight_decay, True), (0.0, False)):
                some = [p for p in parameters if (p.ndim > 1) == matrices]
                groups.append({"params": some, "weight_decay": decay, "lr": rate, "rate": rate})
        return torch.optim.AdamW(groups)
