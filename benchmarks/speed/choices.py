"""What each choice bought: our path against itself with one choice taken back at a time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from persona_lab.encoding.device import available_cores
from speed.batches import grouped
from speed.figures import Ways, alternate_ways
from speed.files import RunFiles
from speed.ours import pooled_of
from speed.peers import CUT_AT

if TYPE_CHECKING:
    from persona_lab.detectors.trained import TrainedDetector

_BUDGET = 512
"""Tokens of a batch, as the encoder has it on a CPU."""


def choices(files: RunFiles, repeats: int) -> list[dict[str, Any]]:
    """Do the same work as shipped and otherwise, in alternating repeats.

    Returns:
        One row a choice taken back: the ``shipped`` way, what is done ``instead``, and the
        seconds of both, one a round.
    """
    from persona_lab.detectors.registry import load_detector

    detector = load_detector("pooled")
    texts = files.read_texts()[::2]  # their lengths are in random order
    rows = []
    with tempfile.TemporaryDirectory(dir=files.folder) as scratch:
        for group in (
            partial(encoding_ways, detector, texts, files),
            partial(reading_ways, detector, texts),
            partial(packing_ways, detector, texts),
            partial(cache_ways, detector, texts, Path(scratch)),
            partial(duplicate_ways, texts, Path(scratch)),
        ):
            (shipped, seconds), *others = alternate_ways(group(), repeats).items()
            rows += [
                {"shipped": shipped, "instead": instead,
                 "seconds_shipped": seconds, "seconds_instead": other}
                for instead, other in others
            ]  # fmt: skip
    return rows


def open_graph(file: Path, threads: int = 1, spin: bool = True) -> Any:
    """A session with this many threads a batch, which wait busily or asleep."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def run_batches(
    session: Any, segments: Sequence[Sequence[int]], batches: Sequence[Sequence[int]],
    *, parallel: int = 0, bind: bool = False,
) -> None:  # fmt: skip
    """Run batches with a graph; several at the same time, one a processor, if not told else."""
    output = session.get_outputs()[0].name

    def run(batch: Sequence[int]) -> None:
        shape = (len(batch), max(len(segments[i]) for i in batch))
        inputs = {name: np.zeros(shape, np.int64) for name in ("input_ids", "attention_mask")}
        for row, place in enumerate(batch):
            inputs["input_ids"][row, : len(segments[place])] = segments[place]
            inputs["attention_mask"][row, : len(segments[place])] = 1
        if not bind:
            session.run([output], inputs)
            return
        binding = session.io_binding()
        for name, values in inputs.items():
            binding.bind_cpu_input(name, values)
        binding.bind_output(output, "cpu")
        session.run_with_iobinding(binding)
        binding.copy_outputs_to_cpu()

    with ThreadPoolExecutor(parallel or available_cores()) as pool:
        list(pool.map(run, batches))


def encoding_ways(detector: TrainedDetector, texts: Sequence[str], files: RunFiles) -> Ways:
    """Segments, batches, threads, graphs and precisions: the encoder alone."""
    from persona_lab.detectors.registry import find_model
    from persona_lab.encoding.files import read_tokenizer
    from persona_lab.encoding.segment import Segmenter

    bundled = find_model("pooled")
    encoder = pooled_of(detector).encoder
    segments = [s.token_ids for text in texts for s in encoder.segmenter.segments([text])]
    lengths = [len(segment) for segment in segments]
    budget = grouped(lengths, tokens=_BUDGET)
    own, cores = open_graph(bundled / "encoder.onnx"), available_cores()
    run = partial(run_batches, own, segments)
    ways: dict[str, Callable[[], object]] = {
        "encoder as shipped": lambda: encoder.encode(segments),
        f"batches of {_BUDGET} tokens, not sorted by length": lambda: run(
            grouped(lengths, tokens=_BUDGET, ordered=False)
        ),
        "batches of 32 segments, sorted": lambda: run(grouped(lengths, rows=32)),
        "batches of 32 segments, not sorted": lambda: run(grouped(lengths, rows=32, ordered=False)),
        "one segment at a time": lambda: run(grouped(lengths, rows=1)),
        "I/O binding": lambda: run(budget, bind=True),
        "one thread": lambda: run(budget, parallel=1),
    }
    for spin in (True, False):
        name = f"one batch at a time on all threads, which {'spin' if spin else 'do not spin'}"
        shared = open_graph(bundled / "encoder.onnx", cores, spin)
        ways[name] = partial(run_batches, shared, segments, budget, parallel=1)
    for name, file in (
        ("same graph in float32", files.float_graph),
        ("traced graph in float32", files.traced_fp32),
        ("traced graph, dynamic int8 by batch", files.traced_int8),
    ):
        if file.is_file():
            ways[name] = partial(run_batches, open_graph(file), segments, budget)
    if files.long_graph.is_file():
        cutter = Segmenter(read_tokenizer(bundled), max_tokens=CUT_AT)
        long = [s.token_ids for text in texts for s in cutter.segments([text])]
        batches = grouped([len(segment) for segment in long], tokens=_BUDGET)
        graph = open_graph(files.long_graph)
        ways[f"segments of up to {CUT_AT} tokens"] = partial(run_batches, graph, long, batches)
    return ways


def reading_ways(detector: TrainedDetector, texts: Sequence[str]) -> Ways:
    """Text to readings: cut everything first, or cut the next texts while the encoder runs."""
    pooled = pooled_of(detector)
    segmenter, encoder = pooled.encoder.segmenter, pooled.encoder

    def cut(part: Sequence[str]) -> list[tuple[int, ...]]:
        return [s.token_ids for text in part for s in segmenter.segments([text])]

    def first() -> None:
        encoder.encode(cut(texts))

    def overlapping() -> None:
        parts = [texts[start : start + 8] for start in range(0, len(texts), 8)]
        with ThreadPoolExecutor(1) as pool:
            for ready in pool.map(cut, parts):
                encoder.encode(ready)

    return {
        "cut all texts, then encode": first,
        "cut the next 8 texts in a thread while the encoder runs": overlapping,
    }


def packing_ways(detector: TrainedDetector, texts: Sequence[str]) -> Ways:
    """Dialogues of short turns: neighbours in one segment, or each turn by itself."""
    pooled = pooled_of(detector)
    turns = [[turn for turn in text.split(". ") if turn.strip()] for text in texts]
    return {
        "neighbouring turns packed into segments": lambda: pooled.read(turns),
        "a segment for each turn": lambda: pooled.read(turns, pack=False),
    }


def cache_ways(detector: TrainedDetector, texts: Sequence[str], scratch: Path) -> Ways:
    """Vectors again: from the disk cache of training, or encoded once more."""
    from persona_lab.training.corpora import Example
    from persona_lab.training.run import encode_examples

    encoder = pooled_of(detector).encoder
    unknown = np.full(9, np.nan, np.float32)
    examples = [
        Example(str(i), "essay", (text,), unknown, unknown, str(i), len(text.split()), i)
        for i, text in enumerate(texts)
    ]
    return {
        "vectors from the disk cache of training": lambda: encode_examples(
            encoder, examples, cache=scratch
        ),
        "encoded again": lambda: encode_examples(encoder, examples),
    }


def duplicate_ways(texts: Sequence[str], scratch: Path) -> Ways:
    """A filter run on rows of which three in four repeat an earlier one, start included."""
    from persona_lab.filtering.run import Job
    from persona_lab.filtering.run import run as filter_run
    from persona_lab.filtering.scorer import ScorerSettings

    rows = [
        {"id": f"{copy}-{i}", "text": text} for copy in range(4) for i, text in enumerate(texts)
    ]
    source = scratch / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    scorer = ScorerSettings("pooled", ("bigfive",))

    def run(duplicates: Literal["reuse", "score"]) -> None:
        job = Job(scorer=scorer, duplicates=duplicates)
        filter_run(str(source), str(scratch / duplicates), job, workers=1, overwrite=True)

    return {
        "filter: scores of repeated rows taken over": lambda: run("reuse"),
        "filter: repeated rows scored again": lambda: run("score"),
    }
