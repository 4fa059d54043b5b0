"""From what a model sent to a :class:`~persona_lab.llm.chat.ChatReply`, or a clear error."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from persona_lab.llm.budget import count_message_tokens, count_reply_tokens
from persona_lab.llm.chat import ChatReply, ChatRequest, TokenLogprobs
from persona_lab.llm.errors import LLMBadReply, ThoughtCutOff
from persona_lab.thoughts import Thought, split_thought

_QUOTED: Final = 200
_SAME: Final = 16
_SHORTEST_SAME: Final = 4
"""Characters: how much of a server's message is shown, and from how long a common part on
it counts as a quotation."""

_THOUGHT_FIELDS: Final = ("reasoning_content", "reasoning", "thinking")
"""Where servers that parse thoughts put them: vLLM and DeepSeek; OpenRouter; Ollama."""


def request_arguments(request: ChatRequest) -> dict[str, Any]:
    """What a callable or a program is told besides the messages."""
    return {
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "seed": request.sent_seed,
        "top_logprobs": request.top_logprobs,
        "json_schema": None if request.json_schema is None else dict(request.json_schema),
        "stop": list(request.stop),
        **request.extra,
    }


def message_records(request: ChatRequest) -> list[dict[str, str]]:
    """The messages as the OpenAI protocol writes them."""
    return [{"role": m.role, "content": _sendable(m.content)} for m in request.messages]


def _sendable(text: str) -> str:
    """Halves of surrogate pairs cannot be sent in any encoding."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def quotable(told: object, request: ChatRequest) -> str:
    """What a server says went wrong, for the end of a message of ours.

    Args:
        told: its words; anything but a text says nothing.
        request: whose messages must not show up in an error or log.

    Returns:
        The words after a colon, shortened; empty where there are none or they repeat
        a part of the conversation.
    """
    words = " ".join(told.split())[:_QUOTED] if isinstance(told, str) else ""
    for message in request.messages:
        content = " ".join(message.content.split())
        size = min(_SAME, len(content), len(words))
        if size >= _SHORTEST_SAME and any(
            words[i : i + size] in content for i in range(len(words) - size + 1)
        ):
            return ""
    return f": {words}" if words else ""


def local_reply(
    given: object, request: ChatRequest, *, source: str, model: str, seconds: float
) -> ChatReply:
    """Read what a callable or a program returned.

    Args:
        given: the text, or a mapping with ``text`` and any of ``finish_reason``,
            ``tokens_in``, ``tokens_out``, ``tokens_cached``, ``model`` and ``logprobs``
            (as in the OpenAI protocol).
        request: that it answers.
        source: who returned it, for messages.
        model: its name where ``given`` tells none.
        seconds: that it took.

    Raises:
        LLMBadReply: it is something else, or nothing is said.
    """
    facts: Mapping[Any, Any] = given if isinstance(given, Mapping) else {"text": given}
    text = facts.get("text")
    if not isinstance(text, str):
        raise LLMBadReply(
            f"{source} must return a text, or an object with the key 'text', and gave "
            f"{_kind(given)}",
            retryable=False,
        )
    if not text.strip():
        raise LLMBadReply(f"{source} returned an empty text")
    finish_reason = str(facts.get("finish_reason") or "stop")
    tokens_in = _count(facts.get("tokens_in"), partial(count_message_tokens, request.messages))
    tokens_out = _count(facts.get("tokens_out"), partial(count_reply_tokens, text))
    reasoning = _reasoning(facts)
    found = _parted(text, reasoning, finish_reason, source, request, (tokens_in, tokens_out))
    return ChatReply(
        text=found.said,
        thought=found.thought,
        finish_reason=finish_reason,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cached=_count(facts.get("tokens_cached"), int),
        logprobs=_logprobs(facts.get("logprobs")),
        model=str(facts.get("model") or model),
        seconds=seconds,
    )


def completion_reply(
    body: object, request: ChatRequest, *, source: str, model: str, seconds: float
) -> ChatReply:
    """Read the body of an OpenAI chat completion.

    Args:
        body: decoded JSON.
        request: that it answers.
        source: the server, for messages.
        model: its name where the body tells none.
        seconds: that it took.

    Raises:
        LLMBadReply: there is no choice in it, or nothing is said in the first.
    """
    root = _mapping(body)
    choices = root.get("choices")
    if not isinstance(choices, list) or not choices:
        raise LLMBadReply(f"{source} answered without any choice")
    choice = _mapping(choices[0])
    message = _mapping(choice.get("message"))
    finish_reason = str(choice.get("finish_reason") or "stop")
    # a refusal stands in a field of its own where the reply should have been JSON
    text = _text(message.get("content")) or _text(message.get("refusal"))
    reasoning = _reasoning(message)
    usage = _mapping(root.get("usage"))
    details = _mapping(usage.get("prompt_tokens_details"))
    tokens_in = _count(usage.get("prompt_tokens"), partial(count_message_tokens, request.messages))
    tokens_out = _count(usage.get("completion_tokens"), partial(count_reply_tokens, text))
    found = _parted(text, reasoning, finish_reason, source, request, (tokens_in, tokens_out))
    return ChatReply(
        text=found.said,
        thought=found.thought,
        finish_reason=finish_reason,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cached=_count(details.get("cached_tokens"), int),
        logprobs=_logprobs(_mapping(choice.get("logprobs")).get("content")),
        model=str(root.get("model") or model),
        seconds=seconds,
    )


def _parted(
    text: str,
    reasoning: tuple[str, str],
    finish_reason: str,
    source: str,
    request: ChatRequest,
    tokens: tuple[int, int],
) -> Thought:
    """What is said, and what is thought in the text and in a field of its own.

    Raises:
        LLMBadReply: nothing is said.
    """
    found = split_thought(text)
    field, apart = reasoning
    thought = "\n\n".join(filter(None, (apart.strip(), found.thought)))
    said = bool(found.said.strip())
    if said and not found.cut_off:
        return Thought(found.said, thought)
    if finish_reason == "content_filter":
        raise LLMBadReply(f"the content filter of {source} held the reply back", retryable=False)
    out_of_room = finish_reason == "length"
    if out_of_room or found.cut_off:
        why = (
            f"used all {request.max_tokens} tokens of the reply without writing text"
            if out_of_room
            else "ended its reply inside a thought"
        )
        raise ThoughtCutOff(
            f"{source} {why}; a model that reasons first needs more: raise --reply-room, or "
            "switch its thinking off with --request",
            thought=thought,
            out_of_room=out_of_room,
            tokens=tokens,
        )
    if apart.strip():
        raise LLMBadReply(
            f"{source} left the text empty and put what it wrote into {field!r}; the server's "
            "parser of thoughts does not fit the model, or --reply-room is too small",
            retryable=False,
        )
    raise LLMBadReply(
        f"{source} wrote a thought and no answer after it"
        if thought
        else f"{source} answered with an empty text"
    )


def _reasoning(message: Mapping[Any, Any]) -> tuple[str, str]:
    """The field of a message that holds its thought, and the thought."""
    for field in _THOUGHT_FIELDS:
        if (thought := _text(message.get(field))).strip():
            return field, thought
    return "", ""


def _kind(given: object) -> str:
    """What somebody's bot returned in place of a text, in words."""
    if inspect.isawaitable(given):
        if inspect.iscoroutine(given):
            given.close()
        return "something to be awaited (call it with asyncio.run inside an ordinary function)"
    if isinstance(given, Mapping):
        return "an object without that key"
    return f"an object of the type {type(given).__name__!r}"


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(content: object) -> str:
    """A content is a text, or a list of parts of which some are texts."""
    if isinstance(content, list):
        return "".join(
            part if isinstance(part, str) else _text(_mapping(part).get("text")) for part in content
        )
    return content if isinstance(content, str) else ""


def _count(told: object, estimate: Callable[[], int]) -> int:
    if isinstance(told, int) and not isinstance(told, bool) and told >= 0:
        return told
    return estimate()


def _logprobs(told: object) -> tuple[TokenLogprobs, ...] | None:
    """Read the list of tokens; None where any part is not as the protocol says."""
    if not isinstance(told, list) or not told:
        return None
    tokens = []
    for entry in map(_mapping, told):
        chosen = _token(entry)
        listed = entry.get("top_logprobs")
        alternatives = [_token(_mapping(a)) for a in listed] if isinstance(listed, list) else []
        if chosen is None or None in alternatives:
            return None
        known = sorted((a for a in alternatives if a is not None), key=lambda a: -a[1])
        tokens.append(TokenLogprobs(*chosen, tuple(known)))
    return tuple(tokens)


def _token(entry: Mapping[Any, Any]) -> tuple[str, float] | None:
    token, logprob = entry.get("token"), entry.get("logprob")
    if isinstance(token, str) and isinstance(logprob, (int, float)) and not math.isnan(logprob):
        return token, float(logprob)
    return None
