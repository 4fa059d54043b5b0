"""Layouts of instrument files: ours, the IPIP lists, and the MPI table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from persona_lab.errors import RowError
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow
from persona_lab.instruments import fields
from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.model import Domain, Instrument, Item, Scale
from persona_lab.instruments.poles import domain_named, explain_one_sided, framework_of

NOT_STATED = "not stated"
IPIP_SCALE = Scale(
    1,
    5,
    (
        "very inaccurate",
        "moderately inaccurate",
        "neither accurate nor inaccurate",
        "moderately accurate",
        "very accurate",
    ),
)
"""The ratings that IPIP items are given with (ipip.ori.org)."""

MPI_COLUMNS = ("label_raw", "text", "label_ocean", "key")
_ENGLISH_ANCHORS = "the file has no words for the ratings; the English ones are used"
_OCEAN = {
    "O": "Openness",
    "C": "Conscientiousness",
    "E": "Extraversion",
    "A": "Agreeableness",
    "N": "Neuroticism",
}
_HEXACO = {
    "H": Domain("H", "Honesty-Humility", None, "honest and humble", "boastful and greedy"),
    "E": Domain("E", "Emotionality", None, "emotional", "unemotional"),
    "X": domain_named("Extraversion"),
    # HEXACO agreeableness is patience against anger, which is not our trait
    "A": Domain("A", "HEXACO Agreeableness", None, "patient", "irritable"),
    "C": domain_named("Conscientiousness"),
    "O": domain_named("Openness"),
}
"""X, C and O correspond to Big Five domains, H, E and A do not (Ashton & Lee 2007)."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file before its content is looked at.

    Attributes:
        place: its name, for messages.
        name: the instrument's name if the file states none.
        language: that was asked for, else ``en``.
        neo_facets: names of the six facets of each NEO domain, by trait key.
    """

    place: str
    name: str
    language: str
    neo_facets: Mapping[str, tuple[str, ...]]


def read_own(record: Mapping[str, Any], place: str) -> Instrument:
    """Read our own layout, which ``Instrument.to_json`` writes.

    Raises:
        InstrumentError: a field is missing or of the wrong kind.
    """
    scale = fields.object_(record.get("scale"), f"{place}: scale")
    where = f"{place}: scale"
    anchors = fields.list_(scale, "anchors", where)
    return Instrument(
        name=fields.text(record, "name", place),
        title=fields.text(record, "title", place),
        language=fields.text(record, "language", place),
        licence=fields.text(record, "licence", place),
        source=fields.text(record, "source", place),
        citation=fields.text(record, "citation", place),
        framework=fields.optional_text(record, "framework", place),
        scale=Scale(
            fields.whole(scale, "low", where),
            fields.whole(scale, "high", where),
            tuple(map(str, anchors)),
            scale.get("descending") is True,
        ),
        domains=tuple(
            _own_domain(fields.object_(value, f"{place}: domain {number}"), place, number)
            for number, value in enumerate(fields.list_(record, "domains", place), 1)
        ),
        items=tuple(
            _own_item(fields.object_(value, f"{place}: item {number}"), place, number)
            for number, value in enumerate(fields.list_(record, "items", place), 1)
        ),
        fillers=tuple(map(str, record.get("fillers", ()))),
        notes=tuple(map(str, record.get("notes", ()))),
    )


def _own_domain(record: Mapping[str, Any], place: str, number: int) -> Domain:
    where = f"{place}: domain {number}"
    key = fields.text(record, "key", where)
    where = f"{place}: domain {key!r}"
    return Domain(
        key,
        fields.text(record, "name", where),
        fields.optional_text(record, "trait", where),
        fields.text(record, "high", where),
        fields.text(record, "low", where),
        fields.optional_text(record, "one_sided", where),
    )


def _own_item(record: Mapping[str, Any], place: str, number: int) -> Item:
    id = fields.text(record, "id", f"{place}: item {number}")
    where = f"{place}: item {id!r}"
    return Item(
        id,
        fields.text(record, "text", where),
        fields.text(record, "domain", where),
        fields.whole(record, "keyed", where),
        fields.optional_text(record, "facet", where),
        fields.optional_text(record, "question", where),
    )


def read_ipip(records: list[Any], facts: FileFacts) -> Instrument:
    """Read a list of ``{"text", "keyed": "plus"/"minus", "domain", "facet"}``.

    Domains are the letters of the Big Five or of HEXACO; facet numbers are those of the
    IPIP-NEO. Items without an ``id`` are numbered from 1.

    Raises:
        InstrumentError: a field is missing or of the wrong kind.
    """
    rows = [fields.object_(r, f"{facts.place}: item {n}") for n, r in enumerate(records, 1)]
    letters = {str(row.get("domain")) for row in rows}
    table = _HEXACO if letters & {"H", "X"} else {k: domain_named(v) for k, v in _OCEAN.items()}
    items = []
    for number, row in enumerate(rows, 1):
        id = str(row.get("id", number))
        where = f"{facts.place}: item {id!r}"
        letter, keyed = fields.text(row, "domain", where), fields.text(row, "keyed", where)
        if letter not in table:
            known = ", ".join(table)
            raise InstrumentError(f"{where} has the domain {letter!r}; use one of: {known}")
        if keyed not in ("plus", "minus"):
            raise InstrumentError(f"{where} has the key {keyed!r}; write 'plus' or 'minus'")
        domain = table[letter]
        items.append(
            Item(
                id,
                tidy_text(fields.text(row, "text", where)),
                domain.key,
                1 if keyed == "plus" else -1,
                _facet(row.get("facet"), facts.neo_facets.get(domain.key, ())),
            )
        )
    used = [domain for letter, domain in table.items() if letter in letters]
    title = f"IPIP items, {len(items)} items"
    return _from_pool(facts, title, used, items)


def tidy_text(text: str) -> str:
    """Without the full stop and the lone quotation mark that some lists carry."""
    text = text.rstrip(".")
    return text.rstrip('"') if text.count('"') % 2 else text


def _facet(given: object, names: tuple[str, ...]) -> str | None:
    if isinstance(given, int) and 1 <= given <= len(names):
        return names[given - 1]
    return None if given is None else str(given)


def read_mpi(source: Source, facts: FileFacts) -> Instrument:
    """Read the table of the Machine Personality Inventory (Jiang et al. 2023).

    Columns ``label_raw`` (the facet), ``text`` (with an implied "you"), ``label_ocean``
    and ``key`` (1, -1; a row with 0 counts for nothing). Items are numbered from 1.

    Raises:
        InstrumentError: a row cannot be read.
    """
    items, fillers = [], []
    for row in Table(source, MPI_COLUMNS).rows():
        if isinstance(row, RowError):
            raise InstrumentError(str(row))
        item = _mpi_item(row)
        if item is None:
            fillers.append(str(row.number))
        else:
            items.append(item)
    used = {item.domain for item in items}
    domains = [d for d in map(domain_named, _OCEAN.values()) if d.key in used]
    notes = (f"items with the key 0 count for nothing: {', '.join(fillers)}",) if fillers else ()
    title = f"Machine Personality Inventory, {len(items)} items"
    instrument = _from_pool(facts, title, domains, items)
    return replace(instrument, fillers=tuple(fillers), notes=instrument.notes + notes)


def _mpi_item(row: TableRow) -> Item | None:
    facet, text, letter, key = (row.cells[name].strip() for name in MPI_COLUMNS)
    if letter not in _OCEAN:
        known = ", ".join(_OCEAN)
        raise InstrumentError(f"{row.place}: label_ocean is {letter!r}; use one of: {known}")
    if key not in ("1", "-1", "0"):
        raise InstrumentError(f"{row.place}: key is {key!r}; write 1, -1 or 0 (not scored)")
    if key == "0":
        return None
    domain = domain_named(_OCEAN[letter])
    return Item(str(row.number), tidy_text(text), domain.key, int(key), facet or None)


def _from_pool(
    facts: FileFacts, title: str, domains: list[Domain], items: list[Item]
) -> Instrument:
    explained = explain_one_sided(domains, items)
    return Instrument(
        name=facts.name,
        title=title,
        language=facts.language,
        licence=NOT_STATED,
        source=f"the file {facts.place}",
        citation=NOT_STATED,
        framework=framework_of(explained),
        scale=IPIP_SCALE,
        domains=explained,
        items=tuple(items),
        notes=() if facts.language == "en" else (_ENGLISH_ANCHORS,),
    )
