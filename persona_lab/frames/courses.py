"""The course of a dialogue: traits window by window, and the parts of the consistency score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from persona_lab.frames.building import Columns, build, lacks, listed
from persona_lab.traits import FRAMEWORKS

if TYPE_CHECKING:
    import pandas as pd

    from persona_lab.consistency.report import Report, Unread
    from persona_lab.consistency.turns import Turns

_OVERALL: Final = "consistency"
_WHO: Final[Columns] = {"id": "text", "speaker": "text", "framework": "text"}
_WHY: Final[Columns] = {"status": "text", "reason": "text", "code": "text"}
_CHANGE: Final[Columns] = {"change_turn": "count", "change_probability": "number"}
_WINDOW: Final[Columns] = {"first": "count", "last": "count", "turn": "number"}
_TURN: Final[Columns] = {
    **_WHO,
    **_WINDOW,
    "trait": "text",
    "p_high": "number",
    "low": "number",
    "high": "number",
    **_CHANGE,
    **_WHY,
}
_PART: Final[Columns] = {
    **_WHO,
    "part": "text",
    "score": "number",
    "low": "number",
    "high": "number",
    "cost": "number",
    **_WHY,
    "words": "count",
}


def turn_frame(
    things: Turns | Report | Unread | Mapping[str, Any] | Iterable[Any],
    *,
    id: str = "",
    window: int | None = None,
    wide: bool = False,
) -> pd.DataFrame:
    """Traits over the turns of speakers, in windows of neighbouring turns of theirs.

    Args:
        things: consistency reports or rows of ``persona-lab consistency --json``; or one
            dialogue as :class:`~persona_lab.consistency.turns.TurnReader` reads it, which
            also gives intervals.
        id: of the dialogue, for what the reader read.
        window: turns of the speaker in a window, for what the reader read (at most a third
            of the speaker's turns, and at least two); 1 for single turns.
        wide: one row a window, with a column a trait that holds ``p_high``.

    Returns:
        Columns ``id``, ``speaker``, ``framework``, ``first`` and ``last`` (index of the
        window's first and last turn in the dialogue, from 0), ``turn`` (their middle),
        ``trait``, ``p_high``, ``low``, ``high`` (90 % interval; NaN in reports), and, the
        same in all rows of a speaker, ``change_turn`` (first turn after the likeliest change)
        and ``change_probability``; ``status``, ``reason``, ``code``.

        The intervals come from how far equally long pieces of one training text differ; what
        the model does not know about people as such is not in them.

    Raises:
        InputError: something else is among the things.
        MissingExtraError: pandas is not installed.
    """
    from persona_lab.consistency.report import Report, Unread
    from persona_lab.consistency.turns import Turns

    rows: list[dict[str, Any]] = []
    for number, thing in enumerate(listed(things, (Turns, Report, Unread)), 1):
        if isinstance(thing, Turns):
            rows += _of_turns(thing, id, window)
            continue
        try:
            row = thing if isinstance(thing, Mapping) else thing.to_row()
            rows += _of_report(row)
        except KeyError as error:
            raise lacks(number, "row of 'persona-lab consistency'", error) from None
    return build(_by_window(rows), _wide_columns(rows)) if wide else build(rows, _TURN)


def consistency_frame(
    reports: Report | Unread | Mapping[str, Any] | Iterable[Report | Unread | Mapping[str, Any]],
) -> pd.DataFrame:
    """Scores of consistency, one row a speaker and part; the first is the overall score.

    Args:
        reports: or rows of ``persona-lab consistency --json``.

    Returns:
        Columns ``id``, ``speaker``, ``framework``, ``part`` (``consistency`` is all
        together), ``score`` (0..1), ``low``, ``high`` (90 % interval), ``cost`` (what the part
        takes off the score, 0..1), ``status``, ``reason``, ``code`` and ``words`` of the
        speaker.

    Raises:
        InputError: something else is among the reports.
        MissingExtraError: pandas is not installed.
    """
    from persona_lab.consistency.report import Report, Unread

    rows: list[dict[str, Any]] = []
    for number, report in enumerate(listed(reports, (Report, Unread)), 1):
        try:
            row = report if isinstance(report, Mapping) else report.to_row()
            rows += _parts(row)
        except KeyError as error:
            raise lacks(number, "row of 'persona-lab consistency'", error) from None
    return build(rows, _PART)


def _parts(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    head = {name: row[name] for name in _WHO} | {"words": row["word_count"]}
    whole = {name: row.get(name) for name in ("score", "low", "high", *_WHY)}
    yield {**head, **whole, "part": _OVERALL}
    for part, score in row["parts"].items():
        low, high = row["details"].get(part, {}).get("interval", (None, None))
        yield {
            **head,
            "part": part,
            "score": score,
            "low": low,
            "high": high,
            "cost": row["costs"].get(part),
            "status": "unscored" if score is None else "scored",
            "reason": row["unscored"].get(part),
        }


def _of_report(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    head: dict[str, Any] = {name: row[name] for name in _WHO}
    found = row["details"].get("stability")
    if found is None:
        why = row.get("reason") or row["unscored"].get("stability")
        yield from _unscored(head, why, row.get("code"))
        return
    change = row["change_point"] or {}
    head |= {"change_turn": change.get("turn"), "change_probability": change.get("probability")}
    for window in found["windows"]:
        place = {
            "first": window["first"],
            "last": window["last"],
            "turn": (window["first"] + window["last"]) / 2,
            "status": "scored",
        }
        for trait, p in window["p_high"].items():
            yield {**head, **place, "trait": trait, "p_high": p}


def _unscored(
    head: Mapping[str, Any], reason: str | None, code: str | None
) -> Iterator[dict[str, Any]]:
    framework = FRAMEWORKS.get(head.get("framework") or "")
    for trait in framework.keys if framework else (None,):
        yield {**head, "trait": trait, "status": "unscored", "reason": reason, "code": code}


def _of_turns(turns: Turns, id: str, window: int | None) -> Iterator[dict[str, Any]]:
    from persona_lab.consistency.drift import Drift, drift
    from persona_lab.consistency.parts import NotScored, too_little
    from persona_lab.consistency.stability import WINDOW, width

    for speaker in dict.fromkeys(turns.speakers):
        own = turns.of(speaker)
        head: dict[str, Any] = {"id": id, "speaker": speaker, "framework": turns.framework.name}
        missing = too_little(len(own), turns.n_words(own))
        if isinstance(missing, NotScored):
            yield from _unscored(head, missing.reason, missing.code)
            continue
        found = drift(turns, speaker)
        if isinstance(found, Drift):
            point = found.change_point
            head |= {"change_turn": point.turn, "change_probability": point.probability}
        size = 1 if window == 1 else width(len(own), window or WINDOW)
        for start in range(len(own) - size + 1):
            yield from _window(turns, own[start : start + size], head)


def _window(turns: Turns, places: list[int], head: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    import numpy as np

    from persona_lab.consistency.parts import Z90
    from persona_lab.detectors.trained import sigmoid

    n_words = turns.n_words(places)
    middle = turns.log_odds(places)
    reach = Z90 * np.sqrt(turns.noise(n_words) / n_words)
    p, low, high = (np.asarray(sigmoid(z)) for z in (middle, middle - reach, middle + reach))
    place = {"first": places[0], "last": places[-1], "turn": (places[0] + places[-1]) / 2}
    for t, trait in enumerate(turns.framework.keys):
        scores = {"p_high": float(p[t]), "low": float(low[t]), "high": float(high[t])}
        yield {**head, **place, **scores, "trait": trait, "status": "scored"}


def _by_window(rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    names = (*_WHO, *_WINDOW, *_CHANGE, *_WHY)
    for row in rows:
        line = {name: row.get(name) for name in names}
        key = tuple(line[name] for name in (*_WHO, *_WINDOW))
        found.setdefault(key, line)
        if row["trait"] is not None:
            found[key][row["trait"]] = row.get("p_high")
    return found.values()


def _wide_columns(rows: Iterable[Mapping[str, Any]]) -> Columns:
    traits = dict.fromkeys(row["trait"] for row in rows if row["trait"] is not None)
    return {**_WHO, **_WINDOW, **dict.fromkeys(traits, "number"), **_CHANGE, **_WHY}
