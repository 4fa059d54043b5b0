"""One training run: examples in, three model folders out (lexical, pooled, blend)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.calibration import GENERAL
from persona_lab.detectors.pooled import Pooled, PooledHead, segment_shares
from persona_lab.detectors.reading import Component, Reading
from persona_lab.detectors.store import write_config
from persona_lab.detectors.trained import sigmoid
from persona_lab.encoding import Encoder
from persona_lab.encoding.files import ENCODER_FILE, FLOAT_ENCODER_FILE, TOKENIZER_FILE
from persona_lab.errors import TrainingError
from persona_lab.training.calibrate import (
    OutOfFold,
    crossfit_probabilities,
    fit_calibration,
    length_curve,
)
from persona_lab.training.corpora import BACKGROUND, Example, assign_folds, shortened
from persona_lab.training.experts import fit_lexical, fit_pooled
from persona_lab.training.report import validation_report
from persona_lab.training.settings import Settings
from persona_lab.traits import ALL_TRAITS, FRAMEWORKS
from persona_lab.version import __version__

Array = NDArray[np.float32]
Progress = Callable[[str, float], None]

_ENCODE_AT_ONCE = 200
_CHECK_TEXTS = 200
_LARGEST_DROP = 0.005


@dataclass(frozen=True, slots=True)
class Encoded:
    """Segment vectors of many texts.

    Attributes:
        vectors: ``(n_segments, dim)``, half precision to save memory.
        owner: ``(n_segments,)`` the text of each.
        covers: per segment, as in ``Reading``.
    """

    vectors: NDArray[np.float16]
    owner: NDArray[np.int64]
    covers: list[tuple[tuple[int, float], ...]]


def encode_examples(
    encoder: Encoder,
    examples: Sequence[Example],
    *,
    cache: Path | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Encoded:
    """Encode texts once; with a cache file, a rerun goes on where the last one stopped.

    Args:
        encoder: of the model.
        examples: texts.
        cache: a folder for finished parts, of this encoder alone; they are named by the
            hashes of the texts' tokens.
        progress: is told the share done.
    """
    segmenter = encoder.segmenter
    vectors, owner, covers = [], [], []
    for start in range(0, len(examples), _ENCODE_AT_ONCE):
        part = examples[start : start + _ENCODE_AT_ONCE]
        cut = [segmenter.segments(list(e.utterances)) for e in part]
        owner += [start + i for i, segments in enumerate(cut) for _ in segments]
        covers += [share for segments in cut for share in segment_shares(segments)]
        vectors.append(_encode_part(encoder, cut, cache))
        progress(min(1.0, (start + len(part)) / len(examples)))
    return Encoded(np.concatenate(vectors), np.array(owner), covers)


def _encode_part(encoder: Encoder, cut: list[Any], cache: Path | None) -> NDArray[np.float16]:
    ids = [segment.token_ids for segments in cut for segment in segments]
    if cache is None:
        return encoder.encode(ids).astype(np.float16)
    name = hashlib.sha256(repr(ids).encode()).hexdigest()[:24]
    file = cache / f"{name}.npy"
    if file.is_file():
        return np.asarray(np.load(file, allow_pickle=False), np.float16)
    cache.mkdir(parents=True, exist_ok=True)
    vectors = encoder.encode(ids).astype(np.float16)
    partial = cache / f"{name}.partial.npy"
    np.save(partial, vectors)
    partial.replace(file)  # a killed run leaves no half file under the final name
    return vectors


def vector_cache(cache: Path | None, encoder_folder: Path) -> Path | None:
    """The folder for vectors of one encoder: another encoder's would not fit."""
    if cache is None:
        return None
    digest = hashlib.sha256((encoder_folder / ENCODER_FILE).read_bytes()).hexdigest()
    return cache / digest[:16]


def read_encoded(head: Any, encoded: Encoded, n_texts: int) -> list[Reading]:
    """Readings of encoded texts, as ``Pooled.read`` makes them."""
    bounds = np.searchsorted(encoded.owner, np.arange(n_texts + 1))
    return [
        head.read(encoded.vectors[start:end].astype(np.float32), encoded.covers[start:end])
        for start, end in pairwise(bounds)
    ]


def train(
    examples: Sequence[Example],
    out: Path,
    settings: Settings,
    *,
    encoder_folder: Path | None = None,
    name: str = "",
    cache: Path | None = None,
    facts: dict[str, Any] | None = None,
    progress: Progress = lambda stage, share: None,
) -> dict[str, Any]:
    """Train, calibrate and write ``out/lexical`` and, with an encoder, ``pooled`` and ``blend``.

    Args:
        examples: labelled speakers, and background ones.
        out: folder for the models; made where it is missing.
        settings: of the run.
        encoder_folder: with ``encoder.onnx`` and ``tokenizer.json`` (written by
            ``export_encoder``); None trains the lexical model alone.
        name: put before the folder names in ``name`` fields, for example ``my-``.
        cache: folder for vectors, so that a rerun does not encode again.
        facts: further facts for ``metrics.json``, for example of the export.
        progress: is told stage and share.

    Returns:
        What was written into ``metrics.json``, by model.
    """
    folds = assign_folds(examples, settings.n_folds, settings.seed)
    windows = shortened([e for e in examples if e.register != BACKGROUND], seed=settings.seed)
    place = [i for i, e in enumerate(examples) if e.register != BACKGROUND]
    everything = [*examples, *(window for _, window in windows)]
    all_folds = np.concatenate([folds, [folds[place[i]] for i, _ in windows]]).astype(int)

    parts: dict[str, tuple[Component, OutOfFold]] = {}
    lexical = fit_lexical(
        examples, folds, settings.lexical, seed=settings.seed,
        progress=lambda share: progress("lexical experts", share),
    )  # fmt: skip
    readings = []
    for start in range(0, len(everything), _ENCODE_AT_ONCE):
        readings += lexical.read([e.utterances for e in everything[start:][:_ENCODE_AT_ONCE]])
        progress("lexical readings", len(readings) / len(everything))
    parts["lexical"] = (lexical, OutOfFold.of(readings, all_folds))

    if encoder_folder is not None:
        encoder = Encoder.load(encoder_folder)
        encoded = encode_examples(
            encoder,
            everything,
            cache=vector_cache(cache, encoder_folder),
            progress=lambda share: progress("encoding", share),
        )
        own = encoded.owner < len(examples)
        head = fit_pooled(
            encoded.vectors[own].astype(np.float32), encoded.owner[own], examples, folds,
            settings.pooled, seed=settings.seed,
            progress=lambda share: progress("pooled experts", share),
        )  # fmt: skip
        read = OutOfFold.of(read_encoded(head, encoded, len(everything)), all_folds)
        parts["pooled"] = (Pooled(encoder, head), read)
        if (encoder_folder / FLOAT_ENCODER_FILE).is_file():
            check = int8_check(encoder_folder, head, read, examples, folds)
            facts = (facts or {}) | {"export": {**(facts or {}).get("export", {}), **check}}

    return _write_models(
        parts, everything, all_folds, len(examples), out, settings, encoder_folder, name,
        facts or {}, progress,
    )  # fmt: skip


def int8_check(
    encoder_folder: Path,
    head: PooledHead,
    read: OutOfFold,
    examples: Sequence[Example],
    folds: NDArray[np.int64],
) -> dict[str, Any]:
    """Compare the rounded encoder with the float one on up to 200 labelled texts.

    Returns:
        ``int8_check``: texts, share of rows of the text's own register that each encoder
        gets right out of fold, and the largest difference of a raw probability.

    Raises:
        TrainingError: int8 loses more than 0.5 points.
    """
    order = np.random.default_rng(0).permutation(len(examples))
    picks = [int(i) for i in order if not np.isnan(examples[i].labels).all()][:_CHECK_TEXTS]
    chosen = [examples[i] for i in picks]
    encoded = encode_examples(Encoder.load(encoder_folder, precision="fp32"), chosen)
    exact = OutOfFold.of(read_encoded(head, encoded, len(chosen)), folds[picks]).z
    rounded = read.z[picks]
    right: list[tuple[bool, bool]] = []
    for i, example in enumerate(chosen):
        for r, row in enumerate(head.rows):
            label = example.labels[ALL_TRAITS.index(row.trait)]
            if row.register in (example.register, GENERAL) and not np.isnan(label):
                right.append(((rounded[i, r] > 0) == label, (exact[i, r] > 0) == label))
    int8, fp32 = (float(np.mean(column)) for column in zip(*right, strict=True))
    if fp32 - int8 > _LARGEST_DROP:
        raise TrainingError(
            f"int8 costs {100 * (fp32 - int8):.2f} points of accuracy, allowed are "
            f"{100 * _LARGEST_DROP:.1f}: export other layers or keep the float encoder"
        )
    difference = np.abs(sigmoid(rounded) - sigmoid(exact)).max()
    return {
        "int8_check": {
            "n": len(chosen),
            "accuracy_int8": round(int8, 4),
            "accuracy_fp32": round(fp32, 4),
            "max_p_difference": round(float(difference), 4),
        }
    }


def _write_models(
    parts: dict[str, tuple[Component, OutOfFold]],
    examples: Sequence[Example],
    folds: NDArray[np.int64],
    n_whole: int,
    out: Path,
    settings: Settings,
    encoder_folder: Path | None,
    name: str,
    facts: dict[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    models: dict[str, dict[str, str]] = {kind: {kind: "."} for kind in parts}
    if len(parts) > 1:
        models["blend"] = {kind: f"../{kind}" for kind in parts}
    used = [key for key in ALL_TRAITS if not all(np.isnan(e.labels[ALL_TRAITS.index(key)])
            for e in examples)]  # fmt: skip
    frameworks = [f.name for f in FRAMEWORKS.values() if set(f.keys) <= set(used)]
    probabilities: dict[str, Any] = {}
    written: dict[str, dict[str, Any]] = {}
    for done, (model, components) in enumerate(models.items()):
        chosen = [parts[kind] for kind in components]
        experts, reads = chosen[0][0], [r for _, r in chosen]
        p, limits = crossfit_probabilities(experts, reads, examples, folds)
        calibration = fit_calibration(experts, reads, examples)
        probabilities[model] = (p[:n_whole], limits[:n_whole])
        folder = out / model
        folder.mkdir(parents=True, exist_ok=True)
        if model in parts:
            parts[model][0].save(folder)
        if model == "pooled" and encoder_folder is not None:
            _copy_encoder(encoder_folder, folder)
        written[model] = {
            "components": components,
            "calibration": calibration,
            "length_curve": length_curve(p, limits, examples),
        }
        progress("calibration", (done + 1) / len(models))
    report = validation_report(probabilities, examples[:n_whole])
    for model, found in written.items():
        folder = out / model
        np.savez_compressed(
            folder / "training_texts.npz",
            hashes=np.array([e.text_hash for e in examples[:n_whole]], np.uint64),
            folds=folds[:n_whole].astype(np.uint8),
        )
        metrics = {
            "model": name + model,
            "validation": report["models"][model],
            "baselines": report["baselines"],
            "against_lexical": report["against_lexical"].get(model, {}),
            "length_curve": found["length_curve"],
            "settings": settings.to_json(),
            "data": report["data"],
            **facts,
        }
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        write_config(
            folder,
            name=name + model,
            version=__version__,
            components=found["components"],
            calibration=found["calibration"],
            more={
                "frameworks": frameworks,
                "languages": ["en"],
                "default": model == report["best"],
                "summary": _SUMMARY[model],
                "settings": settings.to_json(),
            },
        )
        written[model] = metrics
    return written


_SUMMARY = {
    "lexical": "TF-IDF of words and characters, linear experts: the fast tier",
    "pooled": "encoder vectors of segments, attention pooling, linear experts",
    "blend": "lexical and pooled together, weights learnt out of fold",
}


def _copy_encoder(source: Path, folder: Path) -> None:
    for file in (ENCODER_FILE, TOKENIZER_FILE):
        if (source / file).resolve() != (folder / file).resolve():
            shutil.copyfile(source / file, folder / file)
