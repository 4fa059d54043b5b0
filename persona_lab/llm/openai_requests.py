"""What an OpenAI-compatible server is sent, without what it turned out not to support."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from persona_lab.llm.chat import ChatRequest
from persona_lab.llm.errors import LLMBadRequest, LLMError
from persona_lab.llm.openai_errors import parameter_named
from persona_lab.llm.replies import message_records

SYSTEM: Final = "system"
STREAM: Final = "stream"

LACKING: Final = {
    "response_format": "JSON replies; they are asked for in words only",
    "logprobs": "token probabilities; replies come without them",
    "seed": "seeds; sampled replies cannot be repeated",
    "temperature": "this temperature; the server's own is used",
    "max_tokens": "max_tokens; max_completion_tokens is sent instead",
    SYSTEM: "system prompts; they are put in front of the first user turn",
    STREAM: "replies in one piece; they are streamed",
}
"""What some servers reject, and what it means that one does."""

_NO_SYSTEM = re.compile(
    # vLLM and chat templates; Mistral templates; Google's Gemma; others
    r"system.?(?:role|message|prompt|instruction)s?\W.{0,40}\b(?:not|unsupported|n't)\b"
    r"|(?:not|n't)\s(?:support|allow|accept).{0,40}\bsystem\b"
    r"|roles must alternate"
    r"|(?:system|developer) instruction is not enabled"
    r"|(?:unsupported|unknown|unexpected|invalid)\s.{0,20}\brole\b.{0,20}\bsystem\b"
    r"|\brole\b.{0,20}\bsystem\b.{0,20}\b(?:unsupported|not|invalid)\b"
    r"|only user and assistant roles",
    re.IGNORECASE | re.DOTALL,
)
_NO_WHOLE = re.compile(r"\bstream(?:ing|ed)?\b|non-stream", re.IGNORECASE)
_UNDERSTOOD: Final = frozenset({400, 404, 405, 422, 500, 501})
"""Statuses with which servers say that they cannot do something."""


def arguments(request: ChatRequest, model: str, lacking: Sequence[str]) -> dict[str, Any]:
    """The fields of a request.

    Args:
        request: what is asked.
        model: the model's name.
        lacking: names in :data:`LACKING` that are to be left out or said in another way.

    Returns:
        For the client library's ``create``; fields that it does not know are in ``extra_body``.
    """
    messages = message_records(request)
    found: dict[str, Any] = {
        "model": model,
        "messages": _without_system(messages) if SYSTEM in lacking else messages,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    }
    if request.sent_seed is not None:
        found["seed"] = request.sent_seed
    if request.stop:
        found["stop"] = list(request.stop)
    if request.top_logprobs:
        found |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    if request.json_schema is not None:
        found["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": dict(request.json_schema)},
        }
    for name in lacking:
        found.pop(name, None)
    if "logprobs" in lacking:
        found.pop("top_logprobs", None)
    if "max_tokens" in lacking:
        found["max_completion_tokens"] = request.max_tokens
    # the library would take a stream apart itself; its text is wanted whole
    extra = dict(request.extra) | ({STREAM: True} if STREAM in lacking else {})
    return found | ({"extra_body": extra} if extra else {})


def rejected(
    error: LLMError, body: str, sent: Mapping[str, Any], lacking: Sequence[str]
) -> str | None:
    """What to do without in the next attempt, if that may help.

    Args:
        error: what the answer means.
        body: of the answer.
        sent: see :func:`arguments`.
        lacking: what was done without.

    Returns:
        A name in :data:`LACKING`: what the server names; where it names nothing, JSON replies,
        which are what most servers lack. None where nothing is to be left out.
    """
    if error.status in _UNDERSTOOD:
        if SYSTEM not in lacking and _has_system(sent) and _NO_SYSTEM.search(body):
            return SYSTEM
        if STREAM not in lacking and _NO_WHOLE.search(body):
            return STREAM
    if type(error) is not LLMBadRequest or error.status not in (400, 422):
        return None
    named = parameter_named(body, tuple(name for name in LACKING if name in sent))
    if named is None and "top_logprobs" in sent and "top_logprobs" in body:
        named = "logprobs"
    if named is None and "response_format" in sent:
        named = "response_format"
    return named


def whole_reply(text: str) -> str:
    """The JSON of a chat completion, put together where the server has streamed it.

    Args:
        text: body of an answer; other than server-sent events it comes back as it is.
    """
    lines = [line.strip() for line in text.splitlines()]
    events = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    if not events or not lines or text.lstrip()[:1] == "{":
        return text
    message: dict[str, str] = {}
    choice: dict[str, Any] = {"message": message, "finish_reason": None}
    root: dict[str, Any] = {}
    for event in events:
        try:
            value = json.loads(event)
        except ValueError:
            continue  # [DONE], or a line that was torn
        if not isinstance(value, dict):
            continue
        root |= {k: v for k, v in value.items() if k in ("model", "usage", "error") and v}
        part = (value.get("choices") or [None])[0]
        if isinstance(part, dict):
            root["choices"] = [choice]
            choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
            for field, piece in (part.get("delta") or part.get("message") or {}).items():
                if isinstance(piece, str):
                    message[field] = message.get(field, "") + piece
    return json.dumps(root)


def _has_system(sent: Mapping[str, Any]) -> bool:
    return any(message["role"] == SYSTEM for message in sent["messages"])


def _without_system(messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """System messages in front of the first user turn; then both sides take turns."""
    told = [message["content"] for message in messages if message["role"] == SYSTEM]
    rest = [message for message in messages if message["role"] != SYSTEM]
    if told:
        rest.insert(0, {"role": "user", "content": "\n\n".join(told)})
    joined: list[dict[str, str]] = []
    for message in rest:
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1]["content"] += "\n\n" + message["content"]
        else:
            joined.append(dict(message))
    return joined
