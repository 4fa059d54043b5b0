"""Rating a transcript with all raters that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from persona_lab.detectors import Detector
from persona_lab.errors import InputError
from persona_lab.instruments import Instrument
from persona_lab.interviews.questions import INTERVIEW
from persona_lab.interviews.raters.closed import rate_closed
from persona_lab.interviews.raters.detector import rate_with_detector
from persona_lab.interviews.raters.judges import (
    BATCH,
    Task,
    llm_tasks,
    option_tasks,
    raise_if_error,
)
from persona_lab.interviews.raters.rating import (
    CLOSED,
    DETECTOR,
    LLM,
    OPTION,
    RATERS,
    Rating,
    RatingFile,
    groups,
)
from persona_lab.interviews.records import Record
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.llm.budget import Forecast
from persona_lab.llm.chat import ChatModel
from persona_lab.llm.client import Client
from persona_lab.llm.flows import run_flows
from persona_lab.llm.rehearsal import RehearsalModel

JUDGED: Final = (OPTION, LLM)
"""Raters that ask a language model."""


@dataclass(frozen=True, slots=True)
class RatingSettings:
    """How to rate.

    Attributes:
        raters: some of :data:`~persona_lab.interviews.raters.rating.RATERS`.
        batch: answers in a group; None for collective rating, all of a domain at once.
    """

    raters: tuple[str, ...]
    batch: int | None = BATCH

    def __post_init__(self) -> None:
        unknown = [rater for rater in self.raters if rater not in RATERS]
        if unknown:
            raise InputError(f"there is no rater {unknown[0]!r}; use {', '.join(RATERS)}")


def rate(
    records: Sequence[Record],
    instrument: Instrument,
    settings: RatingSettings,
    *,
    judges: Sequence[Client] = (),
    detector: Detector | None = None,
    file: RatingFile | None = None,
    concurrency: int = 4,
    progress: Callable[[Rating], None] = lambda rating: None,
) -> list[Rating]:
    """Rate a transcript.

    Args:
        records: of any protocols; each rater takes those that it can read.
        instrument: what was asked about.
        settings: how.
        judges: for the raters ``llm`` and ``option``.
        detector: for the rater ``detector``.
        file: where judges' ratings are kept; those that are there are not paid for again.
        concurrency: ratings under way at once.
        progress: told of each new rating.

    Returns:
        Ratings in order of the raters; several judges' ratings are all there.

    Raises:
        InputError: a rater lacks its judge or detector.
        LLMError: one that would meet every further rating, too.
    """
    open_records = [record for record in records if record.protocol != SELF_REPORT]
    found: list[Rating] = []
    for rater in settings.raters:
        if rater == CLOSED:
            closed = (record for record in records if record.protocol == SELF_REPORT)
            found += rate_closed(closed, instrument)
        elif rater == DETECTOR and open_records:
            if detector is None:
                raise InputError("the rater 'detector' needs a detector; name it with --detector")
            parts = groups(open_records, instrument, settings.batch)
            found += rate_with_detector(parts, instrument, detector)
        elif rater in JUDGED and open_records:
            if not judges:
                raise InputError(
                    f"the rater {rater!r} asks a language model; name it with --judge SPEC"
                )
            for judge in judges:
                tasks = list(_tasks(rater, open_records, instrument, settings, [judge]))
                found += _work(tasks, judge, file, concurrency, progress)
    return found


def forecast_rating(
    records: Sequence[Record],
    instrument: Instrument,
    settings: RatingSettings,
    judges: Sequence[Client],
) -> Forecast:
    """What the judges would use, by rehearsing them; repairs come on top.

    Args:
        records: answered ones, or made-up ones of about their length.
        instrument: what was asked about.
        settings: how.
        judges: who rates.
    """
    answered = [replace(r, status="scored") for r in records if r.protocol != SELF_REPORT]
    total = Forecast(0, 0, 0)
    for judge in judges:
        rehearsal = RehearsalModel(judge)
        for rater in settings.raters:
            if rater in JUDGED:
                for _, work in _tasks(rater, answered, instrument, settings, [rehearsal]):
                    work()
        total = add(total, rehearsal.forecast(judge.prices))
    return total


def add(first: Forecast, second: Forecast) -> Forecast:
    """Two forecasts together."""
    prices = [f.price for f in (first, second) if f.price is not None]
    return Forecast(
        first.calls + second.calls,
        first.tokens_in + second.tokens_in,
        first.tokens_out + second.tokens_out,
        sum(prices) if prices else None,
    )


def _tasks(
    rater: str,
    records: Sequence[Record],
    instrument: Instrument,
    settings: RatingSettings,
    judges: Sequence[ChatModel],
) -> Iterable[Task]:
    if rater == LLM:
        return llm_tasks(list(groups(records, instrument, settings.batch)), instrument, judges)
    asked = [record for record in records if record.protocol == INTERVIEW]
    return option_tasks(asked, instrument, judges)


def _work(
    tasks: Sequence[Task],
    judge: Client,
    file: RatingFile | None,
    concurrency: int,
    progress: Callable[[Rating], None],
) -> list[Rating]:
    done = file.finished() if file is not None else {}
    missing = [(id, work) for id, work in tasks if id not in done]
    fresh = {}
    flows = run_flows(missing, lambda task: task[1](), concurrency=concurrency, client=judge)
    for index, result in flows:
        rating = raise_if_error(result)
        fresh[missing[index][0]] = rating
        if file is not None:
            file.append(rating)
        progress(rating)
    return [done[id] if id in done else fresh[id] for id, _ in tasks if id in done or id in fresh]
