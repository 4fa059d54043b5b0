"""Asking one question of a protocol: an answer, or the reason why there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from persona_lab.interviews.flags import BROKEN, broken, own_turn
from persona_lab.llm.asking import Conversation, Expected
from persona_lab.llm.chat import ChatReply
from persona_lab.llm.errors import (
    BudgetSpent,
    Cancelled,
    LLMError,
    LLMRefusedKey,
    OfflineMiss,
    ParseFailure,
    ThoughtCutOff,
)
from persona_lab.llm.parsing import is_refusal

_MARK = re.compile(r"<[^<>\s]*>|\[/?INST\]")

ENDS_THE_RUN: Final = (BudgetSpent, Cancelled, LLMRefusedKey, OfflineMiss)
"""Errors that would meet every further question, too."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a question.

    Attributes:
        answer: the last reply, as far as it is the bot's own turn; None where none came.
        rating: read from it, if one was asked for.
        code: why there is no usable answer; None where there is one.
        reason: the same for people.
        asked_again: it took a second request.
        thought: what the bot thought before; ``""`` for nothing.
        invented: what the bot went on to write for both sides of the talk.
    """

    answer: str | None
    rating: float | None = None
    code: str | None = None
    reason: str | None = None
    asked_again: bool = False
    thought: str = ""
    invented: str = ""

    @property
    def flags(self) -> dict[str, bool]:
        """Flags of any protocol by name; see :mod:`persona_lab.interviews.flags`."""
        told = {code: self.code == code for code in BROKEN}
        return {"asked_again": self.asked_again} | told | {"both_sides": bool(self.invented)}


def ask(
    conversation: Conversation,
    text: str,
    expected: Expected[float] | Expected[str],
    *,
    others: Sequence[str] = (),
) -> Heard:
    """Say something and read the reply; what goes wrong is told, not raised.

    Where a bot goes on to write the other side's turns, its answer ends there.

    Args:
        conversation: that goes on.
        text: to say.
        expected: the form of the reply.
        others: names of those who talk with the bot.

    Raises:
        LLMError: one of :data:`ENDS_THE_RUN`.
    """
    replies: list[ChatReply] = []
    invented = [""]

    def trim(whole: str) -> str:
        own = own_turn(whole, others)
        more = whole[len(own) :].strip()
        # the mark of an end alone is no turn
        invented[0] = more if re.search(r"\w", _MARK.sub("", more)) else ""
        return own

    def parse(reply: ChatReply) -> float | str:
        replies.append(reply)
        code = broken(reply.text)
        if code is not None:
            raise ParseFailure(code, BROKEN[code])
        return expected.parse(reply)

    def heard(rating: float | None = None, error: ParseFailure | LLMError | None = None) -> Heard:
        last = replies[-1] if replies else None
        thought = error.thought if isinstance(error, ThoughtCutOff) else ""
        return Heard(
            None if last is None else last.text,
            rating,
            code=None if error is None else error.code,
            reason=None if error is None else str(error),
            asked_again=len(replies) > 1,
            thought=thought or ("" if last is None else last.thought),
            invented=invented[0],
        )

    listening: Expected[float | str] = Expected(
        parse=parse,
        example=expected.example,
        remedy=expected.remedy,
        max_tokens=expected.max_tokens,
        trim=trim,
    )
    try:
        value = conversation.ask(text, listening).value
    except ENDS_THE_RUN:
        raise
    except (ParseFailure, LLMError) as error:
        return heard(error=error)
    return heard(value if isinstance(value, float) else None)


def open_answer(example_words: int, max_tokens: int) -> Expected[str]:
    """The form of open answers: any text that does not decline.

    Args:
        example_words: words of a typical answer, for forecasts.
        max_tokens: longest answer.
    """
    return Expected(
        parse=_told,
        example="word " * example_words,
        remedy="Please answer in your own words, as yourself.",
        max_tokens=max_tokens,
    )


def _told(reply: ChatReply) -> str:
    if is_refusal(reply.text):
        raise ParseFailure("refusal", "the model declined to answer")
    return reply.text
