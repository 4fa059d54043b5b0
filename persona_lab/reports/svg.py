"""Small charts as inline SVG; colours are CSS variables, so that they follow the page's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markupsafe import Markup

_RADAR_WIDTH: Final = 400
_RADAR_HEIGHT: Final = 280
_RADIUS: Final = 108
_RINGS: Final = (0.25, 0.5, 0.75, 1.0)

_WIDTH: Final = 640
_LEFT: Final = 118
_RIGHT: Final = 96
_ROW: Final = 19
_GAP: Final = 16
_TOP: Final = 26


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a radar chart.

    Attributes:
        values: 0..1 an axis; None leaves a gap.
        colour: a CSS colour, such as ``var(--s1)``.
        dashed: for what was wanted rather than measured.
    """

    values: tuple[float | None, ...]
    colour: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """One mark of an interval plot.

    Attributes:
        value: 0..1; None where nothing was scored.
        low: lower end of the interval; None for none.
        high: upper end.
        worst: the value if all that is missing were 0.
        best: the value if all that is missing were 1.
        colour: a CSS colour.
        title: shown on pointing at it.
    """

    value: float | None
    low: float | None
    high: float | None
    worst: float | None
    best: float | None
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One trait of an interval plot.

    Attributes:
        low_pole: word for 0.
        high_pole: word for 1.
        marks: from top to bottom.
        target: wanted place; None for none.
    """

    low_pole: str
    high_pole: str
    marks: tuple[Interval, ...]
    target: float | None = None


def radar(axes: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """A radar chart of three axes or more.

    Args:
        axes: their names.
        series: from back to front.
        title: for people who cannot see it.
    """
    parts = [_open(_RADAR_WIDTH, _RADAR_HEIGHT, title)]
    for ring in _RINGS:
        points = " ".join(_at(i, len(axes), ring) for i in range(len(axes)))
        strong = " strong" if ring == 0.5 else ""
        parts.append(f'<polygon class="grid{strong}" points="{points}"/>')
    for i, name in enumerate(axes):
        spoke = f"M{_at(i, len(axes), 0)} L{_at(i, len(axes), 1)}"
        parts.append(f'<path class="grid" d="{spoke}"/>')
        x, y = _point(i, len(axes), 1.13)
        side = x - _RADAR_WIDTH / 2
        anchor = "middle" if abs(side) < 8 else "start" if side > 0 else "end"
        parts.append(
            f'<text class="label" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">'
            f"{_text(name)}</text>"
        )
    parts += [_line(s) for s in series]
    return _done(parts)


def intervals(rows: Sequence[Row], title: str) -> Markup:
    """Values with intervals between two poles, one row a trait.

    Args:
        rows: from top to bottom.
        title: for people who cannot see it.
    """
    heights = [max(len(row.marks), 1) * _ROW + _GAP for row in rows]
    height = _TOP + sum(heights)
    parts = [_open(_WIDTH, height, title)]
    for place in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(place)
        strong = " strong" if place == 0.5 else ""
        parts.append(f'<path class="grid{strong}" d="M{x:.1f},{_TOP - 8} V{height - 4}"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{_TOP - 13}" text-anchor="middle">{place:g}</text>'
        )
    y = float(_TOP)
    for row, tall in zip(rows, heights, strict=True):
        parts += _interval_row(row, y, tall - _GAP)
        y += tall
    return _done(parts)


def _interval_row(row: Row, top: float, tall: float) -> list[str]:
    middle = top + tall / 2
    parts = [
        f'<text class="label" x="{_LEFT - 12}" y="{middle + 4:.1f}" text-anchor="end">'
        f"{_text(row.low_pole)}</text>",
        f'<text class="label" x="{_WIDTH - _RIGHT + 12}" y="{middle + 4:.1f}">'
        f"{_text(row.high_pole)}</text>",
    ]
    if row.target is not None:
        x = _x(row.target)
        parts.append(
            f'<path class="target" d="M{x:.1f},{top - 1:.1f} V{top + tall + 1:.1f}">'
            f"<title>target {row.target:g}</title></path>"
        )
    for number, mark in enumerate(row.marks):
        parts.append(_mark(mark, top + (number + 0.5) * _ROW))
    return parts


def _mark(mark: Interval, y: float) -> str:
    if mark.value is None:
        return (
            f'<text class="none" x="{_x(0.5):.1f}" y="{y + 4:.1f}" text-anchor="middle">unscored'
            f"<title>{_text(mark.title)}</title></text>"
        )
    parts = [f"<g><title>{_text(mark.title)}</title>"]
    if mark.worst is not None and mark.best is not None and mark.best - mark.worst > 0.005:
        parts.append(
            f'<rect class="bounds" x="{_x(mark.worst):.1f}" y="{y - 5:.1f}" height="10" '
            f'width="{_x(mark.best) - _x(mark.worst):.1f}" rx="5"/>'
        )
    if mark.low is not None and mark.high is not None:
        parts.append(
            f'<path d="M{_x(mark.low):.1f},{y:.1f} H{_x(mark.high):.1f}" '
            f'style="stroke:{mark.colour}" class="interval"/>'
        )
    parts.append(
        f'<circle cx="{_x(mark.value):.1f}" cy="{y:.1f}" r="5" style="fill:{mark.colour}" '
        'class="dot"/></g>'
    )
    return "".join(parts)


def _line(series: Series) -> str:
    n = len(series.values)
    known = [_at(i, n, v) for i, v in enumerate(series.values) if v is not None]
    dash = " dashed" if series.dashed else ""
    # a shape with a gap would join axes that are not neighbours
    closed = "Z" if len(known) == n else ""
    path = f'<path class="series{dash}" style="stroke:{series.colour};fill:{series.colour}" '
    if not known or not closed:
        dots = (point.split(",") for point in known)
        return "".join(
            f'<circle cx="{x}" cy="{y}" r="4" style="fill:{series.colour}"/>' for x, y in dots
        )
    return f'{path}d="M{" L".join(known)}{closed}"/>'


def _point(i: int, n: int, share: float) -> tuple[float, float]:
    angle = 2 * math.pi * i / n - math.pi / 2
    reach = share * _RADIUS
    # an axis upwards needs less room above than text needs below
    x, y = _RADAR_WIDTH / 2, _RADAR_HEIGHT / 2 + 8
    return x + reach * math.cos(angle), y + reach * math.sin(angle)


def _at(i: int, n: int, share: float) -> str:
    x, y = _point(i, n, share)
    return f"{x:.1f},{y:.1f}"


def _x(place: float) -> float:
    return _LEFT + place * (_WIDTH - _LEFT - _RIGHT)


def _open(width: float, height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" class="chart" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{_text(title)}</title>'
    )


def _done(parts: Sequence[str]) -> Markup:
    from markupsafe import Markup

    return Markup("".join(parts) + "</svg>")


def _text(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))
