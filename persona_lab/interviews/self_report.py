"""The protocol ``self-report``: closed answers to a questionnaire's items."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from persona_lab.errors import InputError
from persona_lab.instruments import Instrument, Item, Scale, first_person, question
from persona_lab.instruments.wording import FOLLOW_UP
from persona_lab.interviews.asking import Heard, ask
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.flags import is_third_person, is_wrong_item, leaks
from persona_lab.interviews.records import Record, record_id
from persona_lab.llm.asking import Conversation, Expected
from persona_lab.llm.chat import Message
from persona_lab.llm.parsing import parse_rating

PROTOCOL: Final = "self-report"
SHUFFLED: Final = "shuffled:"

_LONGEST_REPLY = 32


def _as_printed(text: str) -> str:
    return f'How accurately does this statement describe you?\n"{text}"'


def _as_i(text: str) -> str:
    return f'How true is it for you to say this?\n"{first_person(text)}."'


def _as_question(text: str) -> str:
    return f"To what extent is this so?\n{question(text).removesuffix(FOLLOW_UP).strip()}"


WORDINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "standard": _as_printed,
    "first-person": _as_i,
    "question": _as_question,
}
"""Ways to put an item: as printed, as a statement with "I", as a question to "you"."""


@dataclass(frozen=True, slots=True)
class Administration:
    """One way to give a questionnaire.

    Attributes:
        wording: one of :data:`WORDINGS`; all but ``standard`` are for English items.
        order: in which the scale's numbers are listed: ``ascending``, ``descending`` or
            ``shuffled:SEED``. Numbers keep their meaning.
        temperature: of the sampling.
        repeat: 0, 1, 2 ...
        shuffle_items: seed of the order of items; None for the instrument's.

    Raises:
        InputError: a wording or order that does not exist.
    """

    wording: str = "standard"
    order: str = "ascending"
    temperature: float = 0.0
    repeat: int = 0
    shuffle_items: int | None = None

    def __post_init__(self) -> None:
        if self.wording not in WORDINGS:
            raise InputError(f"there is no wording {self.wording!r}; use {', '.join(WORDINGS)}")
        shuffled = self.order.startswith(SHUFFLED) and self.order[len(SHUFFLED) :].isdigit()
        if self.order not in ("ascending", "descending") and not shuffled:
            raise InputError(
                f"there is no order {self.order!r}; use ascending, descending or {SHUFFLED}7"
            )

    def items(self, instrument: Instrument) -> tuple[Item, ...]:
        """The instrument's items in the order in which they are asked."""
        items = list(instrument.items)
        if self.shuffle_items is not None:
            Random(f"items {self.shuffle_items}").shuffle(items)
        return tuple(items)

    def options(self, scale: Scale) -> str:
        """The scale, one number a line, in this administration's order."""
        lines = [
            f"{rating} = {words}" if words else str(rating)
            for rating, words in zip(range(scale.low, scale.high + 1), scale.anchors, strict=True)
        ]
        if self.order == "descending":
            lines.reverse()
        elif self.order != "ascending":
            Random(self.order).shuffle(lines)
        return "\n".join(lines)

    def id_of(self, bot: str, persona: str | None, instrument: str, item: str) -> str:
        """The id of a record."""
        shuffled = None if self.shuffle_items is None else f"items{self.shuffle_items}"
        return record_id(
            bot, persona, instrument, PROTOCOL, self.wording, self.order, shuffled,
            f"t{self.temperature:g}", f"r{self.repeat}", item,
        )  # fmt: skip


def self_report(
    bot: Bot,
    instrument: Instrument,
    administration: Administration,
    *,
    persona: str | None = None,
    done: Container[str] = (),
    fresh_context: bool = True,
) -> Iterator[Record]:
    """Let a bot fill in a questionnaire.

    Args:
        bot: who answers.
        instrument: what is asked.
        administration: how.
        persona: id of the bot's persona, for the records.
        done: ids of records from an earlier run; they are not asked again. In one
            conversation give a mapping from ids to records, so that it goes on with what
            was said.
        fresh_context: each item begins a conversation of its own; else all are asked in
            one, which costs more tokens and lets answers lean on earlier ones.

    Yields:
        One record an item that was asked, in the order of asking.

    Raises:
        LLMError: one that would meet every further item, too (the budget, the key).
        InstrumentError: a wording for English items meets others.
    """
    conversation = _begin(bot, administration)
    for item in administration.items(instrument):
        id = administration.id_of(bot.name, persona, instrument.name, item.id)
        if id in done:
            said = done[id] if isinstance(done, Mapping) else None
            if said is not None and said.rating is not None and not fresh_context:
                conversation.messages += (
                    Message("user", said.question),
                    Message("assistant", said.answer or ""),
                )
            continue
        if fresh_context:
            conversation = _begin(bot, administration)
        yield ask_item(
            bot, instrument, administration, item, persona=persona, conversation=conversation
        )


def ask_item(
    bot: Bot,
    instrument: Instrument,
    administration: Administration,
    item: Item,
    *,
    persona: str | None = None,
    conversation: Conversation | None = None,
) -> Record:
    """Ask one item; see :func:`self_report`.

    Args:
        bot: who answers.
        instrument: with the item.
        administration: how.
        item: which.
        persona: id of the bot's persona.
        conversation: to go on with; None begins one.
    """
    asked = prompt(instrument.scale, administration, item)
    heard = ask(conversation or _begin(bot, administration), asked, number_on(instrument.scale))
    flags = _flags(heard, bot, instrument, item)
    code, reason = heard.code, heard.reason
    if code is None and "wrong_item" in flags:
        code, reason = "wrong_item", "the answer is to another item"
    return Record(
        id=administration.id_of(bot.name, persona, instrument.name, item.id),
        bot=bot.name,
        persona=persona,
        instrument=instrument.name,
        protocol=PROTOCOL,
        wording=administration.wording,
        order=administration.order,
        temperature=administration.temperature,
        repeat=administration.repeat,
        item=item.id,
        domain=item.domain,
        facet=item.facet,
        question=asked,
        answer=heard.answer,
        rating=heard.rating if code is None else None,
        status="scored" if code is None else "unscored",
        reason=reason,
        code=code,
        flags=flags,
        thought=heard.thought or None,
        invented=heard.invented or None,
    )


def prompt(scale: Scale, administration: Administration, item: Item) -> str:
    """What a bot is asked; the item comes last, so that a prefix cache reads the scale once."""
    return (
        f"Answer with one number from {scale.low} to {scale.high} and nothing else:\n"
        f"{administration.options(scale)}\n\n{WORDINGS[administration.wording](item.text)}"
    )


def number_on(scale: Scale) -> Expected[float]:
    """One number of a scale, or its words."""
    anchors = {words: rating for rating, words in scale.labelled}
    return Expected(
        parse=lambda reply: float(parse_rating(reply.text, scale.low, scale.high, anchors=anchors)),
        example=str(scale.low),
        remedy=f"Answer with one number from {scale.low} to {scale.high} and nothing else.",
        max_tokens=_LONGEST_REPLY,
    )


def ratings_of(records: Iterable[Record]) -> dict[str, float | None]:
    """Ratings by item, for ``Instrument.score``; the mean where an item was rated repeatedly.

    Args:
        records: of one bot and instrument; unscored ones are items without an answer.
    """
    found: dict[str, list[float]] = {}
    for record in records:
        rated = found.setdefault(record.item, [])
        if record.status == "scored" and record.rating is not None:
            rated.append(record.rating)
    return {item: sum(rated) / len(rated) if rated else None for item, rated in found.items()}


def _begin(bot: Bot, administration: Administration) -> Conversation:
    return bot.conversation(repeat=administration.repeat, temperature=administration.temperature)


def _flags(heard: Heard, bot: Bot, instrument: Instrument, item: Item) -> tuple[str, ...]:
    answer = heard.answer or ""
    others = [other.text for other in instrument.items if other.id != item.id]
    found = heard.flags | {
        "third_person": is_third_person(answer),
        "prompt_leak": leaks(answer, bot.system),
        "wrong_item": is_wrong_item(answer, item.text, others),
    }
    return tuple(flag for flag, is_so in found.items() if is_so)
