"""Forecast a run by rehearsing it: the same conversations, with made-up valid replies."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from persona_lab.llm.asking import Answer, Conversation, Expected, Sampling
from persona_lab.llm.budget import (
    Forecast,
    Prices,
    count_message_tokens,
    count_reply_tokens,
    count_tokens,
)
from persona_lab.llm.chat import ChatModel, ChatReply, ChatRequest, Message
from persona_lab.llm.errors import LLMBadRequest

T = TypeVar("T")


class RehearsalModel:
    """Stands in for a model and counts what it would be asked.

    Attributes:
        name: of the model it stands in for.
        context_length: of that model.
    """

    def __init__(self, model: ChatModel) -> None:
        """Rehearse for a model, which is not called."""
        self.name, self.context_length = model.name, model.context_length
        self._calls = self._tokens_in = self._tokens_out = 0
        # conversations say the same beginnings and items again and again
        self._count = lru_cache(maxsize=4096)(count_tokens)

    def reply(self, request: ChatRequest) -> ChatReply:
        """Refuse: what is expected is known to conversations only."""
        raise LLMBadRequest("a rehearsal answers conversations begun with 'begin' only")

    def close(self) -> None:
        """Nothing to let go."""

    def count(self, messages: tuple[Message, ...], example: str) -> None:
        """Note a request and its made-up reply."""
        self._calls += 1
        self._tokens_in += count_message_tokens(messages, self._count)
        self._tokens_out += count_reply_tokens(example, self._count)

    def forecast(self, prices: Prices | None = None) -> Forecast:
        """What the run would use; repairs and retries come on top."""
        price = None if prices is None else prices.of(self._tokens_in, self._tokens_out)
        return Forecast(self._calls, self._tokens_in, self._tokens_out, price)


class _Rehearsed(Conversation):
    """Goes on with the example of what is expected, as if the model had said it."""

    model: RehearsalModel

    def ask(self, text: str, expected: Expected[T]) -> Answer[T]:
        asked = (*self.messages, Message("user", text))
        self.model.count(asked, expected.example)
        reply = ChatReply(expected.example, "stop", 0, 0, 0, None, self.model.name, 0.0)
        self.messages = (*asked, Message("assistant", expected.example))
        return Answer(expected.parse(reply), reply, False)


def begin(
    model: ChatModel, messages: tuple[Message, ...], sampling: Sampling | None = None
) -> Conversation:
    """Begin a conversation, or a rehearsed one with a :class:`RehearsalModel`."""
    kind = _Rehearsed if isinstance(model, RehearsalModel) else Conversation
    return kind(model, messages, sampling)
