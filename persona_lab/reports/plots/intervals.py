"""What several plots draw alike: rows of points with intervals, and curves with bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from persona_lab.reports.plots.theme import FAINT, GREY, LINES, MARKERS, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_HEIGHT: Final = 0.36
"""Inches of a row with one series."""

_SHARE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one series.

    Attributes:
        row: name of its row.
        value: None where it is missing.
        low: lower end of the interval; None for none.
        high: upper end.
        sure: is it drawn filled?
    """

    row: str
    value: float | None
    low: float | None = None
    high: float | None = None
    sure: bool = True


def draw_rows(
    ax: Axes, rows: Sequence[str], series: Mapping[str, Sequence[Point]], missing_at: float
) -> dict[str, float]:
    """Draw series side by side in rows, from the top down.

    Args:
        ax: where.
        rows: their names, from the top.
        series: points by name.
        missing_at: place on the value axis of the word for a missing value.

    Returns:
        By row, its place on the vertical axis.
    """
    place = {name: float(len(rows) - 1 - i) for i, name in enumerate(rows)}
    step = _SHARE / len(series)
    for number, (name, points) in enumerate(series.items()):
        shift = (len(series) - 1) / 2 * step - number * step
        _one_series(ax, name, points, place, shift, number, missing_at)
    if len(series) > 1:
        for edge in range(1, len(rows)):
            ax.axhline(edge - 0.5, color=FAINT, linewidth=0.6, linestyle="-", marker="", zorder=0)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.set_yticks([place[name] for name in rows])
    return place


def _one_series(
    ax: Axes,
    name: str,
    points: Sequence[Point],
    place: Mapping[str, float],
    shift: float,
    number: int,
    missing_at: float,
) -> None:
    colour, marker = PALETTE[number], MARKERS[number]
    for point in points:
        y = place[point.row] + shift
        if point.value is None:
            ax.text(
                missing_at,
                y,
                "unscored",
                color=colour if name else GREY,
                style="italic",
                size=7.5,
                ha="center",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )
            continue
        if point.low is not None and point.high is not None:
            ax.plot(
                [point.low, point.high],
                [y, y],
                color=colour,
                linestyle="-",
                marker="",
                solid_capstyle="round",
                linewidth=2.2,
                alpha=0.75,
                gid="interval",
            )
        ax.plot(
            [point.value],
            [y],
            linestyle="",
            marker=marker,
            color=colour,
            gid="value",
            markerfacecolor=colour if point.sure else "white",
            markeredgewidth=1.5,
            markersize=6.5,
            zorder=4,
        )
    if name:
        ax.plot([], [], marker=marker, color=colour, linewidth=2.2, linestyle="-", label=name)


def draw_curve(
    ax: Axes,
    x: Sequence[float],
    y: Sequence[float],
    i: int,
    name: str,
    *,
    ends: tuple[Sequence[float], Sequence[float]] | None = None,
) -> None:
    """Draw one series as a line with marks, NaN as gaps, and its intervals as a band.

    Args:
        ax: where.
        x: places.
        y: values.
        i: number of the series, for its look.
        name: for the legend.
        ends: lower and upper ends of the intervals; without a band where all are NaN.
    """
    if ends is not None and any(low == low for low in ends[0]):
        ax.fill_between(x, *ends, color=PALETTE[i], alpha=0.18, linewidth=0, gid="band")
    ax.plot(
        x,
        y,
        color=PALETTE[i],
        marker=MARKERS[i],
        linestyle=LINES[i],
        markersize=4.5,
        label=name,
        gid="value",
    )
