"""What is said to a language model and what comes back, whoever runs the model."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from persona_lab.llm.errors import LLMBadRequest
from persona_lab.thoughts import split_thought

MAX_TOP_LOGPROBS: Final = 20
"""What the OpenAI protocol allows."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: who says it.
        content: what is said.
    """

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """All that decides a reply, besides the model.

    Attributes:
        messages: the conversation so far, at least one message.
        temperature: 0 always takes the likeliest token.
        max_tokens: longest reply, in tokens of the model.
        seed: of the model's sampling where the server knows seeds; None sends none.
        repeat: 0, 1, 2 ... for repeats of one request, which would else be one and the
            same to the cassette; it is also added to the seed.
        top_logprobs: how many alternatives to tell per token, at most 20; 0 for none.
        json_schema: the reply should be JSON of this schema, where the server can do it.
        stop: texts that end the reply.
        extra: further fields for the server, such as ``{"reasoning_effort": "low"}``.

    Raises:
        LLMBadRequest: no message, or a setting that no server can take.
    """

    messages: tuple[Message, ...]
    temperature: float = 0.0
    max_tokens: int = 256
    seed: int | None = 0
    repeat: int = 0
    top_logprobs: int = 0
    json_schema: Mapping[str, Any] | None = None
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.messages:
            raise LLMBadRequest("a request needs at least one message")
        if not 0 <= self.top_logprobs <= MAX_TOP_LOGPROBS:
            raise LLMBadRequest(
                f"top_logprobs is {self.top_logprobs}; it may be 0 to {MAX_TOP_LOGPROBS}"
            )
        if self.max_tokens < 1:
            raise LLMBadRequest(f"max_tokens is {self.max_tokens}; a reply needs at least 1")
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise LLMBadRequest(f"temperature is {self.temperature}; it may be 0 or more")

    @property
    def sent_seed(self) -> int | None:
        """The seed with the repeat added."""
        return None if self.seed is None else self.seed + self.repeat

    def to_record(self) -> dict[str, Any]:
        """The request as JSON values, every field, in a stable order."""
        record: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.content} for m in self.messages],
            # 0 and 0.0 are one temperature
            "temperature": float(self.temperature),
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "repeat": self.repeat,
            "top_logprobs": self.top_logprobs,
            "json_schema": None if self.json_schema is None else dict(self.json_schema),
            "stop": list(self.stop),
        }
        # left out where there are none, so that replies recorded before are still found
        return record | ({"extra": dict(self.extra)} if self.extra else {})

    def key(self, model: str) -> str:
        """Name of this request to this model: what the cassette files it under.

        Args:
            model: the model's name.

        Returns:
            64 hexadecimal digits: SHA-256 of the canonical JSON of the whole request and
            the model's name (sorted keys, no spaces, ASCII escapes).
        """
        canonical = json.dumps(
            {"model": model, **self.to_record()},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=True,
        )
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """One token of a reply and how likely it was.

    Attributes:
        token: its text.
        logprob: natural logarithm of its probability.
        alternatives: tokens that could have stood there with their logarithms, likeliest
            first; usually the chosen token is one of them.
    """

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model answered.

    Attributes:
        text: what the model said, without what it thought first; never blank.
        finish_reason: ``stop``, ``length`` (cut at max_tokens), ``content_filter``, ...
        tokens_in: tokens of the request, as the server counts them.
        tokens_out: tokens of the reply.
        tokens_cached: tokens of the request that the server had in its prefix cache.
        logprobs: one entry a token; None where they were not asked for or the server
            does not tell them.
        model: as the server names it.
        seconds: from sending to the whole reply.
        replayed: came from the cassette and cost nothing.
        thought: what it thought first, where it tells; ``""`` for nothing.
    """

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    logprobs: tuple[TokenLogprobs, ...] | None
    model: str
    seconds: float
    replayed: bool = False
    thought: str = ""

    def to_record(self) -> dict[str, Any]:
        """The reply as JSON values, without ``replayed``."""
        return {
            "text": self.text,
            "finish_reason": self.finish_reason,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "tokens_cached": self.tokens_cached,
            "logprobs": None
            if self.logprobs is None
            else [[t.token, t.logprob, [list(a) for a in t.alternatives]] for t in self.logprobs],
            "model": self.model,
            "seconds": self.seconds,
            "thought": self.thought,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], *, replayed: bool) -> ChatReply:
        """Undo :meth:`to_record`.

        Raises:
            KeyError: a field is missing.
            TypeError: a field is of another kind.
            ValueError: a token's entry has not three parts, or the reply is blank.
        """
        if "thought" not in record:
            # recorded when thoughts were part of the text
            found = split_thought(record["text"])
            if not found.said.strip():
                raise ValueError("the reply holds a thought and nothing that is said")
            record = {**record, "text": found.said, "thought": found.thought}
        told = record["logprobs"]
        logprobs = None
        if told is not None:
            logprobs = tuple(
                TokenLogprobs(token, logprob, tuple((t, p) for t, p in alternatives))
                for token, logprob, alternatives in told
            )
        return cls(**{**record, "logprobs": logprobs}, replayed=replayed)


class ChatModel(Protocol):
    """Answers requests."""

    @property
    def name(self) -> str:
        """The model's name, part of every request's key."""

    @property
    def context_length(self) -> int | None:
        """Tokens that request and reply may have together, where known."""

    def reply(self, request: ChatRequest) -> ChatReply:
        """Answer one request; may be called by many threads at once.

        Raises:
            LLMError: there is no reply; see :mod:`persona_lab.llm.errors`.
        """

    def close(self) -> None:
        """Let go of connections, programs and files; the model answers no more."""
