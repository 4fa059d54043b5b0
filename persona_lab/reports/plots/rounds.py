"""Profiles as closed lines around a centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import (
    column,
    need,
    need_values,
    series_of,
    shortened,
    trait_label,
)
from persona_lab.reports.plots.people import Wanted, once_each, wanted_values
from persona_lab.reports.plots.theme import (
    BLACK,
    FAINT,
    GREY,
    LINES,
    MARKERS,
    PALETTE,
    axes_or_new,
    themed,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_RINGS: Final = (0.25, 0.5, 0.75, 1.0)


@themed
def radar(
    frame: pd.DataFrame,
    *,
    target: Wanted = None,
    value: str = "p_high",
    trait: str = "trait",
    by: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Profiles as closed lines around a centre, against a target (dashed).

    Read the corners, not the areas: an area grows with the square of the values and depends
    on the order of the traits, so two profiles that differ by the same amounts can look quite
    unlike. Intervals have no room here. For anything that is to be decided draw
    :func:`profile`.

    Args:
        frame: as for :func:`profile`, with at least three traits. A series with a missing
            value is drawn as points that are not joined.
        target: what was asked for.
        value: column with numbers from 0 to 1.
        trait: column with traits or domains; clockwise from the top.
        by: column that tells series apart, at most seven.
        ax: polar axes to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw, fewer than three traits, a trait occurs twice in
            a series, or ``ax`` is not polar.
    """
    need(frame, [trait, value, *([by] if by else [])], "radar")
    need_values(frame, value, "radar")
    frame = frame[frame[trait].notna()]
    traits = list(dict.fromkeys(frame[trait]))
    if len(traits) < 3:
        raise InputError(
            f"plots.radar needs three traits, and there are {len(traits)}; draw plots.profile"
        )
    if ax is not None and ax.name != "polar":
        raise InputError(
            "plots.radar needs polar axes: subplots(subplot_kw={'projection': "
            "'polar'}), or leave out ax"
        )
    series = series_of(frame, by, "radar")
    once_each(series, trait, "radar")
    ax = axes_or_new(ax, 4.6, 4.4, polar=True)
    angles = _spokes(ax, traits)
    for i, (name, part) in enumerate(series):
        known = dict(zip(part[trait], column(part, value), strict=True))
        _round_line(ax, angles, [known.get(t) for t in traits], i, shortened(name))
    wanted = wanted_values(target)
    if wanted:
        _target_line(ax, angles, [wanted.get(t) for t in traits])
    if by or wanted:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=4)
    return ax


def _spokes(ax: Any, traits: Sequence[str]) -> list[float]:
    from math import pi

    angles = [2 * pi * i / len(traits) for i in range(len(traits))]
    ax.set_theta_zero_location("N")
    ax.set_theta_direction(-1)
    ax.set_ylim(0.0, 1.0)
    ax.set_rgrids(_RINGS, ["", ".5", "", "1"], angle=180 / len(traits), color=GREY, size=7)
    ax.set_thetagrids([a * 180 / pi for a in angles], [trait_label(t) for t in traits])
    for angle, text in zip(angles, ax.get_xticklabels(), strict=True):
        side = 0 if abs(angle % pi) < 0.01 else 1 if angle < pi else -1
        text.set_horizontalalignment({0: "center", 1: "left", -1: "right"}[side])
    ax.spines["polar"].set_color(FAINT)
    ax.tick_params(axis="x", pad=1)
    half = ax.yaxis.get_gridlines()[_RINGS.index(0.5)]
    half.set(color=GREY, linewidth=0.8)
    return angles


def _round_line(
    ax: Axes, angles: Sequence[float], values: Sequence[float | None], i: int, name: str
) -> None:
    look: dict[str, Any] = {"color": PALETTE[i], "marker": MARKERS[i], "gid": "value"}
    look["label"] = name or "measured"
    known = [(a, v) for a, v in zip(angles, values, strict=True) if v is not None]
    if len(known) < len(angles):
        # joining over a gap would draw a value that there is not
        ax.plot([a for a, _ in known], [v for _, v in known], linestyle="", **look)
        return
    closed = [*known, known[0]]
    ax.plot([a for a, _ in closed], [v for _, v in closed], linestyle=LINES[i], **look)
    ax.fill([a for a, _ in known], [v for _, v in known], color=PALETTE[i], alpha=0.08)


def _target_line(ax: Axes, angles: Sequence[float], values: Sequence[float | None]) -> None:
    known = [(a, v) for a, v in zip(angles, values, strict=True) if v is not None]
    closed = [*known, known[0]] if len(known) == len(angles) else known
    line = "--" if len(known) == len(angles) else ""
    ax.plot(
        [a for a, _ in closed],
        [v for _, v in closed],
        linestyle=line,
        color=BLACK,
        linewidth=1.2,
        marker="*",
        markersize=9,
        markerfacecolor="white",
        label="target",
        gid="target",
        clip_on=False,
    )
