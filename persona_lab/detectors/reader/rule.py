"""From units to the speaker: what several readings say together, and how sure that is.

The evidence of a unit is ``e = atanh(.975 l / 2)`` of its expected rating ``l``, so that what
is clear counts more than what leans, and units that show nothing add nothing. Several units
together say ``2 tanh(a sum(e) / n ** b) / .975`` for ``n`` units, with a scale ``a`` for each
axis and ``b`` about .4: a sum would call every long talker extreme, a mean would dilute one
clear sign by all the turns beside it; readers do something between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.scale import AXES, expected

Floats = NDArray[np.float32]

SHY = 0.975
"""Keeps the evidence finite: nothing is rated beyond 2."""

DILUTION = 0.4
"""The exponent ``b`` before it is fitted."""

_Z90 = 1.6449
"""Half-width of a 90 % normal interval in standard deviations."""

_MIXED = 0.45
"""Signs of the weaker pole that are this share of the stronger pole's are mixed evidence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The fitted numbers, ``(8,)`` each by axis, but for the exponent.

    Attributes:
        dilution: the exponent ``b``.
        scale: ``a``, evidence of several units.
        odds: log-odds of the high pole for each unit of evidence, fitted where readers saw
            a pole.
        noise: standard deviation of the evidence of one unit, given what it showed.
        doubt: standard deviation of the evidence of any speaker: model and raters.
        high: level from which a text is labelled high.
        low: level, below 0, from which it is labelled low.
    """

    dilution: float
    scale: Floats
    odds: Floats
    noise: Floats
    doubt: Floats
    high: Floats
    low: Floats

    @classmethod
    def plain(cls) -> Rule:
        """Before anything is fitted."""
        one = np.ones(len(AXES), np.float32)
        return cls(DILUTION, one, 3 * one, 0.2 * one, 0.3 * one, 0.6 * one, -0.6 * one)

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            field.name: np.round(np.asarray(getattr(self, field.name), np.float64), 5).tolist()
            for field in fields(self)
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Rule:
        """Read what :meth:`to_json` wrote."""
        arrays = {
            field.name: np.asarray(given[field.name], np.float32)
            for field in fields(cls)
            if field.name != "dilution"
        }
        return cls(dilution=float(given["dilution"]), **arrays)


def evidence(chances: Floats) -> Floats:
    """Evidence of ratings' chances ``(n, 8, 5)``: ``(n, 8)``, negative for the low pole."""
    return np.asarray(np.arctanh(SHY * expected(chances) / 2.0), np.float32)


def together(units: Floats, rule: Rule) -> Floats:
    """What units say together, still as evidence: ``(n, 8)`` to ``(8,)``."""
    return np.asarray(rule.scale * units.sum(axis=0) / len(units) ** rule.dilution, np.float32)


def level_of(summed: Floats) -> Floats:
    """The expected rating -2..2 of evidence, any shape."""
    return np.asarray(np.clip(np.tanh(summed) * 2.0 / SHY, -2.0, 2.0), np.float32)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a speaker shows, ``(8,)`` each by axis.

    Attributes:
        level: expected rating, -2..2.
        level_low: lower end of its 90 % interval.
        level_high: upper end.
        p_high: probability that readers would call it high rather than low.
        p_low_end: lower end of its 90 % interval.
        p_high_end: upper end.
        label: 1 high, -1 low, 0 none.
        mixed: are there signs of both poles that balance?
        shares: ``(n, 8)`` what each unit adds to the evidence.
    """

    level: Floats
    level_low: Floats
    level_high: Floats
    p_high: Floats
    p_low_end: Floats
    p_high_end: Floats
    label: NDArray[np.int64]
    mixed: NDArray[np.bool_]
    shares: Floats


def judge(chances: Floats, rule: Rule) -> Verdict:
    """Judge a speaker by the units read.

    Args:
        chances: ``(n, 8, 5)``, at least one unit.
        rule: fitted.
    """
    units = evidence(chances)
    shares = rule.scale * units / len(units) ** rule.dilution
    summed = shares.sum(axis=0)
    spread = rule.scale * rule.noise * len(units) ** (0.5 - rule.dilution)
    sd = np.sqrt(np.square(spread) + np.square(rule.doubt))
    ends = [summed - _Z90 * sd, summed + _Z90 * sd]
    level = level_of(summed)
    above, below = np.maximum(shares, 0.0).sum(axis=0), np.maximum(-shares, 0.0).sum(axis=0)
    weaker, stronger = np.minimum(above, below), np.maximum(above, below)
    strong = level_of(stronger) >= np.minimum(rule.high, -rule.low)
    mixed = strong & (weaker >= _MIXED * stronger)
    label = np.where(level >= rule.high, 1, np.where(level <= rule.low, -1, 0))
    low, middle, high = (_chance(rule.odds * value) for value in (ends[0], summed, ends[1]))
    return Verdict(
        level=level,
        level_low=level_of(ends[0]),
        level_high=level_of(ends[1]),
        p_high=middle,
        p_low_end=low,
        p_high_end=high,
        label=np.where(mixed, 0, label),
        mixed=mixed,
        shares=np.asarray(shares, np.float32),
    )


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)), np.float32)
