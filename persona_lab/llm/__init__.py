"""Language models behind one protocol: dependable calls, cassettes, budgets, parsing.

The names below are loaded on first use, so that importing the package costs nothing.

Example:
    >>> from persona_lab.llm import ChatRequest, Message, open_chat_model
    >>> with open_chat_model("openai:http://localhost:8080/v1") as client:  # doctest: +SKIP
    ...     client.reply(ChatRequest((Message("user", "Do you like parties?"),))).text
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona_lab.llm.budget import Budget, Forecast, Prices, Usage, count_tokens
    from persona_lab.llm.cassette import Cassette, Recording, ReplayModel
    from persona_lab.llm.chat import ChatModel, ChatReply, ChatRequest, Message, TokenLogprobs
    from persona_lab.llm.client import Client
    from persona_lab.llm.errors import (
        BudgetSpent,
        Cancelled,
        CassetteError,
        ContextOverflow,
        LLMBadReply,
        LLMBadRequest,
        LLMError,
        LLMRateLimited,
        LLMRefusedKey,
        LLMUnavailable,
        OfflineMiss,
        ParseFailure,
        ThoughtCutOff,
    )
    from persona_lab.llm.flows import run_flows
    from persona_lab.llm.opening import open_chat_model
    from persona_lab.llm.parsing import is_refusal, parse_choice, parse_json_reply, parse_rating
    from persona_lab.llm.retries import Circuit, RetryPolicy

_NAMES = {
    "budget": ("Budget", "Forecast", "Prices", "Usage", "count_tokens"),
    "cassette": ("Cassette", "Recording", "ReplayModel"),
    "chat": ("ChatModel", "ChatReply", "ChatRequest", "Message", "TokenLogprobs"),
    "client": ("Client",),
    "errors": (
        "BudgetSpent",
        "Cancelled",
        "CassetteError",
        "ContextOverflow",
        "LLMBadReply",
        "LLMBadRequest",
        "LLMError",
        "LLMRateLimited",
        "LLMRefusedKey",
        "LLMUnavailable",
        "OfflineMiss",
        "ParseFailure",
        "ThoughtCutOff",
    ),
    "flows": ("run_flows",),
    "opening": ("open_chat_model",),
    "parsing": ("is_refusal", "parse_choice", "parse_json_reply", "parse_rating"),
    "retries": ("Circuit", "RetryPolicy"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "Budget",
    "BudgetSpent",
    "Cancelled",
    "Cassette",
    "CassetteError",
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "Circuit",
    "Client",
    "ContextOverflow",
    "Forecast",
    "LLMBadReply",
    "LLMBadRequest",
    "LLMError",
    "LLMRateLimited",
    "LLMRefusedKey",
    "LLMUnavailable",
    "Message",
    "OfflineMiss",
    "ParseFailure",
    "Prices",
    "Recording",
    "ReplayModel",
    "RetryPolicy",
    "ThoughtCutOff",
    "TokenLogprobs",
    "Usage",
    "count_tokens",
    "is_refusal",
    "open_chat_model",
    "parse_choice",
    "parse_json_reply",
    "parse_rating",
    "run_flows",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'persona_lab.llm' has no attribute {name!r}")
    value = getattr(import_module(f"persona_lab.llm.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
