"""The raters ``llm`` and ``option``: language models as judges, one or several."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from persona_lab.errors import PersonaLabError
from persona_lab.instruments import Instrument
from persona_lab.interviews.asking import ENDS_THE_RUN
from persona_lab.interviews.raters import prompts
from persona_lab.interviews.raters.evidence import verified
from persona_lab.interviews.raters.rating import (
    LLM,
    OPTION,
    Group,
    Quote,
    Rating,
    agreement_words,
    of_record,
    position,
    unusable,
)
from persona_lab.interviews.records import Record
from persona_lab.interviews.self_report import number_on
from persona_lab.llm.asking import Conversation, Expected
from persona_lab.llm.chat import ChatModel, ChatReply
from persona_lab.llm.errors import LLMError, ParseFailure
from persona_lab.llm.parsing import parse_json_reply
from persona_lab.llm.rehearsal import begin

BATCH: Final = 4
"""Answers in a group; the published protocol takes three to five."""

_LONGEST: Final = 300
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "quotes": {"type": "array", "items": {"type": "string"}, "maxItems": 8},
        "reason": {"type": "string"},
        "score": {
            "anyOf": [
                {"type": "integer", "minimum": prompts.LOW, "maximum": prompts.HIGH},
                {"type": "null"},
            ]
        },
    },
    "required": ["quotes", "reason", "score"],
    "additionalProperties": False,
}
_EXAMPLE: Final = json.dumps(
    {"quotes": ["words of the speaker, " * 4], "reason": "because it is so " * 6, "score": 3}
)

Task = tuple[str, Callable[[], Rating]]
"""A rating's id, and what makes it."""


def llm_tasks(
    groups: Sequence[Group], instrument: Instrument, judges: Sequence[ChatModel]
) -> Iterator[Task]:
    """Ratings of groups of answers, one a group and judge."""
    for judge in judges:
        for group in groups:
            id = group.rating(LLM, judge.name, score=None).id
            yield id, _bound(_rate_group, group, instrument, judge)


def option_tasks(
    records: Sequence[Record], instrument: Instrument, judges: Sequence[ChatModel]
) -> Iterator[Task]:
    """Ratings of single answers to items, one an answer and judge.

    Args:
        records: of the protocol ``interview``; answers to questions that are no item of the
            instrument come out unscored.
        instrument: with the items.
        judges: who maps.
    """
    for judge in judges:
        for record in records:
            id = of_record(record, OPTION, judge.name, score=None).id
            yield id, _bound(_rate_option, record, instrument, judge)


def _bound(work: Callable[..., Rating], *given: Any) -> Callable[[], Rating]:
    return lambda: work(*given)


def _rate_group(group: Group, instrument: Instrument, judge: ChatModel) -> Rating:
    """Let a judge rate a group of answers.

    Raises:
        LLMError: one that would meet every further group, too.
    """
    if not group.records:
        return group.rating(LLM, judge.name, score=None, code="no_answers", reason=unusable(group))
    asked = prompts.group_question(instrument, group.domain, group.records)
    attempts: list[None] = []

    def parse(reply: ChatReply) -> tuple[dict[str, Any], tuple[Quote, ...]]:
        attempts.append(None)
        said = parse_json_reply(reply.text, _SCHEMA)
        quotes = verified(said["quotes"], group.records)
        if said["score"] is not None and not quotes and len(attempts) == 1:
            raise ParseFailure("no_quote", "no quote occurs in the answers")
        return said, quotes

    expected = Expected(
        parse=parse,
        example=_EXAMPLE,
        remedy="Reply with the JSON object alone. Each quote must be copied from an answer letter "
        "by letter.",
        max_tokens=_LONGEST,
        json_schema=_SCHEMA,
    )
    try:
        said, quotes = _conversation(judge).ask(asked, expected).value
    except ENDS_THE_RUN:
        raise
    except (ParseFailure, LLMError) as error:
        return group.rating(LLM, judge.name, score=None, code=error.code, reason=str(error))
    reason = " ".join(said["reason"].split())
    if said["score"] is None:
        told = f"the answers do not show it: {reason}"
        return group.rating(
            LLM, judge.name, score=None, code="not_shown", reason=told, quotes=quotes
        )
    return group.rating(
        LLM,
        judge.name,
        score=(said["score"] - prompts.LOW) / (prompts.HIGH - prompts.LOW),
        reason=reason,
        quotes=quotes,
        flags=() if quotes else ("no_verified_quote",),
    )


def _rate_option(record: Record, instrument: Instrument, judge: ChatModel) -> Rating:
    """Let a judge map an open answer to the scale.

    Raises:
        LLMError: one that would meet every further answer, too.
    """

    def unscored(code: str | None, reason: str | None) -> Rating:
        return of_record(
            record, OPTION, judge.name, score=None, code=code, reason=reason or "",
            n_answers=0, n_unusable=1,
        )  # fmt: skip

    item = next((i for i in instrument.items if i.id == record.item), None)
    if record.status != "scored":
        return unscored(record.code, record.reason)
    if item is None:
        return unscored("no_item", f"{record.item!r} is no item of {instrument.name!r}")
    asked = prompts.option_question(instrument, item, record)
    try:
        rating = _conversation(judge).ask(asked, number_on(instrument.scale)).value
    except ENDS_THE_RUN:
        raise
    except (ParseFailure, LLMError) as error:
        return unscored(error.code, str(error))
    return of_record(
        record,
        OPTION,
        judge.name,
        score=position(item, rating, instrument),
        reason=f'mapped to {agreement_words(instrument, rating)} on "{item.text}"',
        quotes=(Quote(record.id, record.answer or ""),),
    )


def _conversation(judge: ChatModel) -> Conversation:
    return begin(judge, prompts.system())


def raise_if_error(result: Rating | PersonaLabError) -> Rating:
    """Hand a rating on.

    Raises:
        PersonaLabError: it is none.
    """
    if isinstance(result, PersonaLabError):
        raise result
    return result
