"""What abstaining buys, and how much text is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from persona_lab.reports.plots.checking import (
    column,
    need,
    need_values,
    numbers,
    series_of,
    shortened,
)
from persona_lab.reports.plots.intervals import draw_curve
from persona_lab.reports.plots.theme import GREY, LINES, MARKERS, PALETTE, axes_or_new, themed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COIN: Final = 0.5


@themed
def risk_coverage(frame: pd.DataFrame, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """How many labels are wrong if only the surest share of cases gets one?

    A detector that knows when it knows has a curve that rises to the right.

    Args:
        frame: points of curves, such as from ``risk_frame``. Needs the columns ``coverage``
            (0..1), ``risk`` (0..1) and ``by``; uses ``low`` and ``high`` where they are
            there. Points without a risk are left out.
        by: column that tells series apart, at most seven.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw.
    """
    need(frame, ["coverage", "risk", *([by] if by else [])], "risk_coverage")
    need_values(frame, "risk", "risk_coverage")
    ax = axes_or_new(ax, 5.6 if by else 4.6, 3.2)
    for i, (name, part) in enumerate(series_of(frame, by, "risk_coverage")):
        part = part[part["risk"].notna()].sort_values("coverage")
        x, y = numbers(part, "coverage"), numbers(part, "risk")
        ends = numbers(part, "low"), numbers(part, "high")
        draw_curve(ax, x, y, i, shortened(name), ends=ends)
    top = max(_COIN + 0.04, float(frame["risk"].max()) * 1.08)
    ax.axhline(_COIN, color=GREY, linewidth=0.8, linestyle="-", marker="", zorder=1)
    ax.annotate(
        "a coin",
        (0.0, _COIN),
        xycoords=("axes fraction", "data"),
        size=7.5,
        color=GREY,
        xytext=(3, -2),
        textcoords="offset points",
        va="top",
    )
    ax.set(xlim=(0, 1.04), ylim=(0, min(top, 1.0)))
    ax.set(xlabel="coverage: share that is labelled", ylabel="risk: share of wrong labels")
    _percent(ax, "xy")
    if by:
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=2.6)
    return ax


@themed
def length_curve(frame: pd.DataFrame, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """How much text is enough? Accuracy by length of the text.

    The hollow marks joined by a thin line are the majority baseline: what is above it has
    been read from the text.

    Args:
        frame: ranges of lengths, such as from ``length_frame``. Needs the columns
            ``words_low``, ``accuracy`` and ``by``; uses ``words_high`` (missing for no upper
            end), ``majority``, ``n`` (written below, of one series), ``low`` and ``high``
            where they are there. Ranges without an accuracy are left out.
        by: column that tells series apart, at most seven.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw.
    """
    need(frame, ["words_low", "accuracy", *([by] if by else [])], "length_curve")
    need_values(frame, "accuracy", "length_curve")
    frame = frame[frame["accuracy"].notna()]
    ranges = _ranges(frame)
    ax = axes_or_new(ax, 1.9 + 0.75 * len(ranges) + (1.2 if by else 0), 3.4)
    series = series_of(frame, by, "length_curve")
    for i, (name, part) in enumerate(series):
        _accuracies(ax, part.sort_values("words_low"), ranges, i, shortened(name))
    names = [_range_name(low, high) for low, high in ranges]
    if by is None and "n" in frame.columns:
        sizes = dict(zip(_keys(frame), column(frame, "n"), strict=True))
        names = [
            f"{name}\nn = {sizes[key]:,.0f}" if sizes[key] is not None else name
            for key, name in zip(ranges, names, strict=True)
        ]
    ax.set_xticks(range(len(ranges)), names)
    ax.set_xlim(-0.5, len(ranges) - 0.5)
    ax.set(xlabel="words of the text", ylabel="accuracy")
    _percent(ax, "y")
    handles, texts = ax.get_legend_handles_labels()
    if texts:
        ax.legend(handles, texts, loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=2.6)
    return ax


Range = tuple[float | None, float | None]


def _keys(frame: pd.DataFrame) -> list[Range]:
    return list(zip(column(frame, "words_low"), column(frame, "words_high"), strict=True))


def _ranges(frame: pd.DataFrame) -> list[Range]:
    return sorted(set(_keys(frame)), key=lambda pair: (pair[0] or 0.0, pair[1] or float("inf")))


def _range_name(low: float | None, high: float | None) -> str:
    start = f"{low or 0.0:,.0f}"
    return f"\u2265 {start}" if high is None else f"{start}\u2013{high:,.0f}"


def _accuracies(ax: Axes, part: pd.DataFrame, ranges: Sequence[Range], i: int, name: str) -> None:
    x = [ranges.index(key) for key in _keys(part)]
    colour, marker = PALETTE[i], MARKERS[i]
    for at, low, high in zip(x, column(part, "low"), column(part, "high"), strict=True):
        if low is not None and high is not None:
            ax.plot(
                [at, at],
                [low, high],
                color=colour,
                linestyle="-",
                marker="",
                linewidth=1.4,
                alpha=0.8,
                gid="interval",
            )
    ax.plot(
        x,
        numbers(part, "accuracy"),
        color=colour,
        marker=marker,
        linestyle=LINES[i],
        label=name or "detector",
        gid="value",
        zorder=4,
    )
    majority = numbers(part, "majority")
    if all(v != v for v in majority):
        return
    ax.plot(
        x,
        majority,
        color=colour,
        marker=marker,
        markerfacecolor="white",
        markersize=4.5,
        linestyle=":",
        linewidth=0.9,
        label=f"{name} majority".strip(),
        gid="majority",
    )


def _percent(ax: Axes, which: str) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    for name in which:
        axis = ax.xaxis if name == "x" else ax.yaxis
        # whole percents only: rounded ones would stand at unequal distances
        axis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], min_n_ticks=3))
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
