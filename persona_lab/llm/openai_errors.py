"""What an OpenAI-compatible server's failures mean: HTTP answer in, one clear error out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final

from persona_lab.llm.chat import ChatRequest
from persona_lab.llm.errors import (
    ContextOverflow,
    LLMBadReply,
    LLMBadRequest,
    LLMError,
    LLMRateLimited,
    LLMRefusedKey,
    LLMUnavailable,
)
from persona_lab.llm.replies import quotable

KEY_VARIABLES: Final = ("PERSONA_LAB_LLM_KEY", "OPENAI_API_KEY")
"""Where the key is looked for, in this order."""

_OVERFLOW = re.compile(
    # OpenAI, vLLM and Mistral; llama.cpp; vLLM; TGI; Anthropic
    r"context[_ ](?:length|window|size)|exceed_context|maximum model length"
    r"|max_new_tokens` must be|prompt is too long",
    re.IGNORECASE,
)
NO_SERVER: Final = (
    "answered with a web page, so it is not an OpenAI-compatible server; check the URL (it mostly "
    "ends in /v1)"
)
"""What it means that an answer is a page for people."""

_TRY_LATER: Final = frozenset({408, 409, 425})


def status_error(
    status: int,
    body: str,
    headers: Mapping[str, str],
    request: ChatRequest,
    *,
    source: str,
    key_variable: str | None,
) -> LLMError:
    """Name the error behind an HTTP status.

    Args:
        status: 400 or above, a redirect that was not followed, or 200 where the body holds
            an error without a status.
        body: as it came.
        headers: with names in lower case.
        request: that was sent, so that the message does not quote it.
        source: the server, for the message.
        key_variable: the environment variable that held the key; None without a key.
    """
    if status in (401, 403):
        return LLMRefusedKey(_refused(status, source, key_variable), status=status)
    told = _told(body)
    words = quotable(told, request)
    if status == 429:
        return _rate_limited(body, words, headers, source)
    if _OVERFLOW.search(told) or _OVERFLOW.search(body[:2000]):
        return ContextOverflow(
            f"the messages and a reply of up to {request.max_tokens} tokens do not fit the "
            f"context of the model at {source}{words}",
            status=status,
        )
    if status == 200:
        return LLMBadReply(f"{source} answered with an error{words}", status=status)
    if status >= 500 or status in _TRY_LATER:
        return LLMUnavailable(
            f"{source} failed with HTTP {status}{words}",
            status=status,
            retry_after=retry_after(headers),
        )
    hint = "; check the URL and --model" if status == 404 else ""
    if is_page(body):
        hint = f": it {NO_SERVER}"
    return LLMBadRequest(
        f"{source} rejects the request (HTTP {status}){words}{hint}", status=status
    )


def error_inside(body: object) -> int | None:
    """The status of an error that came as if all were well.

    Args:
        body: decoded JSON of an answer with HTTP 200.

    Returns:
        The status that the error names, 200 where it names none; None where there is no error.
    """
    if not isinstance(body, Mapping):
        return None
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    error = body.get("error") or (first.get("error") if isinstance(first, Mapping) else None)
    if not error and first is None and isinstance(body.get("message") or body.get("detail"), str):
        error = body  # vLLM and gateways: {"object": "error", "message": ..., "code": ...}
    if not error:
        return None
    told = [error.get(key) for key in ("code", "status")] if isinstance(error, Mapping) else []
    codes = [int(str(code)) for code in told if str(code).isdecimal()]
    return next((code for code in codes if 400 <= code < 600), 200)


def is_page(body: str) -> bool:
    """Is it a web page, and no JSON?"""
    return body.lstrip()[:1] == "<"


def parameter_named(body: str, names: tuple[str, ...]) -> str | None:
    """The first of the request's parameters that the body of an error names."""
    for name in names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", body):
            return name
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: a number or a date (RFC 9110, 10.2.3)."""
    told = headers.get("retry-after", "").strip()
    if not told:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _refused(status: int, source: str, key_variable: str | None) -> str:
    # the server's own words are left out: some repeat the key
    if key_variable is None:
        names = " or ".join(KEY_VARIABLES)
        return f"{source} wants a key (HTTP {status}); put it into the environment variable {names}"
    return (
        f"{source} refuses the key in the environment variable {key_variable} (HTTP {status}); "
        "check that the key is valid and may use this model"
    )


def _rate_limited(body: str, words: str, headers: Mapping[str, str], source: str) -> LLMRateLimited:
    if "insufficient_quota" in body:
        return LLMRateLimited(
            f"the account at {source} has no quota left (HTTP 429)", retryable=False, status=429
        )
    wait = retry_after(headers)
    asked = "" if wait is None else f" and asks to wait {wait:g} s"
    return LLMRateLimited(
        f"{source} limits the rate of requests (HTTP 429){asked}{words}",
        status=429,
        retry_after=wait,
    )


def _told(body: str) -> str:
    """The message in an error's body; servers nest it differently."""
    try:
        value: Any = json.loads(body)
    except ValueError:
        return ""  # an HTML page of a proxy helps nobody
    if isinstance(value, dict) and isinstance(value.get("choices"), list) and value["choices"]:
        value = value["choices"][0]
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(key):
            value = value[key]
    return value if isinstance(value, str) else ""
