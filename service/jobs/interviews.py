"""``interviews``: a chatbot is asked a questionnaire, and its answers are rated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona_lab.instruments import list_instruments, load_instrument
from service.jobs.kinds import JobRun, Kind
from service.llm import open_client, tell_usage
from service.problems import Problem
from service.schemas.jobs import InterviewRequest

if TYPE_CHECKING:
    from persona_lab.interviews.raters.rating import Rating
    from persona_lab.interviews.records import Record
    from persona_lab.llm import Client

_RECORD, _PROFILE = "record", "profile"
"""What a result row is: ``row`` says so."""


def check(body: InterviewRequest) -> None:
    """Find mistakes before anything is stored.

    Raises:
        Problem: there is no such instrument, or two personas share an id.
    """
    # only bundled ones: the library would also open any file of this name
    names = [info.name for info in list_instruments()]
    if body.instrument not in names:
        raise Problem.at("/instrument", f"there is no such instrument; use {', '.join(names)}")
    ids = [persona.id for persona in body.personas]
    for i, id in enumerate(ids):
        if id in ids[:i]:
            raise Problem.at(f"/personas/{i}/id", "two personas have this id; ids must differ")


def size(body: InterviewRequest) -> int:
    """Answers to expect of closed items; open questions are counted when the job begins."""
    items = len(load_instrument(body.instrument).items)
    return items * body.repeats * max(1, len(body.personas))


def run(job: JobRun) -> None:
    """Interview; answers that an earlier attempt recorded are not asked for again."""
    from persona_lab.detectors.registry import load_detector
    from persona_lab.interviews.raters.rate import RatingSettings
    from persona_lab.interviews.raters.rating import DETECTOR
    from persona_lab.interviews.records import Record
    from persona_lab.interviews.run import Settings, rehearse
    from persona_lab.interviews.session import Session, usual_raters

    body = InterviewRequest.model_validate(job.body)
    instrument = load_instrument(body.instrument)
    folder = job.folder / "interview"
    told = _catch_up(job, folder)

    def tell(row: Record | Rating) -> None:
        if isinstance(row, Record):
            told.add(row.id)
            job.write([{"row": _RECORD, **row.to_row()}], done=len(told))

    with open_client(body.bot, job.config) as client:
        job.on_stop(client.cancel)
        try:
            subjects = _subjects(body, client)
            settings = Settings(tuple(body.protocols), body.repeats)
            _, expected = rehearse(subjects, instrument, settings, {})
            job.set_total(len(expected))
            raters = usual_raters(body.protocols, instrument, has_judge=body.judge)
            session = Session(
                instrument,
                folder,
                RatingSettings(raters),
                judges=(client,) if body.judge else (),
                detector=load_detector(job.config.detectors[0]) if DETECTOR in raters else None,
                concurrency=job.config.llm_concurrency,
            )
            profile = session.interview(subjects, settings, client, progress=tell)
        finally:
            tell_usage(client)
    job.write([{"row": _PROFILE, **profile}], done=len(expected))


def _subjects(body: InterviewRequest, client: Client) -> list[Any]:
    from persona_lab.interviews.bots import Bot
    from persona_lab.interviews.run import Subject
    from persona_lab.traits import Target

    bot = Bot(body.bot.model or client.name, client, body.system, (), body.temperature, body.seed)
    if not body.personas:
        return [Subject(bot)]
    return [
        Subject(
            Bot(bot.name, client, persona.system, (), body.temperature, body.seed),
            persona.id,
            dict(Target.parse(persona.target).values) if persona.target else {},
        )
        for persona in body.personas
    ]


def _catch_up(job: JobRun, folder: Path) -> set[str]:
    """Let the transcript and the rows that were written agree; returns the answers' ids.

    A worker may die between the two, and the next one may run on another machine.
    """
    from persona_lab.interviews.records import Record, RecordFile
    from persona_lab.interviews.run import TRANSCRIPT

    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for row in job.rows() if row["row"] == _RECORD]
    known = {str(row["id"]) for row in rows}
    with RecordFile(folder / TRANSCRIPT) as file:
        there = {record.id: record for record in file.read()}
        for row in rows:
            if row["id"] not in there:
                file.append(Record.from_row(row))
    missing = [record for id, record in there.items() if id not in known]
    if missing:
        known |= {record.id for record in missing}
        job.write([{"row": _RECORD, **r.to_row()} for r in missing], done=len(known))
    return known


KIND = Kind("interviews", run)
