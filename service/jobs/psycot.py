"""``psycot``: a language model rates authors item by item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from persona_lab.detectors.base import Result
from persona_lab.dialogue import Dialogue
from persona_lab.scoring import Key, Scoring
from service.bodies import to_dialogues
from service.jobs.kinds import JobRun, Kind
from service.llm import open_client, tell_usage
from service.routes.profiles import frameworks_of
from service.schemas.jobs import PsycotRequest


def run(job: JobRun) -> None:
    """Score; dialogues whose rows an earlier attempt left are not asked about again."""
    from persona_lab.detectors.psycot import PsyCotDetector, Settings
    from persona_lab.llm.asking import Sampling

    body = PsycotRequest.model_validate(job.body)
    dialogues = to_dialogues(body.items, job.config, job=True)
    there = {Key(row["id"], row["speaker"], row["framework"]) for row in job.rows()}
    with open_client(body.llm, job.config) as client:
        job.on_stop(client.cancel)
        settings = Settings(
            variant=body.variant,
            sampling=Sampling(body.temperature, body.seed),
            concurrency=job.config.llm_concurrency,
        )
        detector = PsyCotDetector(client, settings)
        scoring = Scoring(
            detector,
            frameworks=frameworks_of(body.framework),
            speaker=body.speaker,
            explain=True,
            done=lambda keys: bool(keys) and all(key in there for key in keys),
        )
        finished = {key.id for key in there}
        try:
            for rows in _by_dialogue(scoring.results(dialogues)):
                finished.add(rows[0]["id"])
                job.write(rows, done=len(finished))
        finally:
            tell_usage(client)


def _by_dialogue(
    results: Iterator[tuple[Dialogue | None, Result]],
) -> Iterator[list[dict[str, Any]]]:
    """Rows of one dialogue at a time: what is written is complete, so it can be gone on after."""
    rows: list[dict[str, Any]] = []
    current: Dialogue | None = None
    for dialogue, result in results:
        if rows and dialogue is not current:
            yield rows
            rows = []
        current = dialogue
        rows.append(result.to_row(explain=True))
    if rows:
        yield rows


KIND = Kind("psycot", run)
