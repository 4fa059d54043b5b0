"""A map of many profiles: who is like whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import need, need_values, series_of, shortened, trait_label
from persona_lab.reports.plots.naming import boxes, write_names
from persona_lab.reports.plots.theme import GREY, MARKERS, PALETTE, axes_or_new, remark, themed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_MOST_LABELS: Final = 30
_ARROW_REACH: Final = 0.85
_MANY: Final = 150
_ROOM: Final = 0.14
_ARROW: Final = "#333333"
_WHITE: Final = {"facecolor": "white", "edgecolor": "none", "pad": 0.3}


@dataclass(frozen=True, slots=True)
class Components:
    """The first two principal components.

    Attributes:
        scores: ``(n, 2)`` places of the profiles.
        loadings: ``(n_traits, 2)`` correlation of each trait with each component.
        explained: ``(2,)`` share of the variance.
    """

    scores: Floats
    loadings: Floats
    explained: Floats


@themed
def trait_space(
    frame: pd.DataFrame,
    *,
    value: str = "p_high",
    index: str | Sequence[str] = "speaker",
    trait: str = "trait",
    by: str | None = None,
    labels: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Many profiles on a plane: neighbours are alike, arrows show where a trait is higher.

    The plane holds the first two principal components of the standardised traits; the axes
    tell how much of all variance they show. An arrow points to high scores of its trait, and
    is the longer the more of the trait the plane shows. What lies apart here is apart; what
    lies together can differ in the variance that is not shown.

    Args:
        frame: one row a speaker and trait, such as from ``score_frame``. Needs the columns
            named by ``index``, ``trait``, ``value`` and ``by``. Profiles that lack a trait
            are left out, and their number is told.
        value: column with numbers.
        index: column, or columns, that tell profiles apart.
        trait: column with traits, at least two.
        by: column that gives profiles a colour, at most seven values.
        labels: write the names; left out, if there are at most 30 profiles.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: fewer than three complete profiles, fewer than two traits that vary, or
            two rows of one profile and trait.
    """
    names = [index] if isinstance(index, str) else list(index)
    need(frame, [*names, trait, value, *([by] if by else [])], "trait_space")
    need_values(frame, value, "trait_space")
    table, groups = _table(frame, names, trait, value, by)
    whole = table.dropna()
    varying = [key for key in whole.columns if whole[key].nunique() > 1]
    if len(whole) < 3 or len(varying) < 2:
        raise InputError(
            "plots.trait_space needs three complete profiles and two traits that vary; there "
            f"are {len(whole)} complete profiles and {len(varying)} such traits"
        )
    found = principal_components(whole[varying].to_numpy(float))
    ax = axes_or_new(ax, 6.2, 5.4)
    _dots(ax, found.scores, [groups[name] for name in whole.index], by)
    ends = _arrows(ax, found)
    told = len(whole) <= _MOST_LABELS if labels is None else labels
    _write(ax, ends, varying, found.scores, list(map(shortened, whole.index)) if told else None)
    left_out = len(table) - len(whole)
    if left_out:
        remark(ax, f"{left_out} of {len(table)} not placed: a trait is unscored")
    for n, name in ((0, "x"), (1, "y")):
        ax.set(**{f"{name}label": f"component {n + 1} ({found.explained[n]:.0%} of variance)"})
    return ax


def principal_components(values: Floats) -> Components:
    """The first two principal components of standardised columns.

    Signs are chosen so that the trait that loads most on a component loads positively.

    Args:
        values: ``(n, n_traits)``, all columns vary.
    """
    centred = (values - values.mean(axis=0)) / values.std(axis=0)
    left, size, right = np.linalg.svd(centred, full_matrices=False)
    left, right = left[:, :2], right[:2]
    sign = np.sign(right[np.arange(2), np.abs(right).argmax(axis=1)])
    return Components(
        scores=left * size[:2] * sign,
        loadings=(right * size[:2, None] * sign[:, None]).T / np.sqrt(len(values)),
        explained=np.square(size)[:2] / np.square(size).sum(),
    )


def _table(
    frame: pd.DataFrame, names: Sequence[str], trait: str, value: str, by: str | None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Profiles by traits, and the group of each."""
    who = frame[list(names)].astype("string").fillna("?").agg(" \u00b7 ".join, axis=1)
    rows = frame.assign(_who=who)[frame[trait].notna()]
    if rows.duplicated(["_who", trait]).any():
        raise InputError(
            "plots.trait_space has two values of one trait for a profile; tell profiles apart "
            "by more columns, such as index=['id', 'speaker']"
        )
    table = rows.pivot(index="_who", columns=trait, values=value)
    order, traits = list(dict.fromkeys(rows["_who"])), list(dict.fromkeys(rows[trait]))
    groups = {w: "" if by is None else str(g) for w, g in zip(who, frame[by or trait], strict=True)}
    return table.loc[order, traits].astype(float), groups


def _dots(ax: Axes, scores: Floats, groups: Sequence[str], by: str | None) -> None:
    import pandas

    parts = series_of(pandas.DataFrame({"group": groups}), "group", "trait_space")
    for i, (name, part) in enumerate(parts):
        at = part.index.to_numpy()
        ax.plot(
            scores[at, 0],
            scores[at, 1],
            linestyle="",
            marker=MARKERS[i],
            color=PALETTE[i],
            markeredgecolor="white",
            markeredgewidth=0.6,
            markersize=6.5 if len(groups) <= _MANY else 4.0,
            alpha=1.0 if len(groups) <= _MANY else 0.6,
            gid="value",
            label=shortened(name) if by else None,
            zorder=3,
        )
    ax.axhline(0, color=GREY, linewidth=0.6, linestyle="-", marker="", zorder=0)
    ax.axvline(0, color=GREY, linewidth=0.6, linestyle="-", marker="", zorder=0)
    if by:
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, ncols=4)


def _arrows(ax: Axes, found: Components) -> list[tuple[float, float]]:
    """Loadings, all made longer by the same factor so that they reach the outer points.

    Returns:
        Where they end.
    """
    reach = np.linalg.norm(found.scores, axis=1).max()
    stretch = _ARROW_REACH * reach / np.linalg.norm(found.loadings, axis=1).max()
    ends = found.loadings * stretch
    look = {"arrowstyle": "-|>", "color": _ARROW, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    for x, y in ends:
        ax.annotate("", (x, y), (0, 0), gid="loading", arrowprops=look, zorder=2)
    points = np.vstack([found.scores, ends])
    low, high = points.min(axis=0), points.max(axis=0)
    room = _ROOM * (high - low)
    ax.set_xlim(low[0] - room[0], high[0] + room[0])
    ax.set_ylim(low[1] - room[1], high[1] + room[1])
    return [(float(x), float(y)) for x, y in ends]


def _write(
    ax: Axes,
    ends: Sequence[tuple[float, float]],
    traits: Sequence[str],
    scores: Floats,
    names: Sequence[str] | None,
) -> None:
    """Names of arrows and, where wanted, of profiles."""
    places = [(float(x), float(y)) for x, y in scores]
    shafts = [(x * share, y * share) for x, y in ends for share in np.linspace(0.1, 1.0, 25)]
    taken = boxes(ax, places if names is not None else (), 4.5) + boxes(ax, shafts, 1.5)
    labels = [trait_label(trait) for trait in traits]
    write_names(
        ax,
        ends,
        labels,
        taken,
        outwards=True,
        gid="loading-name",
        size=8,
        weight="bold",
        color=_ARROW,
        bbox={**_WHITE, "alpha": 0.75},
        zorder=5,
    )
    if names is not None:
        # behind the points, so that no name hides one
        look: dict[str, Any] = {
            "gid": "name",
            "size": 7.5,
            "bbox": {**_WHITE, "alpha": 0.6},
            "zorder": 2.5,
        }
        write_names(ax, places, names, taken, **look)
