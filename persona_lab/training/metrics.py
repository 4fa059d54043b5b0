"""What a detector's scores are worth: metrics with bootstrap intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auc", "brier", "ece")
ECE_BINS = 10


def log_odds(p: Floats) -> Floats:
    """Logarithm of the odds, finite at 0 and 1."""
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped / (1 - clipped)))


def auc(y: Floats, p: Floats, w: Floats) -> float:
    """Weighted area under the ROC curve; NaN where one class is missing."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, p, sample_weight=w)) if 0 < y @ w < w.sum() else float("nan")


def ece(y: Floats, p: Floats, w: Floats, bins: int = ECE_BINS) -> float:
    """Expected calibration error (Naeini et al. 2015), bins of equal count.

    Equal-count bins, because scores of weak detectors crowd around one half. A small sample's
    ECE is above zero even for a perfect model, and a bootstrap's is higher still: its interval
    may lie above the value.
    """
    order = np.argsort(p, kind="stable")
    total = 0.0
    for part in np.array_split(order, min(bins, len(order))):
        total += abs(float(w[part] @ (p[part] - y[part])))
    return total / float(w.sum())


def _counts(y: Floats, high: NDArray[np.bool_], w: Floats) -> tuple[float, float, float, float]:
    yes = y == 1
    return (
        float(w[yes & high].sum()),
        float(w[~yes & ~high].sum()),
        float(w[~yes & high].sum()),
        float(w[yes & ~high].sum()),
    )


def point_metrics(y: Floats, p: Floats, threshold: Floats, w: Floats) -> dict[str, float]:
    """All of :data:`METRICS` for one trait.

    Args:
        y: ``(n,)`` labels 0/1.
        p: ``(n,)`` probabilities of the high pole.
        threshold: ``(n,)`` where labels are forced; abstention does not count here.
        w: ``(n,)`` weights.
    """
    tp, tn, fp, fn = _counts(y, p >= threshold, w)
    recalls = [hit / (hit + miss) for hit, miss in ((tp, fn), (tn, fp)) if hit + miss > 0]
    return {
        "accuracy": (tp + tn) / (tp + tn + fp + fn),
        "balanced_accuracy": float(np.mean(recalls)),
        "macro_f1": macro_f1(y, p, threshold, w),
        "auc": auc(y, p, w),
        "brier": float(w @ (p - y) ** 2 / w.sum()),
        "ece": ece(y, p, w),
    }


def best_threshold(y: Floats, p: Floats, w: Floats) -> float:
    """The boundary with the best macro-F1, smoothed over its neighbours.

    The mean of all boundaries whose macro-F1 is within 0.002 of the best: the single best
    one would follow chance.
    """
    grid = np.unique(np.quantile(p, np.linspace(0.02, 0.98, 193)))
    f1 = np.array([macro_f1(y, p, t, w) for t in grid])
    return float(np.mean(grid[f1 >= f1.max() - 0.002]))


def macro_f1(y: Floats, p: Floats, threshold: float | Floats, w: Floats) -> float:
    """Weighted macro-F1 at a boundary; arguments as for :func:`point_metrics`."""
    tp, tn, fp, fn = _counts(y, p >= threshold, w)
    return float(np.mean([2 * hit / max(2 * hit + fp + fn, 1e-12) for hit in (tp, tn)]))


def trait_metrics(
    y: Floats,
    p: Floats,
    threshold: float | Floats,
    *,
    weights: Floats | None = None,
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics of one trait with 95 % bootstrap intervals over examples.

    Args:
        y: ``(n,)`` labels 0/1.
        p: ``(n,)`` probabilities.
        threshold: of labels: one, or ``(n,)`` where each fold has its own.
        weights: ``(n,)``; 1 each by default.
        n_boot: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        ``n``, ``majority`` and each of METRICS as ``{"value", "low", "high"}``; fractions
        in 0..1.
    """
    w = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    limit = np.broadcast_to(np.asarray(threshold, float), y.shape)
    point = point_metrics(y, p, limit, w)
    rng = np.random.default_rng(seed)
    draws: dict[str, list[float]] = {name: [] for name in METRICS}
    for _ in range(n_boot):
        pick = rng.integers(0, len(y), len(y))
        for name, value in point_metrics(y[pick], p[pick], limit[pick], w[pick]).items():
            draws[name].append(value)
    share = float(w @ y / w.sum())
    return {"n": len(y), "majority": round(max(share, 1 - share), 4)} | {
        name: _interval(point[name], np.array(draws[name])) for name in METRICS
    }


def mean_metrics(per_trait: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Mean over traits, with an interval that treats the traits as independent.

    A trait of which a metric is not known (the AUC of one class) has no part in that mean.
    """
    mean: dict[str, Any] = {
        "n": max(m["n"] for m in per_trait.values()),
        "majority": round(float(np.mean([m["majority"] for m in per_trait.values()])), 4),
    }
    for name in METRICS:
        known = [m[name] for m in per_trait.values() if m[name]["value"] is not None]
        if not known:
            mean[name] = {"value": None, "low": None, "high": None}
            continue
        half = np.array([(m["high"] - m["low"]) / 2 for m in known])
        middle = float(np.mean([m["value"] for m in known]))
        width = float(np.sqrt(np.sum(half**2))) / len(half)
        mean[name] = {
            "value": round(middle, 4),
            "low": round(middle - width, 4),
            "high": round(middle + width, 4),
        }
    return mean


def risk_coverage(
    y: Floats, p: Floats, threshold: float | Floats, doubt: Floats, steps: int = 10
) -> list[dict[str, float]]:
    """Error rate when only the surest share of examples is labelled.

    Args:
        y: labels.
        p: probabilities.
        threshold: of labels.
        doubt: ``(n,)`` how near an example is to being abstained from, any scale.
        steps: points of the curve.
    """
    order = np.argsort(doubt, kind="stable")
    wrong = ((p >= threshold) != (y == 1))[order]
    curve = []
    for step in range(1, steps + 1):
        n = max(1, round(len(y) * step / steps))
        curve.append({"coverage": round(n / len(y), 4), "risk": round(float(wrong[:n].mean()), 4)})
    return curve


def paired_difference(
    first: NDArray[np.bool_], second: NDArray[np.bool_], *, n_boot: int = 2000, seed: int = 0
) -> dict[str, float]:
    """Difference of two accuracies on the same examples, with interval and test.

    Args:
        first: ``(n,)`` which examples the first detector got right.
        second: the same for the second.
        n_boot: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        ``difference`` (first minus second), its 95 % bootstrap interval, and ``p_value`` of
        the exact McNemar test.
    """
    from scipy.stats import binomtest

    gain = first.astype(float) - second.astype(float)
    picks = np.random.default_rng(seed).integers(0, len(gain), (n_boot, len(gain)))
    draws = gain[picks].mean(axis=1)
    won, lost = int((gain > 0).sum()), int((gain < 0).sum())
    p_value = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
    return {
        "difference": round(float(gain.mean()), 4),
        "low": round(float(np.quantile(draws, 0.025)), 4),
        "high": round(float(np.quantile(draws, 0.975)), 4),
        "p_value": round(p_value, 4),
    }


def _interval(value: float, draws: Floats) -> dict[str, float | None]:
    known = draws[~np.isnan(draws)]
    if np.isnan(value) or not len(known):
        return {"value": None, "low": None, "high": None}
    return {
        "value": round(value, 4),
        "low": round(float(np.quantile(known, 0.025)), 4),
        "high": round(float(np.quantile(known, 0.975)), 4),
    }
