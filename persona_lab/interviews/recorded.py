"""Recorded answers: our own JSON lines, and the layouts of published studies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats.base import BadRow
from persona_lab.formats.records import Record as Line
from persona_lab.formats.records import read_records, text_of
from persona_lab.formats.source import Source
from persona_lab.instruments import Instrument
from persona_lab.interviews import recorded_layouts as layouts
from persona_lab.interviews.questions import INTERVIEW, SITUATIONAL, STORY
from persona_lab.interviews.recorded_layouts import (
    Context,
    Found,
    Reader,
    made_record,
    own_domain,
)
from persona_lab.interviews.records import Record
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT

_PROTOCOLS: Final = (SELF_REPORT, INTERVIEW, SITUATIONAL, STORY)


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


def read_recorded(path: Path, instrument: Instrument) -> Recorded:
    """Read recorded answers; the layout is told from the first record.

    - ours: ``bot``, ``question``, ``answer`` and ``domain`` (or ``item``, an id of the
      instrument), and optionally ``persona``, ``protocol``, ``repeat``, ``rating``, ``facet``;
      transcripts of ``persona-lab interview`` are of this kind.
    - ChatHaruhi (Wang et al. 2023): ``question``, ``response_open`` or ``response``,
      ``factor``, ``character`` or ``role_name``: open answers.
    - PersonaLLM (Jiang et al. 2024): ``persona_encoding`` and ``annotation``: stories, or
      answers "(a) 5" to the 44 items of an instrument whose ids are 1 to 44.
    - InCharacter (Wang et al. 2024): ``question``, ``response_open`` and ``query_style``.
    - PsychoBench (Huang et al. 2024): a csv with the columns ``order-0``, ``shuffle0-test0``
      ...: closed answers to the items of its questionnaire.

    Args:
        path: JSON lines, a JSON list, or a csv of PsychoBench.
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
    context = Context(instrument, source.stem)
    records: dict[str, Record] = {}
    targets: dict[str, dict[str, float]] = {}
    problems: list[RowError] = []
    reader: Reader | None = None
    if layouts.is_psychobench(source):
        return _table(source, context)
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
    found: Iterable[Record] = records.values()
    if reader is layouts.incharacter:
        found = layouts.named_by_label(found)
    return Recorded(tuple(found), targets, tuple(problems))


def _table(source: Source, context: Context) -> Recorded:
    found = list(layouts.psychobench(source, context))
    problems = tuple(row for row in found if isinstance(row, RowError))
    records = tuple(row for row in found if not isinstance(row, RowError))
    if not records:
        raise InputError(f"{source.name} holds no answer that can be read: {problems[0]}"
                         if problems else f"{source.name} holds no rows")  # fmt: skip
    return Recorded(records, problems=problems)


def _reader_for(line: Line, name: str) -> Reader:
    found = line.value if isinstance(line.value, Mapping) else {}
    if {"persona_encoding", "annotation"} <= set(found):
        return layouts.personallm
    if "factor" in found and {"response", "response_open"} & set(found):
        return layouts.chatharuhi
    if {"question", "answer"} <= set(found):
        return _ours
    if {"question", "response_open"} <= set(found):
        return layouts.incharacter
    raise FormatError(
        f"{name} has no known layout of recorded answers; give JSON lines with 'bot', 'question', "
        "'answer' and 'domain', or the files of ChatHaruhi, PersonaLLM, InCharacter or PsychoBench"
    )


def _ours(line: Line, context: Context) -> Iterator[Found]:
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
        made_record(
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
    known = own_domain(given, instrument)
    if known is None:
        keys = ", ".join(domain.key for domain in instrument.domains)
        raise BadRow(f"'domain' is one of {keys} (or give 'item', the id of an item)")
    return known


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRow("'repeat' must be a whole number from 0")
    return value
