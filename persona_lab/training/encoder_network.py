"""What all networks in training share: a copy of an encoder, layer by layer, and its optimizer.

The encoder is any that :func:`~persona_lab.training.backbone.load_backbone` opens: RoBERTa's
kind, or NomicBERT with rotary positions.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.errors import TrainingError
from persona_lab.training.segments import by_layer, good_at_bf16, pad

if TYPE_CHECKING:
    import torch

Ids = NDArray[np.int32]

WEIGHTS, PLAN = "network.safetensors", "network.json"


class EncoderNetwork:
    """A copy of an encoder with a linear layer above; the embeddings stay as they are.

    Attributes:
        model: the encoder.
        head: ``weight`` and ``bias`` of the linear layer.
        frozen: lower layers that are not trained.
        device: ``cuda`` where there is one.
        bf16: whether it computes in bfloat16.
    """

    head: dict[str, torch.Tensor]

    def __init__(self, model: Any, *, frozen: int = 0, bf16: bool | None = None) -> None:
        """Copy the model.

        Args:
            model: an encoder of :func:`~persona_lab.training.backbone.load_backbone`.
            frozen: lower layers that are not trained.
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

    @property
    def layers(self) -> Any:
        """The encoder's layers, from below."""
        return self.model.layers if hasattr(self.model, "layers") else self.model.encoder.layer

    @property
    def dim(self) -> int:
        """Length of a hidden state."""
        return int(self.model.config.hidden_size)

    def embedded(self, ids: Sequence[Ids]) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings and mask of a batch, padded on the right."""
        import torch

        tokens, mask = pad(list(ids), self.model.config.pad_token_id or 0)
        tokens, mask = tokens.to(self.device), mask.to(self.device).bool()
        with torch.no_grad():
            return self.model.embeddings(input_ids=tokens), mask

    def run(self, states: torch.Tensor, mask: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """What some of the encoder's layers make of hidden states."""
        import torch

        allowed = None if bool(mask.all()) else mask[:, None, None, :]
        more = dict(self._rotation(states))
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16):
            for layer in self.layers[start:stop]:
                states = layer(states, attention_mask=allowed, **more)
                states = states[0] if isinstance(states, tuple) else states
        return states

    def pooled(self, states: torch.Tensor, mask: torch.Tensor, dropout: float) -> torch.Tensor:
        """The linear layer over the mean of the last hidden states, ``(batch, classes)``."""
        import torch

        mean = (states.float() * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        vectors = torch.nn.functional.dropout(mean, dropout)
        return vectors @ self.head["weight"].T + self.head["bias"]

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
        """See :func:`~persona_lab.training.segments.by_layer`."""
        return by_layer(
            list(self.layers)[self.frozen :], list(self.head.values()), rate,
            head_rate=head_rate, layer_decay=layer_decay, weight_decay=weight_decay,
        )  # fmt: skip

    def _rotation(self, states: torch.Tensor) -> Iterator[tuple[str, Any]]:
        """What layers with rotary positions want besides."""
        import torch

        if hasattr(self.model, "rotary_emb"):
            places = torch.arange(states.shape[1], device=self.device)[None]
            yield "position_embeddings", self.model.rotary_emb(states, places)


def keep(network: EncoderNetwork, work: Path, backbone: str) -> None:
    """Write the network's weights and which encoder it is, for :func:`kept`."""
    from safetensors.torch import save_file

    tensors = {k: t.detach().cpu().contiguous().clone() for k, t in network.tensors().items()}
    save_file(tensors, work / WEIGHTS)
    plan = {"backbone": backbone, "frozen": network.frozen}
    (work / PLAN).write_text(json.dumps(plan) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Kept:
    """What :func:`keep` wrote.

    Attributes:
        backbone: as for ``load_backbone``.
        frozen: lower layers that were not trained.
        tensors: as :meth:`EncoderNetwork.tensors` gave them.
    """

    backbone: str
    frozen: int
    tensors: Mapping[str, torch.Tensor]


def kept(out: str | Path, command: str) -> Kept:
    """Read what :func:`keep` wrote.

    Args:
        out: the ``--out`` folder of the run.
        command: that makes such folders, for the message.

    Raises:
        TrainingError: there is none in the folder.
    """
    from safetensors.torch import load_file

    work = Path(out) / "work"
    try:
        plan = json.loads((work / PLAN).read_text(encoding="utf-8"))
        return Kept(str(plan["backbone"]), int(plan["frozen"]), load_file(work / WEIGHTS))
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{out} is not the --out folder of a finished {command} run: {error}"
        ) from error
