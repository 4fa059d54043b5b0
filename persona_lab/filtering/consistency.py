"""The only place where filtering meets the consistency measures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Any

from persona_lab.consistency.judge import ConsistencyJudge, load_nli
from persona_lab.consistency.parts import NotScored, Score
from persona_lab.consistency.report import Report, Unread
from persona_lab.dialogue import Dialogue
from persona_lab.errors import ModelError

if TYPE_CHECKING:
    from persona_lab.detectors.registry import LoadedDetector

_CONTRADICTIONS = "contradictions"
_ONE_AT_A_TIME = Lock()
"""A judge keeps vectors of texts it has seen, which is not for several threads at once."""


def make_judge(detector: LoadedDetector, asked: Sequence[str]) -> ConsistencyJudge:
    """A judge that does no more than is asked for.

    Args:
        detector: reads traits.
        asked: names of consistency fields; without ``contradictions`` the overall score
            is that of the other parts.

    Raises:
        ModelError: contradictions are asked for and there is no model that finds them.
    """
    if _CONTRADICTIONS not in asked:
        return ConsistencyJudge(detector, nli=NotScored("not asked for", "not_asked"))
    nli = load_nli()
    if isinstance(nli, NotScored):
        raise ModelError(f"the field 'contradictions' cannot be computed: {nli.reason}")
    return ConsistencyJudge(detector, nli=nli)


def consistency_values(
    judge: ConsistencyJudge, wanted: Sequence[tuple[Dialogue, str]], asked: Sequence[str]
) -> list[dict[str, Any]]:
    """The consistency fields of some speakers.

    Args:
        judge: from :func:`make_judge`.
        wanted: dialogues and speakers; those of one dialogue stand together.
        asked: names of the fields.

    Returns:
        For each speaker, values by field; a part that could not be scored has none.
    """
    groups = [list(group) for _, group in groupby(wanted, key=lambda one: id(one[0]))]
    talks = [(pairs[0][0], [name for _, name in pairs]) for pairs in groups]
    values: list[dict[str, Any]] = []
    with _ONE_AT_A_TIME:
        judge.reader.prepare(dialogue for dialogue, _ in talks)
        for dialogue, names in talks:
            known = [name for name in names if name in dialogue.speaker_names]
            reports = dict(zip(known, judge.reports_of(dialogue, known), strict=True))
            values += [_values(reports.get(name), asked) for name in names]
    return values


def _values(report: Report | Unread | None, asked: Sequence[str]) -> dict[str, Any]:
    if not isinstance(report, Report):
        return {}
    values: dict[str, Any] = {
        "consistency": _value(report.score),
        "stability": _value(report.parts["stability"]),
    }
    if not isinstance(report.contradiction, NotScored):
        values[_CONTRADICTIONS] = len(report.contradiction.conflicts)
    return {name: values.get(name) for name in asked}


def _value(part: Score | NotScored) -> float | None:
    return round(part.value, 4) if isinstance(part, Score) else None
