"""From ``--llm SPEC`` to a client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from persona_lab.llm.budget import Budget, Prices
from persona_lab.llm.cassette import Cassette, ReplayModel
from persona_lab.llm.chat import ChatModel
from persona_lab.llm.client import DEFAULT_CONCURRENCY, Client
from persona_lab.llm.errors import LLMError
from persona_lab.llm.retries import RetryPolicy

DEFAULT_TIMEOUT_S: Final = 120.0
DEFAULT_RETRIES: Final = 5
SPECS: Final = (
    "openai:URL (any compatible server), openai (api.openai.com), callable:MODULE:FUNCTION, "
    "command:PROGRAM ARGS, cassette:FILE"
)
"""For help and messages."""


def open_chat_model(
    spec: str,
    *,
    model: str | None = None,
    cassette: Path | None = None,
    offline: bool = False,
    concurrency: int = DEFAULT_CONCURRENCY,
    timeout: float = DEFAULT_TIMEOUT_S,
    retries: int = DEFAULT_RETRIES,
    budget: Budget | None = None,
    prices: Prices | None = None,
    reply_room: int = 0,
    request_fields: Mapping[str, Any] | None = None,
) -> Client:
    """Make a client of a spec.

    Args:
        spec: ``openai:URL``, ``openai``, ``callable:MODULE:FUNCTION``,
            ``command:PROGRAM ARGS`` or ``cassette:FILE``.
        model: the model's name. None is enough where a server or cassette has only one;
            for a callable or command it is then the spec itself.
        cassette: file that replies are looked up in and stored to.
        offline: answer from the cassette only; whatever ``spec`` names is not touched.
        concurrency: requests under way at once.
        timeout: seconds a reply may take.
        retries: further attempts after a failed one.
        budget: what the run may use.
        prices: what tokens cost, for summaries.
        reply_room: tokens that each reply may have beyond what is asked for, for models that
            think first.
        request_fields: further fields of each request, such as
            ``{"chat_template_kwargs": {"enable_thinking": False}}``.

    Returns:
        The client; close it in the end.

    Raises:
        LLMError: the spec or a setting cannot be used, the server that has to be asked
            for its model does not answer, or there is no cassette to replay.
    """
    kind, _, rest = spec.partition(":")
    if kind not in ("openai", "callable", "command", "cassette") or (
        kind != "openai" and not rest.strip()
    ):
        raise LLMError(f"cannot read --llm {spec!r}; write one of: {SPECS}")
    if timeout <= 0:
        raise LLMError(f"the timeout is {timeout:g} s; give more than 0")
    if retries < 0:
        raise LLMError(f"retries is {retries}; give 0 or more")
    if kind == "cassette" and cassette is not None:
        raise LLMError("--llm cassette:FILE replays and --cassette records; give one of them")
    if offline and kind != "cassette" and cassette is None:
        raise LLMError("--offline replays a cassette; name it with --cassette FILE")
    replay = Path(rest) if kind == "cassette" else cassette if offline else None
    if replay is not None:
        # replies that cost nothing need no budget
        return Client(
            ReplayModel(replay, model),
            concurrency=concurrency,
            prices=prices,
            request_fields=request_fields,
        )
    return Client(
        _backend(kind, rest, model, timeout),
        cassette=None if cassette is None else Cassette(cassette),
        concurrency=concurrency,
        policy=RetryPolicy(retries=retries),
        budget=budget,
        prices=prices,
        reply_room=reply_room,
        request_fields=request_fields,
    )


def _backend(kind: str, rest: str, model: str | None, timeout: float) -> ChatModel:
    if kind == "callable":
        from persona_lab.llm.callable import CallableModel

        return CallableModel.load(rest, model)
    if kind == "command":
        from persona_lab.llm.command import CommandModel

        return CommandModel(rest, name=model, timeout=timeout)
    from persona_lab.llm.openai_compatible import OPENAI_URL, OpenAICompatible

    return OpenAICompatible(rest or OPENAI_URL, model=model, timeout=timeout)
