"""What int8 costs: labels and scores of the bundled model against its float twin."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from speed.files import RunFiles
from speed.ours import read
from speed.texts import ESSAYS


def int8_agreement(files: RunFiles) -> dict[str, Any]:
    """Labels and scores of both on the texts of the run."""
    from persona_lab.detectors.registry import load_detector

    texts = files.read_texts()
    int8, exact = (load_detector(model) for model in ("pooled", str(files.float_model)))
    pairs = [
        (a, b)
        for one, other in zip(read(int8, texts), read(exact, texts), strict=True)
        for a, b in zip(one.traits.values(), other.traits.values(), strict=True)
    ]
    same_side = [(a.p_high >= a.threshold) == (b.p_high >= b.threshold) for a, b in pairs]
    differences = [abs(a.p_high - b.p_high) for a, b in pairs]
    return {
        "texts": len(texts),
        "judgements": len(pairs),
        "same_side": float(np.mean(same_side)),
        "same_label": float(np.mean([a.label == b.label for a, b in pairs])),
        "max_difference": max(differences),
        "mean_difference": float(np.mean(differences)),
    }


def essays(files: RunFiles, data: Path, count: int) -> dict[str, Any]:
    """Accuracy of both on the same essays, in points; training has seen them.

    Args:
        files: of the run.
        data: folder of the research corpora.
        count: essays.
    """
    from persona_lab.detectors.registry import load_detector
    from persona_lab.formats import read_dialogues
    from persona_lab.traits import BIG_FIVE

    with read_dialogues(str(data / ESSAYS)) as reader:
        found: list[Any] = list(islice(reader, count))
    texts = ["\n".join(u.text for u in dialogue.utterances) for dialogue in found]
    labels = [next(iter(dialogue.speakers.values())).labels for dialogue in found]

    def right(model: str) -> list[bool]:
        return [
            (profile.traits[key].p_high >= profile.traits[key].threshold) == (own[key] == 1.0)
            for profile, own in zip(read(load_detector(model), texts), labels, strict=True)
            for key in BIG_FIVE.keys
            if key in own
        ]

    int8, exact = right("pooled"), right(str(files.float_model))
    return {
        "texts": len(texts),
        "judgements": len(int8),
        "int8": 100 * float(np.mean(int8)),
        "fp32": 100 * float(np.mean(exact)),
    }
