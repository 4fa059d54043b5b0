"""Fit the contradiction model's calibration on pairs and dialogues it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.consistency.contradiction import (
    CLASSES,
    CONTRADICTION,
    ContradictionModel,
    PairCalibration,
    logit,
    softmax,
)
from persona_lab.training.evaluate_contradiction import Answers, answer
from persona_lab.training.metrics import auc
from persona_lab.training.nli_pairs import LABELS, Pair
from persona_lab.training.nli_questions import Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_WORTHWHILE = 0.005
"""Gain in AUC from which reading a pair both ways is worth its time."""

PAIR_PRIOR = 0.01
"""Share of the pairs of a natural dialogue that contradict: about one dialogue in four has
one, among twenty-five pairs that may."""

_PENALTY = 10.0
"""Inverse L2 penalty of the logistic regression: hardly any."""


def calibrate(
    model: ContradictionModel, pairs: Sequence[Pair], dialogues: Sequence[Question]
) -> tuple[PairCalibration, dict[str, Any]]:
    """Fit temperature, order of reading, and the probability for whole dialogues.

    Args:
        model: its calibration is not used.
        pairs: of validation.
        dialogues: of validation, with and without contradiction.

    Returns:
        The calibration, and facts for the card: ``temperature``, ``nll`` before and after,
        ``auc_one_way`` and ``auc_both_ways`` on the dialogues, ``dialogues``, ``pairs``.
    """
    logits, _ = model.logits([(pair.premise, pair.hypothesis) for pair in pairs])
    allowed = np.zeros((len(pairs), len(CLASSES)), bool)
    for row, pair in enumerate(pairs):
        allowed[row, list(LABELS[pair.label])] = True
    temperature = fit_temperature(logits, allowed)
    y = np.array([float(q.label) for q in dialogues])
    counts = np.array([float(len(q.earlier)) for q in dialogues])
    found: dict[bool, Floats] = {}
    for both_ways in (False, True):
        model.calibration = PairCalibration(temperature=temperature, both_ways=both_ways)
        said: Answers = answer(model, dialogues)
        found[both_ways] = said.classes[:, CONTRADICTION]
    aucs = {
        both_ways: auc(y, fit_dialogue(p, counts, y).of_dialogue(p, counts), np.ones(len(y)))
        for both_ways, p in found.items()
    }
    chosen = aucs[True] >= aucs[False] + _WORTHWHILE
    calibration = replace(
        fit_dialogue(found[chosen], counts, y), temperature=temperature, both_ways=bool(chosen)
    )
    model.calibration = calibration
    return calibration, {
        "pairs": len(pairs),
        "dialogues": len(dialogues),
        "temperature": round(temperature, 3),
        "nll_before": round(_nll(logits, allowed), 4),
        "nll_after": round(_nll(logits / temperature, allowed), 4),
        "auc_one_way": round(aucs[False], 4),
        "auc_both_ways": round(aucs[True], 4),
    }


def fit_rare(
    model: ContradictionModel, talk: Sequence[Pair], calibration: PairCalibration
) -> PairCalibration:
    """Fit what a pair's contradiction is worth in a natural dialogue, where few contradict.

    Args:
        model: with everything else of its calibration in place.
        talk: pairs of turns of validation, contradictions and others; of the latter those of
            natural dialogues, chosen because they share words.
        calibration: to complete.

    Returns:
        The calibration with ``rare_slope`` and ``rare``; as given where a label is missing.
    """
    from sklearn.linear_model import LogisticRegression

    y = np.array([pair.label == "contradiction" for pair in talk])
    if not y.any() or y.all():
        return calibration
    p = model.predict([(pair.premise, pair.hypothesis) for pair in talk])[:, CONTRADICTION]
    weights = np.where(y, PAIR_PRIOR / y.mean(), (1.0 - PAIR_PRIOR) / (1.0 - y.mean()))
    fit = LogisticRegression(C=_PENALTY, max_iter=1000)
    fit.fit(logit(p)[:, None], y, sample_weight=weights)
    return replace(calibration, rare_slope=float(fit.coef_[0, 0]), rare=float(fit.intercept_[0]))


def fit_temperature(logits: Floats, allowed: NDArray[np.bool_]) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017).

    Args:
        logits: ``(n, 3)``.
        allowed: ``(n, 3)`` the classes that each label allows.
    """
    from scipy.optimize import minimize_scalar

    best = minimize_scalar(
        lambda log_t: _nll(logits / np.exp(log_t), allowed), bounds=(-1.5, 2.5), method="bounded"
    )
    return float(np.exp(best.x))


def fit_dialogue(largest: Floats, counts: Floats, y: Floats) -> PairCalibration:
    """Logistic regression of the label on the largest log-odds and the number of pairs.

    In DECODE the number of turns alone tells much of the label because of the way it was made,
    which is no reason to expect contradictions in long histories elsewhere. So labels are
    balanced within each number, and numbers of which only one label is known are left out.
    What remains of the number is that the largest of many is larger by chance: its factor is
    kept from being positive.

    Args:
        largest: ``(n,)`` largest probability of a contradiction.
        counts: ``(n,)`` pairs.
        y: ``(n,)`` labels 0/1.
    """
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros(len(y))
    for number in np.unique(counts):
        no, yes = ((counts == number) & (y == label) for label in (0.0, 1.0))
        if no.any() and yes.any():  # a number counts by how much it can tell
            weights[no] = yes.sum() / (no | yes).sum()
            weights[yes] = no.sum() / (no | yes).sum()
    known = weights > 0
    x = np.stack([logit(largest), np.log(counts)], axis=1)[known]
    weights = weights[known] / weights[known].mean()
    fit = LogisticRegression(C=_PENALTY, max_iter=1000)
    fit.fit(x, y[known], sample_weight=weights)
    if fit.coef_[0, 1] > 0:
        fit.fit(x * (1, 0), y[known], sample_weight=weights)
    slope, length = (float(value) for value in fit.coef_[0])
    return PairCalibration(slope=slope, length=length, intercept=float(fit.intercept_[0]))


def _nll(logits: Floats, allowed: NDArray[np.bool_]) -> float:
    right = np.where(allowed, softmax(logits), 0.0).sum(axis=1)
    return float(-np.log(np.maximum(right, 1e-12)).mean())
