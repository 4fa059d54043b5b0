"""Pictures of personality scores: functions that take a frame and return matplotlib Axes.

Every function takes an ordinary pandas frame with the columns its docstring names (those
that :mod:`persona_lab.frames` makes), draws into ``ax`` or a new figure, and returns the
Axes, so that titles, limits and texts can be changed. All share one theme
(:func:`use_theme`), which leaves matplotlib's global settings as they are. What could not be
scored is shown as missing, not left out in silence; a frame without a column, without rows or
without any score is one clear error.

============================  ============================================================
function                      question
============================  ============================================================
:func:`profile`               what does somebody score, and how sure is that?
:func:`radar`                 how near is a profile to its target, at a glance?
:func:`heatmap`               how do many speakers differ?
:func:`trait_space`           who is like whom?
:func:`trajectory`            does a speaker change in the course of a dialogue, and where?
:func:`reliability_diagram`   does 70 % mean 70 %?
:func:`risk_coverage`         how many errors are left if only the surest are labelled?
:func:`length_curve`          how much text is enough?
:func:`mtmm`                  do methods agree on the same trait?
:func:`ledger_overview`       what did a filter keep and drop, and why?
:func:`marker_words`          which words set two sides apart?
:func:`effect_sizes`          how large are differences?
============================  ============================================================

Example:
    >>> import persona_lab
    >>> from persona_lab.frames import to_frame
    >>> from persona_lab.reports import plots
    >>> detector = persona_lab.load_detector()  # doctest: +SKIP
    >>> plots.profile(to_frame(detector.profile(text)))  # doctest: +SKIP

matplotlib, seaborn and pandas come with ``pip install 'persona-lab[notebooks]'``.
"""

from __future__ import annotations

from persona_lab.errors import MissingExtraError

try:
    import matplotlib as _matplotlib  # noqa: F401
    import pandas as _pandas  # noqa: F401
    import seaborn as _seaborn  # noqa: F401
except ImportError as _error:
    raise MissingExtraError(_error.name or "seaborn", "notebooks", "drawing") from _error

from persona_lab.reports.plots.agreement import mtmm
from persona_lab.reports.plots.calibration import reliability_diagram
from persona_lab.reports.plots.course import trajectory
from persona_lab.reports.plots.curves import length_curve, risk_coverage
from persona_lab.reports.plots.differences import effect_sizes, marker_words
from persona_lab.reports.plots.filtering import ledger_overview
from persona_lab.reports.plots.people import heatmap, profile
from persona_lab.reports.plots.rounds import radar
from persona_lab.reports.plots.space import trait_space
from persona_lab.reports.plots.theme import PALETTE, use_theme

__all__ = [
    "PALETTE",
    "effect_sizes",
    "heatmap",
    "ledger_overview",
    "length_curve",
    "marker_words",
    "mtmm",
    "profile",
    "radar",
    "reliability_diagram",
    "risk_coverage",
    "trait_space",
    "trajectory",
    "use_theme",
]
