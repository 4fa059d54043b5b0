"""Write an encoder's files for inference, and measure what was written.

The file that counts is ``encoder.onnx``, on 8-bit integers (see
:mod:`persona_lab.training.quantize`). It is written only if the float graph reproduces
the torch model and if a segment's vector does not depend on its batch-mates.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import onnx

from persona_lab.encoding.encoder import Encoder
from persona_lab.encoding.files import (
    ENCODER_FILE,
    FLOAT_ENCODER_FILE,
    FORMAT,
    TOKENIZER_FILE,
)
from persona_lab.encoding.segment import Segmenter
from persona_lab.errors import TrainingError
from persona_lab.training.onnx_encoder import check_layers, encoder_graph, padding_id
from persona_lab.training.onnx_graph import Arithmetic, Float32
from persona_lab.training.quantize import RowwiseInt8, channel_factors

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from persona_lab.training.backbone import Backbone

    Array = NDArray[np.float32]

QUANTIZATION = "int8 weights by output column, int8 activations by token"
"""How the heavy operations of ``encoder.onnx`` are rounded, for cards and metrics."""

_SEGMENTS = 600
_FROM_ONE_TEXT = 8
_SPEED_SEGMENTS = 200
_MATES = 48
_TORCH_BATCH = 16
_LARGEST_TORCH_DIFFERENCE = 1e-3
_LARGEST_MATE_DIFFERENCE = 1e-4


def export_encoder(
    model: Backbone,
    tokenizer: Tokenizer,
    folder: str | Path,
    *,
    max_tokens: int = 128,
    layers: Sequence[int] | None = None,
    calibration_texts: Iterable[str],
    keep_fp32: bool = False,
    directions: Array | None = None,
) -> dict[str, float | int | str]:
    """Write ``encoder.onnx`` and ``tokenizer.json`` and measure them.

    Args:
        model: the encoder; it is not changed. It may be on any device and in any type.
        tokenizer: its tokenizer.
        folder: made where it is missing; files of the same names are replaced, and none
            is written where a check fails.
        max_tokens: the longest segment, special tokens included.
        layers: whose token means, in a row, are a segment's vector; 0 is the embeddings.
            By default the last.
        calibration_texts: some hundred texts like those to come. Up to 600 segments are
            read, 8 of one text: every other one sets the channel factors, the rest
            compares int8 with float.
        keep_fp32: write ``encoder-fp32.onnx`` too, which GPUs run.
        directions: ``(hidden, n)`` for the output ``tokens``, see
            :mod:`persona_lab.training.onnx_encoder`.

    Returns:
        For ``metrics.json``: ``quantization``, ``layers``, ``dim``, ``max_tokens``, ``parameters``,
        ``bytes_int8``, ``bytes_fp32``; ``max_difference_torch`` (float graph to torch) and
        ``max_difference_int8`` (int8 to float graph), in any element of a vector;
        ``cosine_mean`` and ``cosine_min`` of int8 to float vectors over
        ``check_segments`` segments; ``batch_mate_difference_int8`` and ``_fp32``;
        ``tokens_per_second_int8`` and ``_fp32``, one short run each on all processors
        this process may use.

    Raises:
        TrainingError: the model cannot be exported, there is no text to calibrate with,
            the float graph differs from torch by more than 0.001, or a vector depends on
            its batch-mates by more than 0.0001.
    """
    import torch

    folder = Path(folder)
    model = copy.deepcopy(model)
    torch.nn.Module.to(model, device="cpu", dtype=torch.float32).train(False)
    chosen = check_layers(model, layers)
    segments = _segments(tokenizer, calibration_texts, max_tokens)
    calibration, check = segments[::2], segments[1::2] or segments
    batches = [_pad(batch, padding_id(model)) for batch in _grouped(calibration)]
    int8 = RowwiseInt8(channel_factors(model, batches))

    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".export-") as scratch:
        work = Path(scratch)
        tokenizer.save(str(work / TOKENIZER_FILE))
        _write(work / FLOAT_ENCODER_FILE, model, Float32(), "fp32", chosen, max_tokens, directions)
        _write(work / ENCODER_FILE, model, int8, "int8", chosen, max_tokens, directions)
        facts = _measure(work, model, chosen, check)
        _judge(facts)
        folder.mkdir(exist_ok=True)
        for name in [TOKENIZER_FILE, ENCODER_FILE, *([FLOAT_ENCODER_FILE] if keep_fp32 else [])]:
            (work / name).replace(folder / name)
    print(
        f"encoder.onnx: {facts['bytes_int8'] / 1e6:.1f} MB, largest difference of the float "
        f"graph to torch {facts['max_difference_torch']:.1e}, cosine of int8 to float "
        f"{facts['cosine_mean']:.4f}",
        file=sys.stderr,  # stdout is for results
    )
    return {
        "quantization": QUANTIZATION,
        "layers": " ".join(map(str, chosen)),
        "dim": model.config.hidden_size * len(chosen),
        **facts,
    }


def mean_vectors(
    model: Backbone, segments: Sequence[Sequence[int]], layers: Sequence[int] | None = None
) -> NDArray[np.float32]:
    """What the exported graph computes, with torch: the reference for it.

    Args:
        model: an encoder in evaluation mode.
        segments: token ids with special tokens.
        layers: as for :func:`export_encoder`.

    Returns:
        Float32 ``(n_segments, dim)``: the layers' means over the tokens, in a row.
    """
    import torch

    chosen = check_layers(model, layers)
    dim = model.config.hidden_size * len(chosen)
    vectors = np.empty((len(segments), dim), dtype=np.float32)
    start = 0
    with torch.inference_mode():
        for batch in _grouped(segments):
            ids, mask = (t.to(model.device) for t in _pad(batch, padding_id(model)))
            states = model(
                input_ids=ids, attention_mask=mask, output_hidden_states=True
            ).hidden_states
            share = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(1)
            means = [(share @ states[layer].float()).squeeze(1) for layer in chosen]
            vectors[start : start + len(batch)] = torch.cat(means, dim=1).cpu().numpy()
            start += len(batch)
    return vectors


def _measure(
    work: Path, model: Backbone, layers: tuple[int, ...], check: list[tuple[int, ...]]
) -> dict[str, float]:
    """Compare the two files with torch, with each other and with themselves."""
    fp32 = Encoder.load(work, device="cpu", precision="fp32")
    int8 = Encoder.load(work, device="cpu", precision="int8")
    exact, rounded = fp32.encode(check), int8.encode(check)
    product = (exact.astype(np.float64) * rounded).sum(axis=1)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    cosine = product / np.maximum(lengths, 1e-12)
    return {
        "max_tokens": fp32.max_tokens,
        "parameters": model.num_parameters(),
        "check_segments": len(check),
        "bytes_int8": (work / ENCODER_FILE).stat().st_size,
        "bytes_fp32": (work / FLOAT_ENCODER_FILE).stat().st_size,
        "max_difference_torch": _largest(mean_vectors(model, check, layers) - exact),
        "max_difference_int8": _largest(rounded - exact),
        "cosine_mean": float(cosine.mean()),
        "cosine_min": float(cosine.min()),
        "batch_mate_difference_int8": _batch_mate_difference(int8, check, rounded),
        "batch_mate_difference_fp32": _batch_mate_difference(fp32, check, exact),
        "tokens_per_second_int8": _speed(int8, check),
        "tokens_per_second_fp32": _speed(fp32, check),
    }


def _judge(facts: Mapping[str, float]) -> None:
    """Refuse an encoder that computes something else than the model."""
    difference = facts["max_difference_torch"]
    if not difference <= _LARGEST_TORCH_DIFFERENCE:
        raise TrainingError(
            f"the exported encoder differs from torch by {difference:.2g}, allowed is "
            f"{_LARGEST_TORCH_DIFFERENCE:g}: is the model a plain RobertaModel?"
        )
    difference = facts["batch_mate_difference_int8"]
    if not difference <= _LARGEST_MATE_DIFFERENCE:
        raise TrainingError(
            f"a segment's vector changes by {difference:.2g} with its batch-mates, allowed "
            f"is {_LARGEST_MATE_DIFFERENCE:g}: this onnxruntime computes int8 otherwise"
        )


def _segments(tokenizer: Tokenizer, texts: Iterable[str], max_tokens: int) -> list[tuple[int, ...]]:
    """Up to 600 segments, at most 8 of one text, by rising length."""
    segmenter = Segmenter(tokenizer, max_tokens=max_tokens)
    found: list[tuple[int, ...]] = []
    for text in texts:
        found += [segment.token_ids for segment in segmenter.segments([text])[:_FROM_ONE_TEXT]]
        if len(found) >= _SEGMENTS:
            break
    if not found:
        raise TrainingError("calibration_texts holds no text: give some hundred texts")
    return sorted(found[:_SEGMENTS], key=len)


def _write(
    file: Path,
    model: Backbone,
    arithmetic: Arithmetic,
    precision: str,
    layers: tuple[int, ...],
    max_tokens: int,
    directions: Array | None,
) -> None:
    """Build one graph and write it, with what the encoder needs to know about it."""
    metadata = {
        "persona_lab_format": str(FORMAT),
        "precision": precision,
        "dim": str(model.config.hidden_size * len(layers)),
        "hidden": str(model.config.hidden_size),
        "max_tokens": str(max_tokens),
        "pad_id": str(padding_id(model)),
    }
    graph = encoder_graph(
        model,
        arithmetic,
        layers=layers,
        max_tokens=max_tokens,
        metadata=metadata,
        directions=directions,
    )
    onnx.save(graph, str(file))


def _grouped(segments: Sequence[Sequence[int]]) -> Iterator[Sequence[Sequence[int]]]:
    """Segments in groups for torch."""
    for start in range(0, len(segments), _TORCH_BATCH):
        yield segments[start : start + _TORCH_BATCH]


def _pad(batch: Sequence[Sequence[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids padded on the right and the mask, both ``(batch, length)``."""
    import torch

    ids = torch.full((len(batch), max(map(len, batch))), pad_id)
    mask = torch.zeros_like(ids)
    for row, segment in enumerate(batch):
        ids[row, : len(segment)] = torch.tensor(segment)
        mask[row, : len(segment)] = 1
    return ids, mask


def _batch_mate_difference(
    encoder: Encoder, segments: Sequence[Sequence[int]], vectors: Array
) -> float:
    """Largest change of a vector between this batch, being alone, and a large mixed batch.

    Args:
        encoder: the encoder.
        segments: by rising length.
        vectors: of all the segments, in batches of like length.
    """
    some = np.linspace(0, len(segments) - 1, num=min(len(segments), _MATES)).astype(int)[::-1]
    chosen = [segments[index] for index in some]
    alone = encoder.encode(chosen, batch_tokens=1)
    mixed = encoder.encode(chosen, batch_tokens=_MATES * encoder.max_tokens)
    return max(_largest(alone - vectors[some]), _largest(mixed - vectors[some]))


def _speed(encoder: Encoder, segments: Sequence[Sequence[int]]) -> float:
    """Tokens a second over segments of all lengths: one short run after a warm-up."""
    step = max(1, len(segments) // _SPEED_SEGMENTS)
    sample = segments[::step]
    encoder.encode(sample[-8:])
    start = time.perf_counter()
    encoder.encode(sample)
    return float(round(sum(map(len, sample)) / (time.perf_counter() - start)))


def _largest(difference: Array) -> float:
    """The largest magnitude, NaN where there is one."""
    return float(np.abs(difference).max())
