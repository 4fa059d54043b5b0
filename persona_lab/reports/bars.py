"""Bars as inline SVG: distributions, shares, and small marks for the cells of a table.

Colours are CSS variables, as in :mod:`persona_lab.reports.svg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markupsafe import Markup

UNSURE: Final = "var(--unsure)"
"""Colour of what is neither one thing nor the other."""

_TOP: Final = 20
_FOOT: Final = 22
_SIDE: Final = 8
_BAR: Final = 16
_ROW: Final = 26
_LEFT: Final = 150
_SHARES_WIDTH: Final = 640
_LEAST_SHARE: Final = 0.045
"""A part of a bar that is narrower has no room for its figure."""
_CELL: Final = (132, 16)
_SPARK: Final = (96, 22)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a distribution.

    Attributes:
        parts: heights from bottom to top, as many as there are colours.
        title: shown on pointing at it.
    """

    parts: tuple[float, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Shares:
    """One bar that is divided.

    Attributes:
        label: before it.
        parts: 0..1 each, 1 together.
        title: shown on pointing at it.
    """

    label: str
    parts: tuple[float, ...]
    title: str


def columns(
    bars: Sequence[Column],
    colours: Sequence[str],
    ticks: Sequence[tuple[float, str]],
    title: str,
    *,
    full: float,
    label: str,
    line: float | None = None,
    size: tuple[int, int] = (320, 150),
) -> Markup:
    """A distribution: columns side by side, each of parts upon each other.

    Args:
        bars: from left to right.
        colours: of the parts, from bottom to top.
        ticks: place from 0 (left end) to 1 and what is written under it.
        title: for people who cannot see it.
        full: the height of a column that reaches the top.
        label: what such a column stands for, written at the top.
        line: place of a dashed vertical line, 0..1.
        size: width and height of the drawing.
    """
    from markupsafe import Markup

    width, height = size
    scale = (height - _TOP - _FOOT) / (full or 1.0)
    step = (width - 2 * _SIDE) / max(len(bars), 1)
    parts = [_open(width, height, title)]
    base = height - _FOOT
    parts.append(
        Markup(
            '<path class="grid" d="M{0},{1} H{2}"/><text class="tick" x="{0}" y="13">{3}</text>'
        ).format(_SIDE, _TOP, width - _SIDE, label)
    )
    for number, bar in enumerate(bars):
        parts.append(_column(bar, colours, _SIDE + (number + 0.08) * step, base, step, scale))
    parts.append(
        Markup('<path class="grid strong" d="M{},{} H{}"/>').format(_SIDE, base, width - _SIDE)
    )
    for place, text in ticks:
        anchor = "start" if place < 0.02 else "end" if place > 0.98 else "middle"
        parts.append(
            Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                _SIDE + place * (width - 2 * _SIDE), height - 7, anchor, text
            )
        )
    if line is not None:
        parts.append(
            Markup('<path class="target" d="M{:.1f},{} V{}"/>').format(
                _SIDE + line * (width - 2 * _SIDE), _TOP - 4, base
            )
        )
    return _done(parts)


def shares(rows: Sequence[Shares], colours: Sequence[str], title: str) -> Markup:
    """Divided bars under each other, each with its label and its figures in per cent.

    Args:
        rows: from top to bottom.
        colours: of the parts, from left to right.
        title: for people who cannot see it.
    """
    from markupsafe import Markup

    height = len(rows) * _ROW + 6
    parts = [_open(_SHARES_WIDTH, height, title)]
    room = _SHARES_WIDTH - _LEFT - _SIDE
    for number, row in enumerate(rows):
        y = 3 + number * _ROW
        parts.append(
            Markup('<text class="label" x="{}" y="{}" text-anchor="end">{}</text>').format(
                _LEFT - 12, y + 13, row.label
            )
        )
        parts.append(Markup("<g><title>{}</title>").format(row.title))
        x = float(_LEFT)
        for share, colour in zip(row.parts, colours, strict=True):
            parts.append(_share(x, y, share * room, share, colour))
            x += share * room
        parts.append(Markup("</g>"))
    return _done(parts)


def strip(
    value: float,
    low: float | None,
    high: float | None,
    *,
    ends: tuple[float, float] = (0.0, 1.0),
    colour: str = "var(--s1)",
    title: str = "",
) -> Markup:
    """A value with its interval for a cell.

    Args:
        value: within ``ends``.
        low: lower end of the interval; None for none.
        high: upper end.
        ends: of the scale; a mark stands in its middle.
        colour: a CSS colour.
        title: shown on pointing at it.
    """
    from markupsafe import Markup

    width, height = _CELL

    def at(place: float) -> float:
        share = (min(max(place, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0])
        return 6 + share * (width - 12)

    middle = height / 2
    parts = [_open(width, height, title, kind="strip")]
    parts.append(
        Markup(
            '<path class="grid" d="M6,{0} H{1}"/><path class="grid strong" d="M{2},2 V{3}"/>'
        ).format(middle, width - 6, at(sum(ends) / 2), height - 2)
    )
    if low is not None and high is not None:
        parts.append(
            Markup('<path class="interval" d="M{:.1f},{} H{:.1f}" style="stroke:{}"/>').format(
                at(low), middle, at(high), colour
            )
        )
    parts.append(
        Markup('<circle class="dot" cx="{:.1f}" cy="{}" r="4.5" style="fill:{}"/>').format(
            at(value), middle, colour
        )
    )
    return _done(parts)


def course(values: Sequence[float], title: str, *, colour: str = "var(--s1)") -> Markup:
    """A line through values from 0 to 1, for a cell.

    Args:
        values: in order, two or more.
        title: shown on pointing at it.
        colour: a CSS colour.
    """
    from markupsafe import Markup

    width, height = _SPARK
    step = (width - 8) / max(len(values) - 1, 1)
    points = " ".join(
        f"{4 + i * step:.1f},{3 + (1 - value) * (height - 6):.1f}" for i, value in enumerate(values)
    )
    line = Markup(
        '<path class="grid" d="M4,{0} H{1}"/><polyline class="course" points="{2}" '
        'style="stroke:{3}"/>'
    ).format(height / 2, width - 4, points, colour)
    return _done([_open(width, height, title, kind="strip"), line])


def _column(
    bar: Column, colours: Sequence[str], x: float, base: float, step: float, scale: float
) -> Markup:
    from markupsafe import Markup

    found = Markup("<g><title>{}</title>").format(bar.title)
    y = base
    for part, colour in zip(bar.parts, colours, strict=True):
        if part > 0:
            tall = part * scale
            y -= tall
            found += Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" style="fill:{}"/>'
            ).format(x, y, step * 0.84, tall, colour)
    return found + Markup("</g>")


def _share(x: float, y: float, wide: float, share: float, colour: str) -> Markup:
    from markupsafe import Markup

    if share <= 0:
        return Markup("")
    found = Markup(
        '<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" style="fill:{}"/>'
    ).format(x, y, wide, _BAR + 2, colour)  # fmt: skip
    if share >= _LEAST_SHARE:
        kind = "onbar pale" if colour == UNSURE else "onbar"
        found += Markup('<text class="{}" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            kind, x + wide / 2, y + 13, f"{share:.0%}"
        )
    return found


def _open(width: float, height: float, title: str, *, kind: str = "chart") -> Markup:
    from markupsafe import Markup

    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" class="{}" xmlns="http://www.w3.org/2000/svg">'
        "<title>{}</title>"
    ).format(width, height, kind, title)


def _done(parts: Sequence[Markup]) -> Markup:
    from markupsafe import Markup

    return Markup("").join(parts) + Markup("</svg>")
