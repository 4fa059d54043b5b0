"""How traits move over the turns of a dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from persona_lab.consistency.parts import LIKELY
from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import (
    column,
    need,
    need_values,
    numbers,
    series_of,
    shortened,
    trait_label,
    whole_numbers,
)
from persona_lab.reports.plots.intervals import draw_curve
from persona_lab.reports.plots.theme import BLACK, GREY, axes_or_new, themed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_QUOTE_WIDTH: Final = 104
_QUOTE_LINES: Final = 2
_LINE_POINTS: Final = 11.0


@themed
def trajectory(
    frame: pd.DataFrame,
    *,
    traits: str | Sequence[str] | None = None,
    quotes: Mapping[int, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One speaker's traits over the turns, with the change point and quoted turns.

    The likeliest change is an upright line before the first turn after it: solid from a
    probability of one half, else dotted. Numbers at the top are quoted turns, whose words
    stand below. Of several traits the intervals are left out, for they would cover each
    other.

    Args:
        frame: windows of one speaker, such as from ``turn_frame``. Needs the columns ``turn``
            (index in the dialogue, from 0), ``trait`` and ``p_high``; uses ``low``, ``high``,
            ``change_turn``, ``change_probability``, ``id`` and ``speaker`` where they are
            there. Missing values leave a gap.
        traits: one or some; all of the frame if left out.
        quotes: words by turn; long ones are cut.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw, there are several speakers, or too many traits.
    """
    need(frame, ["turn", "trait", "p_high"], "trajectory")
    frame = _chosen(frame, traits)
    need_values(frame, "p_high", "trajectory")
    series = series_of(frame[frame["turn"].notna()], "trait", "trajectory")
    quoted = dict(sorted((quotes or {}).items()))
    ax = axes_or_new(ax, 6.8, 3.0 + 0.3 * len(quoted))
    for i, (name, part) in enumerate(series):
        _line(ax, part.sort_values("turn"), i, trait_label(name), band=len(series) == 1)
    ax.set_ylim(0.0, 1.0)
    ax.set_ylabel("probability of the high pole")
    if len(series) == 1:
        ax.set_title(trait_label(series[0][0]), pad=12 if quoted else None)
    ax.set_xlabel("turn of the dialogue (middle of the window)")
    whole_numbers(ax.xaxis)
    _change(ax, frame)
    _quotes(ax, quoted)
    if len(series) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=2.6)
    return ax


def _chosen(frame: pd.DataFrame, traits: str | Sequence[str] | None) -> pd.DataFrame:
    for name in ("id", "speaker"):
        if name in frame.columns and frame[name].nunique() > 1:
            raise InputError(
                f"plots.trajectory draws one speaker, and the column {name!r} has "
                f"{frame[name].nunique()}; choose one"
            )
    if traits is None:
        return frame
    wanted = [traits] if isinstance(traits, str) else list(traits)
    missing = [t for t in wanted if t not in set(frame["trait"].dropna())]
    if missing:
        known = ", ".join(dict.fromkeys(frame["trait"].dropna()))
        raise InputError(f"plots.trajectory finds no trait {missing[0]!r}; there are: {known}")
    return frame[frame["trait"].isin(wanted)]


def _line(ax: Axes, part: pd.DataFrame, i: int, name: str, *, band: bool) -> None:
    ends = (numbers(part, "low"), numbers(part, "high")) if band else None
    draw_curve(ax, numbers(part, "turn"), numbers(part, "p_high"), i, name, ends=ends)
    if band:
        ax.axhline(0.5, color=GREY, linewidth=0.8, linestyle="-", marker="", zorder=1)


def _change(ax: Axes, frame: pd.DataFrame) -> None:
    if "change_turn" not in frame.columns:
        return
    turn, probability = (
        next((v for v in column(frame, name) if v is not None), None)
        for name in ("change_turn", "change_probability")
    )
    if turn is None:
        return
    likely = probability is None or probability >= LIKELY
    ax.axvline(
        turn - 0.5,
        color=BLACK,
        linewidth=1.3,
        linestyle="-" if likely else ":",
        marker="",
        gid="change",
        zorder=2,
    )
    shown = "" if probability is None else f"{probability:.2f}".replace("0.00", "< 0.01")
    how = f" (probability {shown})" if shown else ""
    told = f"change at turn {turn:.0f}{how}"
    if not likely:
        told = f"no clear change{how}; if any, at turn {turn:.0f}"
    left, right = ax.get_xlim()
    after = turn - 0.5 > (left + right) / 2
    ax.annotate(
        told,
        (turn - 0.5, 0.03),
        xycoords=("data", "axes fraction"),
        size=8,
        xytext=(-4 if after else 4, 0),
        textcoords="offset points",
        ha="right" if after else "left",
        va="bottom",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )


def _quotes(ax: Axes, quotes: Mapping[int, str]) -> None:
    down = 34.0
    for n, (turn, text) in enumerate(quotes.items(), 1):
        ax.axvline(
            turn,
            ymin=0.0,
            ymax=0.97,
            color=GREY,
            linewidth=0.7,
            linestyle="-",
            marker="",
            zorder=1,
            gid="quote",
        )
        ax.annotate(
            str(n),
            (turn, 1.0),
            xycoords=("data", "axes fraction"),
            size=7.5,
            ha="center",
            va="center",
            color="white",
            weight="bold",
            zorder=6,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": GREY, "edgecolor": "none"},
        )
        said = wrap(
            shortened(text, 10_000),
            _QUOTE_WIDTH,
            max_lines=_QUOTE_LINES,
            placeholder="\u2026",
        )
        lines = [f"{n}  turn {turn}: \u201c{said[0] if said else ''}", *said[1:]]
        lines[-1] += "\u201d"
        ax.annotate(
            "\n      ".join(lines),
            (0.0, 0.0),
            xycoords="axes fraction",
            size=7.5,
            xytext=(0, -down),
            textcoords="offset points",
            ha="left",
            va="top",
            annotation_clip=False,
        )
        down += _LINE_POINTS * len(lines) + 3
