"""One interview from the questions to the report, in one folder.

======================  ==================================================================
file                    what
======================  ==================================================================
``run.json``            what decides the answers; a rerun with other settings is refused
``transcript.jsonl``    every question and answer, appended as they come
``questions.jsonl``     questions as a language model reworded them, if it was asked to
``ratings.jsonl``       judges' ratings, appended as they come
``profile.json``        the result
``report.html``         the result for people
======================  ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from persona_lab.detectors import Detector
from persona_lab.errors import ModelError, PersonaLabError, RowError
from persona_lab.instruments import Instrument
from persona_lab.interviews.adaptive import adaptive_summary, replayed_summary
from persona_lab.interviews.flags import with_sameness
from persona_lab.interviews.junit import write_junit
from persona_lab.interviews.labels import Labels
from persona_lab.interviews.manifest import check_settings
from persona_lab.interviews.questions import (
    INTERVIEW,
    SITUATIONAL,
    OpenQuestion,
    interview_questions,
    situational_questions,
)
from persona_lab.interviews.raters.detector import framework_for
from persona_lab.interviews.raters.rate import JUDGED, RatingSettings, add, forecast_rating, rate
from persona_lab.interviews.raters.rating import CLOSED, DETECTOR, LLM, Rating, RatingFile
from persona_lab.interviews.recorded import Recorded
from persona_lab.interviews.records import Record, RecordFile, read_transcript
from persona_lab.interviews.result import measurements
from persona_lab.interviews.rewording import reword
from persona_lab.interviews.run import (
    PROTOCOLS,
    TRANSCRIPT,
    Settings,
    Subject,
    carry_out,
    plan,
    rehearse,
)
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.interviews.summary import Cost, Findings, summarize, target_cases
from persona_lab.llm.budget import Forecast
from persona_lab.llm.client import Client
from persona_lab.wholefile import write_whole

RATINGS: Final = "ratings.jsonl"
QUESTIONS: Final = "questions.jsonl"
PROFILE: Final = "profile.json"
REPORT: Final = "report.html"

Progress = Callable[[Record | Rating], None]


def _silent(row: Record | Rating) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class Session:
    """All that an interview needs.

    Attributes:
        instrument: what is asked about.
        folder: where everything is kept; made if it is not there.
        rating: how answers are rated.
        judges: for the raters that ask a language model, and for rewording.
        detector: for the rater ``detector``.
        labels: of people, if there are any.
        concurrency: conversations under way at once.
        problems: rows of the session's files that could not be read.
        notes: what the reader of the report should know, one sentence each.
    """

    instrument: Instrument
    folder: Path
    rating: RatingSettings
    judges: tuple[Client, ...] = ()
    detector: Detector | None = None
    labels: Labels | None = None
    concurrency: int = 4
    problems: tuple[RowError, ...] = ()
    notes: tuple[str, ...] = ()

    def interview(
        self,
        subjects: Sequence[Subject],
        settings: Settings,
        client: Client,
        *,
        progress: Progress = _silent,
    ) -> dict[str, Any]:
        """Ask, rate, and write the results.

        Args:
            subjects: of one bot.
            settings: how to ask.
            client: the bot's model.
            progress: told of each new record and rating.

        Returns:
            The profile.

        Raises:
            PersonaLabError: nothing could be asked, or a file cannot be written; what was
                recorded is kept.
        """
        make_folder(self.folder)
        check_settings(self.folder, subjects, self.instrument, settings)
        texts = self._reword(settings) if settings.reworded else {}
        flows = plan(subjects, self.instrument, settings, reworded=texts)
        with RecordFile(self.folder / TRANSCRIPT) as file:
            carry_out(flows, file, client, concurrency=self.concurrency, progress=progress)
            records = _in_order(file.read(), subjects, self.instrument)
        told = {
            "protocols": list(settings.protocols),
            "repeats": settings.repeats,
            "temperature": subjects[0].bot.temperature,
            "one_conversation": settings.one_conversation,
            "interviewer": settings.interviewer,
            "precision": settings.precision,
            "bot_model": client.name,
        }
        return self._conclude(
            records,
            told,
            {s.persona or "": s.targets for s in subjects},
            bot=client,
            adaptive=adaptive_summary(records, self.instrument) if settings.precision else None,
            progress=progress,
        )

    def rate_recorded(
        self,
        recorded: Recorded,
        *,
        precision: float | None = None,
        progress: Progress = _silent,
    ) -> dict[str, Any]:
        """Rate recorded answers and write the results.

        Args:
            recorded: the answers.
            precision: also tell what adaptive length would have saved on the closed ones.
            progress: told of each new rating.

        Returns:
            The profile.

        Raises:
            PersonaLabError: a file cannot be written, or a judge cannot be asked.
        """
        make_folder(self.folder)
        session = replace(self, problems=(*self.problems, *recorded.problems))
        told = {"recorded_answers": True, "precision": precision}
        adaptive = None
        if precision is not None:
            adaptive = replayed_summary(recorded.records, self.instrument, precision)
        return session._conclude(
            recorded.records, told, recorded.targets, adaptive=adaptive, progress=progress
        )

    def forecast(self, subjects: Sequence[Subject], settings: Settings, client: Client) -> Forecast:
        """What asking and rating would use, beyond what is recorded already."""
        path = self.folder / TRANSCRIPT
        done = {r.id: r for r in read_transcript(path)} if path.exists() else {}
        asking, made_up = rehearse(subjects, self.instrument, settings, done, client.prices)
        records = [*done.values(), *made_up]
        return add(asking, forecast_rating(records, self.instrument, self.rating, self.judges))

    def _reword(self, settings: Settings) -> dict[str, str]:
        if not self.judges:
            raise PersonaLabError("--reword asks a language model; name it with --judge SPEC")
        questions: list[OpenQuestion] = []
        if INTERVIEW in settings.protocols:
            questions += interview_questions(self.instrument)
        if SITUATIONAL in settings.protocols:
            questions += situational_questions(self.instrument, settings.scenarios)
        path = self.folder / QUESTIONS
        return reword(questions, self.judges[0], path, settings.interviewer)

    def _conclude(
        self,
        records: Sequence[Record],
        settings: Mapping[str, Any],
        targets: Mapping[str, Mapping[str, float]],
        *,
        bot: Client | None = None,
        adaptive: Mapping[str, Any] | None = None,
        progress: Progress,
    ) -> dict[str, Any]:
        records = with_sameness(records)
        judged = set(self.rating.raters) & set(JUDGED)
        with ExitStack() as stack:
            path = self.folder / RATINGS
            file = stack.enter_context(RatingFile(path)) if judged else None
            ratings = rate(
                records,
                self.instrument,
                self.rating,
                judges=self.judges,
                detector=self.detector,
                file=file,
                concurrency=self.concurrency,
                progress=progress,
            )
        detector = None if self.detector is None else self.detector.info.name
        settings = dict(settings) | {
            "raters": list(self.rating.raters),
            "judges": [judge.name for judge in self.judges] or None,
            "detector": detector if DETECTOR in self.rating.raters else None,
        }
        profile = summarize(
            Findings(
                instrument=self.instrument,
                settings=settings,
                records=records,
                measured=measurements(ratings, self.instrument),
                targets=targets,
                labels=self.labels,
                costs=_costs(bot, self.judges),
                adaptive=adaptive,
                problems=self.problems,
                notes=self.notes,
            )
        )
        write_results(self.folder, profile)
        return profile


def write_results(folder: Path, profile: Mapping[str, Any]) -> None:
    """Write ``profile.json`` and ``report.html``.

    Raises:
        PersonaLabError: the folder cannot be written to.
    """
    from persona_lab.reports.interview import interview_report

    write_whole(folder / PROFILE, json.dumps(profile, ensure_ascii=False, indent=1) + "\n")
    write_whole(folder / REPORT, interview_report(profile))


def write_target_cases(path: Path, profile: Mapping[str, Any]) -> None:
    """Write JUnit XML of a profile; see :func:`~persona_lab.interviews.summary.target_cases`.

    Raises:
        PersonaLabError: it cannot be written.
    """
    write_junit(
        path, f"persona-lab interview {profile['instrument']['name']}", target_cases(profile)
    )


def usual_raters(
    protocols: Sequence[str], instrument: Instrument, *, has_judge: bool
) -> tuple[str, ...]:
    """Raters for protocols where none are named.

    Closed answers by the key; open ones by the detector where it knows the traits, and by judges
    where there are any.
    """
    raters = [CLOSED] if SELF_REPORT in protocols else []
    if set(protocols) - {SELF_REPORT}:
        with suppress(ModelError):
            framework_for(instrument)
            raters.append(DETECTOR)
        if has_judge:
            raters.append(LLM)
    return tuple(raters)


def make_folder(folder: Path) -> None:
    """Make the folder of a session.

    Raises:
        PersonaLabError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PersonaLabError(
            f"cannot make the folder {folder}: {error.strerror}; name another with --out"
        ) from None


def _costs(bot: Client | None, judges: Sequence[Client]) -> list[Cost]:
    costs = []
    if bot is not None:
        role = "bot and judge" if any(judge is bot for judge in judges) else "bot"
        costs.append(Cost(role, bot.name, bot.usage, bot.prices))
    others = [judge for judge in judges if judge is not bot]
    return costs + [Cost("judge", j.name, j.usage, j.prices) for j in others]


def _in_order(
    records: Sequence[Record], subjects: Sequence[Subject], instrument: Instrument
) -> list[Record]:
    """The records of these subjects, in an order that does not depend on which came first.

    The file may hold other personas of earlier sessions. Groups of answers, and so what judges
    are asked, must be the same in every run.
    """
    people = {(s.bot.name, s.persona): number for number, s in enumerate(subjects)}
    places = {item.id: number for number, item in enumerate(instrument.items)}
    mine = [record for record in records if (record.bot, record.persona) in people]
    return sorted(
        mine,
        key=lambda r: (
            people[r.bot, r.persona],
            PROTOCOLS.index(r.protocol),
            r.repeat,
            places.get(r.item, len(places)),
            r.item,
        ),
    )
