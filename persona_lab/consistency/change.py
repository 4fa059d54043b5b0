"""Did a character change? Bayes factors on what each turn shows.

For each trait there are two kinds of story. No change: the character is of the high pole, of
the low pole, or shows nothing of the trait, all through; or begins or ceases to show it; or has
a passing moment of the other pole. A change: one pole up to some turn, the other from there on.
How well a story fits is the product, over turns, of how often such a character's turn shows
what this one shows (:mod:`persona_lab.detectors.reader.signs`). So silence speaks for nothing,
and a change needs signs on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.signs import Numbers, Signs

MARGIN = 2
"""Turns that must lie on each side of a change."""

_MOMENT = 3
"""The longest passing moment, in turns."""

_NO_SIGN = 0.7
"""Probability that a character does not show a given trait."""

_UNSTEADY = 0.15
"""Weight of a passing moment, and of beginning or ceasing to show a trait."""


@dataclass(frozen=True, slots=True)
class Places:
    """Log Bayes factors of a change against none.

    Attributes:
        by_trait: ``(..., n_traits)``.
        by_place: ``(..., n_places, n_traits)`` joint with the place, up to a constant of the
            trait; the first place is the turn number :data:`MARGIN`.
        rises: ``(..., n_places, n_traits)`` is a change from low to high the better story?
    """

    by_trait: Numbers
    by_place: Numbers
    rises: np.ndarray

    def together(self) -> Numbers:
        """That any trait changes, ``(...)``; each is as likely to be the one."""
        return _log_mean(self.by_trait, axis=-1)


def weigh(
    evidence: NDArray[np.floating[Any]], signs: Signs, weights: Numbers | None = None
) -> Places:
    """Weigh a change at each place against no change.

    Args:
        evidence: ``(n, n_traits)`` of a speaker's turns, at least twice :data:`MARGIN`.
        signs: how often turns show what.
        weights: ``(m, n)`` how much each turn counts, for ``m`` draws of a bootstrap; the
            result has them in front.
    """
    each = np.stack(signs.log_likelihoods(np.asarray(evidence, float)))
    if weights is not None:
        each = each[:, None] * weights[None, :, :, None]
    zero = np.zeros_like(each[..., :1, :])
    high, low, none = np.concatenate([zero, np.cumsum(each, axis=-2)], axis=-2)
    steady = [
        np.log((1.0 - _NO_SIGN) / 2.0) + high[..., -1, :],
        np.log((1.0 - _NO_SIGN) / 2.0) + low[..., -1, :],
        np.log(_NO_SIGN) + none[..., -1, :],
    ]
    partly = [
        _turning(before, after)
        for before, after in ((high, none), (low, none), (none, high), (none, low))
    ]
    moments = [
        moment
        for usual, other in ((high, low), (low, high), (none, high), (none, low))
        for moment in _moments(usual, other)
    ]
    no_change = np.logaddexp.reduce(
        [
            *steady,
            np.log(_UNSTEADY) + _log_mean(np.concatenate(partly, axis=-2), axis=-2),
            np.log(_UNSTEADY) + _log_mean(np.concatenate(moments, axis=-2), axis=-2),
        ]
    )
    falls, rises = _turning(high, low), _turning(low, high)
    change = np.logaddexp(falls, rises) - np.log(2.0)
    by_place = change - no_change[..., None, :]
    return Places(_log_mean(by_place, axis=-2), by_place, rises > falls)


def _turning(before: Numbers, after: Numbers) -> Numbers:
    """One story up to each place, another from there: ``(..., n_places, n_traits)``."""
    # one more sum than turns: the last place leaves MARGIN turns behind it
    places = slice(MARGIN, before.shape[-2] - MARGIN)
    return np.asarray(before[..., places, :] + after[..., -1:, :] - after[..., places, :])


def _moments(usual: Numbers, other: Numbers) -> Iterator[Numbers]:
    """One story but for some turns in a row, by how many and by where."""
    for width in range(1, _MOMENT + 1):
        # as many turns at an end are no moment but a change
        inner = slice(1, -1) if width == _MOMENT else slice(None)
        own = usual[..., width:, :] - usual[..., :-width, :]
        seen = other[..., width:, :] - other[..., :-width, :]
        yield usual[..., -1:, :] + (seen - own)[..., inner, :]


def _log_mean(x: Numbers, axis: int) -> Numbers:
    return np.asarray(np.logaddexp.reduce(x, axis=axis) - np.log(x.shape[axis]))
