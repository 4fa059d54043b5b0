"""Two bots talk, and fill in a questionnaire before and after.

After Frisch & Giulianelli (2024, arXiv 2402.02896): do assigned personalities hold up in
company, and does a bot's language move towards its partner's?
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from persona_lab.conversing.talk import Party, Talk, talk
from persona_lab.errors import InputError, PersonaLabError
from persona_lab.instruments import Instrument
from persona_lab.interviews.asking import ENDS_THE_RUN
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.records import Record, RecordFile, record_id
from persona_lab.interviews.rowfile import RowFile
from persona_lab.interviews.self_report import Administration, self_report
from persona_lab.llm.budget import Forecast, Prices
from persona_lab.llm.client import Client
from persona_lab.llm.flows import run_flows
from persona_lab.llm.rehearsal import RehearsalModel

BEFORE, AFTER = "before", "after"

TASKS: Final[Mapping[str, tuple[str, str]]] = {
    "chat": (
        "You are about to talk with somebody you have not met. Say something to begin. Write "
        "only what you say, in about {words} words.",
        "Somebody you have not met talks to you. Answer in about {words} words, and write only "
        "what you say. They say:",
    ),
    "story": (
        "You and a partner write a story in turns. Write its beginning, in about {words} words, "
        "and nothing but the story.",
        "You and a partner write a story in turns. Go on where the partner stopped, in about "
        "{words} words, and write nothing but the story. The partner wrote:",
    ),
}
"""What the one who begins is told, and what the other is told with the first turn."""

_OWN_TASK: Final = (
    "{task}\n\nYou begin. Write only what you say, in about {words} words.",
    "{task}\n\nAnswer in about {words} words, and write only what you say. Your partner begins:",
)


@dataclass(frozen=True, slots=True)
class Speaker:
    """One of the two: a name, and the bot in its role."""

    name: str
    bot: Bot


@dataclass(frozen=True, slots=True)
class Study:
    """What two bots are to do.

    Attributes:
        speakers: two, of different names; the first one begins.
        task: one of :data:`TASKS`, or own words.
        turns: of both together.
        repeats: how many talks.
        words: asked for a turn.
        instrument: given before and after each talk; None for none.

    Raises:
        InputError: the names are the same, or a number is out of range.
    """

    speakers: tuple[Speaker, Speaker]
    task: str = "chat"
    turns: int = 8
    repeats: int = 5
    words: int = 60
    instrument: Instrument | None = None

    def __post_init__(self) -> None:
        if self.speakers[0].name == self.speakers[1].name:
            raise InputError(f"two speakers are called {self.speakers[0].name!r}; use two personas")
        if self.turns < 2 or self.repeats < 1 or self.words < 1:
            raise InputError("a talk has 2 turns or more, and there is 1 or more of it")

    def openings(self) -> tuple[str, str]:
        """What each speaker is told first."""
        first, second = TASKS.get(self.task, _OWN_TASK)
        return (
            first.format(task=self.task, words=self.words),
            second.format(task=self.task, words=self.words),
        )

    def talk_id(self, repeat: int) -> str:
        """Name of a talk; another task or length is another talk."""
        a, b = self.speakers
        return record_id(
            a.bot.name, a.name, b.bot.name, b.name, self.task, f"n{self.turns}", f"w{self.words}",
            f"t{a.bot.temperature:g}", f"r{repeat}",
        )  # fmt: skip

    def persona(self, speaker: Speaker, when: str) -> str:
        """How a speaker is called in the records of a questionnaire.

        What it says afterwards depends on the talk, so the partner and task are part of it.
        """
        if when == BEFORE:
            return f"{speaker.name}@{BEFORE}"
        other = next(s for s in self.speakers if s is not speaker)
        told = record_id(other.bot.name, other.name, self.task, self.turns, self.words)
        return f"{speaker.name}@{AFTER}@{told}"

    def hold(
        self, repeat: int, talks: Mapping[str, Talk], done: Iterable[str]
    ) -> Iterator[Record | Talk]:
        """One repeat: questionnaires, talk, questionnaires; what is done is passed over.

        Yields:
            Each record and the talk, as they come. After a talk that broke off nothing more
            is asked.

        Raises:
            LLMError: one that would meet everything that follows, too.
        """
        done = frozenset(done)
        for speaker in self.speakers:
            yield from self._report(speaker, speaker.bot, BEFORE, repeat, done)
        said = talks.get(self.talk_id(repeat))
        if said is None:
            parties = [
                Party(s.name, s.bot.conversation(repeat=repeat), opening)
                for s, opening in zip(self.speakers, self.openings(), strict=True)
            ]
            said = talk(self.talk_id(repeat), parties, self.turns, words=self.words)
            yield said
        if said.code is not None:
            return
        for speaker in self.speakers:
            # the history holds what the bot was told before the talk, too
            after = replace(speaker.bot, history=said.histories[speaker.name])
            yield from self._report(speaker, after, AFTER, repeat, done)

    def forecast(
        self,
        prices: Prices | None = None,
        talks: Mapping[str, Talk] | None = None,
        done: Iterable[str] = (),
    ) -> Forecast:
        """What the study would use beyond what is done, by rehearsing it."""
        models = {id(s.bot.model): RehearsalModel(s.bot.model) for s in self.speakers}
        first, second = (
            replace(s, bot=replace(s.bot, model=models[id(s.bot.model)])) for s in self.speakers
        )
        twin = replace(self, speakers=(first, second))
        done = frozenset(done)
        for repeat in range(self.repeats):
            for _ in twin.hold(repeat, talks or {}, done):
                pass
        parts = [model.forecast(prices) for model in models.values()]
        return Forecast(
            sum(part.calls for part in parts),
            sum(part.tokens_in for part in parts),
            sum(part.tokens_out for part in parts),
            None if prices is None else sum(part.price or 0.0 for part in parts),
        )

    def _report(
        self, speaker: Speaker, bot: Bot, when: str, repeat: int, done: frozenset[str]
    ) -> Iterator[Record]:
        if self.instrument is not None:
            how = Administration(temperature=bot.temperature, repeat=repeat)
            yield from self_report(
                bot, self.instrument, how, persona=self.persona(speaker, when), done=done
            )


def run(
    study: Study,
    records: RecordFile,
    talks: RowFile[Talk],
    *,
    concurrency: int = 4,
    on_step: Callable[[object], None] = lambda step: None,
) -> None:
    """Hold all repeats that are not in the files yet, several side by side.

    Raises:
        PersonaLabError: the first error that ended a repeat, once the others have ended.
    """
    lock = threading.Lock()
    told, done = talks.finished(), records.ids()

    def hold(repeat: int) -> None:
        for row in study.hold(repeat, told, done):
            with lock:
                if isinstance(row, Talk):
                    talks.append(row)
                else:
                    records.append(row)
                on_step(row)

    model = study.speakers[0].bot.model
    client = model if isinstance(model, Client) else Client(model)
    found = run_flows(range(study.repeats), hold, concurrency=concurrency, client=client)
    errors: Sequence[PersonaLabError] = sorted(
        (result for _, result in found if isinstance(result, PersonaLabError)),
        key=lambda error: not isinstance(error, ENDS_THE_RUN),
    )
    if errors:
        raise errors[0]
