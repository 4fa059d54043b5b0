"""Tables of scores by factor: which score belongs to which level, and what that determines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.errors import InputError
from persona_lab.psychometrics.estimate import Floats

Codes = NDArray[np.intp]
"""Number of the level of each score, from 0."""

Levels = Sequence[Any] | NDArray[Any]
"""Level of each score, as the caller names it."""

CROSS = ":"
"""Joins the factors of an interaction: ``persona:wording``."""


def effect_codes(
    factors: Mapping[str, Levels], interactions: Sequence[str], known: NDArray[np.bool_]
) -> dict[str, Codes]:
    """Level numbers of each effect, for the scores that are known.

    Args:
        factors: level of each score, by factor.
        interactions: factors joined with :data:`CROSS`.
        known: ``(n,)`` which scores to keep.

    Raises:
        InputError: lists of unequal length, or an interaction of unknown factors.
    """
    single: dict[str, Codes] = {}
    for name, levels in factors.items():
        if len(levels) != len(known):
            raise InputError(f"factor {name!r} has {len(levels)} levels for {len(known)} scores")
        kept = [str(level) for level, keep in zip(levels, known, strict=True) if keep]
        single[name] = np.unique(kept, return_inverse=True)[1] if kept else np.empty(0, np.intp)
    crossed = {}
    for name in interactions:
        parts = name.split(CROSS)
        unknown = [part for part in parts if part not in single]
        if unknown or len(parts) < 2:
            raise InputError(
                f"the interaction {name!r} must join factors with {CROSS!r}; the factors are: "
                f"{', '.join(single)}"
            )
        stacked = np.stack([single[part] for part in parts], axis=1)
        crossed[name] = np.unique(stacked, axis=0, return_inverse=True)[1].reshape(-1)
    return single | crossed


def effect_problems(codes: Mapping[str, Codes], n: int) -> dict[str, str | None]:
    """Why an effect cannot be estimated (a code of an unscored estimate), by effect."""
    problems: dict[str, str | None] = {}
    for name, own in codes.items():
        levels = int(own.max()) + 1
        if levels == 1:
            problems[name] = "one_level"
        elif levels == n or any(_same(own, codes[o]) for o in codes if o != name):
            problems[name] = "confounded"
        else:
            problems[name] = None
    return problems


def _same(first: Codes, second: Codes) -> bool:
    """Do two effects group the scores alike?"""
    pairs = len(np.unique(np.stack([first, second]), axis=1).T)
    return pairs == int(first.max()) + 1 == int(second.max()) + 1


class Design:
    """Which score belongs to which level of which effect, and the components that follow.

    The estimates are Henderson's (1953) method 1: the expected uncorrected sums of squares
    of all effects, linear in the components, are set equal to those observed.
    """

    def __init__(self, effects: Sequence[Codes], n: int) -> None:
        """Work out the expected sums of squares.

        Args:
            effects: level of each score ``(n,)``, an array an effect.
            n: number of scores.
        """
        self._effects = effects
        self._n = n
        self._sizes = [np.bincount(codes).astype(float) for codes in effects]
        self._expected = self._coefficients()

    @property
    def determined(self) -> bool:
        """Do the sums of squares tell all components apart?"""
        scaled = self._expected / self._n
        return int(np.linalg.matrix_rank(scaled, tol=1e-9)) == len(scaled)

    def _coefficients(self) -> Floats:
        """Expected sums of squares: rows mean, effects, scores; columns mean^2, components."""
        n = self._n
        own = [
            [self._coefficient(row, column_) for column_ in range(len(self._effects))] + [len(size)]
            for row, size in enumerate(self._sizes)
        ]
        first = [float((size**2).sum() / n) for size in self._sizes]
        rows = [[n, *first, 1.0], *([float(n), *row] for row in own)]
        return np.array([*rows, [n] * (len(self._effects) + 2)], dtype=float)

    def _coefficient(self, row: int, column_: int) -> float:
        """Of the component ``column_`` in the sum of squares of ``row``."""
        width = len(self._sizes[column_])
        cells, counts = np.unique(
            self._effects[row] * width + self._effects[column_], return_counts=True
        )
        return float((counts**2 / self._sizes[row][cells // width]).sum())

    def solve(self, y: Floats) -> Floats:
        """Components of the effects and the residual; they may be below 0."""
        # the mean adds to all sums alike; without it small differences keep their digits
        y = y - y.mean()
        squares = [float(y.sum() ** 2 / self._n)]
        for codes, size in zip(self._effects, self._sizes, strict=True):
            squares.append(float((np.bincount(codes, y) ** 2 / size).sum()))
        squares.append(float(y @ y))
        solution = np.linalg.lstsq(self._expected, np.array(squares), rcond=None)[0]
        return np.asarray(solution[1:])

    def simulate(self, variances: Floats, n_boot: int, seed: int) -> Floats:
        """``(draws, components)`` of tables with normal effects of these variances, 0 or more."""
        rng = np.random.default_rng(seed)
        sd = np.sqrt(variances)
        draws = np.empty((n_boot, len(variances)))
        for draw in draws:
            y = rng.normal(0, sd[-1], self._n)
            for codes, size, scale in zip(self._effects, self._sizes, sd[:-1], strict=True):
                y += rng.normal(0, scale, len(size))[codes]
            draw[:] = self.solve(y)
        return np.maximum(draws, 0)
