"""What every layout is made of: its description, its rows, and how a bad row is reported."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from persona_lab.dialogue import Dialogue
from persona_lab.errors import RowError
from persona_lab.formats.source import Source

Result = Dialogue | RowError
"""What a reader yields: a dialogue, or a note about the row that could not become one."""

Columns = Mapping[str, str]
"""Which column or key of the file plays which role, for example ``{"text": "body"}``."""

_MAX_SHOWN = 20
_NAME_LIKE = re.compile(r"(?=.*[^\W\d_])[#\w(][\w.#/()-]{0,31}(?<![.-])")
_TITLE_LIKE = re.compile(r"(?:[#A-Z\d(][\w.#/()-]*(?: |$)){2,3}")
_TITLE_WORDS = frozenset({
    "author", "body", "content", "conversation", "date", "dialogue", "id", "message", "name",
    "number", "role", "score", "sender", "speaker", "text", "time", "timestamp", "title", "turn",
    "type", "user", "utterance",
})  # fmt: skip
_MAX_TITLE = 32
_MAX_UNSPACED = 4
"""Letters of a script without case that make a name; more may be a sentence without spaces."""


@dataclass(frozen=True, slots=True)
class Format:
    """One layout that can be read.

    Attributes:
        name: as given to ``--format``.
        help: one line for the command line's help.
        labels: which labels the layout carries, in words; empty for none.
        read: yields the dialogues of a source.
        header: columns that tell a csv file apart; empty where the layout is no csv.
        keys: keys that tell a JSON record apart, all of one of the alternatives; empty
            where the layout is no JSON.
        takes_columns: can columns or keys be chosen?
    """

    name: str
    help: str
    labels: str
    read: Callable[[Source, Columns], Iterator[Result]]
    header: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    takes_columns: bool = False


class BadRow(Exception):
    """Raised while something is built from one row; :func:`each` turns it into a RowError."""


class Row(Protocol):
    """What :func:`each` needs to know about a row."""

    @property
    def id(self) -> str:
        """The row's own id, or one made from its position."""

    @property
    def place(self) -> str:
        """File and line."""


RowT = TypeVar("RowT", bound=Row)
BuiltT = TypeVar("BuiltT")


def each(
    rows: Iterable[RowT | RowError], build: Callable[[RowT], BuiltT]
) -> Iterator[BuiltT | RowError]:
    """Build a dialogue, or something else, from each row; rows that fail are reported there.

    Args:
        rows: good rows, and notes about rows that could not even be split.
        build: raises :class:`BadRow` with what is wrong and what to do, never with text.
    """
    for row in rows:
        if isinstance(row, RowError):
            yield row
            continue
        try:
            yield build(row)
        except BadRow as bad:
            yield RowError(str(bad), row_id=row.id, place=row.place)


def each_of(
    rows: Iterable[RowT | RowError], build: Callable[[RowT], Iterator[BuiltT]]
) -> Iterator[BuiltT | RowError]:
    """As :func:`each`, for rows that may hold several things."""
    for built in each(rows, lambda row: list(build(row))):
        if isinstance(built, RowError):
            yield built
        else:
            yield from built


def shown(names: Iterable[str]) -> str:
    """Column names for a message; a first line that is prose rather than names stays private.

    Names are identifiers, and titles in capitals such as "Message Text" that say what tables
    hold; a short sentence is neither.
    """
    found = [name for name in names if name]
    if not found:
        return "none"
    if not all(map(_is_name, found)):
        return f"{len(found)} that do not look like names (is the header line missing?)"
    more = ", ..." if len(found) > _MAX_SHOWN else ""
    return ", ".join(found[:_MAX_SHOWN]) + more


def _is_name(text: str) -> bool:
    words = text.split()
    if len(words) > 1:
        known = any(word.casefold().strip("()#") in _TITLE_WORDS for word in words)
        return known and _TITLE_LIKE.fullmatch(text) is not None and len(text) <= _MAX_TITLE
    unspaced = sum(unicodedata.category(letter) == "Lo" for letter in text)
    return _NAME_LIKE.fullmatch(text) is not None and unspaced <= _MAX_UNSPACED
