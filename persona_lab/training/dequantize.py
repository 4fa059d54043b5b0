"""The layers of an exported int8 encoder as floats again, so that training can go on from it.

What the rounding took is lost (a vector's cosine to the float model's is above .999), and made
up by the first steps of training.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.nli_model import HEAD_FILE
from persona_lab.encoding.files import ENCODER_FILE
from persona_lab.errors import TrainingError

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]

_PRODUCTS = {
    "attention.self.query": "attention",
    "attention.self.key": "attention",
    "attention.self.value": "attention",
    "attention.output.dense": "",
    "intermediate.dense": "intermediate",
    "output.dense": "",
}
"""Linear layers, and the role whose channel factors went into their weights."""

_VECTORS = {
    "attention.output.dense.bias": ("attention.output.LayerNorm.bias", "attention.output.bias"),
    "attention.output.LayerNorm.weight": (
        "attention.output.LayerNorm.gain", "attention.output.gain",
    ),
    "attention.output.LayerNorm.bias": (
        "attention.output.LayerNorm.shift", "attention.output.shift",
    ),
    "intermediate.dense.bias": ("intermediate.dense.bias",),
    "output.dense.bias": ("output.LayerNorm.bias", "output.bias"),
    "output.LayerNorm.weight": ("output.LayerNorm.gain", "output.gain"),
    "output.LayerNorm.bias": ("output.LayerNorm.shift", "output.shift"),
}  # fmt: skip
"""Names in transformers, and in the exported file: as they are now, and as they were."""


def exported_layers(folder: str | Path) -> list[dict[str, Array]]:
    """Parameters of each layer by their names in transformers.

    Args:
        folder: a model's, with an int8 encoder of RoBERTa's or BERT's kind.

    Raises:
        TrainingError: there is none.
    """
    import onnx

    file = Path(folder) / ENCODER_FILE
    try:
        graph = onnx.load(str(file)).graph
    except Exception as error:  # a damaged file raises whatever protobuf likes
        raise TrainingError(f"{file} is not an exported encoder: {error}") from error
    held = {tensor.name: tensor for tensor in graph.initializer}
    layers: list[dict[str, Array]] = []
    while f"encoder.layer.{len(layers)}.output.dense.scale" in held:
        layers.append(_layer(held, len(layers)))
    if not layers:
        raise TrainingError(f"{file} has no layers of int8 weights")
    return layers


def network_of(folder: str | Path) -> dict[str, torch.Tensor]:
    """Layers and linear layer of an exported model, as ``PairNetwork.load`` takes them.

    Raises:
        TrainingError: there is none, or it was exported otherwise.
    """
    import torch

    found = {
        f"layer.{i}.{name}": torch.tensor(array)
        for i, layer in enumerate(exported_layers(folder))
        for name, array in layer.items()
    }
    try:
        with np.load(Path(folder) / HEAD_FILE, allow_pickle=False) as arrays:
            head = {f"head.{name}": torch.tensor(arrays[name]) for name in ("weight", "bias")}
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{folder} has no linear layer beside its encoder: {error}") from error
    return found | head


def _layer(held: Mapping[str, Any], number: int) -> dict[str, Array]:
    from onnx.numpy_helper import to_array

    def array(name: str) -> Array:
        return np.asarray(to_array(held[name]), np.float32)

    start = f"encoder.layer.{number}"
    found = {}
    for name, role in _PRODUCTS.items():
        weight = array(f"{start}.{name}") * array(f"{start}.{name}.scale")
        factor = f"{number}.{role}.factor"
        if factor in held:
            weight = weight * array(factor)[:, None]
        found[f"{name}.weight"] = np.ascontiguousarray(weight.T)
    for name, names in _VECTORS.items():
        exported = next((one for one in names if f"{start}.{one}" in held), names[0])
        found[name] = array(f"{start}.{exported}")
    three = np.split(array(f"{start}.attention.bias"), 3)
    for name, bias in zip(("query", "key", "value"), three, strict=True):
        found[f"attention.self.{name}.bias"] = bias
    return found
