"""A chatbot that acts a personality, and a judge that reads it: no language model.

The bot agrees with what its system prompt says it is: "You are extraverted." It answers closed
items by the key, open questions with sentences that hold a tell-tale word for the trait, and
tells stories. The judge finds those words again.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from persona_lab.instruments import Instrument, Item, load_instrument, third_person
from persona_lab.instruments.wording import FOLLOW_UP, first_person, question
from persona_lab.llm.chat import ChatReply, ChatRequest, Message

TELLS = {
    "openness": ("I paint odd dreams", "I take the usual bus"),
    "conscientiousness": ("I plan it to the minute", "I leave it for whenever"),
    "extraversion": ("I talk with everybody at the party", "I sit alone in a corner"),
    "agreeableness": ("I help them at once, warmly", "I tell them they are fools"),
    "neuroticism": ("I worry and tremble all night", "I stay calm and sleep well"),
}
"""What a bot says by its pole: high, low."""

_REMEDY = re.compile(
    "Please answer in your own|Reply with the JSON|Reply with the reworded"
    "|Answer with one number from . to . and nothing else.$"
)
_JUDGED = re.compile(r"<answer>\n(.*?)\n</answer>", re.DOTALL)


@dataclass
class ActedBot:
    """Answers as its system prompt says.

    Attributes:
        instrument: whose items it knows.
        slip: turns a reply into another one, given what was asked last.
    """

    instrument: Instrument
    name: str = "acted"
    context_length: int | None = None
    slip: Callable[[str, str], str] | None = None
    requests: list[ChatRequest] = field(default_factory=list)

    def reply(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        users = [m.content for m in request.messages if m.role == "user"]
        # a repair comes after the question that it is about
        asked = users[-2] if _REMEDY.match(users[-1]) else users[-1]
        said = self._say(request, asked)
        if self.slip is not None:
            said = self.slip(asked, said)
        return ChatReply(said, "stop", 10, 5, 0, None, self.name, 0.1)

    def close(self) -> None:
        pass

    def _say(self, request: ChatRequest, asked: str) -> str:
        if "<answer>" in asked:
            return self._judge(asked)
        system = next((m.content for m in request.messages if m.role == "system"), "")
        if asked.startswith("Answer with one number"):
            return str(self._rate(asked, system))
        if "Put this question differently" in asked:
            return "So, tell me: " + asked.rsplit("\n\n", 1)[1].replace(FOLLOW_UP, "")
        if "story" in asked or "300 words" in asked:
            said = [self._tell(key, system) for key in TELLS]
            return "That day is still with me. " + ". Then ".join(said) + "."
        number = sum(m.role == "user" for m in request.messages)
        return f"{self._tell(self._domain(asked), system)}, and that happened {number} times."

    def _high(self, domain: str, system: str) -> bool:
        return self.instrument.domain(domain).high in system

    def _tell(self, domain: str, system: str) -> str:
        return TELLS[domain][0 if self._high(domain, system) else 1]

    def _item(self, asked: str) -> Item:
        last = asked.strip().splitlines()[-1].strip('".')
        for item in self.instrument.items:
            forms = (item.text.rstrip("."), first_person(item.text), question(item.text))
            if last in (form.removesuffix(FOLLOW_UP).strip() for form in forms):
                return item
        raise AssertionError(f"not an item: {last}")

    def _rate(self, asked: str, system: str) -> int:
        item = self._item(asked)
        agrees = (item.keyed > 0) == self._high(item.domain, system)
        # one step off the end for every third item, so that scores have a spread
        soft = int(item.id) % 3 == 0
        return (4 if soft else 5) if agrees else (2 if soft else 1)

    def _domain(self, asked: str) -> str:
        for item in self.instrument.items:
            if question(item.text).removesuffix(FOLLOW_UP).strip() in asked:
                return item.domain
        from persona_lab.interviews.questions import situational_questions

        return next(q.domain for q in situational_questions(self.instrument) if q.text in asked)

    def _judge(self, asked: str) -> str:
        """Find the tell-tale words and rate."""
        said = " ".join(_JUDGED.findall(asked))
        if "Statement:" in asked:
            return str(self._map(asked, said))
        domain = next(d for d in self.instrument.domains if f"on {d.name}?" in asked)
        high, low = TELLS[domain.key]
        if high not in said and low not in said:
            return json.dumps({"quotes": [], "reason": "Nothing is said.", "score": None})
        is_high = high in said
        return json.dumps(
            {
                "quotes": [high if is_high else low],
                "reason": f"The speaker seems {domain.high if is_high else domain.low}.",
                "score": 5 if is_high else 1,
            }
        )

    def _map(self, asked: str, said: str) -> int:
        statement = re.search(r"Statement: (.*)\.\n", asked)
        assert statement is not None
        for item in self.instrument.items:
            if third_person(item.text, "The speaker") == statement[1]:
                high = TELLS[item.domain][0] in said
                return 5 if (item.keyed > 0) == high else 1
        raise AssertionError("not an item")


def answer(messages: list[dict[str, str]], **settings: object) -> str:
    """The acted bot on the Mini-IPIP as a function: ``callable:MODULE:answer``."""
    time.sleep(float(os.environ.get("ACTED_SECONDS", "0")))
    bot = ActedBot(load_instrument(os.environ.get("ACTED_INSTRUMENT", "ipip-20")))
    said = tuple(Message(m["role"], m["content"]) for m in messages)  # type: ignore[arg-type]
    return bot.reply(ChatRequest(said)).text
