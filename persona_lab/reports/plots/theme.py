"""One look for all pictures: colours that everybody can tell apart, and that survive print.

The colours are those of Okabe & Ito (2008). As grey shades some of them are alike, so
series also differ in marker, line style or hatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

P = ParamSpec("P")
R = TypeVar("R")

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#6E6E6E"
"""For what is missing, and for remarks."""

FAINT: Final = "#D9D9D9"
"""For grids and for what is not to stand out."""

PALETTE: Final = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
"""Of series, in order. Yellow is left out: on white it can hardly be seen."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""As many as colours; a series has both."""

LINES: Final[tuple[Any, ...]] = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (3, 1)),
    (0, (8, 2)),
    (0, (4, 1, 1, 1, 1, 1)),
)
"""As many as colours."""

HATCHES: Final = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo")
"""As many as colours."""

MISSING_HATCH: Final = "/////"
"""Of cells without a value."""

MOST_SERIES: Final = len(PALETTE)

SETTINGS: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "hatch.color": "#444444",
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "savefig.bbox": "tight",
    "savefig.dpi": 200,
    "text.usetex": False,
    "xtick.labelsize": 8,
    "xtick.major.width": 0.8,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.8,
}
"""Settings of matplotlib."""


@contextmanager
def use_theme() -> Iterator[None]:
    """Draw own pictures in the same look; afterwards all settings are as before.

    Example:
        >>> from persona_lab.reports.plots import use_theme
        >>> with use_theme():  # doctest: +SKIP
        ...     seaborn.histplot(frame, x="p_high")
    """
    import matplotlib
    from cycler import cycler

    _load_backend()
    cycle = cycler(color=PALETTE, marker=MARKERS, linestyle=LINES)
    settings: Any = {**SETTINGS, "axes.prop_cycle": cycle}
    with matplotlib.rc_context(settings):
        yield


@cache
def _load_backend() -> None:
    """Have pyplot load its backend before any settings are changed for a while.

    It does so at the first picture. The one of notebooks then makes pyplot interactive; in
    the theme's context that would be undone with the other settings, and the notebook would
    show no more pictures by itself.
    """
    from matplotlib import get_backend, pyplot

    if not pyplot.get_fignums():
        pyplot.switch_backend(get_backend())


def themed(draw: Callable[P, R]) -> Callable[P, R]:
    """Make a function draw in the theme, whatever the settings are outside."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with use_theme():
            return draw(*args, **kwargs)

    return inside


def diverging() -> Colormap:
    """Colours from blue (low) over white (middle) to vermillion (high)."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(
        "persona", [BLUE, "#A9CDE3", "#FFFFFF", "#F3C29C", VERMILLION]
    )


def pale(colour: str, share: float = 0.4) -> tuple[float, float, float]:
    """A colour mixed with white; unlike one that is see-through it hides the grid.

    Args:
        colour: as hexadecimal digits.
        share: of the colour itself, 0..1.
    """
    from matplotlib.colors import to_rgb

    red, green, blue = (1.0 - share * (1.0 - part) for part in to_rgb(colour))
    return red, green, blue


def axes_or_new(ax: Axes | None, width: float, height: float, *, polar: bool = False) -> Axes:
    """The axes that were given, or those of a new figure.

    Args:
        ax: or None.
        width: of a new figure in inches.
        height: of a new figure in inches.
        polar: should a new one have polar axes?
    """
    if ax is not None:
        return ax
    from matplotlib import pyplot

    options = {"projection": "polar"} if polar else {}
    _, made = pyplot.subplots(figsize=(width, height), layout="constrained", subplot_kw=options)
    return made


def remark(ax: Axes, text: str) -> None:
    """Write a grey remark above the right end of the plot."""
    ax.annotate(
        text,
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 1),
        textcoords="offset points",
        ha="right",
        va="bottom",
        size=7.5,
        color=GREY,
    )
