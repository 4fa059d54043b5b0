"""ONNX graphs in the making, and what a precision has to define.

:class:`Arithmetic` is all that differs between an encoder in float32 and one on 8-bit
integers; :mod:`persona_lab.training.onnx_encoder` writes the rest once for both.
Activations are rows ``(batch * length, n)``: one row a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

CONTRIB = "com.microsoft"
"""ONNX Runtime's own operators: fused attention, GELU, integer products."""

OPSET = 17
"""Everything used here exists in it, so that old runtimes read the file too."""

_IR_VERSION = 9


class Graph:
    """Nodes and constants in the making; values are referred to by name."""

    def __init__(self) -> None:
        """Start empty."""
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        """Store an array once under a name and return the name."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Append a node with one output and return the output's name."""
        output = f"{operator}_{len(self._nodes)}"
        node = helper.make_node(
            operator, list(inputs), [output], name=output, domain=domain, **attributes
        )
        self._nodes.append(node)
        return output

    def alias(self, name: str, value: str) -> None:
        """Let a value be referred to by another name, too."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))

    def to_model(
        self, outputs: Mapping[str, tuple[str, Sequence[str | int]]], metadata: Mapping[str, str]
    ) -> ModelProto:
        """Close the graph.

        Args:
            outputs: by their name in the file, the value to return and its shape.
            metadata: stored in the file beside the graph.

        Returns:
            The checked model.
        """
        self._nodes += [
            helper.make_node("Identity", [value], [name], name=name)
            for name, (value, _) in outputs.items()
        ]
        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
                for name in ("input_ids", "attention_mask")
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, (_, shape) in outputs.items()
            ],
            list(self._constants.values()),
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            ir_version=_IR_VERSION,
            producer_name="persona-lab",
        )
        helper.set_model_props(model, dict(metadata))
        checker.check_model(model)
        return model


@dataclass(frozen=True, slots=True)
class Rows:
    """Activations made ready to be multiplied with weights.

    Attributes:
        values: the rows ``(rows, n_in)``, in whatever type the arithmetic multiplies.
        role: where in the network they are, for example ``0.attention``.
        scale: value name of one factor a row ``(rows, 1)`` that the product still needs,
            or None.
        zero_point: value name of the integer that stands for 0, or None.
    """

    values: str
    role: str
    scale: str | None = None
    zero_point: str | None = None


class Arithmetic(Protocol):
    """How the heavy operations are carried out: in float32 or on 8-bit integers."""

    def look_up(self, graph: Graph, table: Array, ids: str) -> str:
        """Rows of the word table ``(vocabulary, dim)`` for the flat token ids."""

    def prepare(self, graph: Graph, rows: str, role: str, lower: float | None = None) -> Rows:
        """Make rows ready; ``lower`` is a bound they never fall below, where known."""

    def multiply(self, graph: Graph, rows: Rows, name: str, weight: Array) -> str:
        """Prepared rows times a weight ``(n_in, n_out)``, in float32."""

    def add_and_normalise(
        self, graph: Graph, rows: str, residual: str, name: str, norm: Norm, bias: Array | None
    ) -> str:
        """Layer normalisation of ``rows + bias + residual``."""


@dataclass(frozen=True, slots=True)
class Norm:
    """The parameters of one layer normalisation: gain, shift ``(dim,)`` and epsilon."""

    gain: Array
    shift: Array
    epsilon: float


class Float32:
    """Plain float32 with fused kernels, for GPUs and as the reference."""

    def look_up(self, graph: Graph, table: Array, ids: str) -> str:
        """Rows of the float table."""
        return graph.add("Gather", graph.constant("words", table), ids)

    def prepare(self, graph: Graph, rows: str, role: str, lower: float | None = None) -> Rows:
        """Nothing to prepare."""
        return Rows(rows, role)

    def multiply(self, graph: Graph, rows: Rows, name: str, weight: Array) -> str:
        """A float product."""
        return graph.add("MatMul", rows.values, graph.constant(name, weight))

    def add_and_normalise(
        self, graph: Graph, rows: str, residual: str, name: str, norm: Norm, bias: Array | None
    ) -> str:
        """One fused node."""
        inputs = [
            rows,
            residual,
            graph.constant(f"{name}.gain", norm.gain),
            graph.constant(f"{name}.shift", norm.shift),
        ]
        if bias is not None:
            inputs.append(graph.constant(f"{name}.bias", bias))
        return graph.add("SkipLayerNormalization", *inputs, domain=CONTRIB, epsilon=norm.epsilon)
