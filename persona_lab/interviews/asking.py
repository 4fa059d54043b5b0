"""Asking one question of a protocol: an answer, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from persona_lab.llm.asking import Conversation, Expected
from persona_lab.llm.chat import ChatReply
from persona_lab.llm.errors import (
    BudgetSpent,
    Cancelled,
    LLMError,
    LLMRefusedKey,
    OfflineMiss,
    ParseFailure,
)
from persona_lab.llm.parsing import is_refusal

ENDS_THE_RUN: Final = (BudgetSpent, Cancelled, LLMRefusedKey, OfflineMiss)
"""Errors that would meet every further question, too."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a question.

    Attributes:
        answer: the last reply; None where none came.
        rating: read from it, if one was asked for.
        code: why there is no usable answer; None where there is one.
        reason: the same for people.
        asked_again: it took a second request.
    """

    answer: str | None
    rating: float | None = None
    code: str | None = None
    reason: str | None = None
    asked_again: bool = False


def ask(conversation: Conversation, text: str, expected: Expected[float] | Expected[str]) -> Heard:
    """Say something and read the reply; what goes wrong is told, not raised.

    Raises:
        LLMError: one of :data:`ENDS_THE_RUN`.
    """
    replies: list[str] = []

    def parse(reply: ChatReply) -> float | str:
        replies.append(reply.text)
        return expected.parse(reply)

    listening: Expected[float | str] = Expected(
        parse=parse,
        example=expected.example,
        remedy=expected.remedy,
        max_tokens=expected.max_tokens,
    )
    try:
        value = conversation.ask(text, listening).value
    except ENDS_THE_RUN:
        raise
    except (ParseFailure, LLMError) as error:
        return Heard(
            replies[-1] if replies else None,
            code=error.code,
            reason=str(error),
            asked_again=len(replies) > 1,
        )
    rating = value if isinstance(value, float) else None
    return Heard(replies[-1], rating, asked_again=len(replies) > 1)


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
