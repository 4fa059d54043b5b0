"""The pages about many rows: their figures as charts, put into templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from persona_lab.reports.bars import UNSURE, Column, Shares, columns, course, shares, strip
from persona_lab.reports.html import render
from persona_lab.reports.svg import Interval, Row, intervals
from persona_lab.reports.tallies import BINS

if TYPE_CHECKING:
    from markupsafe import Markup

Figures = Mapping[str, Any]

_LOW: Final = "var(--s2)"
_HIGH: Final = "var(--s1)"
_LABELS: Final = {"low": _LOW, "abstain": UNSURE, "high": _HIGH}
_COLOURS: Final = 8
_TICKS: Final = ((0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1"))
_WIDE: Final = (640, 170)
PART_TITLES: Final = {
    "stability": "steadiness",
    "drift": "no change point",
    "target": "match with target",
    "contradiction": "agreement",
    "accommodation": "fit to the partner",
}
"""The parts of consistency in two or three words."""


def dataset_page(figures: Figures, title: str) -> str:
    """A data set as HTML.

    Args:
        figures: of :func:`persona_lab.reports.dataset.dataset_figures`.
        title: of the page.
    """
    sections = [
        {
            "figures": one,
            "histograms": [(trait, _trait_histogram(trait)) for trait in one["traits"]],
            "shares": _label_shares(one["traits"]),
            "by_words": _abstained(one["by_words"]),
            "by_source": _group_chart(one, one["by_source"]),
        }
        for one in figures["frameworks"]
    ]
    bins = [(b["words"], (b["speakers"],)) for b in figures["words"]["bins"]]
    return render(
        "dataset.html",
        title=title,
        figures=figures,
        sections=sections,
        lengths=_lengths(bins, (_HIGH,), "speakers"),
        colours=_group_colours(figures),
    )


def consistency_page(figures: Figures, title: str) -> str:
    """Consistency rows as HTML.

    Args:
        figures: of :func:`persona_lab.reports.consistency.consistency_figures`.
        title: of the page.
    """
    bins = figures["score"]["bins"]
    bars = [
        Column((n,), f"{i / BINS:.2f} to {(i + 1) / BINS:.2f}: {n:,} speakers")
        for i, n in enumerate(bins)
    ]
    most = max(bins, default=0)
    return render(
        "consistency.html",
        title=title,
        figures=figures,
        part_titles=PART_TITLES,
        scores=columns(
            bars, (_HIGH,), _TICKS, "Overall scores", full=most, label=f"{most:,} speakers",
            size=_WIDE,
        ),
        parts=_parts(figures["parts"]),
        drifts=[
            one | {"course": _course(one)} for one in figures["drift"]["listed"]
        ],
        least=[one | {"strip": _strip(one["score"], one)} for one in figures["least"]],
        groups=[
            (heading, [one | {"strip": _strip(one["mean"], one)} for one in figures[key]])
            for heading, key in (("By speaker", "speakers"), ("By file", "sources"))
            if len(figures[key]) > 1
        ],
    )  # fmt: skip


def filter_page(figures: Figures, title: str) -> str:
    """Filter runs as HTML.

    Args:
        figures: of :func:`persona_lab.reports.filtered.filter_figures`.
        title: of the page.
    """
    sections = [
        {
            "run": run,
            "rows": _verdicts(run["summary"]["rows"]),
            "histograms": [(trait, _kept_histogram(trait)) for trait in run["traits"]],
            "lengths": _lengths(
                [(b["words"], (b["kept"], b["all"] - b["kept"])) for b in run["words"]],
                (_HIGH, UNSURE),
                "speakers",
            ),
        }
        for run in figures["runs"]
    ]
    return render("filtered.html", title=title, figures=figures, sections=sections)


def _trait_histogram(trait: Figures) -> Markup:
    by_label = trait["bins"]
    bars = []
    for i in range(BINS):
        parts = tuple(by_label[name][i] for name in _LABELS)
        told = ", ".join(
            f"{n:,} {name}" for n, name in zip(parts, ("low", "unsure", "high"), strict=True) if n
        )
        bars.append(Column(parts, f"{i / BINS:.2f} to {(i + 1) / BINS:.2f}: {told or 'none'}"))
    most = max(sum(bar.parts) for bar in bars)
    thresholds = trait["thresholds"]
    return columns(
        bars, tuple(_LABELS.values()), _TICKS, f"Distribution of {trait['key']}",
        full=most, label=f"{most:,}", line=thresholds[0] if len(thresholds) == 1 else None,
    )  # fmt: skip


def _kept_histogram(trait: Figures) -> Markup:
    pairs = list(zip(trait["bins"]["kept"], trait["bins"]["all"], strict=True))
    bars = [
        Column((k, n - k), f"{i / BINS:.2f} to {(i + 1) / BINS:.2f}: {k:,} of {n:,} kept")
        for i, (k, n) in enumerate(pairs)
    ]
    most = max(n for _, n in pairs)
    return columns(
        bars, (_HIGH, UNSURE), _TICKS, f"{trait['key']} of all speakers and of those kept",
        full=most, label=f"{most:,}",
    )  # fmt: skip


def _label_shares(traits: Sequence[Figures]) -> Markup:
    rows = []
    for trait in traits:
        counts = [trait["labels"][name] for name in _LABELS]
        total = sum(counts)
        told = ", ".join(
            f"{n:,} {name}" for n, name in zip(counts, ("low", "unsure", "high"), strict=True)
        )
        parts = tuple(n / total if total else 0.0 for n in counts)
        rows.append(Shares(trait["key"], parts, f"{trait['key']}: {told}"))
    return shares(rows, tuple(_LABELS.values()), "Shares of low, unsure and high")


def _abstained(bins: Sequence[Figures]) -> Markup | None:
    """The share of labels that are unsure, by length."""
    if len(bins) < 2:
        return None
    bars = [
        Column(
            (one["share"] or 0.0,),
            f"{one['words']} words: {one['abstained']:,} of {one['labels']:,} labels unsure",
        )
        for one in bins
    ]
    return columns(
        bars, (UNSURE,), _bin_ticks([one["words"] for one in bins]),
        "Share of labels that are unsure, by words", full=1.0, label="100 % unsure", size=_WIDE,
    )  # fmt: skip


def _lengths(
    bins: Sequence[tuple[str, tuple[int, ...]]], colours: Sequence[str], unit: str
) -> Markup | None:
    if not bins:
        return None
    bars = [Column(parts, f"{name} words: {sum(parts):,} {unit}") for name, parts in bins]
    most = max(sum(parts) for _, parts in bins)
    return columns(
        bars, colours, _bin_ticks([name for name, _ in bins]), "Lengths in words",
        full=most, label=f"{most:,} {unit}", size=_WIDE,
    )  # fmt: skip


def _bin_ticks(names: Sequence[str]) -> list[tuple[float, str]]:
    """Where each bin begins is written under its left edge."""
    starts = [name.split("\u2013")[0].removesuffix(" or more") for name in names]
    return [(i / len(names), start) for i, start in enumerate(starts)]


def _group_colours(figures: Figures) -> dict[str, str]:
    return {
        source["name"]: f"var(--s{i % _COLOURS + 1})" for i, source in enumerate(figures["sources"])
    }


def _group_chart(framework: Figures, groups: Sequence[Figures]) -> Markup | None:
    """Mean of each trait, a mark a group; nothing where there are too many to tell apart."""
    if not 2 <= len(groups) <= _COLOURS:
        return None
    rows = []
    for trait in framework["traits"]:
        marks = []
        for i, group in enumerate(groups):
            found = group["traits"][trait["key"]]
            marks.append(
                Interval(
                    found["mean"], found["low"], found["high"], None, None,
                    f"var(--s{i % _COLOURS + 1})", f"{group['name']}: {_said(found)}",
                )
            )  # fmt: skip
        rows.append(Row(trait["low_pole"], trait["high_pole"], tuple(marks)))
    return intervals(rows, "Means with 95 % intervals, a file each")


def _parts(parts: Sequence[Figures]) -> Markup:
    """Median, middle half and 5 to 95 % of each part."""
    rows = [
        Row(
            PART_TITLES[part["name"]],
            f"n = {part['n']:,}",
            (
                Interval(
                    part["median"], part["q25"], part["q75"], part["q05"], part["q95"], _HIGH,
                    f"{PART_TITLES[part['name']]}: mean {_said(part)}",
                ),
            ),
        )
        for part in parts
        if part["n"]
    ]  # fmt: skip
    return intervals(rows, "Parts of the score: median, middle half, 5 to 95 %")


def _said(found: Figures) -> str:
    if found["mean"] is None:
        return "none scored"
    if found["low"] is None:
        return f"{found['mean']:.2f}"
    return f"{found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _strip(value: float | None, ends: Figures) -> Markup | None:
    if value is None:
        return None
    return strip(value, ends["low"], ends["high"], title=f"{value:.2f}")


def _course(drift: Figures) -> Markup | None:
    windows = drift["windows"]
    if len(windows) < 2:
        return None
    name = drift["shift"][0]["trait"]
    return course(windows, f"{name} from {windows[0]:.2f} to {windows[-1]:.2f}")


def _verdicts(rows: Figures) -> Markup:
    total = rows["total"] or 1
    names = ("kept", "dropped", "unscored")
    told = ", ".join(f"{rows[name]:,} {name}" for name in names)
    return shares(
        [Shares("rows", tuple(rows[name] / total for name in names), told)],
        (_HIGH, UNSURE, _LOW),
        "Rows kept, dropped and unscored",
    )
