"""Measure a detector that asks a language model: accuracy, and what asking it was like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.base import Result
from persona_lab.detectors.psycot import PsyCotDetector
from persona_lab.detectors.psycot.scoring import Correction, fit_corrections
from persona_lab.errors import TrainingError
from persona_lab.llm.errors import LLMError
from persona_lab.profile import Profile
from persona_lab.training.corpora import Example, prior_weights
from persona_lab.training.evaluate import judged_of, label_matrix, request_of, summarise
from persona_lab.training.metrics import ece
from persona_lab.traits import Framework

Floats = NDArray[np.float64]

_SMALLEST_CALIBRATION = 20
_CALIBRATION_FOLDS = 5


def evaluate_psycot(
    detector: PsyCotDetector,
    examples: Sequence[Example],
    framework: Framework,
    *,
    forum_priors: bool = False,
    n_boot: int = 500,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Metrics on labelled examples, as ``evaluate`` gives them, and the model's conduct.

    Where the budget ends early, the texts before it are measured and ``stopped`` says why.

    Args:
        detector: without corrections, if they shall be fitted here.
        examples: from ``labelled``.
        framework: of the labels.
        forum_priors: weight MBTI types to their real share in the forum.
        n_boot: bootstrap draws.
        seed: of bootstrap and folds.
        progress: is told the share done.

    Returns:
        JSON types: as ``evaluate``; and ``conduct`` (failures, repairs, straight lines,
        position bias), ``items`` (correlation of each item's keyed rating with the
        label), ``calibration`` (per trait ``slope`` and ``intercept``, to be given to
        ``--calibration``), ``ece_calibrated`` (cross-fitted).

    Raises:
        TrainingError: nothing could be scored.
    """
    results: list[Result] = []
    stopped = None
    try:
        for result in detector.profiles(map(request_of, examples), frameworks=(framework.name,)):
            results.append(result)
            progress(len(results) / len(examples))
    except LLMError as error:
        stopped = str(error)
        if not any(isinstance(r, Profile) for r in results):
            raise
    found = psycot_metrics(
        results, detector.report.to_json(), examples[: len(results)], framework,
        forum_priors=forum_priors, n_boot=n_boot, seed=seed,
    )  # fmt: skip
    return found | ({"stopped": stopped} if stopped else {})


def psycot_metrics(
    results: Sequence[Result],
    conduct: Mapping[str, Any],
    examples: Sequence[Example],
    framework: Framework,
    *,
    forum_priors: bool = False,
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics of results that are there already; see :func:`evaluate_psycot`.

    Args:
        results: of one detector, one an example.
        conduct: counts over them, as of the detector's report.
        examples: in the order of ``results``.
        framework: of the labels.
        forum_priors: as for :func:`evaluate_psycot`, like the next two.
        n_boot: bootstrap draws.
        seed: of bootstrap and folds.

    Raises:
        TrainingError: nothing could be scored.
    """
    done = list(examples)
    model = next((r.model for r in results if r.model is not None), None)
    name = model.name if model else "psycot"
    judged = judged_of(results, framework)
    weights = prior_weights(done).astype(float) if forum_priors else None
    if np.isnan(judged.p).all():
        reasons = ", ".join(f"{n} {code}" for code, n in judged.unscored.items())
        raise TrainingError(f"no text could be scored by {name}: {reasons}")
    summary = summarise(judged, done, framework, weights=weights, n_boot=n_boot, seed=seed)
    labels = label_matrix(done, framework)
    return {
        "framework": framework.name,
        "detector": name,
        "n": len(done),
        "seen_in_training": 0,
        "unscored": judged.unscored,
        **summary,
        **_calibration(judged.p, labels, framework, seed),
        "conduct": dict(conduct),
        "items": item_correlations(results, labels, framework),
    }


def item_correlations(
    results: Sequence[Result], labels: Floats, framework: Framework
) -> list[dict[str, Any]]:
    """Point-biserial correlation of each item's keyed rating with its trait's label.

    Args:
        results: in the order of ``labels``.
        labels: ``(n, n_traits)`` 1, 0 or NaN.
        framework: of the labels.

    Returns:
        One row an item: ``item``, ``trait``, ``statement``, ``n``, ``mean`` position
        (0..1) and ``r``; ``r`` is None where ratings or labels do not vary.
    """
    said: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for i, result in enumerate(results):
        for rating in result.items if isinstance(result, Profile) else ():
            label = labels[i, framework.keys.index(rating.trait)]
            if not np.isnan(label):
                place = (rating.item, rating.trait, rating.statement)
                said.setdefault(place, []).append((rating.position, float(label)))
    rows = []
    for (item, trait, statement), pairs in said.items():
        x, y = np.array(pairs).T
        varies = len(pairs) > 2 and x.std() > 0 and y.std() > 0
        rows.append(
            {
                "item": item,
                "trait": trait,
                "statement": statement,
                "n": len(pairs),
                "mean": round(float(x.mean()), 4),
                "r": round(float(np.corrcoef(x, y)[0, 1]), 4) if varies else None,
            }
        )
    return rows


def _calibration(p: Floats, labels: Floats, framework: Framework, seed: int) -> dict[str, Any]:
    """Corrections fitted on all texts, and the ECE of corrections fitted without a text."""
    if len(p) < _SMALLEST_CALIBRATION:
        return {}
    fold = np.random.default_rng(seed).permutation(len(p)) % _CALIBRATION_FOLDS
    crossed = np.full_like(p, np.nan)
    for k in range(_CALIBRATION_FOLDS):
        fitted = fit_corrections(p[fold != k], labels[fold != k], framework.keys)
        for t, key in enumerate(framework.keys):
            correction = fitted.get(key, Correction())
            for i in np.flatnonzero((fold == k) & ~np.isnan(p[:, t])):
                crossed[i, t] = correction.apply(p[i, t])
    errors = []
    for t in range(len(framework.keys)):
        known = ~np.isnan(crossed[:, t]) & ~np.isnan(labels[:, t])
        if known.any():
            errors.append(ece(labels[known, t], crossed[known, t], np.ones(known.sum())))
    whole = fit_corrections(p, labels, framework.keys)
    return {
        "calibration": {
            key: {"slope": round(c.slope, 4), "intercept": round(c.intercept, 4)}
            for key, c in whole.items()
        },
        "ece_calibrated": round(float(np.mean(errors)), 4) if errors else None,
    }
