"""Fit the rule that goes from units to speakers, on texts that nothing else was fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from persona_lab.detectors.reader.rule import Rule, evidence, judge, level_of, together
from persona_lab.detectors.reader.scale import AXES, RATINGS
from persona_lab.encoding.segment import Segmenter
from persona_lab.training.encoder_network import Ids
from persona_lab.training.reader.labels import Rated, levels
from persona_lab.training.reader.lessons import units_of
from persona_lab.training.reader.network import Floats

Read = Floats
"""The chances of each rating for the units of one text, ``(n, 8, 5)``."""

NOTHING = 1.0 / 3.0 + 1e-3
"""Mean ratings up to this far from 0 count as nothing shown."""

POLE = 1.0
"""Mean ratings this far from 0 count as a pole."""

CLEAR = 1.5
"""Mean ratings this far from 0 are clear."""

_FALSE_LABELS = 0.03
"""Share of the texts showing nothing that may get a label."""

_SHYEST, _BOLDEST = 0.9, 0.35
"""Levels between which labels begin."""

_COVERED = 0.9
_SMALLEST = 30
"""With fewer cases of a pole, an axis takes what all axes together say."""


def read_with(
    predict: Callable[[Sequence[Ids]], Floats], texts: Sequence[Rated], segmenter: Segmenter
) -> list[Read]:
    """Read rated texts unit by unit.

    Args:
        predict: probabilities ``(n, 8, 5)`` of units.
        texts: rated.
        segmenter: of the encoder.
    """
    units, counts = units_of([(one.text, one.kind) for one in texts], segmenter)
    found = predict(units) if units else np.zeros((0, len(AXES), len(RATINGS)), np.float32)
    ends = np.cumsum(counts)
    return [found[end - count : end] for end, count in zip(ends, counts, strict=True)]


def summed(reads: Sequence[Read], rule: Rule) -> Floats:
    """Evidence of each text, ``(n, 8)``."""
    return np.stack([together(evidence(read), rule) for read in reads])


def fit_rule(texts: Sequence[Rated], reads: Sequence[Read]) -> Rule:
    """Fit all numbers of the rule.

    Scales and exponent minimise the squared distance of level and mean rating; the odds
    maximise the likelihood of the pole where readers saw one; the doubt is such that 90 %
    intervals hold 90 % of the mean ratings; labels begin where 3 % of the texts that show
    nothing would get one.

    Args:
        texts: held out from training.
        reads: of each.
    """
    wanted = levels(texts)
    counts = np.array([len(read) for read in reads], np.float64)
    sums = np.stack([evidence(read).sum(axis=0) for read in reads])
    rule = _pooling(sums, counts, wanted)
    rule = replace(rule, noise=_noise(reads))
    found = summed(reads, rule)
    rule = replace(rule, odds=_odds(found, wanted))
    rule = _doubt(reads, rule, wanted)
    return _limits(found, rule, wanted)


def _pooling(sums: Floats, counts: NDArray[np.float64], wanted: Floats) -> Rule:
    rule = Rule.plain()
    known = ~np.isnan(wanted)
    target = np.nan_to_num(wanted)

    def loss(numbers: NDArray[np.float64]) -> float:
        scale, dilution = np.exp(numbers[:-1]), 1.0 / (1.0 + np.exp(-numbers[-1]))
        level = 2.0 * np.tanh(scale * sums / counts[:, None] ** dilution)
        return float(np.square(level - target)[known].mean())

    start = np.zeros(len(AXES) + 1)
    best = minimize(loss, start, method="Powell", options={"maxiter": 4000}).x
    return replace(
        rule,
        scale=np.exp(best[:-1]).astype(np.float32),
        dilution=float(1.0 / (1.0 + np.exp(-best[-1]))),
    )


def _noise(reads: Sequence[Read]) -> Floats:
    """Spread of the evidence of units within texts of several."""
    several = [evidence(read) for read in reads if len(read) > 1]
    if not several:
        return Rule.plain().noise
    squares = np.sum([np.square(e - e.mean(axis=0)).sum(axis=0) for e in several], axis=0)
    return np.asarray(np.sqrt(squares / sum(len(e) - 1 for e in several)), np.float32)


def _odds(found: Floats, wanted: Floats) -> Floats:
    """Logistic regression through the origin, where a pole was seen."""

    def slope(e: Floats, sign: Floats) -> float:
        def loss(log_slope: NDArray[np.float64]) -> float:
            return float(np.logaddexp(0.0, -np.exp(log_slope[0]) * e * sign).mean())

        return float(np.exp(minimize(loss, np.zeros(1), method="Powell").x.item()))

    pole = np.abs(np.nan_to_num(wanted)) >= POLE
    common = slope(found[pole], np.sign(wanted[pole]))
    return np.array(
        [
            slope(found[rows, axis], np.sign(wanted[rows, axis]))
            if (rows := pole[:, axis]).sum() >= _SMALLEST
            else common
            for axis in range(len(AXES))
        ],
        np.float32,
    )


def _doubt(reads: Sequence[Read], rule: Rule, wanted: Floats) -> Rule:
    """The least doubt whose intervals hold enough of the mean ratings."""
    steps = np.linspace(0.02, 1.0, 50, dtype=np.float32)
    held = np.zeros((len(steps), len(AXES)))
    known = ~np.isnan(wanted)
    for i, step in enumerate(steps):
        tried = replace(rule, doubt=np.full(len(AXES), step, np.float32))
        verdicts = [judge(read, tried) for read in reads]
        low, high = (
            np.stack([getattr(v, name) for v in verdicts]) for name in ("level_low", "level_high")
        )
        inside = (low <= wanted) & (wanted <= high) & known
        held[i] = inside.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    enough = held >= _COVERED
    first = np.where(enough.any(axis=0), enough.argmax(axis=0), len(steps) - 1)
    return replace(rule, doubt=steps[first])


def _limits(found: Floats, rule: Rule, wanted: Floats) -> Rule:
    """Where labels begin, the same distance from 0 on either side."""
    level = np.abs(level_of(found))
    nothing = np.abs(np.where(np.isnan(wanted), np.inf, wanted)) <= NOTHING
    limit = np.array(
        [
            np.quantile(level[rows, axis], 1.0 - _FALSE_LABELS)
            if (rows := nothing[:, axis]).sum() >= _SMALLEST
            else _SHYEST
            for axis in range(len(AXES))
        ]
    )
    limit = np.clip(limit, _BOLDEST, _SHYEST).astype(np.float32)
    return replace(rule, high=limit, low=-limit)
