"""Chatbots that act: they answer a questionnaire with a personality and planted faults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import Any

from persona_lab.instruments import Item, load_instrument
from persona_lab.interviews.self_report import WORDINGS
from persona_lab.llm.budget import count_message_tokens, count_reply_tokens
from persona_lab.llm.chat import ChatReply, ChatRequest

INSTRUMENT = load_instrument("ipip-20")
DENIED = {item.id: f"It is false to say of me: {item.text.lower()}" for item in INSTRUMENT.items}
"""Negated twins that the actors understand."""

_TARGET = re.compile(r"(\w+)=(\d(?:\.\d+)?)")


@lru_cache
def _asked() -> dict[str, tuple[Item, int]]:
    """What can be asked, with the item and +1, or -1 for its twin."""
    found = {}
    for item in INSTRUMENT.items:
        for ask in WORDINGS.values():
            found[ask(item.text)] = (item, 1)
            found[ask(DENIED[item.id])] = (item, -1)
    return found


@dataclass(frozen=True)
class Actor:
    """Answers items of IPIP-20.

    Attributes:
        name: of the model.
        truth: score by domain, 3 if left out; a system prompt such as "extraversion=5"
            goes before it, if ``plays`` is set.
        plays: does it take up roles?
        order: points that a domain's score falls by when the options descend.
        wording: points that a domain's score falls by in question form.
        first: points that ratings move towards the option that is listed first.
        agrees: points that every rating is raised by.
        contradicts: gives a twin the same answer as its item.
        constant: always this rating.
        refuses: share of items of these domains that it declines.
        noise: standard deviation of its answers above temperature 0.
    """

    name: str = "actor"
    truth: Mapping[str, float] = field(default_factory=dict)
    plays: bool = True
    order: Mapping[str, float] = field(default_factory=dict)
    wording: Mapping[str, float] = field(default_factory=dict)
    first: float = 0.0
    agrees: float = 0.0
    contradicts: bool = False
    constant: int | None = None
    refuses: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.0
    context_length: int | None = None

    def reply(self, request: ChatRequest) -> ChatReply:
        text = self.answer(request)
        return ChatReply(
            text,
            "stop",
            count_message_tokens(request.messages),
            count_reply_tokens(text),
            0,
            None,
            self.name,
            0.0,
        )

    def close(self) -> None:
        pass

    def answer(self, request: ChatRequest) -> str:
        # a remedy follows a refusal: it is about the question before
        asked = next(m.content for m in request.messages if m.content.startswith("Answer with"))
        options, _, question = asked.partition("\n\n")
        item, sense = _asked()[question]
        if self.constant is not None:
            return str(self.constant)
        told = request.messages[0].content if request.messages[0].role == "system" else ""
        drawn = request.sent_seed if request.temperature else None
        seeds = (self.name, told, asked, request.temperature, drawn)
        random = Random(repr(seeds))
        if random.random() < self.refuses.get(item.domain, 0.0):
            return "I'm sorry, but I can't answer that."
        listed = [int(line[0]) for line in options.splitlines()[1:]]
        played = {k: float(v) for k, v in _TARGET.findall(told)} if self.plays else {}
        score = {**self.truth, **played}.get(item.domain, 3.0)
        score -= self.order.get(item.domain, 0.0) * (listed[0] > listed[-1])
        score -= self.wording.get(item.domain, 0.0) * question.startswith("To what extent")
        keyed = item.keyed * (1 if self.contradicts else sense)
        rating = score if keyed > 0 else 6 - score
        rating += self.agrees + self.first * (1 if listed[0] > listed[-1] else -1)
        if request.temperature:
            rating += random.gauss(0, self.noise)
        return str(min(5, max(1, round(rating))))


STEADY = Actor(
    "steady",
    {"extraversion": 4, "agreeableness": 4, "conscientiousness": 2, "neuroticism": 2},
    noise=0.6,
)


def steady(messages: list[dict[str, str]], **settings: Any) -> str:
    return _called(STEADY, messages, settings)


def crooked(messages: list[dict[str, str]], **settings: Any) -> str:
    return _called(replace(STEADY, order={"agreeableness": 1.0}), messages, settings)


def _called(actor: Actor, messages: list[dict[str, str]], settings: dict[str, Any]) -> str:
    from persona_lab.llm.chat import Message

    request = ChatRequest(
        tuple(Message(m["role"], m["content"]) for m in messages),  # type: ignore[arg-type]
        temperature=settings["temperature"],
        seed=settings["seed"],
    )
    return actor.answer(request)
