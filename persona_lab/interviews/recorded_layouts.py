"""Layouts of recorded answers that others publish: four studies of chatbots' personalities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from persona_lab.errors import RowError
from persona_lab.formats.base import BadRow, each
from persona_lab.formats.personallm import labels_of
from persona_lab.formats.records import Record as Line
from persona_lab.formats.records import text_of
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow, split_header
from persona_lab.instruments import Instrument, Item
from persona_lab.instruments.poles import trait_of
from persona_lab.interviews.flags import words_of
from persona_lab.interviews.questions import INTERVIEW, STORY
from persona_lab.interviews.records import Record, record_id
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.llm.errors import ParseFailure
from persona_lab.llm.parsing import is_refusal, parse_rating
from persona_lab.thoughts import split_thought

_BFI_ANSWER = re.compile(r"\(([a-z]{1,2})\)\s*(\d+)")
_BFI_FIRST: Final = "(a)"
_HARUHI_QUESTIONS: Final = 60
_EMPTY: Final = "the recorded answer is empty"
_LABEL = re.compile(r"\A\s*([^\W\d_][^:\n]{0,39}):(?:\s+|\Z)")
_ORDER = re.compile(r"order-(\d+)")
_TEST = re.compile(r"shuffle(\d+)-test\d+")


@dataclass(frozen=True, slots=True)
class Context:
    """What a record is read with.

    Attributes:
        instrument: what the answers are about.
        stem: name of the file, which names the bot where nothing else does.
    """

    instrument: Instrument
    stem: str


Found = tuple[Record, Mapping[str, float]]
"""A record, and wanted positions of its persona by trait."""

Reader = Callable[[Line, Context], Iterator[Found]]


def incharacter(line: Line, context: Context) -> Iterator[Found]:
    """InCharacter (Wang et al. 2024), ``results/interview``.

    The file does not say what a question is about. It is told where it is a question of the
    instrument; other answers are about all domains, as stories are.
    """
    value = line.object()
    question, style = text_of(value.get("question"), "question"), value.get("query_style")
    answer = text_of(value.get("response_open"), "response_open")
    item = _item_asked(str(value.get("id") or ""), question, context.instrument)
    closed = isinstance(style, str) and style != INTERVIEW
    if closed and item is None:
        raise BadRow(f"its question is no item of {context.instrument.name!r}; name the "
                     "questionnaire that was asked with --instrument FILE")  # fmt: skip
    yield (
        made_record(
            context.instrument,
            bot=context.stem,
            persona=None,
            protocol=SELF_REPORT if closed else INTERVIEW,
            item=f"q{line.id}" if item is None else item.id,
            domain="" if item is None else item.domain,
            facet=None if item is None else item.facet,
            question=question,
            answer=answer,
            rating=_rating(answer, context.instrument) if closed else None,
        ),
        {},
    )


def named_by_label(records: Iterable[Record]) -> list[Record]:
    """Records whose bot is named by what all answers begin with, as in ``Rosa: I would``."""
    found = list(records)
    labels = [_LABEL.match(record.answer) for record in found if record.answer]
    names = {label[1].strip() if label else "" for label in labels}
    if len(names) != 1 or "" in names:
        return found
    name = names.pop()
    return [_without_label(record, name) for record in found]


def _without_label(record: Record, name: str) -> Record:
    label = _LABEL.match(record.answer or "")
    id = record_id(name) + record.id[record.id.index("/") :]
    said = (record.answer or "")[label.end() if label else 0 :]
    named = replace(record, bot=name, answer=said or None, id=id)
    if said or record.code is not None:
        return named
    return replace(named, status="unscored", code="empty", reason=_EMPTY)


def _item_asked(id: str, question: str, instrument: Instrument) -> Item | None:
    """The item whose statement or question this is; that with the id first."""
    asked = words_of(question)
    items = sorted(instrument.items, key=lambda item: item.id != id)
    texts = ((item, text) for item in items for text in (item.question, item.text) if text)
    return next((item for item, text in texts if asked and words_of(text) == asked), None)


def _rating(answer: str, instrument: Instrument) -> float | None:
    scale = instrument.scale
    anchors = {words: rating for rating, words in scale.labelled}
    try:
        return float(parse_rating(answer, scale.low, scale.high, anchors=anchors))
    except ParseFailure:
        return None


def is_psychobench(source: Source) -> bool:
    """Is a file a table of PsychoBench: statements, their order, and a column a test?"""
    header = split_header(source.peek(1)[0].text)
    return any(map(_ORDER.fullmatch, header)) and any(map(_TEST.fullmatch, header))


def psychobench(source: Source, context: Context) -> Iterator[Record | RowError]:
    """PsychoBench (Huang et al. 2024): closed answers; each column of a test is a repeat."""
    header = split_header(source.peek(1)[0].text)
    tests = [name for name in header if _TEST.fullmatch(name)]
    orders = [name for name in header if _ORDER.fullmatch(name)]
    rows = Table(source, (*orders, *tests)).rows()
    for found in each(rows, lambda row: _of_row(row, tests, context)):
        if isinstance(found, RowError):
            yield found
        else:
            yield from found


def _of_row(row: TableRow, tests: Sequence[str], context: Context) -> list[Record]:
    found = []
    for repeat, test in enumerate(tests):
        shuffle = _TEST.fullmatch(test)
        id = row.cells.get(f"order-{shuffle[1] if shuffle else 0}", "").strip()
        item = next((item for item in context.instrument.items if item.id == id), None)
        if item is None and id in context.instrument.fillers:
            continue
        if item is None:
            raise BadRow(f"it is about item {id!r}, which {context.instrument.name!r} does not "
                         "have; name the questionnaire with --instrument FILE")  # fmt: skip
        answer = row.cells[test].strip()
        record = made_record(
            context.instrument, bot=context.stem, persona=None, protocol=SELF_REPORT,
            item=item.id, domain=item.domain, facet=item.facet, question=item.text,
            answer=answer, rating=_rating(answer, context.instrument), repeat=repeat,
        )  # fmt: skip
        found.append(record)
    return found


def chatharuhi(line: Line, context: Context) -> Iterator[Found]:
    """ChatHaruhi (Wang et al. 2023): open answers about a ``factor``."""
    value = line.object()
    factor = text_of(value.get("factor"), "factor")
    domain = own_domain(factor, context.instrument)
    if domain is None:
        raise BadRow(f"its 'factor' is no domain of {context.instrument.name!r}")
    key = "response_open" if "response_open" in value else "response"
    who = text_of(value.get("character") or value.get("role_name"), "character")
    if not who:
        raise BadRow("'character' (or 'role_name') is missing")
    yield (
        made_record(
            context.instrument,
            bot=who,
            persona=None,
            protocol=INTERVIEW,
            item=_haruhi_item(line.id, domain, context.instrument),
            domain=domain,
            facet=text_of(value.get("sub_factor"), "sub_factor") or None,
            question=text_of(value.get("question"), "question"),
            answer=text_of(value.get(key), key),
        ),
        {},
    )


def _haruhi_item(id: str, domain: str, instrument: Instrument) -> str:
    """The item that a question was made from; one of no item of the instrument where it is none.

    Their MBTI questions count from 0, and the questionnaire they are taken from counts from 1.
    """
    ids = [item.id for item in instrument.items]
    if ids == [str(n) for n in range(1, _HARUHI_QUESTIONS + 1)] and id.isdecimal():
        item = next((i for i in instrument.items if i.id == str(int(id) + 1)), None)
        if item is not None and item.domain == domain:
            return item.id
    return f"q{id}"


def personallm(line: Line, context: Context) -> Iterator[Found]:
    """PersonaLLM (Jiang et al. 2024): stories, or answers to 44 items."""
    value = line.object()
    encoding = text_of(value.get("persona_encoding"), "persona_encoding")
    told = text_of(value.get("annotation"), "annotation")
    persona = f"{encoding}_p{value.get('iteration', '')}"
    targets = labels_of(encoding)
    bot = text_of(value.get("model"), "model") or context.stem.removesuffix("_stories")
    found = _BFI_ANSWER.findall(told[max(0, told.find(_BFI_FIRST)) :])
    if len(found) < len(context.instrument.items):
        if found:
            raise BadRow(
                f"it holds {len(found)} answers, and {context.instrument.name!r} has "
                f"{len(context.instrument.items)} items"
            )
        record = made_record(
            context.instrument, bot=bot, persona=persona, protocol=STORY, item="story1",
            domain="", facet=None, question="a personal story", answer=told,
        )  # fmt: skip
        yield record, targets
        return
    for number, item in enumerate(context.instrument.items):
        record = made_record(
            context.instrument, bot=bot, persona=persona, protocol=SELF_REPORT, item=item.id,
            domain=item.domain, facet=item.facet, question=item.text, answer=found[number][1],
            rating=float(found[number][1]),
        )  # fmt: skip
        yield record, targets


def own_domain(name: str, instrument: Instrument) -> str | None:
    """The key of the instrument's domain that is called so."""
    trait = trait_of(name) if name else None
    for domain in instrument.domains:
        if name in (domain.key, domain.name) or (trait is not None and domain.trait == trait):
            return domain.key
    return None


def made_record(
    instrument: Instrument,
    *,
    bot: str,
    persona: str | None,
    protocol: str,
    item: str,
    domain: str,
    facet: str | None,
    question: str,
    answer: str,
    rating: float | None = None,
    repeat: int = 0,
) -> Record:
    """A record of an answer that somebody else's program asked for."""
    code = reason = None
    scale = instrument.scale
    found = split_thought(answer)
    answer = found.said
    if found.cut_off and rating is None:
        code, reason = "thought_cut_off", "the recorded answer ends inside a thought"
    elif not answer.strip() and rating is None:
        code, reason = "empty", _EMPTY
    elif protocol == SELF_REPORT and rating is None:
        code, reason = "no_number", "the recorded answer has no rating"
    elif rating is not None and not scale.low <= rating <= scale.high:
        code, reason = "off_scale", f"the rating is not from {scale.low} to {scale.high}"
    elif rating is None and is_refusal(answer):
        code, reason = "refusal", "the bot declined to answer"
    return Record(
        id=record_id(bot, persona, instrument.name, protocol, "recorded", f"r{repeat}", item),
        bot=bot,
        persona=persona,
        instrument=instrument.name,
        protocol=protocol,
        wording="recorded",
        order="",
        temperature=0.0,
        repeat=repeat,
        item=item,
        domain=domain,
        facet=facet,
        question=question,
        answer=answer or None,
        rating=rating if code is None else None,
        status="scored" if code is None else "unscored",
        reason=reason,
        code=code,
        thought=found.thought or None,
    )
