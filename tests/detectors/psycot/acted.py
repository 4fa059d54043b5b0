"""A model that acts: it finds words in the text and rates items as such an author would."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from persona_lab.instruments import Instrument, load_instrument
from persona_lab.instruments.wording import third_person
from persona_lab.llm.chat import ChatReply, ChatRequest, Message, TokenLogprobs
from persona_lab.llm.errors import ContextOverflow

_TEXT = re.compile(r"<text>\n(.*?)\n</text>", re.DOTALL)
_STATEMENT = re.compile(r"^(?:Statement )?(\d+)[.:] (.*)$", re.MULTILINE)
_OPTION = re.compile(r"^([AB]): (.*)$", re.MULTILINE)


@dataclass
class ActedModel:
    """Rates 5 or 1 by whether the text holds ``tell``, by the key of the instrument.

    Attributes:
        instrument: whose items it knows.
        tell: word that stands for the high pole of all traits.
        logprobs: tell token probabilities.
        always_first: answers A whatever is asked.
        slip: turns a reply into another one, given the number of the request.
        context: requests with more words than this overflow.
    """

    instrument: Instrument
    tell: str = "sparkle"
    name: str = "acted"
    context_length: int | None = None
    logprobs: bool = False
    always_first: bool = False
    slip: Callable[[int, str], str] | None = None
    context: int | None = None
    requests: list[ChatRequest] = field(default_factory=list)

    def reply(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        words = sum(len(m.content.split()) for m in request.messages)
        if self.context is not None and words > self.context:
            raise ContextOverflow("too long")
        said = self._say(request)
        if self.slip is not None:
            said = self.slip(len(self.requests), said)
        return ChatReply(
            said, "stop", words, 1, 0, self._spread(said) if self.logprobs else None, self.name, 0.1
        )

    def close(self) -> None:
        pass

    def _say(self, request: ChatRequest) -> str:
        high = self.tell in _TEXT.search(request.messages[1].content)[1]
        asked = [m.content for m in request.messages if m.role == "user"]
        # a repair comes after the question that it is about
        question = _TEXT.sub("", asked[-2] if asked[-1].startswith("Reply with") else asked[-1])
        letter = self._letter(question, high)
        if "JSON" in question:
            ratings = {n: self._rate(text, high) for n, text in _STATEMENT.findall(question)}
            return json.dumps({"ratings": ratings, "choice": letter})
        if "Think step" in question:
            return f"The author seems to be so.\nAnswer: {letter}"
        statement = _STATEMENT.search(question)
        return letter if statement is None else str(self._rate(statement[2], high))

    def _rate(self, statement: str, high: bool) -> int:
        by_text = {third_person(item.text): item for item in self.instrument.items}
        item = by_text[statement]
        return 5 if (item.keyed > 0) == high else 1

    def _letter(self, question: str, high: bool) -> str:
        if self.always_first:
            return "A"
        highs = {domain.high for domain in self.instrument.domains}
        for letter, pole in _OPTION.findall(question):
            if (pole in highs) == high:
                return letter
        return ""

    def _spread(self, said: str) -> tuple[TokenLogprobs, ...]:
        """One token a character; digits and letters with a doubt of one in five."""
        other = {"5": "4", "1": "2", "A": "B", "B": "A"}
        return tuple(
            TokenLogprobs(c, math.log(0.8), ((c, math.log(0.8)), (other[c], math.log(0.2))))
            if c in other
            else TokenLogprobs(c, 0.0, ((c, 0.0),))
            for c in said
        )


def answer(messages: list[dict[str, str]], **settings: object) -> str:
    """The acted model on the Mini-IPIP as a function: ``callable:MODULE:answer``."""
    model = ActedModel(load_instrument("ipip-20"))
    said = tuple(Message(m["role"], m["content"]) for m in messages)  # type: ignore[arg-type]
    return model.reply(ChatRequest(said)).text
