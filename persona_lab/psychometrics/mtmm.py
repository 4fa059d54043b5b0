"""The multitrait-multimethod matrix of Campbell & Fiske (1959).

Several traits, each measured by several methods (questionnaire, interview, detector) on
the same people or bots. Measures of one trait should agree across methods (convergent
validity), more than with other traits (discriminant validity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from persona_lab.errors import InputError
from persona_lab.psychometrics.agreement import wilson
from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    column,
    constant,
    normal_quantile,
    paired,
    scored,
    unscored,
)

Kind = Literal["convergent", "heterotrait_monomethod", "heterotrait_heteromethod"]
KINDS: tuple[Kind, ...] = ("convergent", "heterotrait_monomethod", "heterotrait_heteromethod")
Measure = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One correlation of the matrix.

    Attributes:
        first: trait and method.
        second: trait and method.
        kind: ``convergent`` (one trait, two methods), ``heterotrait_monomethod`` or
            ``heterotrait_heteromethod``.
        r: Pearson correlation with Fisher's z interval.
    """

    first: Measure
    second: Measure
    kind: Kind
    r: Estimate

    @property
    def pair(self) -> dict[str, str]:
        """What is correlated, as columns of a row: traits, methods and kind."""
        return {
            "trait_1": self.first[0],
            "method_1": self.first[1],
            "trait_2": self.second[0],
            "method_2": self.second[1],
            "kind": self.kind,
        }


@dataclass(frozen=True, slots=True)
class MultitraitMultimethod:
    """The matrix and what it says.

    Attributes:
        cells: every pair of measures.
        means: mean correlation of each kind. Its interval is as wide as that of one
            correlation, because all rest on the same people.
        heteromethod: share of comparisons in which a convergent correlation is above the
            heterotrait-heteromethod ones of its row and column (Campbell & Fiske's second
            criterion), with Wilson's interval.
        monomethod: the same against heterotrait-monomethod correlations (third criterion).
    """

    cells: tuple[Cell, ...]
    means: Mapping[Kind, Estimate]
    heteromethod: Estimate
    monomethod: Estimate


def correlation(first: Any, second: Any, *, confidence: float = CONFIDENCE) -> Estimate:
    """Pearson correlation with Fisher's z interval.

    Args:
        first: ``(n,)`` scores.
        second: ``(n,)`` scores; pairs with a missing one are left out.
        confidence: of the interval.
    """
    a, b = paired(first, second, "two scores of each unit")
    if len(a) < 3:
        return unscored("too_few" if len(a) else "no_data", len(a))
    if constant(a) or constant(b):
        return unscored("no_variance", len(a))
    value = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
    return _with_interval(value, len(a), confidence)


def multitrait_multimethod(
    measures: Mapping[Measure, Any], *, confidence: float = CONFIDENCE
) -> MultitraitMultimethod:
    """Build and sum up the matrix.

    Args:
        measures: ``(trait, method)`` to ``(n,)`` scores, all of the same units in the same
            order, None where one is missing.
        confidence: of all intervals.

    Raises:
        InputError: the lists differ in length.
    """
    scores = {name: column(x, f"{name[0]} by {name[1]}") for name, x in measures.items()}
    if len({len(x) for x in scores.values()}) > 1:
        raise InputError("all measures need a score (or None) for the same units")
    cells = tuple(
        Cell(a, b, _kind(a, b), correlation(scores[a], scores[b], confidence=confidence))
        for a, b in combinations(scores, 2)
    )
    means: dict[Kind, Estimate] = {
        kind: _mean([c.r for c in cells if c.kind == kind], confidence) for kind in KINDS
    }
    return MultitraitMultimethod(
        cells,
        means,
        _wins(cells, "heterotrait_heteromethod", confidence),
        _wins(cells, "heterotrait_monomethod", confidence),
    )


def _kind(a: Measure, b: Measure) -> Kind:
    if a[0] == b[0]:
        return "convergent"
    return "heterotrait_monomethod" if a[1] == b[1] else "heterotrait_heteromethod"


def _with_interval(r: float, n: int, confidence: float) -> Estimate:
    if n < 4:
        return scored(r, float("nan"), float("nan"), n)
    # a correlation of 1 has no finite z; the largest number below it has
    z = float(np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15)))
    reach = normal_quantile(confidence) / float(np.sqrt(n - 3))
    return scored(r, float(np.tanh(z - reach)), float(np.tanh(z + reach)), n)


def _mean(correlations: list[Estimate], confidence: float) -> Estimate:
    known = [(r.estimate, r.n) for r in correlations if r.estimate is not None]
    if not known:
        return unscored("no_data")
    mean = float(np.mean([r for r, _ in known]))
    return _with_interval(mean, min(n for _, n in known), confidence)


def _wins(cells: tuple[Cell, ...], kind: Kind, confidence: float) -> Estimate:
    """How often convergent correlations exceed those of a kind that share a measure."""
    won = [
        valid.r.estimate > other.r.estimate
        for valid in cells
        if valid.kind == "convergent" and valid.r.estimate is not None
        for other in cells
        if other.kind == kind
        and other.r.estimate is not None
        and {other.first, other.second} & {valid.first, valid.second}
    ]
    return wilson(sum(won), len(won), confidence=confidence)
