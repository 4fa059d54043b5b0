"""Any results that the other commands write, as one page to read, send or print.

The page is one HTML file: no network, no script, charts as inline SVG, light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_lab.reports.results import Given, Kind, recognise, writable
from persona_lab.version import __version__


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        kind: of the results that it is about.
        figures: all that it shows, JSON types; see the module of its kind.
        html: the file.
    """

    kind: Kind
    figures: dict[str, Any]
    html: str

    @property
    def unreadable(self) -> list[str]:
        """Places and reasons of the first rows that could not be read."""
        return list(self.figures.get("problems", {}).get("listed", ()))


def make_page(results: Sequence[Path], title: str | None = None) -> Page:
    """Make a page of results of one kind.

    Args:
        results: one or more: folders or ``profile.json`` files of interviews, files of score
            rows, files of consistency rows, or folders of filter runs or of trials of bots.
        title: of the page; None for one that says what it is about.

    Raises:
        InputError: a result cannot be read, is none, or is of another kind than the first.
    """
    given = recognise(results)
    kind = given[0].kind
    title = writable(title or "")
    if kind == "interview":
        return _interviews(given, title)
    if kind not in _TITLES:
        return _trials(given, title)
    if kind == "consistency":
        from persona_lab.reports.charts import consistency_page as show
        from persona_lab.reports.consistency import consistency_figures as count
    elif kind == "filter":
        from persona_lab.reports.charts import filter_page as show
        from persona_lab.reports.filtered import filter_figures as count
    else:
        from persona_lab.reports.charts import dataset_page as show
        from persona_lab.reports.dataset import dataset_figures as count
    title = title or f"{_TITLES[kind]} {_names([one.name for one in given])}"
    figures = _head(kind, title) | count(given)
    return Page(kind, figures, show(figures, title))


_TITLES = {
    "scores": "Scores of",
    "consistency": "Consistency in",
    "filter": "Filter run",
}


def _interviews(given: Sequence[Given], title: str) -> Page:
    from persona_lab.reports.botcharts import bots_page
    from persona_lab.reports.bots import bots_figures, read_profiles
    from persona_lab.reports.interview import interview_report

    kind = given[0].kind
    profiles = read_profiles(given)
    if len(given) == 1:
        profile = profiles[0]
        heading = title or f"Interview of {_names(profile['bots'])}"
        figures = _head(kind, heading) | {"profile": profile}
        return Page(kind, figures, interview_report({**profile, "heading": heading}))
    figures = bots_figures(given, profiles)
    heading = title or _names([bot["name"] for bot in figures["bots"]])
    figures = _head(kind, heading) | figures
    return Page(kind, figures, bots_page(figures, heading))


def _trials(given: Sequence[Given], title: str) -> Page:
    from persona_lab.reports.trials import trials_figures, trials_page

    folders = [(one.name, one.path) for one in given]
    title, html = trials_page(folders, title)
    kind = given[0].kind
    return Page(kind, _head(kind, title) | trials_figures(folders), html)


def _head(kind: Kind, title: str) -> dict[str, Any]:
    return {"kind": kind, "title": title, "version": __version__}


def _names(names: Sequence[str]) -> str:
    shown = list(names[:3])
    if len(names) > 3:
        return f"{', '.join(shown)} and {len(names) - 3} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
