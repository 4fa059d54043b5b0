"""Profiles of people and bots: one or a few in detail, or many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import (
    column,
    need,
    need_values,
    number,
    series_of,
    shortened,
    trait_label,
)
from persona_lab.reports.plots.intervals import ROW_HEIGHT, Point, draw_rows
from persona_lab.reports.plots.theme import (
    BLACK,
    FAINT,
    GREY,
    MISSING_HATCH,
    axes_or_new,
    diverging,
    themed,
)
from persona_lab.traits import MBTI, Target

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Wanted = Target | Mapping[str, float] | str | None
"""A target: ``"E+ N-"``, values from 0 to 1 by trait, or none."""

_PLACES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@themed
def profile(
    frame: pd.DataFrame,
    *,
    value: str = "p_high",
    trait: str = "trait",
    by: str | None = None,
    target: Wanted = None,
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A dot and its interval for every trait.

    A filled dot has a label; a hollow one is unsure (``label`` is ``abstain``). The upright
    line in a row is the threshold between the labels, a star the target.

    Args:
        frame: one row a trait (and series), such as from ``score_frame`` or
            ``interview_frame``. Needs the columns named by ``trait``, ``value`` and ``by``;
            uses ``low``, ``high``, ``label`` and ``threshold`` where they are there. A
            missing value is drawn as "unscored".
        value: column with numbers from 0, the low pole, to 1, the high pole.
        trait: column with traits or domains; in order of first occurrence.
        by: column that tells series apart (speakers, bots, protocols), at most seven.
        target: what was asked for.
        label: of the axis; left out, what ``value`` stands for.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw, a trait occurs twice in a series, or there are
            too many series.
    """
    need(frame, [trait, value, *([by] if by else [])], "profile")
    need_values(frame, value, "profile")
    frame = frame[frame[trait].notna()]
    series = series_of(frame, by, "profile")
    once_each(series, trait, "profile")
    rows = list(dict.fromkeys(frame[trait]))
    height = 0.95 + len(rows) * max(ROW_HEIGHT, 0.19 * len(series))
    ax = axes_or_new(ax, 6.0, height + (0.25 if by else 0.0))
    points = {shortened(name): _points(part, trait, value) for name, part in series}
    place = draw_rows(ax, rows, points, missing_at=0.5)
    _thresholds(ax, frame, trait, place)
    _target_marks(ax, wanted_values(target), place)
    ax.set_yticks([place[row] for row in rows], [trait_label(row) for row in rows])
    ax.set_xlim(-0.02, 1.02)
    ax.set_xticks(_PLACES, ["0", ".25", ".5", ".75", "1"])
    ax.set_xlabel(label or _value_label(value, rows))
    _legend_above(ax)
    return ax


@themed
def heatmap(
    frame: pd.DataFrame,
    *,
    value: str = "p_high",
    index: str | Sequence[str] = "speaker",
    trait: str = "trait",
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Speakers by traits: colour and number are the probability, blue low, vermillion high.

    A number in brackets is unsure (``label`` is ``abstain``); a hatched cell is unscored.

    Args:
        frame: one row a speaker and trait, such as from ``score_frame``. Needs the columns
            named by ``index``, ``trait`` and ``value``; uses ``label`` where it is there.
        value: column with numbers from 0 to 1.
        index: column, or columns, that name a row of the map.
        trait: column with traits.
        label: of the colours; left out, what ``value`` stands for.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw, or two rows fall on one cell.
    """
    import seaborn

    names = [index] if isinstance(index, str) else list(index)
    need(frame, [*names, trait, value], "heatmap")
    need_values(frame, value, "heatmap")
    table, texts = _grid(frame, names, trait, value)
    ax = axes_or_new(ax, 2.6 + 0.75 * len(table.columns), 1.2 + 0.26 * len(table))
    seaborn.heatmap(
        table,
        ax=ax,
        vmin=0.0,
        vmax=1.0,
        cmap=diverging(),
        annot=texts,
        fmt="",
        annot_kws={"size": 7.5},
        linewidths=0.6,
        linecolor="white",
        mask=table.isna(),
        cbar_kws={
            "label": label or _value_label(value, ()),
            "shrink": min(1.0, 8 / len(table) + 0.2),
        },
    )
    ax.grid(False)
    ax.patch.set(facecolor="white", hatch=MISSING_HATCH, edgecolor=FAINT)
    notes = []
    if texts.map(lambda text: text.startswith("(")).to_numpy().any():
        notes.append("in brackets: unsure")
    if table.isna().to_numpy().any():
        notes.append("hatched: unscored")
    ax.set_xlabel("; ".join(notes), color=GREY, size=7.5)
    ax.set_ylabel("")
    ax.set_xticks(
        ax.get_xticks(),
        [trait_label(t) for t in table.columns],
        rotation=30,
        ha="right",
        rotation_mode="anchor",
    )
    ax.set_yticks(ax.get_yticks(), [shortened(name) for name in table.index], rotation=0)
    ax.tick_params(length=0)
    return ax


def once_each(series: Sequence[tuple[str, pd.DataFrame]], trait: str, plot: str) -> None:
    """Check that no series has two rows for a trait.

    Args:
        series: name and rows.
        trait: column with traits.
        plot: name of the function, for the error.

    Raises:
        InputError: one has.
    """
    for name, part in series:
        twice = part[trait][part[trait].duplicated()]
        if len(twice):
            where = f" of {name!r}" if name else ""
            raise InputError(
                f"plots.{plot} has {twice.iloc[0]!r}{where} more than once; choose one speaker, "
                "or give by='speaker'"
            )


def _points(part: pd.DataFrame, trait: str, value: str) -> list[Point]:
    labels = list(part["label"]) if "label" in part.columns else ["high"] * len(part)
    columns = (part[trait], column(part, value), column(part, "low"), column(part, "high"))
    return [
        Point(str(row), middle, low, high, _is_sure(label))
        for row, middle, low, high, label in zip(*columns, labels, strict=True)
    ]


def _is_sure(label: Any) -> bool:
    import pandas

    return bool(pandas.isna(label) or label != "abstain")


def _thresholds(ax: Axes, frame: pd.DataFrame, trait: str, place: Mapping[str, float]) -> None:
    if "threshold" not in frame.columns:
        return
    pairs = dict.fromkeys(zip(frame[trait], column(frame, "threshold"), strict=True))
    for row, threshold in pairs:
        if threshold is not None:
            y = place[row]
            ax.plot(
                [threshold] * 2,
                [y - 0.4, y + 0.4],
                color=BLACK,
                linewidth=1.0,
                linestyle="-",
                marker="",
                gid="threshold",
                zorder=1,
            )


def _target_marks(ax: Axes, wanted: Mapping[str, float], place: Mapping[str, float]) -> None:
    mine = {row: wanted[row] for row in place if row in wanted}
    if mine:
        ax.plot(
            list(mine.values()),
            [place[row] for row in mine],
            linestyle="",
            marker="*",
            markersize=11,
            markerfacecolor="white",
            markeredgecolor=BLACK,
            label="target",
            gid="target",
            clip_on=False,
            zorder=3,
        )


def wanted_values(target: Wanted) -> Mapping[str, float]:
    """Wanted values by trait; empty without a target.

    Raises:
        TargetError: a text cannot be read as a target.
    """
    if target is None:
        return {}
    if isinstance(target, str):
        target = Target.parse(target)
    return target.values if isinstance(target, Target) else target


def _value_label(value: str, rows: Sequence[str]) -> str:
    if value != "p_high":
        return f"{value.replace('_', ' ')} (0 low pole, 1 high pole)"
    if rows and all(row in MBTI.keys for row in rows):
        return "probability of the letter on the right"
    return "probability of the high pole"


def _legend_above(ax: Axes) -> None:
    handles, names = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles,
            names,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderaxespad=0.2,
            ncols=min(len(names), 4),
            columnspacing=1.4,
            handlelength=1.8,
        )


def _grid(
    frame: pd.DataFrame, names: Sequence[str], trait: str, value: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and texts of the cells, rows and columns in order of first occurrence."""
    import pandas

    who = frame[list(names)].astype("string").fillna("?").agg(" \u00b7 ".join, axis=1)
    rows, traits = list(dict.fromkeys(who)), list(dict.fromkeys(frame[trait].dropna()))
    table = pandas.DataFrame(float("nan"), index=rows, columns=traits)
    texts = pandas.DataFrame("", index=rows, columns=traits)
    labels = frame["label"] if "label" in frame.columns else [""] * len(frame)
    seen = set()
    for row, key, given, label in zip(who, frame[trait], frame[value], labels, strict=True):
        if (row, key) in seen:
            raise InputError(
                f"plots.heatmap has two values for {row!r} and {key!r}; name rows by more "
                "columns, such as index=['id', 'speaker'], or choose one framework"
            )
        seen.add((row, key))
        found = number(given)
        if found is not None:
            table.loc[row, key] = found
            text = f"{found:.2f}".removeprefix("0")
            texts.loc[row, key] = text if _is_sure(label) else f"({text})"
    return table, texts
