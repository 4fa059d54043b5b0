"""The protocols with open answers: ``interview``, ``situational`` and ``story``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from persona_lab.instruments.wording import FOLLOW_UP
from persona_lab.interviews.asking import Heard, ask, open_answer
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.flags import VOID, echoes, is_third_person, is_wrong_item, leaks, loops
from persona_lab.interviews.questions import STORY, OpenQuestion
from persona_lab.interviews.records import Record, record_id
from persona_lab.llm.asking import Conversation
from persona_lab.llm.chat import Message

LONGEST_ANSWER: Final = 256
LONGEST_STORY: Final = 700
_ANSWER_WORDS, _STORY_WORDS = 90, 320


@dataclass(frozen=True, slots=True)
class Sitting:
    """One go through the questions of an open protocol.

    Attributes:
        bot: who answers.
        instrument: name of the questionnaire.
        protocol: ``interview``, ``situational`` or ``story``.
        questions: in order.
        persona: id of the bot's persona.
        repeat: 0, 1, 2 ...
        one_conversation: all questions in one; else each begins its own.
        interviewer: who asks, in words that fit after "interviewed by"; None for nobody
            in particular.
        longest: tokens of an answer.
    """

    bot: Bot
    instrument: str
    protocol: str
    questions: tuple[OpenQuestion, ...]
    persona: str | None = None
    repeat: int = 0
    one_conversation: bool = True
    interviewer: str | None = None
    longest: int = LONGEST_ANSWER

    def id_of(self, question: OpenQuestion) -> str:
        """The id of a record."""
        how = "one" if self.one_conversation else "each"
        return record_id(
            self.bot.name, self.persona, self.instrument, self.protocol, how,
            f"t{self.bot.temperature:g}", f"r{self.repeat}", question.item,
        )  # fmt: skip

    def ask(self, done: Mapping[str, Record] | None = None) -> Iterator[Record]:
        """Ask all questions that have not been answered yet.

        Args:
            done: records of an earlier run by id; a conversation goes on with what was said
                in it.

        Yields:
            One record a question that was asked.

        Raises:
            LLMError: one that would meet every further question, too.
        """
        done = done or {}
        conversation = self.bot.conversation(repeat=self.repeat)
        earlier: list[str] = []
        for question in self.questions:
            if not self.one_conversation:
                yield from self.ask_one(question, done)
                continue
            record = done.get(self.id_of(question))
            if record is None:
                record = self._ask(question, conversation, earlier)
                yield record
            elif was_understood(record):
                said = Message("assistant", record.answer or "")
                conversation.messages += (Message("user", record.question), said)
            if record.answer is not None:
                earlier.append(record.answer)

    def ask_one(
        self, question: OpenQuestion, done: Mapping[str, Record] | None = None
    ) -> Iterator[Record]:
        """Ask one of the questions in a conversation of its own, unless it was answered."""
        if self.id_of(question) not in (done or {}):
            # fresh conversations do not know each other, and repeat each other in good faith
            yield self._ask(question, self.bot.conversation(repeat=self.repeat), ())

    def _ask(
        self,
        question: OpenQuestion,
        conversation: Conversation,
        earlier: Sequence[str],
    ) -> Record:
        words = _STORY_WORDS if self.protocol == STORY else _ANSWER_WORDS
        asked = question.text
        if self.interviewer and (question == self.questions[0] or not self.one_conversation):
            asked = f"You are being interviewed by {self.interviewer}.\n\n{asked}"
        heard = ask(conversation, asked, open_answer(words, self.longest))
        others = [_core(q) for q in self.questions if q.item != question.item]
        flags = _flags(heard, self.bot.system, _core(question), others, earlier)
        code, reason = heard.code, heard.reason
        void = next((flag for flag in flags if flag in VOID), None)
        if code is None and void is not None:
            code, reason = void, VOID[void]
        return Record(
            id=self.id_of(question),
            bot=self.bot.name,
            persona=self.persona,
            instrument=self.instrument,
            protocol=self.protocol,
            wording=question.wording,
            order="",
            temperature=self.bot.temperature,
            repeat=self.repeat,
            item=question.item,
            domain=question.domain,
            facet=question.facet,
            question=asked,
            answer=heard.answer,
            status="scored" if code is None else "unscored",
            reason=reason,
            code=code,
            flags=flags,
            thought=heard.thought or None,
            invented=heard.invented or None,
        )


def _core(question: OpenQuestion) -> str:
    """A question without what all of them end with."""
    return question.text.removesuffix(FOLLOW_UP)


def was_understood(record: Record) -> bool:
    """Did the conversation go on with this answer?"""
    return record.answer is not None and (record.code is None or record.code in VOID)


def _flags(
    heard: Heard, system: str | None, asked: str, others: Sequence[str], earlier: Sequence[str]
) -> tuple[str, ...]:
    answer = heard.answer or ""
    found = heard.flags | {
        "third_person": is_third_person(answer),
        "prompt_leak": leaks(answer, system),
        "wrong_item": is_wrong_item(answer, asked, others),
        "loop": loops(answer, earlier),
        "echo": echoes(answer, asked) or echoes(answer, f"{asked} {FOLLOW_UP}"),
    }
    return tuple(flag for flag, is_so in found.items() if is_so)
