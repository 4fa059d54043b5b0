"""The multitrait-multimethod matrix as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import (
    need,
    need_values,
    number,
    shortened,
    trait_label,
)
from persona_lab.reports.plots.theme import (
    BLACK,
    FAINT,
    GREY,
    MISSING_HATCH,
    axes_or_new,
    diverging,
    themed,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Measure = tuple[str, str]

_NEEDED: Final = ("trait_1", "method_1", "trait_2", "method_2", "r")
_MOST_NUMBERS: Final = 24
_CHARACTER: Final = 4.5
"""Points a character of a tick label takes."""


@themed
def mtmm(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Correlations of traits measured by several methods (Campbell & Fiske 1959).

    Framed cells are the validity diagonals: one trait by two methods. They should be high,
    and higher than the other cells of their row and column. Thick lines part the methods;
    hatched cells could not be computed.

    Args:
        frame: one row a pair of measures, in either order, such as from ``mtmm_frame``. Needs
            the columns ``trait_1``, ``method_1``, ``trait_2``, ``method_2`` and ``r`` (-1..1,
            missing where it could not be computed). Methods and traits are drawn in order of
            first occurrence.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw, or a pair occurs twice.
    """
    import seaborn

    need(frame, _NEEDED, "mtmm")
    need_values(frame, "r", "mtmm")
    measures = _measures(frame)
    table = _matrix(frame, measures)
    size = len(measures)
    side = 1.9 + 0.38 * size
    ax = axes_or_new(ax, side + 0.9, side)
    wide = size <= _MOST_NUMBERS
    hidden = [[j >= i or table.isna().iat[i, j] for j in range(size)] for i in range(size)]
    seaborn.heatmap(
        table,
        ax=ax,
        vmin=-1.0,
        vmax=1.0,
        cmap=diverging(),
        mask=_masked(table, hidden),
        annot=_texts(table) if wide else None,
        fmt="",
        annot_kws={"size": 7},
        square=True,
        linewidths=0.5,
        linecolor="white",
        cbar_kws={"label": "correlation", "shrink": 0.6},
    )
    ax.grid(False)
    ax.set(xlabel="", ylabel="")
    _cells(ax, table, measures)
    _names(ax, measures)
    return ax


def _measures(frame: pd.DataFrame) -> list[Measure]:
    pairs = [
        (str(trait), str(method))
        for number in ("1", "2")
        for trait, method in zip(frame[f"trait_{number}"], frame[f"method_{number}"], strict=True)
    ]
    methods = list(dict.fromkeys(method for _, method in pairs))
    traits = list(dict.fromkeys(trait for trait, _ in pairs))
    return sorted(set(pairs), key=lambda m: (methods.index(m[1]), traits.index(m[0])))


def _matrix(frame: pd.DataFrame, measures: Sequence[Measure]) -> pd.DataFrame:
    import pandas

    size = range(len(measures))
    table = pandas.DataFrame(float("nan"), index=size, columns=size)
    seen = set()
    for t1, m1, t2, m2, r in frame[list(_NEEDED)].itertuples(index=False):
        i, j = sorted((measures.index((t1, m1)), measures.index((t2, m2))), reverse=True)
        if (i, j) in seen:
            raise InputError(
                f"plots.mtmm has the pair {t1} by {m1} and {t2} by {m2} more than once"
            )
        seen.add((i, j))
        value = number(r)
        if value is not None:
            table.iat[i, j] = value
    return table


def _masked(table: pd.DataFrame, hidden: Sequence[Sequence[bool]]) -> pd.DataFrame:
    import pandas

    return pandas.DataFrame(hidden, index=table.index, columns=table.columns)


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    return table.map(_told)


def _told(r: float) -> str:
    if r != r:
        return ""
    # what rounds to 0 has no sign
    text = f"{round(r, 2) + 0.0:.2f}"
    return text.replace("0.", ".", 1).replace("-", "\u2212")


def _cells(ax: Axes, table: pd.DataFrame, measures: Sequence[Measure]) -> None:
    """Frames of the validity diagonals, hatches of missing cells, lines between methods."""
    from matplotlib.patches import Rectangle

    for i, (trait, method) in enumerate(measures):
        for j, (other, by) in enumerate(measures[: i + 1]):
            if i == j:
                ax.add_patch(Rectangle((j, i), 1, 1, facecolor="#EFEFEF", edgecolor="white"))
            elif table.isna().iat[i, j]:
                ax.add_patch(
                    Rectangle(
                        (j, i),
                        1,
                        1,
                        facecolor="white",
                        edgecolor=FAINT,
                        hatch=MISSING_HATCH,
                        linewidth=0,
                        gid="missing",
                    )
                )
            if trait == other and method != by:
                ax.add_patch(
                    Rectangle(
                        (j + 0.04, i + 0.04),
                        0.92,
                        0.92,
                        fill=False,
                        edgecolor=BLACK,
                        linewidth=1.8,
                        gid="validity",
                        zorder=5,
                    )
                )
    for start in _starts(measures)[1:]:
        ax.plot([0, start], [start, start], color=GREY, linewidth=1.2, linestyle="-", marker="")
        ax.plot(
            [start, start],
            [start, len(measures)],
            color=GREY,
            linewidth=1.2,
            linestyle="-",
            marker="",
        )


def _starts(measures: Sequence[Measure]) -> list[int]:
    """Where each method begins."""
    return [i for i, m in enumerate(measures) if i == 0 or measures[i - 1][1] != m[1]]


def _names(ax: Axes, measures: Sequence[Measure]) -> None:
    """Traits at the cells, methods beyond them."""
    size = len(measures)
    traits = [trait_label(trait) for trait, _ in measures]
    middle = [i + 0.5 for i in range(size)]
    ax.set_xticks(middle, traits, rotation=90)
    ax.set_yticks(middle, traits, rotation=0)
    ax.tick_params(length=0)
    away = 14 + _CHARACTER * max(map(len, traits))
    starts = _starts(measures)
    for a, b in zip(starts, [*starts[1:], size], strict=True):
        name = shortened(measures[a][1], max(8, 5 * (b - a)))
        at = (a + b) / 2
        ax.annotate(
            name,
            (0, at),
            xycoords=("axes fraction", "data"),
            xytext=(-away, 0),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="center",
            weight="bold",
            size=8.5,
            annotation_clip=False,
        )
        ax.annotate(
            name,
            (at, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -away),
            textcoords="offset points",
            ha="center",
            va="center",
            weight="bold",
            size=8.5,
            annotation_clip=False,
        )
