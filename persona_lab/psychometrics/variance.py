"""Where the differences between scores come from: variance components by protocol factor.

Generalizability theory (Brennan 2001): scores vary with the persona, but also with the
wording of the prompt, the order of the options, the temperature, the repeat and the item.

All factors are taken as random, and components are estimated by Henderson's (1953) method 1:
the expected uncorrected sums of squares of all factors are set equal to those observed. On a
balanced table that is the analysis of variance; gaps and unequal cells are allowed. Limits: a
factor with few levels (two wordings) gives a component with a very wide interval; fixed
factors are treated as drawn at random; on very uneven tables REML would be more exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from persona_lab.errors import InputError
from persona_lab.psychometrics.design import CROSS, Design, Levels, effect_codes, effect_problems
from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    Floats,
    column,
    constant,
    percentiles,
    scored,
    unscored,
)

RESIDUAL = "residual"
"""Name of what no effect explains: repeats, and interactions that were not asked for."""


@dataclass(frozen=True, slots=True)
class Component:
    """How much one effect adds to the variance of a score.

    Attributes:
        effect: a factor, an interaction such as ``persona:wording``, or ``residual``.
        levels: how many levels or cells it has.
        variance: in squared units of the scores; an estimate below 0 counts as 0.
        raw: the same before that; None where it is not estimated.
        share: of the sum of all components, 0..1; unscored with the reason where the effect
            cannot be estimated.
    """

    effect: str
    levels: int
    variance: float
    raw: float | None
    share: Estimate


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """The components of one table of scores.

    Attributes:
        components: in the order asked for, the residual last; empty where the table as a
            whole is unscored.
        n: scores that were used.
        total: sum of all components.
        reason: why nothing could be estimated, else None.
        code: the same for programs.
        draws: ``(draws, components)`` components of simulated tables, for intervals.
    """

    components: tuple[Component, ...]
    n: int
    total: float | None
    reason: str | None = None
    code: str | None = None
    confidence: float = CONFIDENCE
    draws: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False, compare=False)

    def __getitem__(self, effect: str) -> Component:
        """The component of an effect.

        Raises:
            InputError: it was not asked for.
        """
        for component in self.components:
            if component.effect == effect:
                return component
        known = ", ".join(c.effect for c in self.components)
        raise InputError(f"there is no effect {effect!r}; there are: {known or 'none'}")


def variance_components(
    scores: Any,
    factors: Mapping[str, Levels],
    *,
    interactions: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    n_boot: int = 500,
    seed: int = 0,
) -> VarianceComponents:
    """Split the variance of scores by factor.

    Args:
        scores: ``(n,)``, one row a score; missing ones are left out.
        factors: level of each score ``(n,)``, by factor. Levels of a nested factor, such as
            the sittings of each persona, need names of their own.
        interactions: factors joined with ``:``, which are effects, too.
        confidence: of the intervals: a parametric bootstrap (normal effects of the estimated
            size), turned around on the logit of the share.
        n_boot: simulated tables.
        seed: of the simulation.

    Returns:
        A component an effect. An effect with one level, or one whose cells are those of
        another effect or hold one score each, is unscored, and its variance is part of
        the others.

    Raises:
        InputError: lists of unequal length, or an interaction of unknown factors.
    """
    y = column(scores, "one score a row")
    known = ~np.isnan(y)
    codes = effect_codes(factors, interactions, known)
    y = y[known]
    problem = "no_data" if not len(y) else "no_variance" if constant(y) else None
    if problem is not None:
        missing = unscored(problem, len(y))
        return VarianceComponents((), len(y), None, missing.reason, missing.code)
    problems = effect_problems(codes, len(y))
    kept = {name: c for name, c in codes.items() if problems[name] is None}
    design = Design(list(kept.values()), len(y))
    if not design.determined:
        missing = unscored("confounded", len(y))
        return VarianceComponents((), len(y), None, missing.reason, missing.code)
    raw = design.solve(y)
    variances = np.maximum(raw, 0)
    draws = design.simulate(variances, n_boot, seed)
    total, totals = float(variances.sum()), draws.sum(axis=1)
    found = {
        name: Component(
            name,
            int(kept[name].max()) + 1 if name in kept else len(y),
            float(variances[i]),
            float(raw[i]),
            _ratio(variances[i], total, draws[:, i], totals, confidence, len(y)),
        )
        for i, name in enumerate([*kept, RESIDUAL])
    }
    left_out = {
        name: Component(name, int(codes[name].max()) + 1, 0.0, None, unscored(code, len(y)))
        for name, code in problems.items()
        if code is not None
    }
    both = found | left_out
    components = tuple(both[name] for name in [*codes, RESIDUAL])
    return VarianceComponents(components, len(y), total, confidence=confidence, draws=draws)


def generalizability(
    result: VarianceComponents, of: str, averaged: Mapping[str, int], *, absolute: bool = True
) -> Estimate:
    """How well a mean over the other factors would tell the levels of one factor apart.

    Phi, ``v(of) / (v(of) + error)``, where each other component adds to the error, divided by
    how many levels of its factors the mean is taken over (Brennan 2001, eq. 2.40); without
    ``absolute`` only interactions with ``of`` and the residual count (the G coefficient).

    Args:
        result: components of a table of scores.
        of: the factor that is measured, such as ``persona``.
        averaged: levels of each other factor in the planned measurement, 1 if left out. The
            residual is divided by the product of all.
        absolute: does a shift common to all levels of ``of`` count as error?

    Returns:
        0..1.

    Raises:
        InputError: there is no such effect.
    """
    if result.code is not None:
        return unscored(result.code, result.n)
    measured = result[of]
    if measured.share.code is not None:
        return unscored(measured.share.code, result.n)
    parts = [c for c in result.components if c.raw is not None]
    weights = np.array([_weight(c.effect, of, averaged, absolute) for c in parts])
    below = float(weights @ [c.variance for c in parts])
    i = parts.index(measured)
    return _ratio(
        measured.variance,
        below,
        result.draws[:, i],
        result.draws @ weights,
        result.confidence,
        result.n,
    )


def _weight(effect: str, of: str, averaged: Mapping[str, int], absolute: bool) -> float:
    """Share of a component that is left in the variance of a mean."""
    if effect == of:
        return 1.0
    if effect == RESIDUAL:
        return 1.0 / float(np.prod(list(averaged.values())))
    parts = effect.split(CROSS)
    if not absolute and of not in parts:
        return 0.0
    return 1.0 / float(np.prod([averaged.get(part, 1) for part in parts if part != of]))


def _ratio(
    part: float, whole: float, parts: Floats, wholes: Floats, confidence: float, n: int
) -> Estimate:
    """A share with its interval from simulated shares, turned around on the logit."""
    if whole <= 0:
        return unscored("no_variance", n)
    value = part / whole
    drawn = np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes > 0)
    low, high = percentiles(drawn, confidence)
    if not 0 < value < 1:
        return scored(value, low, high, n)
    return scored(value, _turned(value, high), _turned(value, low), n)


def _turned(value: float, drawn: float) -> float:
    """The share that lies as far from ``value`` as ``drawn`` does, on the other side."""
    if drawn <= 0:
        return 1.0
    if drawn >= 1:
        return 0.0
    odds = (value / (1 - value)) ** 2 * (1 - drawn) / drawn
    return odds / (1 + odds)
