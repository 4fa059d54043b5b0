"""Interviews: what was asked and answered, and the positions that came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from persona_lab.frames.building import Columns, build, lacks, listed
from persona_lab.interviews.records import Record, read_transcript

if TYPE_CHECKING:
    import pandas as pd

    from persona_lab.interviews.result import Measurement

_RECORD: Final[Columns] = {
    "id": "text",
    "bot": "text",
    "persona": "text",
    "instrument": "text",
    "protocol": "text",
    "wording": "text",
    "order": "text",
    "temperature": "number",
    "repeat": "count",
    "item": "text",
    "domain": "text",
    "facet": "text",
    "question": "text",
    "answer": "text",
    "rating": "number",
    "status": "text",
    "reason": "text",
    "code": "text",
    "flags": "text",
}
_WHO: Final = ("bot", "persona", "protocol", "rater")
_DOMAIN: Final[Columns] = {
    "bot": "text",
    "persona": "text",
    "protocol": "text",
    "rater": "text",
    "domain": "text",
    "trait": "text",
    "score": "number",
    "low": "number",
    "high": "number",
    "worst": "number",
    "best": "number",
    "target": "number",
    "n_scored": "count",
    "n_unscored": "count",
    "status": "text",
    "reason": "text",
    "code": "text",
}


def record_frame(
    records: Path | Record | Mapping[str, Any] | Iterable[Record | Mapping[str, Any]],
) -> pd.DataFrame:
    """Questions and answers of interviews.

    Args:
        records: a transcript, or its records.

    Returns:
        The fields of :class:`~persona_lab.interviews.records.Record` as columns; ``flags``
        joined by commas, ``rating`` as given (not reflected).

    Raises:
        InputError: the transcript cannot be read, or something else is among the records.
        MissingExtraError: pandas is not installed.
    """
    held = read_transcript(records) if isinstance(records, Path) else listed(records, Record)
    rows = []
    for number, record in enumerate(held, 1):
        row = record if isinstance(record, Mapping) else record.to_row()
        try:
            rows.append({name: row[name] for name in _RECORD} | {"flags": ", ".join(row["flags"])})
        except KeyError as error:
            raise lacks(number, "record of an interview", error) from None
    return build(rows, _RECORD)


def interview_frame(
    results: Path | Measurement | Mapping[str, Any] | Iterable[Any], *, wide: bool = False
) -> pd.DataFrame:
    """Results of interviews.

    Args:
        results: ``profile.json``, its folder or its contents, or measurements; one or several.
        wide: one row a bot, persona, protocol and rater, with columns such as
            ``extraversion.score``, ``.low``, ``.high`` and ``.target``.

    Returns:
        Columns ``bot``, ``persona``, ``protocol``, ``rater``, ``domain``, ``trait`` (the
        framework's key of the domain), ``score`` (0 the low pole, 1 the high one), ``low``,
        ``high``, ``worst`` and ``best`` (if all that is unscored were at one pole),
        ``target``, ``n_scored``, ``n_unscored`` (ratings), ``status``, ``reason``, ``code``.

    Raises:
        InputError: something else is among the results.
        MissingExtraError: pandas is not installed.
    """
    from persona_lab.interviews.result import Measurement

    rows = []
    for number, result in enumerate(listed(results, (Path, Measurement)), 1):
        try:
            rows += list(_of_result(result))
        except KeyError as error:
            raise lacks(number, "result of 'persona-lab interview'", error) from None
    return build(_by_subject(rows), _wide_columns(rows)) if wide else build(rows, _DOMAIN)


def _of_result(result: Any) -> Iterator[dict[str, Any]]:
    from persona_lab.interviews.summary import read_profile

    if isinstance(result, Path):
        result = read_profile(result)
    if not isinstance(result, Mapping):
        yield from _of_measurement(result.to_row(), {}, {})
    elif "measurements" in result:
        traits = {d["key"]: d["trait"] for d in result["instrument"]["domains"]}
        for measured in result["measurements"]:
            wanted = result["targets"].get(measured["persona"] or "", {})
            yield from _of_measurement(measured, traits, wanted)
    else:
        yield from _of_measurement(result, {}, {})


def _of_measurement(
    row: Mapping[str, Any], traits: Mapping[str, str | None], wanted: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    who = {name: row[name] for name in _WHO}
    for key, found in row["domains"].items():
        status = "unscored" if found["score"] is None else "scored"
        about = {"domain": key, "trait": traits.get(key, key), "target": wanted.get(key)}
        yield {**who, **about, **found, "status": status}


_KEPT: Final = ("score", "low", "high", "target")


def _by_subject(rows: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        who = {name: row[name] for name in _WHO}
        line = found.setdefault(tuple(who.values()), who)
        line |= {f"{row['domain']}.{name}": row.get(name) for name in _KEPT}
        line[f"{row['domain']}.reason"] = row.get("reason")
    return found.values()


def _wide_columns(rows: Iterable[Mapping[str, Any]]) -> Columns:
    columns: Columns = dict.fromkeys(_WHO, "text")
    for domain in dict.fromkeys(row["domain"] for row in rows):
        numbers: Columns = {f"{domain}.{name}": "number" for name in _KEPT}
        columns = {**columns, **numbers, f"{domain}.reason": "text"}
    return columns
