"""Names beside points, placed so that they cover little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import hypot
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

Place = tuple[float, float]

_SPOTS: Final = ((5, 0), (5, 5), (5, -5), (-5, 0), (-5, 5), (-5, -5), (0, 6), (0, -6))
_OUTSIDE: Final = 3.0


def write_names(
    ax: Axes,
    points: Iterable[Place],
    names: Sequence[str],
    taken: list[Bbox],
    *,
    outwards: bool = False,
    **look: Any,
) -> None:
    """Write each name at the side of its point where it covers least of what is taken.

    Args:
        ax: with its final limits.
        points: in data coordinates.
        names: one a point.
        taken: boxes in pixels, see :func:`boxes`; those of the names are added.
        outwards: among sides that cover equally little prefer those away from the origin.
        **look: properties of the texts.
    """
    # without a layout the places of the names cannot be compared
    ax.figure.canvas.figure.draw_without_rendering()
    inside = ax.get_window_extent()
    for point, name in zip(points, names, strict=True):
        text = ax.annotate(name, point, textcoords="offset points", xytext=_SPOTS[0], **look)
        costs = []
        spots = sorted(_SPOTS, key=lambda spot: -_along(spot, point)) if outwards else _SPOTS
        for spot in spots:
            _move(text, spot)
            box = text.get_window_extent()
            out = box.width * box.height - _overlap(box, inside)
            cost = sum(_overlap(box, other) for other in taken) + _OUTSIDE * out
            costs.append(cost)
            if not cost:
                break
        _move(text, spots[costs.index(min(costs))])
        taken.append(text.get_window_extent())


def boxes(ax: Axes, points: Iterable[Place], half: float) -> list[Bbox]:
    """The room that points take, in pixels.

    Args:
        ax: with its final limits.
        points: in data coordinates.
        half: half the side of the square that each takes.
    """
    from matplotlib.transforms import Bbox

    ax.figure.canvas.figure.draw_without_rendering()
    places = (ax.transData.transform(point) for point in points)
    return [Bbox.from_extents(x - half, y - half, x + half, y + half) for x, y in places]


def _along(spot: Place, point: Place) -> float:
    """Cosine of the angle between a side and the way from the origin to a point."""
    lengths = hypot(*spot) * hypot(*point)
    return (spot[0] * point[0] + spot[1] * point[1]) / lengths if lengths else 0.0


def _move(text: Any, spot: Place) -> None:
    dx, dy = spot
    text.set_position(spot)
    text.set_horizontalalignment("left" if dx > 0 else "right" if dx < 0 else "center")
    text.set_verticalalignment("bottom" if dy > 0 else "top" if dy < 0 else "center")


def _overlap(one: Bbox, other: Bbox) -> float:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(max(wide, 0.0) * max(high, 0.0))
