"""What sets groups apart: words and effect sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import (
    column,
    need,
    need_values,
    series_of,
    shortened,
    trait_label,
)
from persona_lab.reports.plots.intervals import ROW_HEIGHT, Point, draw_rows
from persona_lab.reports.plots.theme import (
    BLACK,
    BLUE,
    FAINT,
    GREY,
    HATCHES,
    VERMILLION,
    axes_or_new,
    pale,
    remark,
    themed,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MARKED: Final = 1.96
"""A word whose z-score is beyond this is marked."""


@themed
def marker_words(
    frame: pd.DataFrame,
    *,
    most: int = 12,
    names: tuple[str, str] = ("one", "other"),
    ax: Axes | None = None,
) -> Axes:
    """Words that one side uses more, and words that the other does.

    The length of a bar is the log-odds ratio, the number at it the z-score. A pale bar is not
    marked: its z-score is within 1.96, which chance alone often gives.

    Args:
        frame: one row a word, such as from ``marker_frame``. Needs the columns ``word``,
            ``log_odds`` and ``z``, both positive for words of the first side; rows without a
            z-score are left out.
        most: words on each side, those with the strongest z-scores.
        names: of the first and the second side.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw.
    """
    need(frame, ["word", "log_odds", "z"], "marker_words")
    need_values(frame, "z", "marker_words")
    known = frame[frame["z"].notna() & frame["log_odds"].notna()]
    known = known.sort_values("z", ascending=False, kind="stable")
    ours, theirs = known[known["z"] > 0].head(most), known[known["z"] < 0].tail(most)
    rows = [*ours.itertuples(), *theirs.itertuples()]
    if not rows:
        raise InputError("plots.marker_words has nothing to draw: all z-scores are 0")
    ax = axes_or_new(ax, 5.6, 1.1 + 0.21 * len(rows))
    for i, row in enumerate(rows):
        y, first = len(rows) - 1 - i, row.z > 0
        marked = abs(row.z) > MARKED
        colour = BLUE if first else VERMILLION
        ax.barh(
            y,
            row.log_odds,
            height=0.72,
            color=colour if marked else pale(colour),
            hatch=None if first else HATCHES[1],
            linewidth=0.0,
        )
        ax.annotate(
            _signed(row.z),
            (row.log_odds, y),
            xytext=(3 if first else -3, 0),
            textcoords="offset points",
            ha="left" if first else "right",
            va="center",
            size=7,
            color=BLACK if marked else GREY,
        )
    ax.set_yticks(range(len(rows)), [shortened(row.word, 20) for row in reversed(rows)])
    ax.axvline(0, color=BLACK, linewidth=0.9, linestyle="-", marker="")
    reach = 1.2 * max(abs(row.log_odds) for row in rows)
    ax.set_xlim(-reach if len(theirs) else -0.02 * reach, reach if len(ours) else 0.02 * reach)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    sides = [f"\u2190 {shortened(names[1])}"] * bool(len(theirs)) + [
        "log-odds ratio (z at the bar)"
    ]
    sides += [f"{shortened(names[0])} \u2192"] * bool(len(ours))
    ax.set_xlabel("    ".join(sides))
    if any(abs(row.z) <= MARKED for row in rows):
        remark(ax, f"pale: |z| \u2264 {MARKED}")
    return ax


@themed
def effect_sizes(
    frame: pd.DataFrame,
    *,
    value: str = "effect",
    by: str | None = None,
    negligible: float | None = None,
    label: str = "effect size",
    ax: Axes | None = None,
) -> Axes:
    """A forest plot: differences with their intervals, and the line of no difference.

    A filled mark has an interval that excludes 0, a hollow one has not.

    Args:
        frame: one row a difference, such as from ``estimate_frame``. Needs the columns
            ``name``, the one named by ``value``, and ``by``; uses ``low`` and ``high`` where
            they are there. A missing value is drawn as "unscored".
        value: column with differences, 0 for none.
        by: column that tells series apart, at most seven.
        negligible: differences up to this are shaded as too small to matter.
        label: of the axis.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw, or a name occurs twice in a series.
    """
    need(frame, ["name", value, *([by] if by else [])], "effect_sizes")
    need_values(frame, value, "effect_sizes")
    series = series_of(frame, by, "effect_sizes")
    for name, part in series:
        if part["name"].duplicated().any():
            twice = part["name"][part["name"].duplicated()].iloc[0]
            raise InputError(
                f"plots.effect_sizes has {twice!r} more than once"
                + (f" in {name!r}" if name else "; give by=")
            )
    rows = [str(name) for name in dict.fromkeys(frame["name"])]
    height = 0.9 + len(rows) * max(ROW_HEIGHT - 0.06, 0.19 * len(series))
    ax = axes_or_new(ax, 5.6, height + (0.25 if by else 0.0))
    points = {shortened(name): _points(part, value) for name, part in series}
    place = draw_rows(ax, rows, points, missing_at=0.0)
    if negligible:
        ax.axvspan(
            -negligible, negligible, color=FAINT, alpha=0.6, linewidth=0, zorder=0, gid="negligible"
        )
    ax.axvline(0, color=BLACK, linewidth=0.9, linestyle="-", marker="", zorder=1)
    ax.set_yticks([place[row] for row in rows], [trait_label(row) for row in rows])
    ax.set_xlabel(label)
    if by:
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, ncols=4)
    return ax


def _points(part: pd.DataFrame, value: str) -> list[Point]:
    columns = (column(part, value), column(part, "low"), column(part, "high"))
    return [
        Point(str(name), middle, low, high, low is None or high is None or low > 0 or high < 0)
        for name, middle, low, high in zip(part["name"], *columns, strict=True)
    ]


def _signed(z: float) -> str:
    return f"{z:+.1f}".replace("-", "\u2212")
