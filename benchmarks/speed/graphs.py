"""Graphs that a run writes: the encoder as torch traces it, and ours from the float weights."""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from speed import peers
from speed.files import RunFiles


def write_graphs(files: RunFiles) -> dict[str, int]:
    """Write the peers' head and graphs and our float graph.

    Returns:
        Sizes of the graphs in bytes, by contender.
    """
    import onnx

    from persona_lab.detectors.registry import find_model

    peers.write_head(files)
    trace(files)
    bundled = find_model("pooled")
    files.float_model.mkdir()
    for name in ("config.json", "head.npz", "tokenizer.json"):
        shutil.copy(bundled / name, files.float_model)
    onnx.save(our_graph(files.weights, "fp32"), str(files.float_graph))
    onnx.save(our_graph(files.weights, "int8", peers.CUT_AT), str(files.long_graph))
    graphs = {
        "ort-fp32": files.traced_fp32,
        "ort-int8": files.traced_int8,
        "pooled-fp32": files.float_graph,
        "pooled": bundled / "encoder.onnx",
    }
    return {name: graph.stat().st_size for name, graph in graphs.items()}


def trace(files: RunFiles) -> None:
    """Export the peers' classifier as torch traces it, and round it with the defaults."""
    import torch
    from onnxruntime.quantization import quantize_dynamic

    model = peers.classifier(files)
    ids = torch.ones(2, 8, dtype=torch.int64)
    axes = {0: "batch", 1: "length"}

    class Traced(torch.nn.Module):
        """Plain tensors in and out, as the exporter wants them."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Traced(), (ids, ids), str(files.traced_fp32),
            input_names=["input_ids", "attention_mask"], output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
            opset_version=17, dynamo=False,
        )  # fmt: skip
    logging.getLogger().setLevel(logging.ERROR)  # it advises other settings than its own
    quantize_dynamic(str(files.traced_fp32), str(files.traced_int8))


def our_graph(weights: Path, precision: str, max_tokens: int | None = None) -> Any:
    """The bundled encoder's graph, written anew from the float weights.

    Args:
        weights: folder of them.
        precision: ``fp32`` or ``int8``.
        max_tokens: of a segment; as many as the bundled encoder takes if left out.
    """
    import onnxruntime

    from persona_lab.detectors.registry import find_model
    from persona_lab.training.backbone import load_backbone
    from persona_lab.training.onnx_encoder import encoder_graph
    from persona_lab.training.onnx_graph import Float32
    from persona_lab.training.quantize import RowwiseInt8

    session = onnxruntime.InferenceSession(
        str(find_model("pooled") / "encoder.onnx"), providers=["CPUExecutionProvider"]
    )
    facts = session.get_modelmeta().custom_metadata_map
    max_tokens = max_tokens or int(facts["max_tokens"])
    model, _ = load_backbone(weights)
    # factors of 1 change no number, but make the nodes that the bundled graph has
    ones = np.ones(model.config.hidden_size, np.float32)
    blocks = [f"{i}.{block}" for i in range(model.config.num_hidden_layers)
              for block in ("attention", "intermediate")]  # fmt: skip
    return encoder_graph(
        model,
        Float32() if precision == "fp32" else RowwiseInt8(dict.fromkeys(blocks, ones)),
        layers=bundled_layers(),
        max_tokens=max_tokens,
        metadata={**facts, "precision": precision, "max_tokens": str(max_tokens)},
    )


def bundled_layers() -> list[int]:
    """Layers whose vectors the bundled model reads."""
    from persona_lab.detectors.registry import find_model

    text = (find_model("pooled") / "metrics.json").read_text(encoding="utf-8")
    return [int(layer) for layer in json.loads(text)["export"]["layers"].split()]
