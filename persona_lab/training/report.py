"""What training learnt about its models: validation figures, by register and framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.training.corpora import BACKGROUND, Example, prior_weights
from persona_lab.training.metrics import (
    log_odds,
    mean_metrics,
    paired_difference,
    risk_coverage,
    trait_metrics,
)
from persona_lab.traits import ALL_TRAITS, FRAMEWORKS, MBTI

Floats = NDArray[np.float64]
_BOOTSTRAP = 300


def validation_report(
    probabilities: Mapping[str, tuple[Floats, Floats]], examples: Sequence[Example]
) -> dict[str, Any]:
    """Compare models on the same out-of-fold texts.

    Args:
        probabilities: by model, ``(n, 9)`` probabilities and thresholds; neither the
            experts nor the calibration behind them saw the text.
        examples: whole texts, labelled and background.

    Returns:
        ``models``: by model, register and framework the metrics of each trait, their mean
        and a risk-coverage curve (MBTI is weighted to the forum's real types);
        ``against_lexical``: paired accuracy differences; ``best``: the model with the
        highest mean AUC over registers; ``data``: what the examples are.
    """
    cells = list(_cells(examples))
    report: dict[str, Any] = {"models": {}, "against_lexical": {}, "data": describe(examples)}
    score: dict[str, float] = {}
    for model, (p, limits) in probabilities.items():
        found: dict[str, Any] = {}
        for register, framework, columns in cells:
            found.setdefault(register, {})[framework] = cell_metrics(
                p, limits, examples, register, columns
            )
        report["models"][model] = found
        aucs = [f["mean"]["auc"]["value"] for r in found.values() for f in r.values()]
        score[model] = float(np.mean([a for a in aucs if a is not None]))
        if model != "lexical" and "lexical" in probabilities:
            report["against_lexical"][model] = {
                f"{register}/{framework}": _compare(
                    probabilities[model], probabilities["lexical"], examples, register, columns
                )
                for register, framework, columns in cells
            }
    report["best"] = max(score, key=lambda model: score[model])
    report["baselines"] = {"mean_auc": {model: round(value, 4) for model, value in score.items()}}
    return report


def cell_metrics(
    p: Floats, limits: Floats, examples: Sequence[Example], register: str, columns: range
) -> dict[str, Any]:
    """Metrics of one register and framework."""
    labels = np.stack([e.labels for e in examples]).astype(float)
    mine = np.array([e.register == register for e in examples])
    weights = np.ones(len(examples))
    weights[mine] = prior_weights([e for e in examples if e.register == register])
    traits, curves = {}, []
    for t in columns:
        known = mine & ~np.isnan(labels[:, t])
        if not known.any():
            continue
        y, q, limit = labels[known, t], p[known, t], limits[known, t]
        traits[ALL_TRAITS[t]] = trait_metrics(
            y, q, limit, weights=weights[known], n_boot=_BOOTSTRAP
        )
        curves.append(risk_coverage(y, q, limit, -np.abs(log_odds(q) - log_odds(limit))))
    mean_curve = [
        {
            "coverage": points[0]["coverage"],
            "risk": round(float(np.mean([point["risk"] for point in points])), 4),
        }
        for points in zip(*curves, strict=True)
    ]
    return {"traits": traits, "mean": mean_metrics(traits), "risk_coverage": mean_curve}


def describe(examples: Sequence[Example]) -> dict[str, Any]:
    """Counts of texts, words and labels by register."""
    facts = {}
    for register in dict.fromkeys(e.register for e in examples):
        mine = [e for e in examples if e.register == register]
        labels = np.stack([e.labels for e in mine])
        known = ~np.isnan(labels)
        facts[register] = {
            "texts": len(mine),
            "groups": len({e.group for e in mine}),
            "median_words": int(np.median([e.n_words for e in mine])),
            "high": {
                key: round(float(labels[known[:, t], t].mean()), 3)
                for t, key in enumerate(ALL_TRAITS)
                if known[:, t].any()
            },
        }
    return facts


def _cells(examples: Sequence[Example]) -> list[tuple[str, str, range]]:
    labels = np.stack([e.labels for e in examples])
    register = np.array([e.register for e in examples])
    split = len(ALL_TRAITS) - len(MBTI.traits)
    ranges = dict(zip(FRAMEWORKS, (range(split), range(split, len(ALL_TRAITS))), strict=True))
    return [
        (str(name), framework, columns)
        for name in dict.fromkeys(register)
        if name != BACKGROUND
        for framework, columns in ranges.items()
        if not np.isnan(labels[register == name][:, list(columns)]).all()
    ]


def _compare(
    first: tuple[Floats, Floats],
    second: tuple[Floats, Floats],
    examples: Sequence[Example],
    register: str,
    columns: range,
) -> dict[str, float]:
    labels = np.stack([e.labels for e in examples])[:, list(columns)]
    mine = np.array([e.register == register for e in examples])[:, None] & ~np.isnan(labels)
    right = [
        ((p[:, list(columns)] >= limits[:, list(columns)]) == (labels == 1))[mine]
        for p, limits in (first, second)
    ]
    return paired_difference(*right)
