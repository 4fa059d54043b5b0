"""What can go wrong with a language model; part of the tree in :mod:`persona_lab.errors`.

LLMError
├── LLMUnavailable      server down, unknown host, time-outs, 5xx: after all retries
├── LLMRefusedKey       401 or 403: never retried
├── LLMBadRequest       400, 404, 422: never retried
│   └── ContextOverflow   the messages do not fit the model's context
├── LLMRateLimited      429: after all retries
├── LLMBadReply         no JSON, no choices, no text: after all retries
│   └── ThoughtCutOff     the model thought until its room was used up, and said nothing
├── BudgetSpent         --max-calls or --max-tokens is reached
├── OfflineMiss         --offline, and the reply is not in the cassette
├── CassetteError       the cassette's file cannot be read or written
└── Cancelled           the run was stopped
ParseFailure            a reply came and does not say what was asked for

Messages hold neither the conversation, nor the reply, nor the key.
"""

from __future__ import annotations

from typing import ClassVar

from persona_lab.errors import PersonaLabError


class LLMError(PersonaLabError):
    """Base of all errors around a call of a language model.

    Attributes:
        code: stable name of the kind of error, for results and counts.
        retryable: may the same request succeed later?
        status: of the HTTP answer; None where there was none.
        retry_after: seconds that the server asks to wait before the next request.
    """

    code: ClassVar[str] = "llm"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        retryable: bool | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Put an error together.

        Args:
            message: what happened and what to do, in one line.
            retryable: None for what the class says.
            status: of the HTTP answer.
            retry_after: seconds.
        """
        super().__init__(message)
        if retryable is not None:
            self.retryable = retryable
        self.status = status
        self.retry_after = retry_after


class LLMUnavailable(LLMError):
    """The server or program cannot be reached, or does not answer in time."""

    code = "unavailable"
    retryable = True


class LLMRefusedKey(LLMError):
    """The server does not accept the key (or wants one and got none)."""

    code = "key"


class LLMBadRequest(LLMError):
    """The server understood the request and rejects it; asking again cannot help."""

    code = "bad_request"


class ContextOverflow(LLMBadRequest):
    """The messages and the reply asked for are longer than the model's context."""

    code = "context"


class LLMRateLimited(LLMError):
    """The server keeps asking to slow down."""

    code = "rate_limited"
    retryable = True


class LLMBadReply(LLMError):
    """The server answers, and what it answers is no usable chat completion."""

    code = "bad_reply"
    retryable = True


class ThoughtCutOff(LLMBadReply):
    """The reply ends inside a thought, or was used up before anything was said.

    Attributes:
        thought: what there is of it.
        out_of_room: a longer reply may help.
        tokens: of the request and the reply, which are paid for all the same.
    """

    code = "thought_cut_off"
    retryable = False

    def __init__(
        self, message: str, *, thought: str, out_of_room: bool, tokens: tuple[int, int]
    ) -> None:
        """Keep all of it."""
        super().__init__(message)
        self.thought, self.out_of_room, self.tokens = thought, out_of_room, tokens


class BudgetSpent(LLMError):
    """The calls or tokens that the run may use are used up."""

    code = "budget"


class OfflineMiss(LLMError):
    """Calls are not allowed and the cassette does not hold the reply."""

    code = "offline"


class CassetteError(LLMError):
    """The cassette is no cassette, was made by a newer version, or cannot be written."""

    code = "cassette"


class Cancelled(LLMError):
    """The run was stopped before this call was made."""

    code = "cancelled"


class ParseFailure(PersonaLabError):
    """A reply does not say what was asked for.

    Attributes:
        code: stable: ``empty``, ``refusal``, ``no_json``, ``schema``, ``no_number``,
            ``off_scale``, ``ambiguous``, ``no_choice`` or ``thought_cut_off``.
        reason: one sentence for people.
    """

    def __init__(self, code: str, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code = code
        self.reason = reason
