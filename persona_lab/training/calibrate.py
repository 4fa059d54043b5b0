"""Fit a detector's calibration on out-of-fold readings, and measure it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.calibration import GENERAL, REFERENCE_WORDS, Calibration
from persona_lab.detectors.reading import Experts, Reading, Row
from persona_lab.detectors.trained import sigmoid
from persona_lab.training.corpora import Example, prior_weights
from persona_lab.training.metrics import best_threshold
from persona_lab.traits import ALL_TRAITS, MBTI

Array = NDArray[np.float32]

LENGTH_EDGES = (6, 15, 30, 60, 120, 250, 500, 1000, 100_000)
"""Word counts between which the length curve takes means."""

_WORTHWHILE = 0.02
"""Accuracy over the majority class from which a length is worth judging."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What one component says of each text by the member that never saw it.

    Attributes:
        z: ``(n, n_rows)`` log-odds.
        gate: ``(n, n_registers)`` log-probabilities.
        within: ``(n, n_rows)`` variance of segment values within a text, NaN for texts
            of one segment.
    """

    z: Array
    gate: Array
    within: Array

    @classmethod
    def of(cls, readings: Sequence[Reading], folds: NDArray[np.int64]) -> OutOfFold:
        """Collect readings; ``folds`` names the unseeing member of each."""
        return cls(
            np.stack([r.members[f] for r, f in zip(readings, folds, strict=True)]),
            np.stack([r.gate for r in readings]),
            np.stack(
                [
                    r.values.var(axis=0, ddof=1)
                    if len(r.values) > 1
                    else np.full(r.values.shape[1], np.nan)
                    for r in readings
                ]
            ).astype(np.float32),
        )

    def take(self, index: NDArray[np.int64]) -> OutOfFold:
        """The readings of some of the texts."""
        return OutOfFold(self.z[index], self.gate[index], self.within[index])


def fit_calibration(
    experts: Experts,
    read: Sequence[OutOfFold],
    examples: Sequence[Example],
    use: NDArray[np.bool_] | None = None,
) -> Calibration:
    """Fit slopes, thresholds and shortest lengths.

    Args:
        experts: the rows and registers that all components share.
        read: out-of-fold readings of the examples, one a component.
        examples: whole texts and windows of them.
        use: ``(n,)`` which examples to fit on; all by default.
    """
    rows, registers = experts.rows, experts.registers
    labels = np.stack([e.labels for e in examples])
    register = np.array([e.register for e in examples])
    logs = np.log(np.array([e.n_words for e in examples]) / REFERENCE_WORDS)
    priors = prior_weights(examples)
    use = np.ones(len(examples), bool) if use is None else use
    n_rows, n_parts = len(rows), len(read)
    out = {
        "intercept": np.zeros(n_rows),
        "slope": np.zeros((n_parts, n_rows)),
        "slope_log": np.zeros((n_parts, n_rows)),
        "borrow": np.zeros((n_parts, n_rows)),
        "spread": np.zeros((n_parts, n_rows)),
        "min_log": np.zeros(n_rows),
        "max_log": np.zeros(n_rows),
    }
    for r, row in enumerate(rows):
        t = ALL_TRAITS.index(row.trait)
        mine = use & ~np.isnan(labels[:, t])
        if row.register != GENERAL:
            mine &= register == row.register
        weights = priors[mine].copy()
        if row.register == GENERAL:
            for name in set(register[mine]):
                weights[register[mine] == name] *= (register[mine] == name).sum() ** -0.5
        own = [part.z[mine, r] for part in read]
        general = rows.index(Row(GENERAL, row.trait))
        borrowed = [part.z[mine, general] for part in read] if general != r else []
        # the slope may follow the length, within the lengths that were seen
        out["min_log"][r], out["max_log"][r] = np.quantile(logs[mine], (0.02, 0.98))
        intercept, slope, slope_log = _platt(
            np.stack(own + borrowed, axis=1), n_parts, logs[mine], labels[mine, t], weights
        )
        out["intercept"][r], out["slope"][:, r] = intercept, slope[:n_parts]
        out["slope_log"][:, r] = slope_log
        if borrowed:
            out["borrow"][:, r] = slope[n_parts:]
        for k, part in enumerate(read):
            within = part.within[mine, r]
            known = within[~np.isnan(within)]
            out["spread"][k, r] = np.sqrt(known.mean()) if len(known) else 0.0
    calibration = Calibration(
        rows=rows,
        registers=registers,
        thresholds=dict.fromkeys({row.trait for row in rows}, 0.5),
        min_words={},
        **{name: np.asarray(value, np.float32) for name, value in out.items()},
    )
    return _with_limits(calibration, read, examples, use)


def _platt(
    z: Array, n_own: int, logs: Array, y: Array, weights: Array
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Logistic regression of the label on log-odds, the register's own also by length.

    An input that would count against itself is left out.

    Args:
        z: ``(n, n_inputs)``, the components' own experts first, then the general ones.
        n_own: how many are the register's own.
        logs: ``(n,)`` log lengths.
        y: labels.
        weights: of examples.

    Returns:
        Intercept, slopes ``(n_inputs,)``, and slopes by log length ``(n_own,)``.
    """
    from sklearn.linear_model import LogisticRegression

    scale = np.maximum(z.std(axis=0), 1e-6)
    x = z / scale
    middle = float(logs.mean())
    by_length = x[:, :n_own] * (logs - middle)[:, None]
    vary = bool(logs.std() > 0.1)
    keep = np.ones(z.shape[1], bool)
    while True:
        own = keep[:n_own]
        columns = np.hstack([x[:, keep], by_length[:, own]]) if vary else x[:, keep]
        model = LogisticRegression(C=1.0 if len(y) > 1000 else 0.1, max_iter=500)
        model.fit(columns, y, sample_weight=weights / weights.mean())
        found = model.coef_[0, : keep.sum()]
        if (found > 0).all() or keep.sum() == 1:
            break
        keep[np.flatnonzero(keep)[int(np.argmin(found))]] = False
    slope, slope_log = np.zeros(z.shape[1]), np.zeros(n_own)
    slope[keep] = np.maximum(found, 0.0) / scale[keep]
    if vary and own.any():
        slope_log[own] = model.coef_[0, keep.sum() :] / scale[:n_own][own]
        slope[:n_own] -= slope_log * middle
    return float(model.intercept_[0]), slope, slope_log


def probabilities(
    calibration: Calibration, read: Sequence[OutOfFold], examples: Sequence[Example]
) -> NDArray[np.float64]:
    """Out-of-fold probabilities ``(n, 9)`` of the high poles; NaN for traits without rows."""
    known = [t for t, key in enumerate(ALL_TRAITS) if any(r.trait == key for r in calibration.rows)]
    keys = [ALL_TRAITS[t] for t in known]
    p = np.full((len(examples), len(ALL_TRAITS)), np.nan)
    gates = np.mean([part.gate for part in read], axis=0)
    gates = np.exp(gates) / np.exp(gates).sum(axis=1, keepdims=True)
    for i, example in enumerate(examples):
        mix = calibration.mixing(gates[i], keys)
        weight = calibration.transfer(mix, example.n_words)
        said = np.stack([part.z[i] for part in read])
        p[i, known] = sigmoid(mix @ calibration.intercept + np.einsum("ktr,kr->t", weight, said))
    return p


def crossfit_probabilities(
    experts: Experts,
    read: Sequence[OutOfFold],
    examples: Sequence[Example],
    folds: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities whose calibration, too, never saw the text: for reporting.

    Returns:
        Probabilities ``(n, 9)`` and the thresholds they are judged at, ``(n, 9)``.
    """
    p = np.full((len(examples), len(ALL_TRAITS)), np.nan)
    limits = np.full_like(p, 0.5)
    for fold in range(int(folds.max()) + 1):
        mine = np.flatnonzero(folds == fold)
        calibration = fit_calibration(experts, read, examples, folds != fold)
        part = [r.take(mine) for r in read]
        p[mine] = probabilities(calibration, part, [examples[int(i)] for i in mine])
        limits[mine] = [calibration.thresholds.get(key, 0.5) for key in ALL_TRAITS]
    return p, limits


def length_curve(
    p: NDArray[np.float64], limits: NDArray[np.float64], examples: Sequence[Example]
) -> list[dict[str, Any]]:
    """Accuracy against length, by register and framework: mean over traits."""
    labels = np.stack([e.labels for e in examples])
    register = np.array([e.register for e in examples])
    words = np.array([e.n_words for e in examples])
    curve = []
    split = len(ALL_TRAITS) - len(MBTI.traits)
    for name in dict.fromkeys(register):
        for framework, columns in (("bigfive", range(split)), ("mbti", range(split, 9))):
            for low, high in pairwise(LENGTH_EDGES):
                right, base, n = [], [], 0
                for t in columns:
                    mine = (register == name) & (words >= low) & (words < high)
                    mine &= ~np.isnan(labels[:, t]) & ~np.isnan(p[:, t])
                    if mine.sum() < 40:
                        continue
                    y = labels[mine, t]
                    right.append(((p[mine, t] >= limits[mine, t]) == (y == 1)).mean())
                    base.append(max(y.mean(), 1 - y.mean()))
                    n = max(n, int(mine.sum()))
                if right:
                    curve.append(
                        {
                            "register": str(name),
                            "framework": framework,
                            "words": [low, high],
                            "n": n,
                            "accuracy": round(float(np.mean(right)), 4),
                            "majority": round(float(np.mean(base)), 4),
                        }
                    )
    return curve


def _with_limits(
    calibration: Calibration,
    read: Sequence[OutOfFold],
    examples: Sequence[Example],
    use: NDArray[np.bool_],
) -> Calibration:
    """Set thresholds of the MBTI axes and shortest lengths from the fitted probabilities.

    The forum's types are far from even, so the better bet is nearly always "N": the MBTI
    boundary is the one with the best macro-F1. Big Five labels are halves by design, and
    keep one half.
    """
    index = np.flatnonzero(use)
    part = [r.take(index) for r in read]
    chosen = [examples[int(i)] for i in index]
    p = probabilities(calibration, part, chosen)
    labels = np.stack([e.labels for e in chosen])
    weights = prior_weights(chosen).astype(float)
    thresholds = dict(calibration.thresholds)
    for key in MBTI.keys:
        t = ALL_TRAITS.index(key)
        known = ~np.isnan(labels[:, t])
        if key in thresholds and known.any():
            thresholds[key] = best_threshold(labels[known, t], p[known, t], weights[known])
    limits = np.tile([thresholds.get(key, 0.5) for key in ALL_TRAITS], (len(chosen), 1))
    return replace(
        calibration,
        thresholds=thresholds,
        min_words=_shortest(length_curve(p, limits, chosen), chosen),
    )


def _shortest(curve: list[dict[str, Any]], examples: Sequence[Example]) -> dict[str, int]:
    """The shortest length of each register from which on accuracy is worth having."""
    found: dict[str, int] = {}
    for name in dict.fromkeys(e.register for e in examples):
        mine = [c for c in curve if c["register"] == name]
        good = [c for c in mine if c["accuracy"] - c["majority"] >= _WORTHWHILE]
        typical = float(np.median([e.n_words for e in examples if e.register == name]))
        # where no length pays, the typical text of the register is as good as it gets
        found[str(name)] = min(c["words"][0] for c in good) if good else int(min(typical, 100))
    found[GENERAL] = int(np.median(list(found.values())))
    return found
