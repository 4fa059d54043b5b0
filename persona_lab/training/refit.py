"""Cross-validation of a detector's recipe: train it anew on each fold of one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.masking import mask
from persona_lab.detectors.reading import Experts
from persona_lab.detectors.store import read_config
from persona_lab.encoding import Encoder
from persona_lab.training.calibrate import OutOfFold, crossfit_probabilities
from persona_lab.training.corpora import Example
from persona_lab.training.evaluate import Judged, summarise
from persona_lab.training.experts import fit_lexical, fit_pooled
from persona_lab.training.metrics import log_odds
from persona_lab.training.run import encode_examples, read_encoded
from persona_lab.training.settings import Settings
from persona_lab.traits import ALL_TRAITS, Framework


def cross_validate(
    folder: Path,
    examples: Sequence[Example],
    framework: Framework,
    folds: NDArray[np.int64],
    *,
    progress: Callable[[str, float], None] = lambda stage, share: None,
    n_boot: int = 500,
) -> dict[str, Any]:
    """Train with a detector's settings on all folds but one, score that one, and so on.

    Only the given examples are learnt from. The encoder is the detector's, as it is: an
    encoder that was fine-tuned on these texts would make the result too good.

    Args:
        folder: the detector whose components and settings are used.
        examples: unmasked; masking is applied here.
        framework: of the labels.
        folds: ``(n, n_traits)``.
        progress: is told stage and share.
        n_boot: bootstrap draws.

    Returns:
        As ``evaluate``, with ``folds``: how many.
    """
    config = read_config(folder)
    settings = Settings.from_json(config["settings"])
    masked = [replace(e, utterances=tuple(mask(u) for u in e.utterances)) for e in examples]
    kinds = config["components"]
    encoded, encoder = None, None
    if "pooled" in kinds:
        encoder = Encoder.load(folder / kinds["pooled"])
        encoded = encode_examples(encoder, masked, progress=lambda s: progress("encoding", s))
    p = np.full(folds.shape, np.nan)
    limits = np.full(folds.shape, 0.5)
    for t, key in enumerate(framework.keys):
        column = ALL_TRAITS.index(key)
        one = [_only(e, column) for e in masked]
        known = np.flatnonzero([not np.isnan(e.labels[column]) for e in one])
        chosen = [one[i] for i in known]
        mine = np.unique(folds[known, t], return_inverse=True)[1]
        reads: list[OutOfFold] = []
        experts: Experts
        if "lexical" in kinds:
            lexical = fit_lexical(chosen, mine, settings.lexical, seed=settings.seed)
            experts = lexical
            reads.append(OutOfFold.of(lexical.read([e.utterances for e in chosen]), mine))
        if encoded is not None:
            own = np.isin(encoded.owner, known)
            owner = np.searchsorted(known, encoded.owner[own])
            vectors = encoded.vectors[own]
            covers = [encoded.covers[i] for i in np.flatnonzero(own)]
            head = fit_pooled(
                vectors.astype(np.float32), owner, chosen, mine, settings.pooled,
                seed=settings.seed,
            )  # fmt: skip
            readings = read_encoded(head, type(encoded)(vectors, owner, covers), len(chosen))
            experts = head
            reads.append(OutOfFold.of(readings, mine))
        found, found_limits = crossfit_probabilities(experts, reads, chosen, mine)
        p[known, t], limits[known, t] = found[:, column], found_limits[:, column]
        progress("folds", (t + 1) / len(framework.keys))
    judged = Judged(
        p,
        limits,
        np.zeros(p.shape, bool),
        -np.abs(log_odds(p) - log_odds(limits)),
        np.zeros(len(p), bool),
        {},
    )
    return {
        "framework": framework.name,
        "detector": config["name"],
        "n": len(examples),
        "folds": int(folds.max()) + 1,
        **summarise(judged, examples, framework, n_boot=n_boot),
    }


def _only(example: Example, column: int) -> Example:
    """The example with one label, so that one trait's folds decide what is learnt."""
    labels = np.full_like(example.labels, np.nan)
    labels[column] = example.labels[column]
    return replace(example, labels=labels)
