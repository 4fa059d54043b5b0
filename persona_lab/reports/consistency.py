"""What consistency rows say, in figures: what the page shows and ``--json`` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from persona_lab.consistency.overall import WEIGHTS
from persona_lab.consistency.parts import LIKELY
from persona_lab.errors import InputError
from persona_lab.psychometrics.agreement import wilson
from persona_lab.reports.consistencyrows import ConsistencyRow, parse_consistency
from persona_lab.reports.results import Given, Problems, read_rows
from persona_lab.reports.tallies import Floats, Models, Reasons, binned, mean_of, rounded, spread_of

_LISTED: Final = 20
_NEAREST: Final = 5
"""Where nobody drifts, so many who come nearest to it are listed."""

_SHIFTS: Final = 3
_MOST_SPEAKERS: Final = 20
_LEAST_ROWS: Final = 3
"""A name that comes up less often is nobody one could say something about."""


def consistency_figures(given: Sequence[Given]) -> dict[str, Any]:
    """All figures of consistency rows.

    Args:
        given: files of consistency rows.

    Returns:
        JSON types: ``rows`` (total, scored, unscored, unreadable), ``dialogues``, ``unscored``
        and ``warnings`` by code, ``models``, ``score`` (mean, spread, ``bins`` of 20),
        ``parts``, ``drift`` (lists those who do, else the likeliest), ``contradictions``,
        ``target`` (None without one), ``least`` (least consistent first), ``speakers`` (names
        that come back), ``sources``, ``problems``.

    Raises:
        InputError: a file cannot be read, or no row in them can.
    """
    problems = Problems()
    rows = [row for one in given for row in _read(one, problems)]
    if not rows:
        first = problems.listed[0] if problems.listed else "the files are empty"
        raise InputError(f"not one row can be read: {first}")
    scores = _numbers([row.score for row in rows])
    return {
        "rows": {
            "total": len(rows) + problems.total,
            "scored": len(scores),
            "unscored": len(rows) - len(scores),
            "unreadable": problems.total,
        },
        "dialogues": len({(row.source, row.id) for row in rows}),
        **_counted(rows),
        "score": mean_of(scores) | spread_of(scores) | {"bins": binned(scores)},
        "parts": [_part(name, rows) for name in WEIGHTS],
        "drift": _drift(rows),
        "contradictions": _contradictions(rows),
        "target": _target(rows),
        "least": _least(rows),
        "speakers": _groups(rows, [row.speaker for row in rows], _LEAST_ROWS),
        "sources": _groups(rows, [row.source for row in rows], 1) if len(given) > 1 else [],
        "problems": problems.to_row(),
    }


def _read(given: Given, problems: Problems) -> list[ConsistencyRow]:
    def parse(row: Mapping[str, Any]) -> ConsistencyRow:
        return parse_consistency(row, given.name)

    return list(read_rows(given, parse, problems))


def _counted(rows: Sequence[ConsistencyRow]) -> dict[str, Any]:
    reasons, models = Reasons(), Models()
    warnings: Counter[str] = Counter()
    for row in rows:
        if row.reason is not None:
            reasons.add(row.reason, row.code)
        models.add(row.model)
        warnings.update(set(row.warnings))
    return {
        "unscored": reasons.to_rows(),
        "warnings": [{"code": code, "rows": n} for code, n in warnings.most_common()],
        "models": models.to_rows(),
    }


def _part(name: str, rows: Sequence[ConsistencyRow]) -> dict[str, Any]:
    values = _numbers([row.parts[name] for row in rows])
    reasons = Reasons()
    for row in rows:
        if row.parts[name] is None:
            reasons.add(row.missing[name])
    return {
        "name": name,
        **mean_of(values),
        **spread_of(values),
        "unscored": len(rows) - len(values),
        "reasons": reasons.to_rows(),
    }


def _drift(rows: Sequence[ConsistencyRow]) -> dict[str, Any]:
    judged = [(row, row.change) for row in rows if row.change is not None]
    judged.sort(key=lambda pair: -pair[1].probability)
    drifted = sum(change.probability >= LIKELY for _, change in judged)
    listed = []
    for row, change in judged[: min(drifted, _LISTED) or _NEAREST]:
        moved = sorted(change.shift.items(), key=lambda item: -abs(item[1]))[:_SHIFTS]
        listed.append(
            _who(row)
            | {
                "turn": change.turn,
                "probability": change.probability,
                "shift": [{"trait": key, "log_odds": rounded(value)} for key, value in moved],
                "words": change.words,
                "windows": list(row.windows.get(moved[0][0], ())) if moved else [],
            }
        )
    return {
        "likely_from": LIKELY,
        "judged": len(judged),
        "drifted": drifted,
        "share": wilson(drifted, len(judged)).to_row(),
        "listed": listed,
    }


def _contradictions(rows: Sequence[ConsistencyRow]) -> dict[str, Any]:
    judged = [(row, row.contradictions) for row in rows if row.contradictions is not None]
    having = [(row, n) for row, n in judged if n]
    having.sort(key=lambda pair: (-pair[1], -(pair[0].strongest or 0.0)))
    counts = Counter(n for _, n in judged)
    return {
        "judged": len(judged),
        "with": len(having),
        "share": wilson(len(having), len(judged)).to_row(),
        "pairs": sum(n for _, n in judged),
        "counts": [{"pairs": n, "rows": counts[n]} for n in sorted(counts)],
        "listed": [
            _who(row) | {"pairs": n, "strongest": row.strongest} for row, n in having[:_LISTED]
        ],
    }


def _target(rows: Sequence[ConsistencyRow]) -> dict[str, Any] | None:
    tried = [row.met for row in rows if row.met is not None]
    if not tried:
        return None
    return {
        "judged": len(tried),
        "met": sum(tried),
        "share": wilson(sum(tried), len(tried)).to_row(),
    }


def _least(rows: Sequence[ConsistencyRow]) -> list[dict[str, Any]]:
    scored = [(row.score, row) for row in rows if row.score is not None]
    scored.sort(key=lambda pair: pair[0])
    return [
        _who(row)
        | {
            "score": score,
            "low": row.low,
            "high": row.high,
            "words": row.words,
            "costliest": row.costliest,
            "parts": dict(row.parts),
        }
        for score, row in scored[:_LISTED]
    ]


def _groups(
    rows: Sequence[ConsistencyRow], names: Sequence[str | None], least: int
) -> list[dict[str, Any]]:
    """Speakers or files, the most frequent first; those of fewer rows are left out."""
    counted = Counter(name for name in names if name is not None)
    found = []
    for name, n in counted.most_common(_MOST_SPEAKERS):
        if n < least:
            break
        mine = [row for row, other in zip(rows, names, strict=True) if other == name]
        changes = [row.change for row in mine if row.change is not None]
        pairs = [row.contradictions for row in mine if row.contradictions is not None]
        found.append(
            {
                "name": name,
                "rows": n,
                **mean_of(_numbers([row.score for row in mine])),
                "judged_for_drift": len(changes),
                "drifted": sum(change.probability >= LIKELY for change in changes),
                "judged_for_contradictions": len(pairs),
                "contradictions": sum(pairs),
            }
        )
    return found


def _who(row: ConsistencyRow) -> dict[str, Any]:
    return {"id": row.id, "speaker": row.speaker, "source": row.source}


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([value for value in values if value is not None], np.float64)
