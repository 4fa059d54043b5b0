"""The lines of throughput.py's table, and what the worker of each can be asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from speed import ours, peers
from speed.files import RunFiles
from speed.machine import peak_memory_mb
from speed.peers import Scores
from speed.worker import Handlers


@dataclass(frozen=True, slots=True)
class Contender:
    """One line of the table.

    Attributes:
        name: for ``--only``.
        what: for people.
        precision: of the products, whose peak it is held against; None without an encoder.
        like: the contender whose scores its own are but for rounding, if there is one.
        ours: whether it is persona-lab.
        backbone: whether it needs the float weights.
    """

    name: str
    what: str
    precision: str | None = "fp32"
    like: str | None = None
    ours: bool = False
    backbone: bool = True


CONTENDERS = {
    one.name: one
    for one in (
        Contender("pipeline", "transformers pipeline, one by one"),
        Contender("pipeline-32", "transformers pipeline, batches of 32", like="pipeline"),
        Contender("torch-fp32", "PyTorch fp32, sorted batches of 32", like="pipeline"),
        Contender("torch-bf16", "PyTorch bf16, sorted batches of 32", "bf16", "torch-fp32"),
        Contender("ort-fp32", "ONNX Runtime fp32, traced graph, sorted", like="torch-fp32"),
        Contender(
            "ort-int8", "ONNX Runtime dynamic int8, traced graph, sorted", "int8", "ort-fp32"
        ),
        Contender("pooled", "persona-lab pooled, int8", "int8", "pooled-fp32", True, False),
        Contender("pooled-fp32", "persona-lab pooled, fp32", ours=True),
        Contender("lexical", "persona-lab lexical", None, ours=True, backbone=False),
        Contender("blend", "persona-lab blend, int8", "int8", ours=True, backbone=False),
    )
}


def open_scores(name: str, files: RunFiles) -> Scores:
    """Load a contender."""
    if name == "pooled-fp32":
        return ours.scores(str(files.float_model))
    if CONTENDERS[name].ours:
        return ours.scores(name)
    opened = {
        "pipeline": lambda: peers.pipeline_scores(files, batch=None),
        "pipeline-32": lambda: peers.pipeline_scores(files, batch=peers.BATCH),
        "torch-fp32": lambda: peers.torch_scores(files, "fp32"),
        "torch-bf16": lambda: peers.torch_scores(files, "bf16"),
        "ort-fp32": lambda: peers.ort_scores(files, files.traced_fp32),
        "ort-int8": lambda: peers.ort_scores(files, files.traced_int8),
    }
    return opened[name]()


def contender_handlers(name: str, files: RunFiles) -> Handlers:
    """What the worker of a contender can be asked.

    Returns:
        ``score`` (of given texts), ``all`` (scores of the run's texts), ``seconds`` (that
        these take), ``latency`` (seconds of one text, several times), ``alone`` (scores of
        texts at some places, each by itself), ``memory`` (peak of the process, MB).
    """
    scores = open_scores(name, files)
    texts = files.read_texts()

    def seconds(given: Sequence[str]) -> float:
        start = time.perf_counter()
        scores(given)
        return time.perf_counter() - start

    return {
        "score": lambda texts: scores(texts).tolist(),
        "all": lambda: scores(texts).tolist(),
        "seconds": lambda: seconds(texts),
        "latency": lambda text, count: [seconds([text]) for _ in range(count)],
        "alone": lambda places: [scores([texts[i]])[0].tolist() for i in places],
        "memory": peak_memory_mb,
    }
