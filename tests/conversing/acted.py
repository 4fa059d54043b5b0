"""Speakers that act, for ``callable:``: they answer questionnaires and talk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from persona_lab.llm.chat import ChatRequest, Message
from tests.psychometrics.acted import STEADY, Actor

Messages = list[dict[str, str]]

PEOPLE = [
    {"id": "ann", "system": "extraversion=5 agreeableness=5"},
    {"id": "bob", "system": "extraversion=1 agreeableness=3"},
]


def steady(messages: Messages, **settings: Any) -> str:
    """Answers alike before and after."""
    return _said(STEADY, messages, settings)


def swayed(messages: Messages, **settings: Any) -> str:
    """An introvert who has talked becomes one of the middle."""
    told = messages[0]["content"]
    has_talked = len(messages) > 2
    if has_talked:
        messages = [{"role": "system", "content": told.replace("extraversion=1", "extraversion=3")},
                    *messages[1:]]  # fmt: skip
    return _said(STEADY, messages, settings)


def parrot(messages: Messages, **settings: Any) -> str:
    """Takes up the partner's words."""
    asked = messages[-1]["content"]
    if asked.startswith("Answer with"):
        return _said(STEADY, messages, settings)
    heard = asked.rsplit("\n\n", 1)[-1].split()[:30] if len(messages) > 2 else []
    return " ".join(["we go", *heard, f"to market number {len(messages)} with cakes"])


def silent(messages: Messages, **settings: Any) -> str:
    """Answers items and refuses to talk."""
    if messages[-1]["content"].startswith("Answer with"):
        return _said(STEADY, messages, settings)
    return "I'm sorry, but I can't help with that."


def _said(actor: Actor, messages: Messages, settings: dict[str, Any]) -> str:
    if not any(m["content"].startswith("Answer with") for m in messages[-3:]):
        return f"Turn {len(messages)}: " + "word " * 58
    told = [m for m in messages if m["role"] == "system"]
    request = ChatRequest(
        tuple(Message(m["role"], m["content"]) for m in [*told, messages[-1]]),  # type: ignore[arg-type]
        temperature=settings["temperature"],
        seed=settings["seed"],
    )
    return replace(actor, noise=0.0).answer(request)
