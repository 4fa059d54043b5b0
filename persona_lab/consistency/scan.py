"""One change point in the log-odds of a self-report detector, with its probability.

Bayesian: turns are draws around a mean that either stays, or changes once after some turn, by
an amount that is normal with a prior standard deviation. The evidence for each place has a
closed form (Barry & Hartigan 1993, with one change), so the probability is exact under the
model and needs no simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from persona_lab.consistency.change import MARGIN
from persona_lab.consistency.parts import Numbers

JUMP = 2.0
"""Prior standard deviation of a change, in log-odds: from .27 to .73 is one."""

PRIOR = 0.2
"""Probability of a change before anything is seen."""

TEMPER = 0.5
"""Traits and neighbouring turns are not independent; the evidence counts for half.

With it, 5 in 100 intact stories get a probability above about one half.
"""

LONGEST = 100.0
"""Words of one turn that count: a page does not outweigh all other turns."""

_OWN_TURNS = 4.0
"""How many turns the training texts' spread counts for against the dialogue's own."""


@dataclass(frozen=True, slots=True)
class Scan:
    """All places of a change; the first is the turn number ``MARGIN``.

    Attributes:
        evidence: ``(n_places,)`` log Bayes factor, tempered.
        fit: ``(n_places,)`` half of chi-square.
        shift: ``(n_places, n_traits)`` log-odds after minus before.
    """

    evidence: Numbers
    fit: Numbers
    shift: Numbers

    def log_odds(self) -> tuple[float, float]:
        """Of a change at all, and their sampling error (normal approximation)."""
        top = float(self.evidence.max())
        mean = top + float(np.log(np.exp(self.evidence - top).mean()))
        fit = max(float(self.fit[int(self.evidence.argmax())]), 0.0)
        sd = TEMPER * np.sqrt(2.0 * fit + self.shift.shape[1] / 2.0)
        return float(np.log(PRIOR / (1.0 - PRIOR)) + mean), float(sd)


def variance_of(z: Numbers, words: Numbers, expected: Numbers) -> Numbers:
    """Variance of one word's log-odds, ``(n_traits,)``.

    From differences of neighbours, which no single change disturbs, shrunk towards that of
    training texts.
    """
    weight = 1.0 / (1.0 / words[1:] + 1.0 / words[:-1])
    seen = (weight[:, None] * np.square(np.diff(z, axis=0))).mean(axis=0)
    n = len(z) - 1
    return np.asarray((n * seen + _OWN_TURNS * expected) / (n + _OWN_TURNS), np.float64)


def scan(z: Numbers, words: Numbers, variance: Numbers) -> Scan:
    """Log Bayes factor of a change at each place against none.

    Args:
        z: ``(n, n_traits)`` log-odds a turn.
        words: ``(n,)``.
        variance: of one word, see :func:`variance_of`.
    """
    precision = words[:, None] / np.maximum(variance, 1e-9)
    total, moment = np.cumsum(precision, axis=0), np.cumsum(precision * z, axis=0)
    places = np.arange(MARGIN, len(z) - MARGIN + 1) - 1
    before, after = total[places], total[-1] - total[places]
    shift = (moment[-1] - moment[places]) / after - moment[places] / before
    error = 1.0 / before + 1.0 / after
    wide = error + JUMP**2
    fit = 0.5 * np.square(shift) / error
    factor = 0.5 * np.log(error / wide) + fit - 0.5 * np.square(shift) / wide
    return Scan(TEMPER * factor.sum(axis=1), fit.sum(axis=1), shift)
