"""A whole trial: answers where they are missing, votes, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from persona_lab.conversing.talk import Talk
from persona_lab.errors import InputError
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.rowfile import RowFile
from persona_lab.judging.cases import Case
from persona_lab.judging.panel import (
    Players,
    Vote,
    answer,
    answer_all,
    ballots,
    judged_text,
    vote_all,
)
from persona_lab.judging.results import Judgement, summarize
from persona_lab.judging.rubrics import Rubric
from persona_lab.llm.budget import Forecast, Prices
from persona_lab.llm.chat import ChatModel
from persona_lab.llm.client import Client
from persona_lab.llm.rehearsal import RehearsalModel
from persona_lab.psychometrics.battery import claim, digest

ANSWERS: Final = "answers.jsonl"
VOTES: Final = "votes.jsonl"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be judged, by whom.

    Attributes:
        cases: with or without responses; those for other rubrics only are passed over.
        rubrics: all of them.
        judges: with names of their own.
        votes: of each judge on each case and rubric.
        players: who answers; None where all cases have responses.

    Raises:
        InputError: there is no judge, two judges have one name, or nobody answers what has no
            response.
    """

    cases: Sequence[Case]
    rubrics: Sequence[Rubric]
    judges: Sequence[Bot]
    votes: int = 3
    players: Players | None = None

    def __post_init__(self) -> None:
        names = [judge.name for judge in self.judges]
        if not names or len(set(names)) < len(names):
            raise InputError(
                "give one judge or more, of different models; for more votes of one use --votes"
            )
        for case in self.cases:
            if case.response is None and self.players is None:
                raise InputError(
                    f"the case {case.id!r} has no response; name who answers with --bot"
                )

    def forecast(self, prices: Prices | None = None) -> Forecast:
        """What the whole trial would use, by rehearsing it without any model."""
        rehearsals: dict[int, RehearsalModel] = {}

        def actor(bot: Bot) -> Bot:
            model = rehearsals.setdefault(id(bot.model), RehearsalModel(bot.model))
            return replace(bot, model=model)

        talks: dict[str, Talk] = {}
        if self.players is not None:
            other = self.players.interrogator
            cast = replace(
                self.players,
                bot=actor(self.players.bot),
                interrogator=None if other is None else actor(other),
            )
            talks = {c.id: answer(cast, c) for c in self.cases if c.response is None}
        judges = [actor(judge) for judge in self.judges]
        for ballot in ballots(self.cases, talks, self.rubrics, judges, self.votes):
            ballot.cast()
        parts = [rehearsal.forecast(prices) for rehearsal in rehearsals.values()]
        return Forecast(
            sum(part.calls for part in parts),
            sum(part.tokens_in for part in parts),
            sum(part.tokens_out for part in parts),
            None if prices is None else sum(part.price or 0.0 for part in parts),
        )

    def run(
        self,
        folder: Path,
        *,
        concurrency: int = 4,
        on_step: Callable[[object], None] = lambda step: None,
    ) -> Judgement:
        """Ask what is not in the folder yet, and work everything out.

        Raises:
            PersonaLabError: what ended the run; answers and votes so far are kept.
        """
        about = {f"rubric {r.name}": digest(r.template) for r in self.rubrics}
        about |= {f"case {c.id}": digest(repr(c)) for c in self.cases}
        claim(folder, about)
        talks: dict[str, Talk] = {}
        if self.players is not None:
            with closing(RowFile(folder / ANSWERS, Talk.from_row)) as answers:
                talks = answer_all(
                    self.cases, self.players, answers, _client(self.players.bot.model),
                    concurrency=concurrency, on_step=on_step,
                )  # fmt: skip
        planned = ballots(self.cases, talks, self.rubrics, self.judges, self.votes)
        with closing(RowFile(folder / VOTES, Vote.from_row)) as file:
            for judge in self.judges:
                mine = [ballot for ballot in planned if ballot.judge is judge]
                vote_all(mine, file, _client(judge.model), concurrency=concurrency, on_step=on_step)
            votes = file.read()
        said = {c.id: text for c in self.cases if (text := judged_text(c, talks.get(c.id)))}
        failed = {id: talk.reason or "" for id, talk in talks.items() if talk.code is not None}
        return summarize(self.cases, said, self.rubrics, planned, votes, failed)


def _client(model: ChatModel) -> Client:
    return model if isinstance(model, Client) else Client(model)
