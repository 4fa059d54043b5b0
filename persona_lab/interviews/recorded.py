"""Recorded answers: our own JSON lines, and the layouts of two published studies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats.base import BadRow
from persona_lab.formats.personallm import labels_of
from persona_lab.formats.records import Record as Line
from persona_lab.formats.records import read_records, text_of
from persona_lab.formats.source import Source
from persona_lab.instruments import Instrument
from persona_lab.instruments.poles import trait_of
from persona_lab.interviews.questions import INTERVIEW, SITUATIONAL, STORY
from persona_lab.interviews.records import Record, record_id
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.llm.parsing import is_refusal

_PROTOCOLS: Final = (SELF_REPORT, INTERVIEW, SITUATIONAL, STORY)
_BFI_ANSWER = re.compile(r"\(([a-z]{1,2})\)\s*(\d+)")
_BFI_FIRST: Final = "(a)"
_HARUHI_QUESTIONS: Final = 60


@dataclass(frozen=True, slots=True)
class Recorded:
    """Answers from a file.

    Attributes:
        records: in order.
        targets: wanted positions by persona, where the file tells them.
        problems: rows that could not be read; the others are there.
    """

    records: tuple[Record, ...]
    targets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    problems: tuple[RowError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Context:
    instrument: Instrument
    stem: str


_Reader = Callable[[Line, _Context], Iterator[tuple[Record, Mapping[str, float]]]]


def read_recorded(path: Path, instrument: Instrument) -> Recorded:
    """Read recorded answers; the layout is told from the first record.

    - ours: ``bot``, ``question``, ``answer`` and ``domain`` (or ``item``, an id of the
      instrument), and optionally ``persona``, ``protocol``, ``repeat``, ``rating``, ``facet``;
      transcripts of ``persona-lab interview`` are of this kind.
    - ChatHaruhi (Wang et al. 2023): ``question``, ``response_open`` or ``response``,
      ``factor``, ``character`` or ``role_name``: open answers.
    - PersonaLLM (Jiang et al. 2024): ``persona_encoding`` and ``annotation``: stories, or
      answers "(a) 5" to the 44 items of an instrument whose ids are 1 to 44.

    Args:
        path: JSON lines.
        instrument: what the answers are about; answers about other domains are left out.

    Raises:
        FormatError: the layout is unknown.
        InputError: the file cannot be read, or no answer is about the instrument.
    """
    source = Source(path)
    try:
        return _read(source, instrument)
    finally:
        source.close()


def _read(source: Source, instrument: Instrument) -> Recorded:
    context = _Context(instrument, source.stem)
    records: dict[str, Record] = {}
    targets: dict[str, dict[str, float]] = {}
    problems: list[RowError] = []
    reader: _Reader | None = None
    for line in read_records(source):
        if isinstance(line, RowError):
            problems.append(line)
            continue
        try:
            reader = reader or _reader_for(line, source.name)
            for record, wanted in reader(line, context):
                if record.id in records:
                    raise BadRow("the same question of the same bot occurs twice")
                records[record.id] = record
                if record.persona is not None and wanted:
                    targets[record.persona] = dict(wanted)
        except BadRow as bad:
            problems.append(RowError(str(bad), row_id=line.id, place=line.place))
    if not records:
        why = f": {problems[0]}" if problems else ""
        raise InputError(
            f"{source.name} holds no answer about the domains of {instrument.name!r}{why}"
        )
    return Recorded(tuple(records.values()), targets, tuple(problems))


def _reader_for(line: Line, name: str) -> _Reader:
    found = line.value if isinstance(line.value, Mapping) else {}
    if {"persona_encoding", "annotation"} <= set(found):
        return _personallm
    if "factor" in found and {"response", "response_open"} & set(found):
        return _chatharuhi
    if {"question", "answer"} <= set(found):
        return _ours
    raise FormatError(
        f"{name} has no known layout of recorded answers; give JSON lines with 'bot', 'question', "
        "'answer' and 'domain', or the files of ChatHaruhi or PersonaLLM"
    )


def _ours(line: Line, context: _Context) -> Iterator[tuple[Record, Mapping[str, float]]]:
    value = line.object()
    if "status" in value and "wording" in value:
        try:
            record = Record.from_row(dict(value))
        except (KeyError, TypeError, ValueError):
            raise BadRow("the record of a transcript is damaged") from None
        yield _checked(record, context.instrument), {}
        return
    protocol = text_of(value.get("protocol"), "protocol") or INTERVIEW
    if protocol not in _PROTOCOLS:
        raise BadRow(f"'protocol' is one of {', '.join(_PROTOCOLS)}")
    item = str(value.get("item") or "")
    domain = _domain(value, item, protocol, context.instrument)
    rating = value.get("rating")
    if rating is not None and (not isinstance(rating, (int, float)) or isinstance(rating, bool)):
        raise BadRow("'rating' must be a number")
    yield (
        _record(
            context.instrument,
            bot=text_of(value.get("bot"), "bot") or context.stem,
            persona=text_of(value.get("persona"), "persona") or None,
            protocol=protocol,
            item=item or f"q{line.id}",
            domain=domain,
            facet=text_of(value.get("facet"), "facet") or None,
            question=text_of(value.get("question"), "question"),
            answer=text_of(value.get("answer"), "answer"),
            rating=None if rating is None else float(rating),
            repeat=_whole(value.get("repeat") or 0),
        ),
        {},
    )


def _checked(record: Record, instrument: Instrument) -> Record:
    keys = {domain.key for domain in instrument.domains} | {""}
    if record.domain not in keys:
        raise BadRow(f"{record.domain!r} is no domain of {instrument.name!r}")
    if record.protocol == SELF_REPORT and record.item not in {i.id for i in instrument.items}:
        raise BadRow(f"{record.item!r} is no item of {instrument.name!r}")
    return record


def _domain(value: Mapping[str, Any], item: str, protocol: str, instrument: Instrument) -> str:
    given = text_of(value.get("domain"), "domain")
    by_item = {i.id: i.domain for i in instrument.items}
    if protocol == SELF_REPORT and item not in by_item:
        raise BadRow(f"'item' must be the id of an item of {instrument.name!r}")
    if not given and item in by_item:
        return by_item[item]
    if not given and protocol == STORY:
        return ""
    known = _own_domain(given, instrument)
    if known is None:
        keys = ", ".join(domain.key for domain in instrument.domains)
        raise BadRow(f"'domain' is one of {keys} (or give 'item', the id of an item)")
    return known


def _own_domain(name: str, instrument: Instrument) -> str | None:
    """The key of the instrument's domain that is called so."""
    trait = trait_of(name) if name else None
    for domain in instrument.domains:
        if name in (domain.key, domain.name) or (trait is not None and domain.trait == trait):
            return domain.key
    return None


def _chatharuhi(line: Line, context: _Context) -> Iterator[tuple[Record, Mapping[str, float]]]:
    value = line.object()
    factor = text_of(value.get("factor"), "factor")
    domain = _own_domain(factor, context.instrument)
    if domain is None:
        raise BadRow(f"its 'factor' is no domain of {context.instrument.name!r}")
    key = "response_open" if "response_open" in value else "response"
    who = text_of(value.get("character") or value.get("role_name"), "character")
    if not who:
        raise BadRow("'character' (or 'role_name') is missing")
    yield (
        _record(
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


def _personallm(line: Line, context: _Context) -> Iterator[tuple[Record, Mapping[str, float]]]:
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
        record = _record(
            context.instrument, bot=bot, persona=persona, protocol=STORY, item="story1",
            domain="", facet=None, question="a personal story", answer=told,
        )  # fmt: skip
        yield record, targets
        return
    for number, item in enumerate(context.instrument.items):
        record = _record(
            context.instrument, bot=bot, persona=persona, protocol=SELF_REPORT, item=item.id,
            domain=item.domain, facet=item.facet, question=item.text, answer=found[number][1],
            rating=float(found[number][1]),
        )  # fmt: skip
        yield record, targets


def _record(
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
    if not answer.strip() and rating is None:
        code, reason = "empty", "the recorded answer is empty"
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
    )


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRow("'repeat' must be a whole number from 0")
    return value
