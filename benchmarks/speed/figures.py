"""Arithmetic of measurements."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Ways = Mapping[str, Callable[[], object]]
"""Ways to do the same work, by name."""


def alternate(
    names: Iterable[str], run: Callable[[str], float], repeats: int
) -> dict[str, list[float]]:
    """Measure all names once, then all again, ``repeats`` times.

    Args:
        names: in order.
        run: measures one and returns its figure.
        repeats: rounds.

    Returns:
        By name, one figure a round: figures of one round belong together.
    """
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        for name, figures in found.items():
            figures.append(run(name))
    return found


def alternate_ways(ways: Ways, repeats: int) -> dict[str, list[float]]:
    """Run every way once to warm up, then :func:`alternate` their seconds."""

    def seconds(name: str) -> float:
        start = time.perf_counter()
        ways[name]()
        return time.perf_counter() - start

    for run in ways.values():
        run()
    return alternate(ways, seconds, repeats)


def spread(figures: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest of some figures, as the tables show them.

    Raises:
        ValueError: there are none.
    """
    if not figures:
        raise ValueError("there are no figures to take a median of")
    return {"median": statistics.median(figures), "low": min(figures), "high": max(figures)}


def paired(over: Sequence[float], under: Sequence[float]) -> dict[str, float]:
    """:func:`spread` of the ratios of two contenders, round by round.

    Args:
        over: one figure a round.
        under: as many, of the same rounds.
    """
    return spread([a / b for a, b in zip(over, under, strict=True)])


def percentile(figures: Sequence[float], share: float) -> float:
    """The lowest figure that at least ``share`` (0..1) of all figures do not exceed.

    Raises:
        ValueError: there are none.
    """
    if not figures:
        raise ValueError("there are no figures to take a percentile of")
    return sorted(figures)[max(0, math.ceil(share * len(figures)) - 1)]


def slope(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """Slope of the least-squares line through the logarithms: 1 is linear, 2 quadratic.

    Args:
        sizes: at least two different ones, above 0.
        figures: one a size, above 0.
    """
    line = statistics.linear_regression(
        [math.log(x) for x in sizes], [math.log(y) for y in figures]
    )
    return line.slope


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds to probabilities."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float32)
