"""How steady is a speaker?

With a detector of what is shown: how far the signs of each trait agree on one pole, over all
turns. With one of self-report: the spread of the traits over windows of turns, against chance.
A spread means nothing by itself, short windows spread a lot; so it is compared with the spread
of windows cut from turns at random, of all speakers mixed, or of a lone speaker's turns in
random order. The index is the share of such shuffles that spread at least as much: 1 is as
steady as can be, 0.5 is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from persona_lab.consistency.parts import NotScored, Numbers, Score, too_little
from persona_lab.consistency.shown import SIGN, little_shown
from persona_lab.consistency.turns import Turns
from persona_lab.consistency.turntraits import ShownTraits
from persona_lab.detectors.trained import sigmoid

WINDOW = 5
"""Turns of the speaker in a window, unless asked otherwise; short dialogues get less."""

_SHUFFLES = 200
_RESAMPLES = 200
_DIRECTIONS = 24
"""Random directions in which the spread of vectors is measured: it keeps memory flat."""

_CELLS = 4_000_000
"""Numbers held at once while shuffling."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some neighbouring turns of a speaker.

    Attributes:
        first: index in the dialogue of the first turn.
        last: of the last turn.
        traits: probability of the high pole by trait, 0..1.
    """

    first: int
    last: int
    traits: dict[str, float]


@dataclass(frozen=True, slots=True)
class Stability:
    """How steady a speaker is.

    Attributes:
        score: with a detector of what is shown, how far signs agree, 0 (as many of each
            pole) to 1 (all of one pole), traits by how much is shown of them; with one of
            self-report, share of shuffles that spread at least as much as the speaker.
        chance: what was shuffled: ``speakers`` (all turns) or ``order`` (own turns); None
            where nothing was.
        spread: by trait, standard deviation of the windows' log-odds.
        icc: by trait, ICC(1) of windows within speakers (Shrout & Fleiss 1979), -1..1;
            None where nobody else has windows to compare with.
        windows: in order, each one turn further.
    """

    score: Score
    chance: str | None
    spread: dict[str, float]
    icc: dict[str, float] | None
    windows: tuple[Window, ...]


def width(n_turns: int, wanted: int) -> int:
    """Turns in a window: as wanted, but at most a third of all, and at least two."""
    return max(2, min(wanted, n_turns // 3))


def stability(
    turns: Turns, speaker: str, *, window: int = WINDOW, seed: int = 0
) -> Stability | NotScored:
    """Measure how steady one speaker is.

    Args:
        turns: the dialogue.
        speaker: who.
        window: turns in a window, see :func:`width`.
        seed: of shuffles and bootstrap.

    Returns:
        The stability, or the reason where the speaker says too little.
    """
    own = turns.of(speaker)
    missing = too_little(len(own), turns.n_words(own))
    if missing is not None:
        return missing
    size = width(len(own), window)
    keys = turns.framework.keys
    features, n_traits = _features(turns, turns.n_words(own))
    values = _windows(features[own][None], turns.words[own][None], size)[0]
    chance: str | None = None
    rng = np.random.default_rng(seed)
    if isinstance(turns.traits, ShownTraits):
        shown = turns.traits.each(keys)[own]
        missing = little_shown(shown)
        if missing is not None:
            return missing
        picks = rng.integers(len(own), size=(_RESAMPLES, len(own)))
        score = Score.of(float(agreement(shown)), agreement(shown[picks]))
    else:
        mixed = len(turns.spoken) - len(own) >= size
        chance = "speakers" if mixed else "order"
        chosen = turns.spoken if mixed else own
        shuffled = _shuffled(features, turns.words, chosen, len(own), size, n_traits, rng)
        score = _against_chance(values, shuffled, n_traits, rng)
    return Stability(
        score=score,
        chance=chance,
        spread=dict(zip(keys, values[:, :n_traits].std(axis=0).tolist(), strict=True)),
        icc=_icc_by_trait(turns, features, size, keys),
        windows=trajectory(turns, own, size),
    )


def agreement(evidence: Numbers) -> Numbers:
    """How far signs agree on one pole, ``(..., n, n_traits)`` to ``(...)``.

    The evidence of the stronger pole less that of the weaker, over all evidence; turns that
    show nothing of a trait do not count, and traits count by how much is shown of them. 1
    where nothing at all is shown.
    """
    signs = np.where(np.abs(evidence) >= SIGN, evidence, 0.0)
    whole = np.abs(signs).sum(axis=(-2, -1))
    net = np.abs(signs.sum(axis=-2)).sum(axis=-1)
    return np.asarray(np.where(whole > 0, net / np.where(whole > 0, whole, 1.0), 1.0))


def _against_chance(
    values: Numbers, shuffled: Numbers, n_traits: int, rng: np.random.Generator
) -> Score:
    """Share of shuffles that spread at least as much as windows do, with its interval."""
    seen = _spread(values[None], n_traits)[0]
    picks = rng.integers(len(values), size=(_RESAMPLES, len(values)))
    resampled = _spread(values[picks], n_traits)
    # resampling loses spread: one in n windows takes another's place
    resampled += seen - resampled.mean()
    index = (np.r_[seen, resampled][:, None] <= shuffled[None]).mean(axis=1)
    index = (index * _SHUFFLES + 0.5) / (_SHUFFLES + 1.0)
    return Score.of(index[0], index[1:])


def trajectory(turns: Turns, own: Sequence[int], size: int) -> tuple[Window, ...]:
    """Trait probabilities over windows of ``size`` turns."""
    found = []
    for start in range(max(len(own) - size, 0) + 1):
        places = list(own[start : start + size])
        p = np.asarray(sigmoid(turns.log_odds(places))).tolist()
        found.append(Window(places[0], places[-1], dict(zip(turns.framework.keys, p, strict=True))))
    return tuple(found)


def icc(groups: Sequence[Numbers]) -> float:
    """ICC(1), one-way random effects (Shrout & Fleiss 1979, equation for ICC(1,1)).

    Args:
        groups: ratings of each target; numbers of ratings may differ (then ``k`` is the
            usual weighted mean, Donner 1986).

    Returns:
        Share of variance between targets, at most 1; negative where targets differ less
        than chance. 0 where there is no variance at all.

    Raises:
        ValueError: fewer than two targets, or no target with two ratings.
    """
    sizes = np.array([len(group) for group in groups], float)
    total, n = sizes.sum(), len(groups)
    if n < 2 or total <= n:
        raise ValueError("ICC needs two targets, and one of them with two ratings")
    means = np.array([np.mean(group) for group in groups])
    grand = sizes @ means / total
    between = sizes @ np.square(means - grand) / (n - 1)
    within = sum(float(np.square(g - m).sum()) for g, m in zip(groups, means, strict=True))
    within /= total - n
    k = (total - np.square(sizes).sum() / total) / (n - 1)
    whole = between + (k - 1.0) * within
    return float((between - within) / whole) if whole > 0 else 0.0


def _features(turns: Turns, n_words: int) -> tuple[Numbers, int]:
    """Traits, then projected vectors: ``(n, n_traits + 24)``, and the number of traits."""
    z = turns.per_turn(n_words)
    directions = np.random.default_rng(0).standard_normal((turns.vectors.shape[1], _DIRECTIONS))
    return np.hstack([z, turns.vectors @ directions.astype(np.float32)]), z.shape[1]


def _windows(features: Numbers, words: Numbers, size: int) -> Numbers:
    """Means over windows weighted by words: ``(m, n, d)`` to ``(m, n - size + 1, d)``."""
    weight = np.pad(np.cumsum(words, axis=1, dtype=float), ((0, 0), (1, 0)))
    value = np.cumsum(features * words[..., None], axis=1, dtype=float)
    value = np.pad(value, ((0, 0), (1, 0), (0, 0)))
    total = weight[:, size:] - weight[:, :-size]
    return np.asarray((value[:, size:] - value[:, :-size]) / total[..., None], np.float64)


def _spread(values: Numbers, n_traits: int) -> Numbers:
    """One number for the spread of windows, ``(m, n_windows, d)`` to ``(m,)``.

    The mean log variance of the traits, plus the log variance of all directions together:
    ratios count, so that neither scale matters.
    """
    variance = values.var(axis=1) + 1e-9
    traits = np.log(variance[:, :n_traits]).mean(axis=1)
    return np.asarray(traits + np.log(variance[:, n_traits:].sum(axis=1)))


def _shuffled(
    features: Numbers,
    words: Numbers,
    pool: Sequence[int],
    n: int,
    size: int,
    n_traits: int,
    rng: np.random.Generator,
) -> Numbers:
    """Spread of ``n`` turns drawn from a pool without replacement: ``(n_shuffles,)``."""
    places = np.asarray(pool)
    block = max(1, _CELLS // (n * features.shape[1]))
    found = []
    for start in range(0, _SHUFFLES, block):
        m = min(block, _SHUFFLES - start)
        order = rng.permuted(np.tile(places, (m, 1)), axis=1)[:, :n]
        found.append(_spread(_windows(features[order], words[order], size), n_traits))
    return np.concatenate(found)


def _icc_by_trait(
    turns: Turns, features: Numbers, size: int, keys: tuple[str, ...]
) -> dict[str, float] | None:
    """ICC of windows that share no turn, speakers as targets."""
    groups = []
    for name in dict.fromkeys(turns.speakers):
        own = turns.of(name)
        if len(own) >= size:
            windows = _windows(features[own][None], turns.words[own][None], size)[0]
            groups.append(windows[::size])
    if len(groups) < 2 or all(len(group) < 2 for group in groups):
        return None
    return {key: icc([group[:, t] for group in groups]) for t, key in enumerate(keys)}
