"""Carrying out an interview: many sittings side by side, each answer on disk when it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.instruments import Instrument
from persona_lab.interviews.adaptive import next_item
from persona_lab.interviews.asking import ENDS_THE_RUN
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.open_answers import LONGEST_ANSWER, LONGEST_STORY, Sitting
from persona_lab.interviews.questions import (
    INTERVIEW,
    SITUATIONAL,
    STORY,
    OpenQuestion,
    in_turn,
    interview_questions,
    situational_questions,
    story_questions,
)
from persona_lab.interviews.records import Record, RecordFile
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.interviews.self_report import Administration, ask_item, self_report
from persona_lab.llm.budget import Forecast, Prices
from persona_lab.llm.client import Client
from persona_lab.llm.flows import run_flows
from persona_lab.llm.rehearsal import RehearsalModel

PROTOCOLS: Final = (SELF_REPORT, INTERVIEW, SITUATIONAL, STORY)
TRANSCRIPT: Final = "transcript.jsonl"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is interviewed.

    Attributes:
        bot: who answers, with the persona's system prompt.
        persona: id of the persona; None for none.
        targets: wanted position of the high pole by trait key, 0..1.
    """

    bot: Bot
    persona: str | None = None
    targets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to interview.

    Attributes:
        protocols: some of :data:`PROTOCOLS`.
        repeats: how often each.
        one_conversation: ask all questions of a sitting in one; else each in its own.
        interviewer: who asks; see :class:`~persona_lab.interviews.open_answers.Sitting`.
        wording: of closed items.
        order: of the scale's numbers.
        precision: standard error at which a self-report may end; None asks all items.
        longest: tokens of an open answer.
        stories: how many stories.
        scenarios: a file of own scenarios.
        reworded: let a language model put open questions in other words.
    """

    protocols: tuple[str, ...] = (SELF_REPORT,)
    repeats: int = 1
    one_conversation: bool = False
    interviewer: str | None = None
    wording: str = "standard"
    order: str = "ascending"
    precision: float | None = None
    longest: int = LONGEST_ANSWER
    stories: int = 1
    scenarios: Path | None = None
    reworded: bool = False

    def __post_init__(self) -> None:
        unknown = [p for p in self.protocols if p not in PROTOCOLS]
        if unknown or not self.protocols:
            given = unknown[0] if unknown else ""
            raise InputError(f"there is no protocol {given!r}; use {', '.join(PROTOCOLS)}")
        if self.repeats < 1:
            raise InputError(f"--repeats is {self.repeats}; give 1 or more")


Flow = Callable[[Mapping[str, Record]], Iterator[Record]]
"""A part of the run that must go in order: given what is done, asks the rest."""


def plan(
    subjects: Sequence[Subject],
    instrument: Instrument,
    settings: Settings,
    *,
    reworded: Mapping[str, str] | None = None,
) -> list[Flow]:
    """All that is to be asked, in parts that can go side by side.

    Args:
        subjects: who is asked.
        instrument: what about.
        settings: how.
        reworded: texts that replace those of questions, by item id.

    Raises:
        InputError: a protocol cannot be carried out with this instrument.
    """
    flows: list[Flow] = []
    for protocol in settings.protocols:
        questions = () if protocol == SELF_REPORT else _questions(protocol, instrument, settings)
        questions = tuple(_reworded(q, reworded or {}) for q in questions)
        for subject in subjects:
            for repeat in range(settings.repeats):
                if protocol == SELF_REPORT:
                    administration = Administration(
                        settings.wording, settings.order, subject.bot.temperature, repeat
                    )
                    flows += _self_reports(subject, instrument, administration, settings)
                else:
                    flows += _sittings(subject, instrument, protocol, questions, repeat, settings)
    return flows


def carry_out(
    flows: Sequence[Flow],
    file: RecordFile,
    client: Client,
    *,
    concurrency: int,
    progress: Callable[[Record], None] = lambda record: None,
) -> None:
    """Ask what has not been answered yet; each record is on disk before the next question.

    Raises:
        LLMError: one that meets every question (the budget, the key), once flows under way
            have ended; or nothing could be asked at all.
    """
    lock = threading.Lock()
    done = file.finished()
    fresh: list[Record] = []

    def work(flow: Flow) -> None:
        for record in flow(done):
            with lock:
                file.append(record)
                fresh.append(record)
                progress(record)

    ending: PersonaLabError | None = None
    for _, result in run_flows(flows, work, concurrency=concurrency, client=client):
        if isinstance(result, PersonaLabError):
            ending = ending if isinstance(ending, ENDS_THE_RUN) else result
    if ending is not None:
        raise ending
    if fresh and all(record.answer is None for record in fresh):
        raise PersonaLabError(
            f"none of {len(fresh)} questions was answered: {fresh[0].reason}; what was recorded "
            "is kept, and the same command asks again"
        )


def rehearse(
    subjects: Sequence[Subject],
    instrument: Instrument,
    settings: Settings,
    done: Mapping[str, Record],
    prices: Prices | None = None,
) -> tuple[Forecast, list[Record]]:
    """What asking would use beyond what is done; no model is asked.

    With ``precision`` the full form is rehearsed: an upper end.

    Returns:
        The forecast, and records with made-up answers of about the usual length.
    """
    rehearsal = RehearsalModel(subjects[0].bot.model)
    actors = [replace(s, bot=replace(s.bot, model=rehearsal)) for s in subjects]
    flows = plan(actors, instrument, replace(settings, precision=None))
    records = [record for flow in flows for record in flow(done)]
    return rehearsal.forecast(prices), records


def _questions(
    protocol: str, instrument: Instrument, settings: Settings
) -> tuple[OpenQuestion, ...]:
    if protocol == INTERVIEW:
        return in_turn(interview_questions(instrument))
    if protocol == SITUATIONAL:
        return in_turn(situational_questions(instrument, settings.scenarios))
    return story_questions(settings.stories)


def _reworded(question: OpenQuestion, texts: Mapping[str, str]) -> OpenQuestion:
    if question.item not in texts:
        return question
    return replace(question, text=texts[question.item], wording="llm")


def _self_reports(
    subject: Subject, instrument: Instrument, administration: Administration, settings: Settings
) -> Iterator[Flow]:
    bot, persona = subject.bot, subject.persona

    def adaptively(done: Mapping[str, Record]) -> Iterator[Record]:
        yield from _adaptive(subject, instrument, administration, settings, done)

    def whole(done: Mapping[str, Record]) -> Iterator[Record]:
        yield from self_report(
            bot,
            instrument,
            administration,
            persona=persona,
            done=done,
            fresh_context=not settings.one_conversation,
        )

    def single(item_id: str) -> Flow:
        def ask_one(done: Mapping[str, Record]) -> Iterator[Record]:
            id = administration.id_of(bot.name, persona, instrument.name, item_id)
            if id not in done:
                item = instrument.item(item_id)
                yield ask_item(bot, instrument, administration, item, persona=persona)

        return ask_one

    if settings.precision is not None:
        yield adaptively
    elif settings.one_conversation:
        yield whole
    else:
        yield from (single(item.id) for item in administration.items(instrument))


def _adaptive(
    subject: Subject,
    instrument: Instrument,
    administration: Administration,
    settings: Settings,
    done: Mapping[str, Record],
) -> Iterator[Record]:
    """Items one after the other, each chosen by the answers before it."""
    bot, persona = subject.bot, subject.persona
    ratings: dict[str, float] = {}
    tried: list[str] = []
    assert settings.precision is not None
    while (item := next_item(instrument, ratings, tried, settings.precision)) is not None:
        record = done.get(administration.id_of(bot.name, persona, instrument.name, item.id))
        if record is None:
            record = ask_item(bot, instrument, administration, item, persona=persona)
            yield record
        tried.append(item.id)
        if record.rating is not None:
            ratings[item.id] = record.rating


def _sittings(
    subject: Subject,
    instrument: Instrument,
    protocol: str,
    questions: tuple[OpenQuestion, ...],
    repeat: int,
    settings: Settings,
) -> Iterator[Flow]:
    together = settings.one_conversation and protocol != STORY
    longest = max(settings.longest, LONGEST_STORY) if protocol == STORY else settings.longest
    sitting = Sitting(
        subject.bot,
        instrument.name,
        protocol,
        questions,
        persona=subject.persona,
        repeat=repeat,
        one_conversation=together,
        interviewer=settings.interviewer,
        longest=longest,
    )
    if together:
        yield sitting.ask
    else:
        yield from (partial(sitting.ask_one, question) for question in questions)
