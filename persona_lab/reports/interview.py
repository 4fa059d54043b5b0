"""The report of an interview, made from its ``profile.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from persona_lab.reports.html import render
from persona_lab.reports.svg import Interval, Row, Series, intervals, radar
from persona_lab.studies.alignment import side_of

if TYPE_CHECKING:
    from markupsafe import Markup

_MOST_SUBJECTS: Final = 12
_COLOURS: Final = 8
_LONGEST_QUOTE: Final = 360
_RADAR_AXES: Final = 3


def interview_report(profile: Mapping[str, Any]) -> str:
    """The report as HTML.

    Args:
        profile: see :func:`persona_lab.interviews.summary.summarize`.
    """
    subjects = _subjects(profile)
    return render(
        "interview.html",
        profile=profile,
        agreement=_agreement(profile),
        subjects=[_subject(profile, *who) for who in subjects[:_MOST_SUBJECTS]],
        overview=_overview(profile, subjects) if len(subjects) > 1 else None,
        n_more=max(0, len(subjects) - _MOST_SUBJECTS),
        names={d["key"]: d["name"] for d in profile["instrument"]["domains"]},
        title=", ".join(profile["bots"][:3]) + (" ..." if len(profile["bots"]) > 3 else ""),
    )


def _agreement(profile: Mapping[str, Any]) -> dict[str, Any] | None:
    """The matrix of methods with its convergent cells by pair of methods and trait."""
    found = profile.get("method_agreement")  # profiles of earlier versions have none
    if found is None:
        return None
    pairs: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in found["cells"]:
        if cell["kind"] == "convergent":
            pairs.setdefault((cell["method_1"], cell["method_2"]), {})[cell["trait_1"]] = cell
    return {**found, "pairs": pairs}


def _subjects(profile: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    return list(dict.fromkeys((m["bot"], m["persona"]) for m in profile["measurements"]))


def _measured(profile: Mapping[str, Any], bot: str, persona: str | None) -> list[Mapping[str, Any]]:
    return [m for m in profile["measurements"] if (m["bot"], m["persona"]) == (bot, persona)]


def _colour(number: int) -> str:
    return f"var(--s{number % _COLOURS + 1})"


def _subject(profile: Mapping[str, Any], bot: str, persona: str | None) -> dict[str, Any]:
    """What one section shows."""
    measured = _measured(profile, bot, persona)
    targets = profile["targets"].get(persona or "", {})
    domains = profile["instrument"]["domains"]
    return {
        "bot": bot,
        "persona": persona,
        "targets": targets,
        "legend": [
            {"name": _name(m), "colour": _colour(i), "hint": _HINTS.get(m["rater"], "")}
            for i, m in enumerate(measured)
        ],
        "radar": _radar(domains, measured, targets),
        "intervals": _intervals(domains, measured, targets),
        "rows": [_row(domain, measured, targets) for domain in domains],
        "quotes": [q for domain in domains if (q := _quotes(domain, measured)) is not None],
        "measured": [(_name(m), m) for m in measured],
        "unscored": _unscored(measured),
    }


def _unscored(measured: Sequence[Mapping[str, Any]]) -> str | None:
    """Why there is nothing to draw; None where there is."""
    results = [result for m in measured for result in m["domains"].values()]
    if any(result["score"] is not None for result in results):
        return None
    return "; ".join(dict.fromkeys(str(result["reason"]) for result in results))


_HINTS: Final = {
    "closed": "by the key",
    "option": "open answers mapped to the scale, then by the key",
    "llm": "rated by a judge",
    "detector": "probability by the trained model",
}


def _name(measured: Mapping[str, Any]) -> str:
    if measured["rater"] == "closed":
        return str(measured["protocol"])
    return f"{measured['protocol']}, {measured['rater']}"


def _radar(
    domains: Sequence[Mapping[str, Any]],
    measured: Sequence[Mapping[str, Any]],
    targets: Mapping[str, float],
) -> Markup | None:
    if len(domains) < _RADAR_AXES:
        return None
    keys = [d["key"] for d in domains]
    series = [
        Series(tuple(m["domains"][key]["score"] for key in keys), _colour(i))
        for i, m in enumerate(measured)
    ]
    if targets:
        # a trait that nothing is asked of is neither high nor low
        wanted = tuple(targets.get(key, 0.5) for key in keys)
        series.append(Series(wanted, "var(--target)", dashed=True))
    return radar([_high(d) for d in domains], series, "Scores on all domains")


def _high(domain: Mapping[str, Any]) -> str:
    return str(domain["high"])


def _intervals(
    domains: Sequence[Mapping[str, Any]],
    measured: Sequence[Mapping[str, Any]],
    targets: Mapping[str, float],
) -> Markup:
    rows = []
    for domain in domains:
        marks = []
        for i, m in enumerate(measured):
            result = m["domains"][domain["key"]]
            marks.append(
                Interval(
                    value=result["score"],
                    low=result["low"],
                    high=result["high"],
                    worst=result["worst"],
                    best=result["best"],
                    colour=_colour(i),
                    title=f"{_name(m)}: {_said(result)}",
                )
            )
        target = targets.get(domain["key"])
        rows.append(Row(domain["low"], domain["high"], tuple(marks), target))
    return intervals(rows, "Scores with intervals")


def _said(result: Mapping[str, Any]) -> str:
    if result["score"] is None:
        return f"unscored, {result['reason']}"
    if result["low"] is None:
        return f"{result['score']:.2f}"
    return f"{result['score']:.2f} [{result['low']:.2f}, {result['high']:.2f}]"


def _row(
    domain: Mapping[str, Any],
    measured: Sequence[Mapping[str, Any]],
    targets: Mapping[str, float],
) -> dict[str, Any]:
    target = targets.get(domain["key"])
    cells = []
    for m in measured:
        result = m["domains"][domain["key"]]
        cells.append({"result": result, "verdict": _verdict(result, target)})
    return {"name": domain["name"], "target": target, "cells": cells}


def _verdict(result: Mapping[str, Any], target: float | None) -> dict[str, Any] | None:
    """Is the score on the target's side, and its whole interval, too?

    Returns:
        ``met`` and ``sure``; None where there is nothing to say.
    """
    score = result["score"]
    side = None if target is None else side_of(target, (0.0, 1.0))
    if score is None or side in (None, "X"):
        return None
    straddles = result["low"] is not None and result["low"] <= 0.5 <= result["high"]
    return {"met": (score > 0.5) == (side == "H") and score != 0.5, "sure": not straddles}


def _quotes(
    domain: Mapping[str, Any], measured: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The most telling words on a domain."""
    found = []
    for m in measured:
        result = m["domains"][domain["key"]]
        found += [
            {"source": _name(m), "text": _shortened(quote["text"])}
            for quote in result["quotes"][:1]
        ]
    unique = {quote["text"]: quote for quote in found}
    if not unique:
        return None
    return {"name": domain["name"], "quotes": list(unique.values())}


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= _LONGEST_QUOTE:
        return text
    return text[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."


def _overview(
    profile: Mapping[str, Any], subjects: Sequence[tuple[str, str | None]]
) -> dict[str, Any]:
    """All subjects in one table, a line each measurement."""
    lines = [
        {
            "subject": persona or bot,
            "name": _name(m),
            "scores": [m["domains"][d["key"]]["score"] for d in profile["instrument"]["domains"]],
        }
        for bot, persona in subjects
        for m in _measured(profile, bot, persona)
    ]
    return {"domains": [d["name"] for d in profile["instrument"]["domains"]], "lines": lines}
