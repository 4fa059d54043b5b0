"""From ratings and choices to a trait score with an interval.

Every answer is a vote between the poles: a rating counts as the share of the scale that
it reaches in the keyed direction, a choice as its probability of the high pole. With
``s`` votes for the high pole and ``f`` against it, the score is the mean of the Beta
posterior ``Beta(1 + s, 1 + f)`` (Laplace's rule of succession), and the interval its 5 %
and 95 % quantiles. So two unanimous choices do not make a certainty, and ten items that
contradict each other end at one half. It is a share of votes, not a calibrated
probability: a :class:`Correction` fitted on labelled texts turns it into one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from persona_lab.profile import Label, TraitScore

INTERVAL = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Correction:
    """Platt scaling of a trait's log-odds: ``slope * log_odds + intercept``."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, p: float) -> float:
        """The corrected probability."""
        odds = self.slope * math.log(p / (1.0 - p)) + self.intercept
        return 1.0 / (1.0 + math.exp(-odds))


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes of all answers on one trait.

    Attributes:
        values: 0..1, one an answer.
        shares: what each counts, for example less where only a part of the text was read.
    """

    values: Sequence[float]
    shares: Sequence[float]

    def posterior(self) -> tuple[float, float]:
        """The two parameters of the Beta posterior."""
        values, shares = np.asarray(self.values), np.asarray(self.shares)
        return 1.0 + float(values @ shares), 1.0 + float((1.0 - values) @ shares)


def trait_score(votes: Votes, correction: Correction, *, trusted: bool = True) -> TraitScore:
    """Score one trait.

    Args:
        votes: at least one.
        correction: to a probability.
        trusted: False abstains whatever the votes say (a straight-lined questionnaire).
    """
    from scipy.stats import beta

    s, f = votes.posterior()
    low, high = float(beta.ppf(INTERVAL[0], s, f)), float(beta.ppf(INTERVAL[1], s, f))
    ends = sorted((correction.apply(_inside(low)), correction.apply(_inside(high))))
    p = correction.apply(s / (s + f))
    label: Label = "abstain"
    if trusted and not ends[0] < 0.5 <= ends[1]:
        label = "high" if p >= 0.5 else "low"
    return TraitScore(p, ends[0], ends[1], label)


def fit_corrections(
    p: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    labels: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    traits: Sequence[str],
) -> Mapping[str, Correction]:
    """Fit Platt scaling per trait on labelled texts (Platt 1999), lightly regularised.

    Args:
        p: ``(n, n_traits)`` uncorrected scores, NaN where unscored.
        labels: ``(n, n_traits)`` 1 high, 0 low, NaN unknown.
        traits: keys of the columns; one without both labels is left out.
    """
    from sklearn.linear_model import LogisticRegression

    found = {}
    for t, trait in enumerate(traits):
        known = ~np.isnan(p[:, t]) & ~np.isnan(labels[:, t])
        y = labels[known, t]
        if len(set(y.tolist())) < 2:
            continue
        odds = np.log(p[known, t] / (1 - p[known, t]))[:, None]
        model = LogisticRegression(C=1.0).fit(odds, y)
        found[trait] = Correction(float(model.coef_[0, 0]), float(model.intercept_[0]))
    return found


def _inside(p: float) -> float:
    return min(max(p, 1e-6), 1 - 1e-6)
