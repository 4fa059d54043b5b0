"""Reading ratings of one or many respondents from a table, and scoring them."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import shown
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow, split_header
from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.model import Instrument
from persona_lab.instruments.quality import acquiescence, straight_lined

_ITEM_COLUMNS = ("item", "item_id", "id")
_RATING = "rating"
_RESPONDENT_COLUMNS = ("respondent", "id")
_MISSING = ("", "na", "null", "none")


@dataclass(frozen=True, slots=True)
class Respondent:
    """One person's (or chatbot's) answers.

    Attributes:
        id: from the column ``respondent`` (or ``id``), else the row's number.
        ratings: by item id, checked; items without an answer are missing.
    """

    id: str
    ratings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RatingsTable:
    """The content of a file of ratings.

    Attributes:
        respondents: in order; one with a bad cell is a note in its place.
        ignored: columns that hold no item, by their names.
    """

    respondents: tuple[Respondent | RowError, ...]
    ignored: tuple[str, ...]


def read_ratings(path: str | os.PathLike[str], instrument: Instrument) -> RatingsTable:
    """Read a csv or tsv file of ratings.

    Either one row a rating, with the columns ``item`` and ``rating`` (and ``respondent``
    where there are several), or one row a respondent with a column for each item id.
    Empty cells and NA are items without an answer.

    Args:
        path: the file, or ``-`` for standard input.
        instrument: whose items were rated.

    Raises:
        FormatError: no column is the id of an item.
        InputError: the file cannot be read.
    """
    source = Source(path)
    try:
        header = split_header(source.peek(1)[0].text)
        item = next((name for name in _ITEM_COLUMNS if name in header), None)
        if _RATING in header and item is not None:
            return _long(source, instrument, item)
        return _wide(source, instrument, header)
    finally:
        source.close()


def _long(source: Source, instrument: Instrument, item: str) -> RatingsTable:
    table = Table(source, (item, _RATING), _RESPONDENT_COLUMNS[:1])
    found: dict[str, dict[str, float]] = {}
    bad: dict[str, RowError] = {}
    for row in table.rows():
        if isinstance(row, RowError):
            bad.setdefault(row.row_id, row)
            continue
        who = row.cells.get(_RESPONDENT_COLUMNS[0], "").strip() or source.stem
        ratings = found.setdefault(who, {})
        try:
            id = row.cells[item].strip()
            if id in ratings:
                raise InstrumentError(f"item {id!r} is rated twice; keep one of the ratings")
            ratings |= _checked(instrument, {id: row.cells[_RATING]})
        except InstrumentError as error:
            bad.setdefault(who, RowError(str(error), row_id=who, place=row.place))
    everyone = dict.fromkeys([*found, *bad])
    return RatingsTable(
        tuple(bad[who] if who in bad else Respondent(who, found[who]) for who in everyone), ()
    )


def _wide(source: Source, instrument: Instrument, header: Sequence[str]) -> RatingsTable:
    ids = {item.id for item in instrument.items} | set(instrument.fillers)
    columns = [name for name in header if name in ids]
    if not columns:
        raise FormatError(
            f"{source.name} has no column that is an item of {instrument.name!r}; give the columns "
            f"'item' and 'rating', or one column an item named by its id; columns found: "
            f"{shown(header)}"
        )
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise FormatError(f"{source.name} has two columns for item {twice[0]!r}; keep one of them")
    who = next((name for name in _RESPONDENT_COLUMNS if name in header and name not in ids), "")
    table = Table(source, columns, [who] if who else [], id_column=who)
    ignored = tuple(name for name in header if name not in ids and name != who)
    return RatingsTable(tuple(_respondents(table, instrument, columns)), ignored)


def _respondents(
    table: Table, instrument: Instrument, columns: Sequence[str]
) -> Iterator[Respondent | RowError]:
    for row in table.rows():
        yield row if isinstance(row, RowError) else _respondent(row, instrument, columns)


def _respondent(
    row: TableRow, instrument: Instrument, columns: Sequence[str]
) -> Respondent | RowError:
    try:
        return Respondent(row.id, _checked(instrument, {id: row.cells[id] for id in columns}))
    except InstrumentError as error:
        return RowError(str(error), row_id=row.id, place=row.place)


def _checked(instrument: Instrument, cells: Mapping[str, str]) -> dict[str, float]:
    return instrument.checked({id: _number(id, cell.strip()) for id, cell in cells.items()})


def _number(id: str, cell: str) -> float | None:
    if cell.lower() in _MISSING:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InstrumentError(
            f"the rating of item {id!r} is not a number; leave the cell empty for no answer"
        )
    return value


def scored_row(instrument: Instrument, respondent: Respondent | RowError) -> dict[str, Any]:
    """A result row (JSON types only).

    Returns:
        ``id``, ``instrument``, ``status`` and ``domains`` (the fields of
        :class:`~persona_lab.instruments.scoring.DomainScore` by domain); ``straight_lined``
        and ``acquiescence``, -1 to 1 (each None where the answers do not cover both keys).
        For a respondent with a bad cell, ``unscored`` with a ``reason`` and a ``code``.
    """
    if isinstance(respondent, RowError):
        row = {"id": respondent.row_id, "instrument": instrument.name, "status": "unscored"}
        return row | {"reason": str(respondent), "code": "bad_rating", "domains": {}}
    given = respondent.ratings
    scores = instrument.score(given)
    status = "scored" if given else "unscored"
    row = {"id": respondent.id, "instrument": instrument.name, "status": status}
    if not given:
        row |= {"reason": "no item was answered", "code": "no_answers"}
    both = {item.keyed for item in instrument.items if item.id in given} == {1, -1}
    return row | {
        "domains": {key: asdict(score) for key, score in scores.items()},
        "straight_lined": straight_lined(list(given.values())) if both else None,
        "acquiescence": acquiescence(given, instrument.items, instrument.scale),
    }
