"""Does the personality drift? One change point with its probability, slopes, early and late.

With a detector of what is shown, the change is sought in what each turn shows
(:mod:`~persona_lab.consistency.change`); with one of self-report, in the log-odds of all turns
(:mod:`~persona_lab.consistency.scan`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from persona_lab.consistency.change import MARGIN, weigh
from persona_lab.consistency.parts import LIKELY, Z90, NotScored, Numbers, Score, too_little
from persona_lab.consistency.scan import LONGEST, scan, variance_of
from persona_lab.consistency.shown import Phase, little_shown, phases
from persona_lab.consistency.turns import Turns
from persona_lab.consistency.turntraits import ShownTraits
from persona_lab.detectors.reader.signs import Signs
from persona_lab.detectors.trained import sigmoid

_DRAWS = 100
_CELLS = 400_000
"""Numbers held at once while drawing; a very long dialogue gets fewer draws."""

_FEWEST_DRAWS = 20


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a speaker most likely changed.

    Attributes:
        turn: index in the dialogue of the first turn after the change.
        probability: that there is a change at all, 0..1.
        shift: by trait, log-odds after minus before.
        before: what the turns before it show, where a change is likely and the detector
            tells what is shown; None otherwise.
        after: the same from it on.
    """

    turn: int
    probability: float
    shift: dict[str, float]
    before: Phase | None = None
    after: Phase | None = None

    @property
    def likely(self) -> bool:
        """Whether it is called a change."""
        return self.probability >= LIKELY

    @property
    def in_words(self) -> str | None:
        """``turns 1-6 outgoing (2, 4), from turn 7 withdrawn (8, 9)``, where that is known."""
        if self.before is None or self.after is None:
            return None
        before, after = self.before, self.after
        until = f"-{before.last}" if before.last > before.first else ""
        return (
            f"turn{'s' * bool(until)} {before.first}{until} {before.in_words}, "
            f"from turn {after.first} {after.in_words}"
        )


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
        The drift, or the reason where the speaker says or shows too little.
    """
    own = turns.of(speaker)
    missing = too_little(len(own), turns.n_words(own))
    if missing is not None:
        return missing
    keys = turns.framework.keys
    n_words = turns.n_words(own)
    z = turns.per_turn(n_words)[own]
    words = np.minimum(turns.words[own], LONGEST)
    variance = variance_of(z, words, turns.noise(n_words))
    if isinstance(turns.traits, ShownTraits):
        shown = turns.traits.each(keys)[own]
        missing = little_shown(shown)
        if missing is not None:
            return missing
        score, point = _change_shown(turns, own, shown, turns.traits.signs)
    else:
        found = scan(z, words, variance)
        odds, sd = found.log_odds()
        best = int(found.evidence.argmax())
        score = _score(odds, odds - Z90 * sd, odds + Z90 * sd)
        shift = dict(zip(keys, found.shift[best].tolist(), strict=True))
        point = ChangePoint(own[best + MARGIN], 1.0 - score.value, shift)
    third = max(len(own) // 3, 1)
    early, late = own[:third], own[-third:]
    return Drift(
        score=score,
        change_point=point,
        slopes=_slopes(z, words, variance, keys),
        early=_probabilities(turns, early),
        late=_probabilities(turns, late),
        style_distance=_distance(turns, early, late),
    )


def _change_shown(
    turns: Turns, own: list[int], shown: Numbers, signs: Signs
) -> tuple[Score, ChangePoint]:
    """The likeliest change in what the turns show.

    The interval is that of a weighted likelihood bootstrap over the turns (Newton & Raftery
    1994).
    """
    keys = turns.framework.keys
    places = weigh(shown, signs)
    m = int(np.clip(_CELLS // shown.size, _FEWEST_DRAWS, _DRAWS))
    weights = np.random.default_rng(0).exponential(size=(m, len(own)))
    weights /= weights.mean(axis=1, keepdims=True)
    drawn = weigh(shown, signs, weights).together()
    odds = signs.intercept + signs.slope * np.r_[places.together(), drawn]
    score = _score(float(odds[0]), *np.quantile(odds[1:], (0.05, 0.95)))
    best = int(np.logaddexp.reduce(places.by_place, axis=1).argmax())
    at = best + MARGIN
    shift = turns.log_odds(own[at:]) - turns.log_odds(own[:at])
    before: Phase | None = None
    after: Phase | None = None
    if score.value <= 1.0 - LIKELY:
        # the traits that would be called alone, or else the one that speaks most for it
        least = min(-signs.intercept / signs.slope, float(places.by_trait.max()))
        rises = {
            key: bool(places.rises[best, t])
            for t, key in enumerate(keys)
            if places.by_trait[t] >= least
        }
        before, after = phases(own, shown, at, rises, keys)
    change = ChangePoint(
        own[at], 1.0 - score.value, dict(zip(keys, shift.tolist(), strict=True)), before, after
    )
    return score, change


def _score(odds: float, low: float, high: float) -> Score:
    """One minus a probability of change, from log-odds and the ends of their interval."""
    value, top, bottom = (1.0 - float(sigmoid(x)) for x in (odds, low, high))
    return Score(value, min(bottom, value), max(top, value))


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
