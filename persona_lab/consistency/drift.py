"""Does the personality drift? Slopes, one change point with its probability, early and late.

The change point is Bayesian: turns are draws around a mean that either stays, or changes
once after some turn, by an amount that is normal with a prior standard deviation. The
evidence for each place has a closed form (Barry & Hartigan 1993, with one change), so the
probability is exact under the model and needs no simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from persona_lab.consistency.parts import Z90, NotScored, Numbers, Score, too_little
from persona_lab.consistency.turns import Turns
from persona_lab.detectors.trained import sigmoid

JUMP = 2.0
"""Prior standard deviation of a change, in log-odds: from .27 to .73 is one."""

PRIOR = 0.2
"""Probability of a change before anything is seen."""

_TEMPER = 0.5
"""Traits and neighbouring turns are not independent; the evidence counts for half.

With it, 5 in 100 intact stories get a probability above about one half.
"""

_LONGEST = 100.0
"""Words of one turn that count: a page does not outweigh all other turns."""

_MARGIN = 2
"""Turns that must lie on each side of a change."""

_OWN_TURNS = 4.0
"""How many turns the training texts' spread counts for against the dialogue's own."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a speaker most likely changed.

    Attributes:
        turn: index in the dialogue of the first turn after the change.
        probability: that there is a change at all, 0..1.
        shift: by trait, log-odds after minus before.
    """

    turn: int
    probability: float
    shift: dict[str, float]


@dataclass(frozen=True, slots=True)
class Slope:
    """A trend over the dialogue.

    Attributes:
        total: change of the log-odds from the first to the last turn, by the trend.
        low: lower end of the 90 % interval.
        high: upper end.
    """

    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How a speaker moves.

    Attributes:
        score: one minus the probability of a change.
        change_point: the likeliest one.
        slopes: by trait.
        early: probability of the high pole by trait, first third of the turns.
        late: last third.
        style_distance: one minus the cosine of the mean vectors of these thirds, 0..2.
    """

    score: Score
    change_point: ChangePoint
    slopes: dict[str, Slope]
    early: dict[str, float]
    late: dict[str, float]
    style_distance: float


def drift(turns: Turns, speaker: str) -> Drift | NotScored:
    """Measure one speaker's drift.

    Returns:
        The drift, or the reason where the speaker says too little.
    """
    own = turns.of(speaker)
    missing = too_little(len(own), turns.n_words(own))
    if missing is not None:
        return missing
    keys = turns.framework.keys
    n_words = turns.n_words(own)
    z = turns.per_turn(n_words)[own]
    words = np.minimum(turns.words[own], _LONGEST)
    variance = _variance(z, words, turns.noise(n_words))
    scan = _scan(z, words, variance)
    best = int(scan.evidence.argmax())
    odds = np.log(PRIOR / (1.0 - PRIOR)) + _log_mean_exp(scan.evidence)
    # sampling error of a log-likelihood ratio, normal approximation
    sd = _TEMPER * np.sqrt(2.0 * max(float(scan.fit[best]), 0.0) + len(keys) / 2.0)
    probability, low, high = (float(sigmoid(odds + k * sd)) for k in (0.0, -Z90, Z90))
    third = max(len(own) // 3, 1)
    early, late = own[:third], own[-third:]
    return Drift(
        score=Score(1.0 - probability, 1.0 - high, 1.0 - low),
        change_point=ChangePoint(
            turn=own[best + _MARGIN],
            probability=probability,
            shift=dict(zip(keys, scan.shift[best].tolist(), strict=True)),
        ),
        slopes=_slopes(z, words, variance, keys),
        early=_probabilities(turns, early),
        late=_probabilities(turns, late),
        style_distance=_distance(turns, early, late),
    )


@dataclass(frozen=True, slots=True)
class _Scan:
    """All places of a change: ``(n_places,)`` and ``(n_places, n_traits)``."""

    evidence: Numbers
    fit: Numbers
    shift: Numbers


def _variance(z: Numbers, words: Numbers, expected: Numbers) -> Numbers:
    """Variance of one word's log-odds, ``(n_traits,)``.

    From differences of neighbours, which no single change disturbs, shrunk towards that of
    training texts.
    """
    weight = 1.0 / (1.0 / words[1:] + 1.0 / words[:-1])
    seen = (weight[:, None] * np.square(np.diff(z, axis=0))).mean(axis=0)
    n = len(z) - 1
    return np.asarray((n * seen + _OWN_TURNS * expected) / (n + _OWN_TURNS), np.float64)


def _scan(z: Numbers, words: Numbers, variance: Numbers) -> _Scan:
    """Log Bayes factor of a change at each place against none."""
    precision = words[:, None] / np.maximum(variance, 1e-9)
    total, moment = np.cumsum(precision, axis=0), np.cumsum(precision * z, axis=0)
    places = np.arange(_MARGIN, len(z) - _MARGIN + 1) - 1
    before, after = total[places], total[-1] - total[places]
    shift = (moment[-1] - moment[places]) / after - moment[places] / before
    error = 1.0 / before + 1.0 / after
    wide = error + JUMP**2
    fit = 0.5 * np.square(shift) / error
    factor = 0.5 * np.log(error / wide) + fit - 0.5 * np.square(shift) / wide
    return _Scan(_TEMPER * factor.sum(axis=1), fit.sum(axis=1), shift)


def _log_mean_exp(x: Numbers) -> float:
    top = float(x.max())
    return top + float(np.log(np.exp(x - top).mean()))


def _slopes(
    z: Numbers, words: Numbers, variance: Numbers, keys: tuple[str, ...]
) -> dict[str, Slope]:
    """Least squares over the place in the dialogue, 0 to 1, weighted by words."""
    x = np.linspace(0.0, 1.0, len(z))
    weight = words / words.sum()
    x = x - weight @ x
    spread = float(weight @ np.square(x))
    slope = (weight * x) @ z / spread
    sd = np.sqrt(variance / (words.sum() * spread))
    return {
        key: Slope(float(b), float(b - Z90 * s), float(b + Z90 * s))
        for key, b, s in zip(keys, slope, sd, strict=True)
    }


def _probabilities(turns: Turns, places: list[int]) -> dict[str, float]:
    p = np.asarray(sigmoid(turns.log_odds(places)))
    return dict(zip(turns.framework.keys, p.tolist(), strict=True))


def _distance(turns: Turns, early: list[int], late: list[int]) -> float:
    a, b = (turns.vectors[places].mean(axis=0) for places in (early, late))
    return float(1.0 - a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9))
