"""Language model servers that jobs may ask: those that the settings list, and no others.

A body names a server by its URL. It must be one of ``PERSONA_LAB_LLM_URLS``, compared as a
whole after both were brought to one form, so neither another port or path of the same host,
nor another spelling of its address, nor a private or metadata address gets through unless
it is listed. What is asked is the listed URL, not the one that came.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service import metrics
from service.config import Config, variable
from service.problems import Problem
from service.schemas.jobs import LanguageModel

if TYPE_CHECKING:
    from persona_lab.llm import Client

_PORTS = {"http": 80, "https": 443}


def canonical(url: str) -> str | None:
    """One form of a server's base URL; None for what cannot be one.

    Users, queries, fragments, escapes and anything unusual make it None.
    """
    if not url.isascii() or not url.isprintable() or set(url) & set(" \\%?#@"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    if "//" in path or "." in path.split("/") or ".." in path.split("/"):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or _PORTS[parts.scheme]}{path}"


def allowed_url(url: str, config: Config, *, pointer: str = "/llm/url") -> str:
    """The listed URL that is meant.

    Raises:
        Problem: ``url-refused``: there is none.
    """
    wanted = canonical(url)
    for listed in config.llm_urls:
        if wanted is not None and canonical(listed) == wanted:
            return wanted
    raise Problem.at(
        pointer,
        f"this server is not one of those that may be asked ({variable('llm_urls')}, "
        f"{len(config.llm_urls)} listed)",
        kind="url-refused",
    )


@contextmanager
def open_client(given: LanguageModel, config: Config) -> Iterator[Client]:
    """A client of the language model that a body names.

    Raises:
        Problem: its URL is not listed.
        LLMError: it cannot be asked.
    """
    from persona_lab.llm import Budget, open_chat_model

    url = allowed_url(given.url, config)
    with open_chat_model(
        f"openai:{url}",
        model=given.model,
        concurrency=config.llm_concurrency,
        budget=Budget(given.max_calls, given.max_tokens),
    ) as client:
        yield client


def tell_usage(client: Client) -> None:
    """Count what a client has used."""
    usage = client.usage
    calls = {"answered": usage.calls, **usage.failures}
    for outcome, count in calls.items():
        if count:
            metrics.LLM_CALLS.labels("openai-compatible", outcome).inc(count)
    metrics.LLM_TOKENS.labels("in").inc(usage.tokens_in)
    metrics.LLM_TOKENS.labels("out").inc(usage.tokens_out)
