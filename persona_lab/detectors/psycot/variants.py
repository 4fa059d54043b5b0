"""The ways of asking: two baselines, the paper's protocol, and two cheaper ones.

PsyCoT: Yang et al., Findings of EMNLP 2023 (arXiv 2310.20256): a questionnaire as a
multi-turn conversation, one item a turn, a conclusion in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from persona_lab.detectors.psycot import answers, prompts
from persona_lab.detectors.psycot.answers import Rating
from persona_lab.instruments import Domain, Instrument, Item
from persona_lab.llm.asking import Conversation
from persona_lab.llm.errors import ParseFailure

Variant = Literal["standard", "cot", "psycot", "psycot-batch", "psycot-expect"]


@dataclass(slots=True)
class Asked:
    """What a model said about one trait of one part of a text.

    Attributes:
        ratings: by item id; as said, not reflected.
        first: P(A) of each choice by whether A was the high pole.
        repaired: replies that took a second request.
        failures: codes of replies that could not be read even then.
    """

    ratings: dict[str, Rating] = field(default_factory=dict)
    first: dict[bool, float] = field(default_factory=dict)
    repaired: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def p_high(self) -> list[float]:
        """Probability of the high pole, by each order that was answered."""
        return [p if high_first else 1.0 - p for high_first, p in self.first.items()]


Ask = Callable[[Conversation, str, Instrument, Domain], Asked]
"""Conversation with nothing but the system message, the opening with the text, ..."""

ORDERS = (True, False)


def _standard(talk: Conversation, text: str, instrument: Instrument, domain: Domain) -> Asked:
    return _choose(talk, text, domain, prompts.choice, think=False)


def _cot(talk: Conversation, text: str, instrument: Instrument, domain: Domain) -> Asked:
    return _choose(talk, text, domain, prompts.thinking_choice, think=True)


def _choose(
    talk: Conversation,
    text: str,
    domain: Domain,
    question: Callable[[Domain, bool], str],
    *,
    think: bool,
) -> Asked:
    asked = Asked()
    for high_first in ORDERS:
        _letter(asked, talk.branch(), text + question(domain, high_first), high_first, think=think)
    return asked


def _psycot(talk: Conversation, text: str, instrument: Instrument, domain: Domain) -> Asked:
    asked = Asked()
    items = instrument.of(domain.key)
    expected = answers.rating(instrument.scale)
    begun = False
    for number, item in enumerate(items, 1):
        # the explanation stands before the first item that was understood
        turn = (
            prompts.next_item(number, item)
            if begun
            else text + prompts.first_item(instrument, item, number)
        )
        try:
            answer = talk.ask(turn, expected)
        except ParseFailure as failure:
            asked.failures.append(failure.code)
            continue
        begun = True
        asked.repaired += answer.repaired
        asked.ratings[item.id] = answer.value
    if begun:
        for high_first in ORDERS:
            ending = prompts.conclusion(domain, items, high_first)
            _letter(asked, talk.branch(), ending, high_first)
    return asked


def _batch(distributions: bool) -> Ask:
    def ask(talk: Conversation, text: str, instrument: Instrument, domain: Domain) -> Asked:
        asked = Asked()
        items = instrument.of(domain.key)
        expected = answers.batch(instrument.scale, len(items), distributions=distributions)
        rated: Conversation | None = None
        for high_first in ORDERS:
            if rated is not None:
                _letter(asked, rated, prompts.other_choice(domain, high_first), high_first)
                continue
            turn = text + prompts.batch(instrument, domain, items, high_first)
            try:
                answer = talk.branch().ask(turn, expected)
            except ParseFailure as failure:
                asked.failures.append(failure.code)
                continue
            asked.repaired += answer.repaired
            asked.first[high_first] = answer.value.p_first
            asked.ratings = {
                items[number - 1].id: rating for number, rating in answer.value.ratings.items()
            }
            # the items are paid for once, and the first choice must not sway the second
            rated = talk.after(turn, answers.without_choice(answer.reply.text))
        return asked

    return ask


def _letter(
    asked: Asked, talk: Conversation, turn: str, high_first: bool, *, think: bool = False
) -> None:
    try:
        answer = talk.ask(turn, answers.letter(think=think))
    except ParseFailure as failure:
        asked.failures.append(failure.code)
        return
    asked.repaired += answer.repaired
    asked.first[high_first] = answer.value


VARIANTS: Mapping[Variant, Ask] = {
    "standard": _standard,
    "cot": _cot,
    "psycot": _psycot,
    "psycot-batch": _batch(distributions=False),
    "psycot-expect": _batch(distributions=True),
}
"""Two baselines (one question; think first), the paper's protocol, all items of a trait at
once, and the same with expected ratings from token probabilities."""

RATES_ITEMS: frozenset[Variant] = frozenset({"psycot", "psycot-batch", "psycot-expect"})


def keyed_positions(
    instrument: Instrument, items: Sequence[Item], asked: Asked
) -> dict[str, float]:
    """Where each rated item puts the author, 0 (low pole) to 1 (high pole), by its key."""
    scale = instrument.scale
    found = {}
    for item in items:
        rating = asked.ratings.get(item.id)
        if rating is not None:
            reflected = item.reflect(rating.mean, scale)
            found[item.id] = (reflected - scale.low) / (scale.high - scale.low)
    return found
