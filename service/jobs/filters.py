"""``filters``: score dialogues once and keep those that meet an expression."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from persona_lab.formats import write_dialogues
from service.bodies import to_dialogues
from service.jobs.kinds import JobRun, Kind
from service.routes.profiles import frameworks_of
from service.schemas.jobs import FilterRequest

_PLACES = frozenset(
    {"ordinal", "id", "source", "row", "line", "group", "content", "verdict", "reason"}
)
"""Columns of the ledger that are about the row and not about a speaker."""


def check(body: FilterRequest) -> None:
    """Find mistakes in the expression before anything is stored.

    Raises:
        PersonaLabError: it cannot be understood, or names no field.
    """
    from persona_lab.filtering.fields import CONSISTENCY_FIELDS, ledger_fields
    from persona_lab.filtering.rules import Rule

    extra = {field.name for field in CONSISTENCY_FIELDS}
    fields = ledger_fields(
        frameworks_of(body.framework), target=body.target is not None, extra=extra
    )
    Rule(body.keep, {name: field.kind for name, field in fields.items()})


def run(job: JobRun) -> None:
    """Filter; a folder that an earlier attempt left is gone on with."""
    from persona_lab.filtering.run import Job
    from persona_lab.filtering.run import run as filter_files
    from persona_lab.filtering.scorer import ScorerSettings
    from persona_lab.filtering.targets import TargetChoice

    body = FilterRequest.model_validate(job.body)
    dialogues = to_dialogues(body.items, job.config, job=True)
    given, out = job.folder / "items.jsonl", job.folder / "out"
    if not given.exists():
        partial = given.with_suffix(".partial")
        write_dialogues(dialogues, partial)
        partial.replace(given)

    def tell(done: int, skipped: int) -> None:
        job.write([], done=done + skipped)

    filter_files(
        given,
        out,
        Job(
            keep=body.keep,
            any_speaker=body.any_speaker,
            scorer=ScorerSettings(
                detector=body.model or job.config.detectors[0],
                frameworks=frameworks_of(body.framework),
                speaker=body.speaker,
                target=None if body.target is None else TargetChoice.parse(body.target),
            ),
            format="jsonl",
        ),
        resume=out.exists(),
        tell=tell,
    )
    there = len(job.rows())
    rows = list(_rows(out / "ledger"))[there:]
    job.write(rows, done=len(dialogues))


def _rows(ledger: Path) -> Iterator[dict[str, Any]]:
    """One row a dialogue: the verdict, and the scores of its speakers."""
    from persona_lab.filtering.ledger import read_ledger

    lines = (line for table in read_ledger(ledger) for line in table.to_pylist())
    for _, group in groupby(lines, key=lambda line: line["ordinal"]):
        speakers = list(group)
        first = speakers[0]
        row = {
            "id": first["id"],
            "status": "unscored" if first["verdict"] == "unscored" else "scored",
            "verdict": first["verdict"],
            "speakers": [
                {k: v for k, v in one.items() if k not in _PLACES and v is not None}
                | {"reason": one["reason"]}
                for one in speakers
            ],
        }
        if row["status"] == "unscored":
            row |= {"code": first["code"], "reason": first["unscored_reason"] or first["reason"]}
        yield row


KIND = Kind("filters", run)
