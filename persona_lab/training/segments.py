"""The parts of fine-tuning: segments and targets, the network over them, checkpoints."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.encoding.segment import Segmenter
from persona_lab.training.corpora import Example
from persona_lab.training.metrics import auc
from persona_lab.traits import ALL_TRAITS

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import RobertaModel

Ids = NDArray[np.int32]
Array = NDArray[np.float32]

_CPU_TOKENS, _GPU_TOKENS = 2_048, 16_384
"""Padded tokens that go through the encoder at once."""
_TEXTS = 64
"""Texts at once where nothing is trained."""
_PROBE_C = 3e-3
"""Inverse L2 penalty of linear probes."""


def cut(tokenizer: Tokenizer, examples: Sequence[Example], max_tokens: int) -> list[list[Ids]]:
    """The segments of each example, as the exported encoder will see them."""
    segmenter = Segmenter(tokenizer, max_tokens=max_tokens)
    return [
        [np.array(s.token_ids, np.int32) for s in segmenter.segments(list(e.utterances))]
        for e in examples
    ]


def draw(pieces: Sequence[Ids], count: int, dice: np.random.Generator) -> list[Ids]:
    """Up to ``count`` different segments of a text, by chance, from anywhere in it."""
    if len(pieces) <= count:
        return list(pieces)
    return [pieces[i] for i in np.sort(dice.choice(len(pieces), count, replace=False))]


def spread(pieces: Sequence[Ids], count: int) -> list[Ids]:
    """Up to ``count`` segments at equal distances over a text."""
    if len(pieces) <= count:
        return list(pieces)
    return [pieces[int((i + 0.5) * len(pieces) / count)] for i in range(count)]


def like_lengths(segments: Sequence[Ids], budget: int) -> Iterator[NDArray[np.int64]]:
    """Positions of segments in groups of like length, each at most ``budget`` padded tokens."""
    order = np.argsort([len(s) for s in segments], kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        last = end == len(order)
        if last or len(segments[order[end]]) * (end + 1 - start) > budget:
            yield order[start:end]
            start = end


def pad(segments: Sequence[Ids], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids padded on the right and the mask, both int64 ``(batch, length)``."""
    import torch

    lengths = np.array([len(s) for s in segments])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.full(mask.shape, pad_id, np.int64)
    ids[mask] = np.concatenate(segments)
    return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Targets:
    """What the heads learn, one column each.

    Attributes:
        columns: register and position of the trait; the register None is the general head.
        labels: ``(n, columns)`` 0/1, NaN where a head learns nothing from a text.
        weights: ``(n,)``, mean 1: a register counts by the square root of its size.
        registers: of the texts.
    """

    columns: list[tuple[str | None, int]]
    labels: Array
    weights: Array
    registers: NDArray[np.str_]

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Targets:
        """A general head per trait, and one per register too where there are several."""
        labels = np.stack([e.labels for e in examples])
        registers = np.array([e.register for e in examples])
        names, place, sizes = np.unique(registers, return_inverse=True, return_counts=True)
        columns: list[tuple[str | None, int]] = []
        values = []
        for name in (None, *(map(str, names) if len(names) > 1 else ())):
            inside = np.ones(len(labels), bool) if name is None else registers == name
            for t in np.flatnonzero(~np.isnan(labels[inside]).all(axis=0)):
                columns.append((name, int(t)))
                values.append(np.where(inside, labels[:, t], np.nan))
        weights = sizes[place] ** -0.5
        return cls(
            columns,
            np.stack(values, axis=1).astype(np.float32),
            (weights / weights.mean()).astype(np.float32),
            registers,
        )

    def aucs(self, rows: NDArray[np.int64], logits: Array) -> dict[str, float]:
        """AUC by ``register/trait`` of each register's own head, where both poles occur.

        Args:
            rows: positions of the texts that are judged.
            logits: ``(len(rows), columns)``.
        """
        found = {}
        for name in map(str, np.unique(self.registers)):
            for t, trait in enumerate(ALL_TRAITS):
                column = next((c for c in ((name, t), (None, t)) if c in self.columns), None)
                if column is None:
                    continue
                c = self.columns.index(column)
                y = self.labels[rows, c].astype(np.float64)
                keep = ~np.isnan(y) & (self.registers[rows] == name)
                if len(set(y[keep])) == 2:
                    z = logits[keep, c].astype(np.float64)
                    found[f"{name}/{trait}"] = auc(y[keep], z, np.ones(len(z)))
        return found

    def probes(self, x: Array, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Linear probes: weights ``(columns, dim)`` and biases, zero where a pole is missing.

        Args:
            x: ``(len(rows), dim)`` standardised vectors of the texts.
            rows: positions of the texts.
        """
        from sklearn.linear_model import LogisticRegression

        weight = np.zeros((len(self.columns), x.shape[1]), np.float32)
        bias = np.zeros(len(self.columns), np.float32)
        for column, y in enumerate(self.labels[rows].T):
            known = ~np.isnan(y)
            if len(set(y[known])) == 2:
                probe = LogisticRegression(C=_PROBE_C, max_iter=200)
                probe.fit(x[known], y[known], sample_weight=self.weights[rows][known])
                weight[column], bias[column] = probe.coef_[0], probe.intercept_[0]
        return weight, bias


def good_at_bf16(device: str) -> bool:
    """Whether bfloat16 is faster than float32 there."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # not in every version
    return any(bool(getattr(torch.cpu, name, bool)()) for name in checks)


def by_layer(
    layers: Sequence[Any],
    head: Sequence[torch.Tensor],
    rate: float,
    *,
    head_rate: float,
    layer_decay: float,
    weight_decay: float,
) -> torch.optim.AdamW:
    """AdamW with a rate for each layer; vectors (biases, normalisations) do not decay.

    Args:
        layers: that are trained, from below; each lower one learns more slowly.
        head: what lies above them.
        rate: of the highest layer.
        head_rate: of the head.
        layer_decay: factor from a layer to the one below.
        weight_decay: of matrices.
    """
    import torch

    parts = [
        (rate * layer_decay**depth, list(layer.parameters()))
        for depth, layer in enumerate(reversed(layers))
    ]
    groups: list[dict[str, Any]] = []
    for own, parameters in [*parts, (head_rate, list(head))]:
        for decay, matrices in ((weight_decay, True), (0.0, False)):
            some = [p for p in parameters if (p.ndim > 1) == matrices]
            groups.append({"params": some, "weight_decay": decay, "lr": own, "rate": own})
    return torch.optim.AdamW(groups)


class Network:
    """A copy of an encoder, attention over a text's segments, and linear heads.

    Attributes:
        model: the encoder, without the layers above those in use.
        trained: its layers that are trained, from below.
        head: ``center`` and ``scale`` of vectors, ``query`` of the attention, ``weight``
            and ``bias`` of the heads.
        device: ``cuda`` where there is one.
        bf16: whether the encoder computes in bfloat16.
    """

    def __init__(
        self,
        model: RobertaModel,
        n_heads: int,
        layers: Sequence[int],
        unfreeze: int,
        bf16: bool | None,
    ) -> None:
        """Copy the model, freeze it below the layers to train, and add heads that are zero."""
        import torch

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.bf16 = good_at_bf16(self.device) if bf16 is None else bf16
        self._layers = tuple(layers)
        copied: Any = copy.deepcopy(model)
        self.model: Any = copied.to(device=self.device, dtype=torch.float32).train(False)
        # autograd records nothing below the first trained layer: as fast as no_grad
        self.model.requires_grad_(False)
        self._all_layers = self.model.encoder.layer
        top = max(layers)
        self.model.encoder.layer = self._all_layers[: max(top, 1)]
        self.trained: list[Any] = list(self._all_layers[top - unfreeze : top])
        for layer in self.trained:
            layer.requires_grad_(True)
            layer.attention.self.dropout.p = 0.0
        dim = self.model.config.hidden_size * len(layers)
        self.head: dict[str, torch.Tensor] = {
            "center": torch.zeros(dim, device=self.device),
            "scale": torch.ones(dim, device=self.device),
            "query": torch.zeros(dim, device=self.device, requires_grad=True),
            "weight": torch.zeros(n_heads, dim, device=self.device, requires_grad=True),
            "bias": torch.zeros(n_heads, device=self.device, requires_grad=True),
        }

    def pooled(self, texts: Sequence[Sequence[Ids]]) -> torch.Tensor:
        """Standardised vectors of texts, ``(len(texts), dim)``, from their segments."""
        import torch

        flat = [segment for text in texts for segment in text]
        groups = list(like_lengths(flat, _GPU_TOKENS if self.device == "cuda" else _CPU_TOKENS))
        x = torch.cat([self._vectors([flat[i] for i in group]) for group in groups])
        back = torch.from_numpy(np.argsort(np.concatenate(groups))).to(self.device)
        x = (x[back] - self.head["center"]) / self.head["scale"]
        counts = torch.tensor([len(text) for text in texts], device=self.device)
        width = max(map(len, texts))
        inside = torch.arange(width, device=self.device) < counts[:, None]
        table = x.new_zeros(*inside.shape, x.shape[1])
        table[inside] = x
        scores = (table @ self.head["query"]).masked_fill(~inside, -torch.inf)
        return (torch.softmax(scores, dim=1).unsqueeze(1) @ table).squeeze(1)

    def loss(
        self, pooled: torch.Tensor, labels: Array, weights: Array, smoothing: float = 0.0
    ) -> torch.Tensor:
        """Weighted sum of the cross-entropies of known labels; NaN labels teach nothing."""
        import torch

        logits = pooled @ self.head["weight"].T + self.head["bias"]
        aim = torch.from_numpy(labels).to(self.device)
        amount = (~aim.isnan()).float() * torch.from_numpy(weights).to(self.device)[:, None]
        aim = aim.nan_to_num() * (1 - smoothing) + smoothing / 2
        losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, aim, reduction="none")
        return (losses * amount).sum()

    def frozen(self, texts: Sequence[Sequence[Ids]]) -> Array:
        """What :meth:`pooled` gives, without gradients and for any number of texts."""
        import torch

        with torch.no_grad():
            parts = [
                self.pooled(texts[start : start + _TEXTS]).cpu().numpy()
                for start in range(0, len(texts), _TEXTS)
            ]
        return np.concatenate(parts)

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that training changes, by name."""
        layers = {
            f"layer.{i}.{name}": parameter
            for i, layer in enumerate(self.trained)
            for name, parameter in layer.named_parameters()
        }
        return layers | {f"head.{name}": tensor for name, tensor in self.head.items()}

    def load(self, saved: Mapping[str, torch.Tensor | Array]) -> None:
        """Take over some or all of the values that :meth:`tensors` gives."""
        import torch

        own = self.tensors()
        with torch.no_grad():
            for name, value in saved.items():
                own[name].copy_(torch.as_tensor(value))

    def finished(self) -> RobertaModel:
        """The model as it was given, but for the weights."""
        for layer in self.trained:
            layer.attention.self.dropout.p = self.model.config.attention_probs_dropout_prob
        self.model.encoder.layer = self._all_layers
        self.model.requires_grad_(True)
        model: RobertaModel = self.model.cpu().train(False)
        return model

    def optimizer(
        self, rate: float, layer_decay: float, head_rate: float, weight_decay: float
    ) -> torch.optim.AdamW:
        """AdamW with a ``rate`` for each layer; vectors (biases, normalisations) do not decay."""
        head = [self.head[name] for name in ("query", "weight", "bias")]
        return by_layer(
            self.trained, head, rate, head_rate=head_rate, layer_decay=layer_decay,
            weight_decay=weight_decay,
        )  # fmt: skip

    def _vectors(self, segments: Sequence[Ids]) -> torch.Tensor:
        """What the exported graph computes, ``(len(segments), dim)``."""
        import torch

        ids, mask = pad(segments, self.model.config.pad_token_id)
        ids, mask = ids.to(self.device), mask.to(self.device)
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16):
            states = self.model(
                input_ids=ids, attention_mask=mask, output_hidden_states=True
            ).hidden_states
        share = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(1)
        return torch.cat([(share @ states[i].float()).squeeze(1) for i in self._layers], dim=1)
