"""The worker for everything but the contenders: graphs, peaks, tokens, and taking apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from speed.choices import choices
from speed.files import RunFiles
from speed.graphs import write_graphs
from speed.parts import where_time_goes
from speed.peaks import gemm_peaks
from speed.peers import CUT_AT
from speed.rounding import essays, int8_agreement
from speed.shapes import MINILM
from speed.worker import Handlers


def tool_handlers(files: RunFiles) -> Handlers:
    """What this worker can be asked; each is a function of its own."""
    return {
        "peaks": gemm_peaks,
        "graphs": lambda: write_graphs(files),
        "tokens": lambda: token_counts(files),
        "choices": lambda repeats: choices(files, repeats),
        "parts": lambda repeats: where_time_goes(files, repeats),
        "agreement": lambda: int8_agreement(files),
        "essays": lambda data, count: essays(files, Path(data), count),
    }


def token_counts(files: RunFiles) -> dict[str, Any]:
    """Tokens of the run's texts, and operations that encoding them takes.

    Returns:
        ``ours`` and ``peers``, each with ``tokens`` that are read, without special ones, and
        ``operations`` for the sequences that are run, special tokens included.
    """
    from persona_lab.detectors.registry import find_model
    from persona_lab.encoding import Encoder

    segmenter = Encoder.load(find_model("pooled")).segmenter
    special = len(segmenter.prefix) + len(segmenter.suffix)
    texts = files.read_texts()
    whole = [len(segmenter.token_ids(text)) for text in texts]
    cut = [min(n + special, CUT_AT) for n in whole]
    segments = [len(s.token_ids) for text in texts for s in segmenter.segments([text])]
    return {
        "ours": {"tokens": sum(whole), "operations": MINILM.operations(segments)},
        "peers": {"tokens": sum(cut) - special * len(cut), "operations": MINILM.operations(cut)},
    }
