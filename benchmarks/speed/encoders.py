"""Encoders for a GPU: their weights, and the ways to run them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speed.output import tell
from speed.shapes import MINILM, Shape

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
Encode = Callable[[Ids, Ids], Array]
"""Token ids and mask ``(batch, length)`` to vectors ``(batch, dim)``, all in main memory."""


def random_model(shape: Shape, seed: int) -> Any:
    """A RobertaModel with random weights, in evaluation mode."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    torch.manual_seed(seed)
    config = RobertaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, intermediate_size=shape.inner,
        num_hidden_layers=shape.depth, num_attention_heads=shape.heads,
        max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    return RobertaModel(config, add_pooling_layer=False).train(False)


def bundled_model(seed: int) -> tuple[Any, str]:
    """The encoder that the bundled one was rounded from, or one of its size; and which."""
    from persona_lab.errors import TrainingError
    from persona_lab.training.backbone import load_backbone

    try:
        return load_backbone("minilm")[0], "MiniLM-L6"
    except TrainingError as error:
        tell(f"  random weights instead of the bundled encoder's: {error}")
        return random_model(MINILM, seed), "random"


def write_graph(
    model: Any, layers: Sequence[int], file: Path, max_tokens: int, precision: str
) -> None:
    """The fused graph that ``persona-lab export`` writes for GPUs, in half precision if asked."""
    import onnx

    from persona_lab.encoding.files import FORMAT
    from persona_lab.training.onnx_encoder import encoder_graph, padding_id
    from persona_lab.training.onnx_graph import Float32

    metadata = {
        "persona_lab_format": str(FORMAT), "precision": precision,
        "dim": str(model.config.hidden_size * len(layers)),
        "hidden": str(model.config.hidden_size), "max_tokens": str(max_tokens),
        "pad_id": str(padding_id(model)),
    }  # fmt: skip
    graph = encoder_graph(model, Float32(), layers=layers, max_tokens=max_tokens, metadata=metadata)
    if precision == "fp16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        graph = convert_float_to_float16(graph, keep_io_types=True)
    onnx.save(graph, str(file))


def onnx_encode(file: Path, device: str) -> Encode:
    """ONNX Runtime with inputs and outputs bound to the device.

    Raises:
        RuntimeError: ONNX Runtime cannot use the device.
    """
    from onnxruntime import OrtValue

    from persona_lab.encoding.files import CPU, CUDA, open_session

    wanted = CUDA if device == "cuda" else CPU
    session = open_session(file, wanted)
    if session.get_providers()[0] != wanted:
        raise RuntimeError("ONNX Runtime cannot use its CUDA provider: install onnxruntime-gpu "
                           "and the CUDA and cuDNN versions it wants")  # fmt: skip

    def encode(ids: Ids, mask: Ids) -> Array:
        binding = session.io_binding()
        for name, values in (("input_ids", ids), ("attention_mask", mask)):
            binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(values, device, 0))
        binding.bind_output("vectors", device, 0)
        session.run_with_iobinding(binding)
        return np.asarray(binding.copy_outputs_to_cpu()[0], np.float32)

    return encode


def torch_encode(
    model: Any, layers: Sequence[int], device: str, precision: str, *, compiled: bool = False
) -> Encode:
    """PyTorch: means of the layers over the tokens, as the graph computes them."""
    import torch

    dtype = torch.float16 if precision == "fp16" else torch.float32
    own = copy.deepcopy(model).to(device=device, dtype=dtype)

    def means(ids: Any, mask: Any) -> Any:
        states = own(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        share = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(1).to(dtype)
        return torch.cat([(share @ states[layer]).squeeze(1) for layer in layers], dim=1)

    call = torch.compile(means, dynamic=True) if compiled else means

    def encode(ids: Ids, mask: Ids) -> Array:
        with torch.inference_mode():
            given = (torch.from_numpy(x).to(device) for x in (ids, mask))
            return np.asarray(call(*given).float().cpu().numpy(), np.float32)

    return encode
