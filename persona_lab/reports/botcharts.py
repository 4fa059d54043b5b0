"""The page that holds interviews of several bots together, from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from persona_lab.reports.bars import strip
from persona_lab.reports.html import render
from persona_lab.reports.svg import Interval, Row, Series, intervals, radar

if TYPE_CHECKING:
    from markupsafe import Markup

Figures = Mapping[str, Any]

_MOST_SECTIONS: Final = 12
_MOST_CHANGES: Final = 200
_COLOURS: Final = 8
_RADAR_AXES: Final = 3
_RADAR_BOTS: Final = 4
"""More shapes upon each other cannot be told apart."""

_SPAN: Final = (-1.0, 1.0)


def bots_page(figures: Figures, title: str) -> str:
    """The comparison as HTML.

    Args:
        figures: of :func:`persona_lab.reports.bots.bots_figures`.
        title: of the page.
    """
    names = [bot["name"] for bot in figures["bots"]]
    domains = {domain["key"]: domain for domain in figures["instrument"]["domains"]}
    return render(
        "bots.html",
        title=title,
        figures=figures,
        names=names,
        sections=[_section(one, names, domains) for one in figures["profiles"][:_MOST_SECTIONS]],
        comparisons=[_comparison(one) for one in figures["comparisons"]],
        domains=domains,
    )


def _section(profile: Figures, names: Sequence[str], domains: Figures) -> dict[str, Any]:
    """What is shown of one persona, protocol and rater: only the bots that have it."""
    present = [
        i for i in range(len(names)) if any(d["scores"][i] is not None for d in profile["domains"])
    ]
    return {
        "profile": profile,
        "legend": [{"name": names[i], "colour": _colour(i)} for i in present],
        "absent": [name for i, name in enumerate(names) if i not in present],
        "radar": _radar(profile, present, domains),
        "intervals": _intervals(profile, present, names, domains),
        "rows": [
            {
                "name": domains[d["domain"]]["name"],
                "cells": [{"score": d["scores"][i], "target": d["targets"][i]} for i in present],
            }
            for d in profile["domains"]
        ],
    }


def _comparison(found: Figures) -> dict[str, Any]:
    """The lines of a comparison; of very many only those that differ."""
    changes = found["changes"]
    if len(changes) > _MOST_CHANGES:
        changes = [change for change in changes if change["drifted"]][:_MOST_CHANGES]
    shown = [change | {"strip": _strip(change)} for change in changes]
    return {**found, "changes": shown, "hidden": len(found["changes"]) - len(shown)}


def _colour(number: int) -> str:
    return f"var(--s{number % _COLOURS + 1})"


def _radar(profile: Figures, present: Sequence[int], domains: Figures) -> Markup | None:
    if len(domains) < _RADAR_AXES or len(present) > _RADAR_BOTS:
        return None
    series = [
        Series(tuple((d["scores"][i] or {}).get("score") for d in profile["domains"]), _colour(i))
        for i in present
    ]
    return radar([d["high"] for d in domains.values()], series, "Scores on all domains")


def _intervals(
    profile: Figures, present: Sequence[int], names: Sequence[str], domains: Figures
) -> Markup:
    rows = []
    for found in profile["domains"]:
        marks = tuple(_mark(names[i], found["scores"][i], _colour(i)) for i in present)
        wanted = {found["targets"][i] for i in present}
        poles = domains[found["domain"]]
        # bots that were asked for different things have no target in common to draw
        target = wanted.pop() if len(wanted) == 1 else None
        rows.append(Row(poles["low"], poles["high"], marks, target))
    return intervals(rows, "Scores with intervals, a bot each")


def _mark(name: str, score: Figures | None, colour: str) -> Interval:
    if score is None or score["score"] is None:
        why = "not measured" if score is None else score.get("reason")
        return Interval(None, None, None, None, None, colour, f"{name}: {why}")
    low, high = score["low"], score["high"]
    said = f"{name}: {score['score']:.2f}"
    if low is not None and high is not None:
        said += f" [{low:.2f}, {high:.2f}]"
    return Interval(score["score"], low, high, score["worst"], score["best"], colour, said)


def _strip(change: Figures) -> Markup | None:
    found = change["difference"]
    if found["estimate"] is None:
        return None
    return strip(
        found["estimate"],
        found["low"],
        found["high"],
        ends=_SPAN,
        colour="var(--bad)" if change["drifted"] else "var(--soft)",
        title=f"{found['estimate']:+.2f}",
    )
