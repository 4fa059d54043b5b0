"""8-bit arithmetic whose result for one text does not depend on the others in the batch.

Weights are rounded to int8 with one scale an output column, the word table with one scale
a row. Activations are rounded while the model runs, with **one scale a token**, the
largest magnitude in its row. The usual dynamic quantisation takes one scale a batch, and
with it a text's vector changes with its batch-mates. A static scale would not, but it
clips what the calibration texts did not show.

ONNX Runtime has no operator for this, but all the parts: ``QuantizeLinear`` along axis 0
takes a scale a row, ``MatMulIntegerToFloat`` multiplies, and one multiplication puts the
row's scale back.

Before rounding, the inputs of the attention and of the feed-forward block are divided by
a factor a channel that moves into the weights (SmoothQuant, Xiao et al. 2023, equation
4), because a few channels of a layer-normalised row are ten times larger than the rest.

Layer normalisation is written out in elementary operations: on a CPU these are
vectorised, and the fused kernel of ONNX Runtime 1.31 takes nearly three times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto

from persona_lab.training.onnx_encoder import weights_of
from persona_lab.training.onnx_graph import CONTRIB, Graph, Norm, Rows

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from persona_lab.training.backbone import Backbone

    Array = NDArray[np.float32]

_MIGRATION = 0.65
"""How much of a channel's magnitude moves into the weights; flat between .5 and .8."""

_HALF = 127
_TINY = 1e-12
_GELU_ZERO = 24
"""The integer that stands for 0 after GELU, whose values are many below 0 and small:
24 steps below leave 231 above."""


def quantize_columns(weight: Array) -> tuple[NDArray[np.int8], Array]:
    """Round a matrix to int8 with one symmetric scale a column.

    Args:
        weight: ``(n_in, n_out)``.

    Returns:
        Integers in -127..127 ``(n_in, n_out)`` and scales ``(n_out,)``; their product is
        within half a scale of the weight.
    """
    scale = np.maximum(np.abs(weight).max(axis=0) / _HALF, _TINY).astype(np.float32)
    return np.rint(weight / scale).clip(-_HALF, _HALF).astype(np.int8), scale


def channel_factors(
    model: Backbone, batches: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> dict[str, Array]:
    """Measure by what to divide each input channel before it is rounded.

    Args:
        model: the float model, in evaluation mode.
        batches: pairs of token ids and attention mask, both ``(batch, length)``, of text
            like that to come.

    Returns:
        By role (``0.attention``, ``0.intermediate``, ...) the factors ``(dim,)``: largest
        activation to the power of 0.65 over largest weight to the power of 0.35, scaled
        to a geometric mean of 1.
    """
    import torch

    peaks: dict[str, NDArray[np.float32]] = {}
    mask = torch.empty(0)

    def watch(role: str) -> Callable[[torch.nn.Module, tuple[torch.Tensor, ...]], None]:
        def hook(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            peak = inputs[0][mask.bool()].abs().amax(dim=0).float().cpu().numpy()
            peaks[role] = np.maximum(peaks.get(role, peak), peak)

        return hook

    hooks = []
    names = {}
    for index, (attention, wide, inputs) in enumerate(_blocks(model)):
        hooks.append(attention.register_forward_pre_hook(watch(f"{index}.attention")))
        hooks.append(wide.register_forward_pre_hook(watch(f"{index}.intermediate")))
        names[f"{index}.attention"], names[f"{index}.intermediate"] = inputs
    try:
        with torch.inference_mode():
            for ids, mask in batches:  # the hooks read this mask
                model(input_ids=ids, attention_mask=mask)
    finally:
        for hook in hooks:
            hook.remove()

    weights = weights_of(model)
    factors = {}
    for role, peak in peaks.items():
        largest = np.max(
            [np.abs(weights[f"{name}.weight"]).max(axis=0) for name in names[role]], axis=0
        )
        log = _MIGRATION * np.log(peak + 1e-6) - (1 - _MIGRATION) * np.log(largest + 1e-6)
        factors[role] = np.exp(log - log.mean()).astype(np.float32)
    return factors


def _blocks(
    model: Backbone,
) -> Iterator[tuple[torch.nn.Module, torch.nn.Module, tuple[list[str], list[str]]]]:
    """Of each layer what the inputs of attention and of the feed-forward block go into.

    A module of either, to look at its input, and the names of all of either.
    """
    anything: Any = model
    if hasattr(model, "rotary_emb"):
        for index, layer in enumerate(anything.layers):
            attention = [f"layers.{index}.self_attn.{part}_proj" for part in "qkv"]
            wide = [f"layers.{index}.mlp.{part}_proj" for part in ("gate", "up")]
            yield layer.self_attn.q_proj, layer.mlp.gate_proj, (attention, wide)
        return
    for index, layer in enumerate(anything.encoder.layer):
        prefix = f"encoder.layer.{index}"
        attention = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
        wide = [f"{prefix}.intermediate.dense"]
        yield layer.attention.self.query, layer.intermediate.dense, (attention, wide)


class RowwiseInt8:
    """Integer products with a scale a token and a scale a weight column."""

    def __init__(self, factors: Mapping[str, Array]) -> None:
        """Take the channel factors of :func:`channel_factors`; roles may be missing."""
        self._factors = factors

    def look_up(self, graph: Graph, table: Array, ids: str) -> str:
        """Rows of the int8 table times their scales."""
        integers, scale = quantize_columns(table.T)
        rows = graph.add("Gather", graph.constant("words", integers.T), ids)
        scales = graph.add("Gather", graph.constant("words.scale", scale[:, None]), ids)
        return graph.add("Mul", graph.add("Cast", rows, to=TensorProto.FLOAT), scales)

    def prepare(self, graph: Graph, rows: str, role: str, lower: float | None = None) -> Rows:
        """Round each row to uint8 by its own largest magnitude."""
        if role in self._factors:
            factor = graph.constant(f"{role}.factor", 1 / self._factors[role])
            rows = graph.add("Mul", rows, factor)
        largest = graph.add("ReduceMax", rows, axes=[-1], keepdims=1)
        if lower is None:
            zero, above = 128, _HALF
            lowest = graph.add("ReduceMin", rows, axes=[-1], keepdims=1)
            tiny = graph.constant("tiny", np.float32(_TINY))
            limit = graph.add("Max", largest, graph.add("Neg", lowest), tiny)
        else:  # the steps below zero must reach the lower bound
            zero, above = _GELU_ZERO, 255 - _GELU_ZERO
            least = graph.constant("least", np.float32(-lower * above / zero))
            limit = graph.add("Max", largest, least)
        step = graph.constant(f"step.{above}", np.float32(1 / above))
        zero_point = graph.constant(f"zero.{zero}", np.uint8(zero))
        scale = graph.add("Mul", limit, step)
        scales = graph.add("Reshape", scale, graph.constant("flat", np.array([-1], np.int64)))
        zeros = graph.add("Expand", zero_point, graph.add("Shape", scales))
        values = graph.add("QuantizeLinear", rows, scales, zeros, axis=0)
        return Rows(values, role, scale, zero_point)

    def multiply(self, graph: Graph, rows: Rows, name: str, weight: Array) -> str:
        """An integer product, put back to scale."""
        assert rows.scale is not None and rows.zero_point is not None
        if rows.role in self._factors:
            weight = weight * self._factors[rows.role][:, None]
        integers, scale = quantize_columns(weight)
        product = graph.add(
            "MatMulIntegerToFloat",
            rows.values,
            graph.constant(name, integers),
            graph.constant("one", np.float32(1)),
            graph.constant(f"{name}.scale", scale),
            rows.zero_point,
            domain=CONTRIB,
        )
        return graph.add("Mul", product, rows.scale)

    def add_and_normalise(
        self, graph: Graph, rows: str, residual: str, name: str, norm: Norm, bias: Array | None
    ) -> str:
        """Layer normalisation in elementary operations."""
        if bias is not None:
            rows = graph.add("Add", rows, graph.constant(f"{name}.bias", bias))
        rows = graph.add("Add", rows, residual)
        rows = graph.add("Sub", rows, graph.add("ReduceMean", rows, axes=[-1], keepdims=1))
        share = graph.constant("share", np.float32(1 / len(norm.gain)))
        squares = graph.add("ReduceSumSquare", rows, axes=[-1], keepdims=1)
        epsilon = graph.constant("epsilon", np.float32(norm.epsilon))
        variance = graph.add("Add", graph.add("Mul", squares, share), epsilon)
        rows = graph.add("Div", rows, graph.add("Sqrt", variance))
        rows = graph.add("Mul", rows, graph.constant(f"{name}.gain", norm.gain))
        return graph.add("Add", rows, graph.constant(f"{name}.shift", norm.shift))
