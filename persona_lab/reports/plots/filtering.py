"""What a filter run did to a data set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import need, shortened, whole_numbers
from persona_lab.reports.plots.theme import (
    BLUE,
    GREY,
    HATCHES,
    VERMILLION,
    axes_or_new,
    pale,
    themed,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FOUND: Final = re.compile(r" \((?:it is |\S+ is ).*\)$")
_OTHER_SPEAKER: Final = "another speaker of the row does not pass"
_COLOURS: Final = {"kept": BLUE, "dropped": VERMILLION, "unscored": GREY}
_MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        name: what is counted.
        verdict: kept, dropped or unscored.
        rows: how many rows.
        alone: of them, those with no other reason.
        part: is it a reason, and part of the bar above it?
    """

    name: str
    verdict: str
    rows: int
    alone: int
    part: bool


@themed
def ledger_overview(frame: pd.DataFrame, *, most: int = _MOST, ax: Axes | None = None) -> Axes:
    """How many rows a filter kept, dropped and could not score, and by which condition.

    The bar of a condition counts all rows that do not meet it: the plain part meets all other
    conditions, the hatched part fails another one, too. So the bars of conditions can add up
    to more than all that is dropped.

    Args:
        frame: the ledger, from ``ledger_frame``. Needs the columns ``verdict`` and
            ``reason``; uses ``code`` (why something is unscored) and ``ordinal`` (which lines
            are one row; without it every line is one).
        most: reasons of a verdict that get a bar; the rest share one.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there are no rows, or an unknown verdict.
    """
    need(frame, ["verdict", "reason"], "ledger_overview")
    bars = ledger_bars(frame, most=most)
    total = sum(bar.rows for bar in bars if not bar.part)
    ax = axes_or_new(ax, 6.4, 0.9 + 0.3 * len(bars))
    for i, bar in enumerate(bars):
        _draw(ax, bar, len(bars) - 1 - i, total)
    names = [shortened(bar.name, 46) for bar in bars]
    ax.set_yticks(range(len(bars) - 1, -1, -1), names)
    for bar, text in zip(bars, ax.get_yticklabels(), strict=True):
        text.set_fontweight("normal" if bar.part else "bold")
    ax.set_xlim(0, max(bar.rows for bar in bars) * 1.22)
    ax.set_xlabel("rows of the data set")
    _legend(ax, bars)
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    whole_numbers(ax.xaxis)
    return ax


def ledger_bars(frame: pd.DataFrame, *, most: int = _MOST) -> list[Bar]:
    """What :func:`ledger_overview` draws, from the top.

    Args:
        frame: see there.
        most: see there.

    Raises:
        InputError: a verdict is unknown.
    """
    verdicts: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {"dropped": Counter(), "unscored": Counter()}
    alone: dict[str, Counter[str]] = {"dropped": Counter(), "unscored": Counter()}
    for verdict, why in _rows(frame):
        verdicts[verdict] += 1
        if verdict == "kept":
            continue
        reasons[verdict].update(why)
        alone[verdict].update(why if len(why) == 1 else ())
    bars = []
    for verdict in _COLOURS:
        bars.append(Bar(verdict, verdict, verdicts[verdict], verdicts[verdict], False))
        if verdict in reasons:
            bars += _parts(verdict, reasons[verdict], alone[verdict], most)
    return bars


def _parts(verdict: str, reasons: Counter[str], alone: Counter[str], most: int) -> Iterator[Bar]:
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    shown = ranked if len(ranked) <= most else ranked[: most - 1]
    for name, rows in shown:
        yield Bar(name, verdict, rows, alone[name], True)
    rest = ranked[len(shown) :]
    if rest:
        only = sum(alone[name] for name, _ in rest)
        yield Bar(f"{len(rest)} other reasons", verdict, sum(n for _, n in rest), only, True)


def _rows(frame: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Verdict and reasons of each row, of whose lines there is one a speaker."""
    import pandas

    rows: dict[Any, tuple[str, list[str]]] = {}
    keys = frame["ordinal"] if "ordinal" in frame.columns else range(len(frame))
    codes = frame["code"] if "code" in frame.columns else [None] * len(frame)
    for key, verdict, reason, code in zip(
        keys, frame["verdict"], frame["reason"], codes, strict=True
    ):
        if verdict not in _COLOURS:
            raise InputError(
                f"plots.ledger_overview knows kept, dropped and unscored, not {verdict!r}; "
                "is the run finished?"
            )
        _, why = rows.setdefault(key, (str(verdict), []))
        if verdict == "kept":
            continue
        if verdict == "unscored" and not pandas.isna(code):
            why.append(str(code))
        elif not pandas.isna(reason):
            why += _clauses(str(reason))
    for verdict, why in rows.values():
        # of a speaker who passes the reason is that another one does not
        told = list(dict.fromkeys(w for w in why if w != _OTHER_SPEAKER))
        yield verdict, told or list(dict.fromkeys(why))


def _clauses(reason: str) -> list[str]:
    """The conditions in a reason, without the values that were found."""
    return [_FOUND.sub("", part) for part in reason.split("; ")]


def _draw(ax: Axes, bar: Bar, y: int, total: int) -> None:
    colour = _COLOURS[bar.verdict]
    height = 0.46 if bar.part else 0.72
    plain: Any = pale(colour, 0.75) if bar.part else colour
    ax.barh(y, bar.alone, height=height, color=plain, linewidth=0.0, gid="alone")
    ax.barh(
        y,
        bar.rows - bar.alone,
        left=bar.alone,
        height=height,
        color=pale(colour, 0.3),
        hatch=HATCHES[1],
        linewidth=0.0,
        gid="shared",
    )
    share = bar.rows / total
    told = "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")
    ax.annotate(
        f"{bar.rows:,}  ({told})",
        (bar.rows, y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        size=7.5,
    )


def _legend(ax: Axes, bars: Sequence[Bar]) -> None:
    """What the hatches mean, where there are any."""
    from matplotlib.patches import Patch

    if all(bar.alone == bar.rows for bar in bars):
        return
    colour = _COLOURS["dropped"]
    patches = [
        Patch(facecolor=pale(colour, 0.75), label="only this reason"),
        Patch(facecolor=pale(colour, 0.3), hatch=HATCHES[1], label="others, too"),
    ]
    ax.legend(handles=patches, loc="lower right")
