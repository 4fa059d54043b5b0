"""Ask a model something that must come back in a given form: strictly read, repaired once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from persona_lab.llm.chat import ChatModel, ChatReply, ChatRequest, Message
from persona_lab.llm.errors import ParseFailure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Expected(Generic[T]):
    """The form that a reply must have.

    Attributes:
        parse: reads the reply; raises :class:`ParseFailure` where it is not of the form.
        example: a shortest valid reply; forecasts are made with it.
        remedy: what to say once if the reply is not of the form.
        max_tokens: longest reply.
        json_schema: of the reply, for servers that can hold a model to it.
        top_logprobs: alternatives wanted per token.
        trim: takes off what is not the model's own turn; the conversation goes on without it.
    """

    parse: Callable[[ChatReply], T]
    example: str
    remedy: str
    max_tokens: int
    json_schema: Mapping[str, Any] | None = None
    top_logprobs: int = 0
    trim: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A reply that was understood.

    Attributes:
        value: what it says.
        reply: as it came.
        repaired: it took a second request.
    """

    value: T
    reply: ChatReply
    repaired: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """How replies are drawn; see :class:`~persona_lab.llm.chat.ChatRequest`."""

    temperature: float = 0.0
    seed: int | None = 0
    repeat: int = 0


class Conversation:
    """A multi-turn conversation with a model; not shared between threads."""

    def __init__(
        self, model: ChatModel, messages: tuple[Message, ...], sampling: Sampling | None = None
    ) -> None:
        """Begin.

        Args:
            model: who answers.
            messages: said before, for example a system message.
            sampling: how replies are drawn.
        """
        self.model, self.messages = model, messages
        self.sampling = sampling or Sampling()

    def branch(self) -> Conversation:
        """A copy that goes on by itself; a server's prefix cache reads the past once."""
        return type(self)(self.model, self.messages, self.sampling)

    def after(self, said: str, replied: str) -> Conversation:
        """A branch that goes on as if this had been said and replied."""
        turn = (Message("user", said), Message("assistant", replied))
        return type(self)(self.model, (*self.messages, *turn), self.sampling)

    def ask(self, text: str, expected: Expected[T]) -> Answer[T]:
        """Say something and read the reply.

        A reply of another form is answered once with the remedy. The conversation then
        goes on as if the good reply had come at once, and where none came, as if nothing
        had been asked: a model that is shown its slips repeats them.

        Raises:
            ParseFailure: the second reply is not of the form either.
            LLMError: no reply.
        """
        asked = (*self.messages, Message("user", text))
        request = ChatRequest(
            asked,
            temperature=self.sampling.temperature,
            seed=self.sampling.seed,
            repeat=self.sampling.repeat,
            max_tokens=expected.max_tokens,
            top_logprobs=expected.top_logprobs,
            json_schema=expected.json_schema,
        )
        reply = self._reply(request, expected.trim)
        repaired = False
        try:
            value = expected.parse(reply)
        except ParseFailure:
            repaired = True
            again = (*asked, Message("assistant", reply.text), Message("user", expected.remedy))
            reply = self._reply(replace(request, messages=again), expected.trim)
            value = expected.parse(reply)
        self.messages = (*asked, Message("assistant", reply.text))
        return Answer(value, reply, repaired)

    def _reply(self, request: ChatRequest, trim: Callable[[str], str]) -> ChatReply:
        reply = self.model.reply(request)
        return replace(reply, text=trim(reply.text))
