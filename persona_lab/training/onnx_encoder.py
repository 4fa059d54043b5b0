"""The encoder as an ONNX graph, written node by node from its weights: RoBERTa or NomicBERT.

Writing the graph beats tracing the module and then searching the trace for patterns to
fuse: the nodes are the ones ONNX Runtime has fast kernels for, they stay the same when
torch or transformers change, and one description serves both precisions.

The graph maps ``input_ids`` and ``attention_mask``, int64 ``(batch, length)`` padded on
the right with the model's ``pad_token_id``, to ``vectors``, float32 ``(batch, dim)``: the
mean of hidden states over the tokens whose mask is 1, those of the chosen layers in a row.
Where directions are given there is a second output ``tokens``, float32 ``(batch, length, n)``:
each token's hidden state of the last chosen layer along each direction, so that a linear
head's result can be traced back to the words. It costs nothing where nobody asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from persona_lab.errors import TrainingError
from persona_lab.training.onnx_graph import CONTRIB, Arithmetic, Graph, Norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from persona_lab.training.backbone import Backbone

    Array = NDArray[np.float32]

_ACTIVATIONS: Mapping[str, tuple[str, float]] = {
    "gelu": ("BiasGelu", -0.17),
    "gelu_new": ("FastGelu", -0.171),
    "gelu_pytorch_tanh": ("FastGelu", -0.171),
}
"""By transformers' name: the operator that adds the bias too, and its lower bound."""

_SILU = "silu"
_INT64_ONE = numpy_helper.from_array(np.array([1], np.int64))


def encoder_graph(
    model: Backbone,
    arithmetic: Arithmetic,
    *,
    layers: Sequence[int],
    max_tokens: int,
    metadata: Mapping[str, str],
    directions: Array | None = None,
) -> ModelProto:
    """Write the graph of an encoder.

    Args:
        model: an encoder with absolute positions; a pooling layer is left out.
        arithmetic: the precision.
        layers: whose means make up the vector, in this order; 0 is the embeddings.
        max_tokens: the longest input; positions beyond it are not stored.
        metadata: stored in the file.
        directions: ``(hidden, n)``; None leaves the second output out.

    Returns:
        The model, with inputs and output as the module's docstring says.

    Raises:
        TrainingError: the model is a decoder, uses another activation than GELU (NomicBERT:
            SiLU), names no padding token, or has fewer than ``max_tokens`` positions.
    """
    config = model.config
    writer = _writer(model, arithmetic)
    hidden = [writer.embed(padding_id(model), max_tokens)]
    for index in range(max(layers)):  # layers above the last one wanted cost nothing
        rows = writer.attend(hidden[-1], index)
        hidden.append(writer.feed_forward(rows, index))
    vector = writer.join([writer.mean(hidden[layer]) for layer in layers])
    outputs: dict[str, tuple[str, list[str | int]]] = {
        "vectors": (vector, ["batch", config.hidden_size * len(layers)])
    }
    if directions is not None:
        tokens = writer.along(hidden[layers[-1]], directions)
        outputs["tokens"] = (tokens, ["batch", "length", directions.shape[1]])
    return writer.graph.to_model(outputs, metadata)


def check_layers(model: Backbone, layers: Sequence[int] | None) -> tuple[int, ...]:
    """The layers whose means are the vector; the last one by default.

    Raises:
        TrainingError: there is no such layer, or none is named.
    """
    top: int = model.config.num_hidden_layers
    chosen = (top,) if layers is None else tuple(layers)
    if not chosen or not all(0 <= layer <= top for layer in chosen):
        raise TrainingError(f"layers are {list(chosen)}; choose from 0 to {top}")
    return chosen


def weights_of(model: Backbone) -> dict[str, Array]:
    """The parameters of a model by name, as float32 arrays on the CPU."""
    return {
        name: np.asarray(tensor.detach().float().cpu().numpy(), dtype=np.float32)
        for name, tensor in model.state_dict().items()
    }


def padding_id(model: Backbone) -> int:
    """The token id that stands for padding.

    Raises:
        TrainingError: the configuration names none; positions are counted by it.
    """
    pad: int | None = model.config.pad_token_id
    if pad is None:
        raise TrainingError("the model's configuration has no pad_token_id: set it")
    return pad


def _writer(model: Backbone, arithmetic: Arithmetic) -> _Writer:
    """The writer for a model's kind."""
    config = model.config
    rotary = hasattr(model, "rotary_emb")
    allowed = (_SILU,) if rotary else tuple(_ACTIVATIONS)
    is_decoder = bool(getattr(config, "is_decoder", False))
    if is_decoder or config.hidden_act not in allowed:
        raise TrainingError(
            f"only encoders with one of the activations {', '.join(allowed)} can be "
            f"exported; this model has {config.hidden_act!r}, is_decoder={is_decoder}"
        )
    return _NomicWriter(model, arithmetic) if rotary else _Writer(model, arithmetic)


class _Writer:
    """Writes the blocks of one model into one graph; each takes and returns rows."""

    def __init__(self, model: Backbone, arithmetic: Arithmetic) -> None:
        self.graph = graph = Graph()
        self._arithmetic = arithmetic
        self._weights = weights_of(model)
        self._config = model.config
        dim = model.config.hidden_size
        self._flat = graph.constant("flat", np.array([-1], np.int64))
        self._to_rows = graph.constant("to_rows", np.array([-1, dim], np.int64))
        dim_name = graph.constant("dim", np.array([dim], np.int64))
        self._to_batch = graph.add("Concat", graph.add("Shape", "input_ids"), dim_name, axis=0)
        self._mask = graph.add("Cast", "attention_mask", to=TensorProto.INT32)

    def embed(self, pad: int, max_tokens: int) -> str:
        """Normalised sum of word and position vectors.

        Positions count the tokens that are not padding, from ``pad + 1``; padding has
        position ``pad``. The vector of token type 0 is added to the position table.
        """
        graph, weights = self.graph, self._weights
        table = weights["embeddings.position_embeddings.weight"]
        needed = max_tokens + pad + 1
        if len(table) < needed:
            raise TrainingError(
                f"the model has positions for {len(table) - pad - 1} tokens, "
                f"and max_tokens is {max_tokens}: lower max_tokens"
            )
        table = table[:needed] + weights["embeddings.token_type_embeddings.weight"][0]
        is_pad = graph.add("Equal", "input_ids", graph.constant("pad", np.int64(pad)))
        is_token = graph.add("Cast", graph.add("Not", is_pad), to=TensorProto.INT32)
        count = graph.add("CumSum", is_token, graph.constant("length_axis", np.int32(1)))
        count = graph.add("Mul", count, is_token)
        place = graph.add("Add", count, graph.constant("pad_place", np.int32(pad)))
        place = graph.add("Reshape", place, self._flat)
        positions = graph.add("Gather", graph.constant("positions", table), place)
        ids = graph.add("Reshape", "input_ids", self._flat)
        words = self._arithmetic.look_up(graph, weights["embeddings.word_embeddings.weight"], ids)
        return self._normalise(words, positions, "embeddings.LayerNorm")

    def attend(self, rows: str, index: int) -> str:
        """The attention block of a layer."""
        graph = self.graph
        layer = f"encoder.layer.{index}.attention"
        parts = [f"{layer}.self.{part}" for part in ("query", "key", "value")]
        ready = self._arithmetic.prepare(graph, rows, f"{index}.attention")
        products = [
            self._arithmetic.multiply(graph, ready, part, self._weights[f"{part}.weight"].T)
            for part in parts
        ]
        bias = np.concatenate([self._weights[f"{part}.bias"] for part in parts])
        mixed = graph.add(
            "MultiHeadAttention",
            *(graph.add("Reshape", product, self._to_batch) for product in products),
            graph.constant(f"{layer}.bias", bias),
            self._mask,
            domain=CONTRIB,
            num_heads=self._config.num_attention_heads,
        )
        mixed = graph.add("Reshape", mixed, self._to_rows)
        ready = self._arithmetic.prepare(graph, mixed, f"{index}.context")
        name = f"{layer}.output"
        dense = self._weights[f"{name}.dense.weight"].T
        product = self._arithmetic.multiply(graph, ready, f"{name}.dense", dense)
        return self._normalise(product, rows, f"{name}.LayerNorm", f"{name}.dense.bias")

    def feed_forward(self, rows: str, index: int) -> str:
        """The feed-forward block of a layer."""
        graph, weights = self.graph, self._weights
        name = f"encoder.layer.{index}.intermediate.dense"
        ready = self._arithmetic.prepare(graph, rows, f"{index}.intermediate")
        wide = self._arithmetic.multiply(graph, ready, name, weights[f"{name}.weight"].T)
        bias = graph.constant(f"{name}.bias", weights[f"{name}.bias"])
        activation, lower = _ACTIVATIONS[self._config.hidden_act]
        wide = graph.add(activation, wide, bias, domain=CONTRIB)
        ready = self._arithmetic.prepare(graph, wide, f"{index}.output", lower)
        name = f"encoder.layer.{index}.output"
        dense = weights[f"{name}.dense.weight"].T
        product = self._arithmetic.multiply(graph, ready, f"{name}.dense", dense)
        return self._normalise(product, rows, f"{name}.LayerNorm", f"{name}.dense.bias")

    def mean(self, rows: str) -> str:
        """Mean over the tokens of each segment, ``(batch, dim)``: one small product each."""
        graph = self.graph
        axis = graph.constant("mean_axis", np.array([1], np.int64))
        mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
        share = graph.add("Div", mask, graph.add("ReduceSum", mask, axis, keepdims=1))
        share = graph.add("Unsqueeze", share, axis)
        mean = graph.add("MatMul", share, graph.add("Reshape", rows, self._to_batch))
        return graph.add("Squeeze", mean, axis)

    def along(self, rows: str, directions: Array) -> str:
        """Each token along each direction, ``(batch, length, n)``."""
        graph = self.graph
        states = graph.add("Reshape", rows, self._to_batch)
        return graph.add("MatMul", states, graph.constant("directions", directions))

    def join(self, vectors: Sequence[str]) -> str:
        """The vectors of several layers in a row."""
        return vectors[0] if len(vectors) == 1 else self.graph.add("Concat", *vectors, axis=1)

    def _normalise(self, rows: str, residual: str, name: str, bias: str = "") -> str:
        """Layer normalisation of rows, their bias where they have one, and a residual."""
        weights = self._weights
        norm = Norm(weights[f"{name}.weight"], weights[f"{name}.bias"], self._config.layer_norm_eps)
        return self._arithmetic.add_and_normalise(
            self.graph, rows, residual, name, norm, weights.get(bias)
        )


class _NomicWriter(_Writer):
    """NomicBERT: rotary positions, a gated feed-forward block, no biases."""

    def embed(self, pad: int, max_tokens: int) -> str:
        """Normalised sum of word vectors and that of token type 0; positions come later."""
        graph, weights = self.graph, self._weights
        if max_tokens > self._config.max_position_embeddings:
            raise TrainingError(
                f"the model has positions for {self._config.max_position_embeddings} tokens, "
                f"and max_tokens is {max_tokens}: lower max_tokens"
            )
        del pad  # padding comes after the text and is masked; its position does not matter
        self._rotations(max_tokens)
        ids = graph.add("Reshape", "input_ids", self._flat)
        words = self._arithmetic.look_up(graph, weights["embeddings.word_embeddings.weight"], ids)
        kind = graph.constant("kind", weights["embeddings.token_type_embeddings.weight"][:1])
        kinds = graph.add("Expand", kind, graph.add("Shape", words))
        return self._normalise(words, kinds, "embeddings.LayerNorm")

    def attend(self, rows: str, index: int) -> str:
        """The attention block of a layer; queries and keys are turned by their position."""
        graph, layer = self.graph, f"layers.{index}"
        ready = self._arithmetic.prepare(graph, rows, f"{index}.attention")
        query, key, value = (
            graph.add(
                "Reshape",
                self._arithmetic.multiply(graph, ready, name, self._weights[f"{name}.weight"].T),
                self._to_batch,
            )
            for name in (f"{layer}.self_attn.{part}_proj" for part in "qkv")
        )
        heads = self._config.num_attention_heads
        query, key = (
            graph.add(
                "RotaryEmbedding", one, "places", "cos", "sin", domain=CONTRIB, num_heads=heads
            )
            for one in (query, key)
        )
        mixed = graph.add(
            "MultiHeadAttention", query, key, value, "", self._mask, domain=CONTRIB, num_heads=heads
        )
        mixed = graph.add("Reshape", mixed, self._to_rows)
        ready = self._arithmetic.prepare(graph, mixed, f"{index}.context")
        name = f"{layer}.self_attn.o_proj"
        product = self._arithmetic.multiply(graph, ready, name, self._weights[f"{name}.weight"].T)
        return self._normalise(product, rows, f"{layer}.post_attention_layernorm")

    def feed_forward(self, rows: str, index: int) -> str:
        """The gated feed-forward block of a layer."""
        graph, layer = self.graph, f"layers.{index}"
        ready = self._arithmetic.prepare(graph, rows, f"{index}.intermediate")
        gate, wide = (
            self._arithmetic.multiply(graph, ready, name, self._weights[f"{name}.weight"].T)
            for name in (f"{layer}.mlp.gate_proj", f"{layer}.mlp.up_proj")
        )
        opened = graph.add("Mul", gate, graph.add("Sigmoid", gate))
        ready = self._arithmetic.prepare(graph, graph.add("Mul", opened, wide), f"{index}.output")
        name = f"{layer}.mlp.down_proj"
        product = self._arithmetic.multiply(graph, ready, name, self._weights[f"{name}.weight"].T)
        return self._normalise(product, rows, f"{layer}.post_mlp_layernorm")

    def _rotations(self, max_tokens: int) -> None:
        """Tables of the angles, and the place of each token."""
        graph = self.graph
        config: Any = self._config
        half = config.hidden_size // config.num_attention_heads // 2
        base = float(config.rope_parameters["rope_theta"])
        angles = np.arange(max_tokens)[:, None] / base ** (np.arange(half) / half)
        graph.constant("cos", np.cos(angles).astype(np.float32))
        graph.constant("sin", np.sin(angles).astype(np.float32))
        one = graph.constant("first_place", np.int64(1))
        ones = graph.add("ConstantOfShape", graph.add("Shape", "input_ids"), value=_INT64_ONE)
        axis = graph.constant("place_axis", np.int32(1))
        graph.alias("places", graph.add("Sub", graph.add("CumSum", ones, axis), one))
