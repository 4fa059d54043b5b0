"""Does 70 % mean 70 %?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from persona_lab.errors import InputError
from persona_lab.reports.plots.checking import need, series_of, shortened
from persona_lab.reports.plots.theme import (
    FAINT,
    GREY,
    LINES,
    MARKERS,
    PALETTE,
    axes_or_new,
    remark,
    themed,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BINS: Final = 10
_BAR_ROOM: Final = 0.18
_LIMITS: Final = (-0.02, 1.02)


@themed
def reliability_diagram(
    frame: pd.DataFrame,
    *,
    p: str = "p_high",
    actual: str = "actual",
    by: str | None = None,
    bins: int = _BINS,
    ax: Axes | None = None,
) -> Axes:
    """Do things that are said to be 70 % likely happen in 70 of 100 cases?

    Points are bins of equally many cases, as the expected calibration error (ECE) has them,
    with 95 % intervals of Wilson; on the diagonal all is well. The bars at the
    bottom show how often each probability is given.

    Args:
        frame: one row a case. Needs the columns named by ``p`` and ``actual`` (1 high pole, 0
            low pole); rows in which one is missing are left out, and their number is told.
        p: column with probabilities.
        actual: column with what is true.
        by: column that tells series apart (models, registers), at most seven; then without
            bars.
        bins: how many points.
        ax: to draw into; a new figure if left out.

    Raises:
        FormatError: a column is missing.
        InputError: there is nothing to draw, or ``actual`` is not 0 and 1.
    """
    need(frame, [p, actual, *([by] if by else [])], "reliability_diagram")
    known = frame[frame[p].notna() & frame[actual].notna()]
    if not len(known):
        raise InputError(
            "plots.reliability_diagram has nothing to draw: no row has both a "
            f"number in {p!r} and one in {actual!r}"
        )
    if not known[actual].astype(float).isin([0.0, 1.0]).all():
        raise InputError(
            f"plots.reliability_diagram needs 0 and 1 in {actual!r}; split graded "
            "scores first, for example at their median"
        )
    ax = axes_or_new(ax, 4.4, 4.2)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle="-", marker="", zorder=1)
    for i, (name, part) in enumerate(series_of(known, by, "reliability_diagram")):
        _curve(ax, part[p].astype(float), part[actual].astype(float), bins, i, shortened(name))
    if by is None:
        _counts(ax, known[p].astype(float))
    left_out = len(frame) - len(known)
    if left_out:
        remark(ax, f"{left_out:,} without score or label")
    ax.set(xlim=_LIMITS, ylim=_LIMITS, xlabel="probability given", ylabel="share that came true")
    ax.set_aspect("equal")
    ax.legend(loc="upper left")
    return ax


def _curve(ax: Axes, p: Any, actual: Any, bins: int, i: int, name: str) -> None:
    import numpy as np

    from persona_lab.psychometrics.agreement import wilson
    from persona_lab.training.metrics import ece

    p, actual = p.to_numpy(float), actual.to_numpy(float)
    order = np.argsort(p, kind="stable")
    x, y = [], []
    for part in np.array_split(order, min(bins, len(order))):
        hits = int(actual[part].sum())
        found = wilson(hits, len(part))
        x.append(float(p[part].mean()))
        y.append(hits / len(part))
        ax.plot(
            [x[-1]] * 2,
            [found.low or 0.0, found.high or 0.0],
            color=PALETTE[i],
            linewidth=1.2,
            linestyle="-",
            marker="",
            alpha=0.8,
            gid="interval",
        )
    error = ece(actual, p, np.ones(len(p)), bins)
    told = f"ECE {error:.3f}, n = {len(p):,}"
    ax.plot(
        x,
        y,
        color=PALETTE[i],
        marker=MARKERS[i],
        linestyle=LINES[i],
        linewidth=1.2,
        label=f"{name}: {told}" if name else told,
        gid="value",
        zorder=4,
    )


def _counts(ax: Axes, p: Any) -> None:
    """Bars from the bottom, the highest as high as the room for them."""
    import numpy as np

    counts, edges = np.histogram(p, bins=20, range=(0.0, 1.0))
    heights = counts / counts.max() * _BAR_ROOM
    most = int(counts.argmax())
    ax.bar(
        edges[:-1],
        heights,
        width=0.05,
        align="edge",
        color=FAINT,
        edgecolor="white",
        linewidth=0.6,
        zorder=0.5,
        gid="counts",
        label=f"how often given (highest: {counts[most]:,})",
    )
