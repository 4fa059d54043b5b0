"""What every plot asks of its frame first, and small things that all plots share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from persona_lab.errors import FormatError, InputError
from persona_lab.reports.plots.theme import MOST_SERIES
from persona_lab.traits import FRAMEWORKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axis import Axis


def need(frame: pd.DataFrame, columns: Sequence[str], plot: str) -> None:
    """Check that a frame has rows and columns.

    Args:
        frame: to be drawn.
        columns: that it needs.
        plot: name of the function, for the error.

    Raises:
        FormatError: a column is missing; the error names it.
        InputError: there are no rows.
    """
    for name in columns:
        if name not in frame.columns:
            have = ", ".join(map(str, frame.columns)) or "none"
            raise FormatError(f"plots.{plot} needs a column {name!r}; the frame's columns: {have}")
    if not len(frame):
        raise InputError(f"plots.{plot} has nothing to draw: the frame has no rows")


def need_values(frame: pd.DataFrame, value: str, plot: str) -> None:
    """Check that at least one value is there to draw.

    Raises:
        InputError: all are missing; the error gives the first reason, where there is one.
    """
    if frame[value].notna().any():
        return
    reasons: Any = frame["reason"].dropna() if "reason" in frame.columns else ()
    why = f"; the first reason: {reasons.iloc[0]}" if len(reasons) else ""
    raise InputError(f"plots.{plot} has nothing to draw: no row has a number in {value!r}{why}")


def series_of(frame: pd.DataFrame, by: str | None, plot: str) -> list[tuple[str, pd.DataFrame]]:
    """Parts of a frame that get a colour each, in order of first occurrence.

    Args:
        frame: to be drawn.
        by: column that tells them apart; None for one part without a name.
        plot: name of the function, for the error.

    Raises:
        InputError: there are more than can be told apart.
    """
    if by is None:
        return [("", frame)]
    names = list(dict.fromkeys(frame[by].dropna()))
    if len(names) > MOST_SERIES:
        raise InputError(
            f"plots.{plot} tells at most {MOST_SERIES} series apart, and {by!r} has "
            f"{len(names)}; choose some, or draw plots.heatmap"
        )
    return [(str(name), frame[frame[by] == name]) for name in names]


def number(value: Any) -> float | None:
    """A float, or None for what is missing."""
    import pandas

    return None if value is None or pandas.isna(value) else float(value)


def column(frame: pd.DataFrame, name: str) -> list[float | None]:
    """Numbers of a column, None where one is missing, or the whole column is."""
    if name not in frame.columns:
        return [None] * len(frame)
    return [number(value) for value in frame[name]]


def numbers(frame: pd.DataFrame, name: str) -> list[float]:
    """Numbers of a column, NaN where one is missing, or the whole column is."""
    return [float("nan") if value is None else value for value in column(frame, name)]


def whole_numbers(axis: Axis) -> None:
    """No ticks at fractions of a turn or row."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins="auto", integer=True, steps=[1, 2, 5, 10]))


def shortened(text: Any, most: int = 28) -> str:
    """A name on one line that leaves room for the picture; no mathematics in it."""
    import pandas

    if text is None or pandas.isna(text):
        return "?"
    plain = " ".join(str(text).split())
    cut = plain if len(plain) <= most else plain[: most - 1].rstrip() + "\u2026"
    return cut.replace("$", r"\$")


def trait_label(key: Any) -> str:
    """A trait's name from the low to the high side: MBTI axes name both poles."""
    for trait in FRAMEWORKS["mbti"].traits:
        if trait.key == key:
            return f"{trait.low} \u2013 {trait.high}"
    return shortened(key)
