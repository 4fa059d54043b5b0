"""Delimited tables: rows with the line they begin on, in constant memory."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats.base import shown
from persona_lab.formats.decoding import Line
from persona_lab.formats.source import Source

DELIMITERS = (",", "\t", ";", "|")
FIELD_LIMIT = 1 << 26
"""Longest cell in characters: far above any text, and it bounds an unclosed quote."""

_BLANK = " \r\n"

_END = "\ufdd0end of table\ufdd0"
# Fed to the csv reader after the last line: if it comes back inside a cell, a quote was
# never closed. U+FDD0 is a noncharacter, reserved for such use inside a program.
_SEPARATOR = re.compile(r'"?sep=([^"])"?', re.IGNORECASE)
"""The first line by which Excel is told the delimiter."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class TableRow:
    """One data row.

    Attributes:
        number: counted from 1 below the header.
        place: file and line where the row begins.
        cells: the requested columns that the table has, by the requested name.
        id_column: the requested column that holds the id, if any.
    """

    number: int
    place: str
    cells: Mapping[str, str]
    id_column: str = ""

    @property
    def id(self) -> str:
        """The id in the row, else ``row-N``."""
        return self.cells.get(self.id_column, "").strip() or f"row-{self.number}"


def split_header(line: str, *, delimiter: str | None = None) -> list[str]:
    """The column names of a header line.

    Args:
        line: the first line that is not blank.
        delimiter: None to take the one that occurs most often outside quotes.
    """
    delimiter = delimiter or sniff_delimiter(line)
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a first line of a megabyte is no header
        return []
    return [cell.strip() for cell in cells]


def sniff_delimiter(line: str) -> str:
    """Comma, tab, semicolon or bar: the one that splits the header line most; comma for a tie."""
    bare = _QUOTED.sub("", line)
    return max(DELIMITERS, key=bare.count)


def header_of(source: Source) -> list[str]:
    """The column names of a source, without consuming it; one name for a file of prose."""
    ahead = source.peek(2)
    named = _SEPARATOR.fullmatch(ahead[0].text.strip(_BLANK))
    if named is None or len(ahead) < 2:
        return split_header(ahead[0].text)
    return split_header(ahead[1].text, delimiter=named[1])


def find_column(header: Sequence[str], name: str) -> int | None:
    """Position of a column: the exact name first, else one that differs only in case."""
    if name in header:
        return header.index(name)
    folded = [i for i, found in enumerate(header) if found.casefold() == name.casefold()]
    return folded[0] if len(folded) == 1 else None


class Table:
    """The header and the rows of one delimited file.

    Attributes:
        header: names as in the file, white space around them taken off.
    """

    def __init__(
        self,
        source: Source,
        required: Sequence[str],
        optional: Sequence[str] = (),
        *,
        id_column: str = "",
        remedy: str = "",
    ) -> None:
        """Read the header.

        Args:
            source: the file.
            required: columns without which no row can be read.
            optional: further columns that rows should carry where the file has them.
            id_column: which of them holds the row's own id.
            remedy: what to do about a missing column.

        Raises:
            FormatError: a required column is missing.
            InputError: the header line itself cannot be decoded.
        """
        csv.field_size_limit(max(csv.field_size_limit(), FIELD_LIMIT))
        self._source = source
        self._id_column = id_column
        self._lines = source.lines()
        self._bad: dict[int, str] = {}
        self._next_line = 1
        first = next(self._lines)
        if first.problem:
            raise InputError(f"{source.place(first.number)}: the header line is {first.problem}")
        named = _SEPARATOR.fullmatch(first.text.strip(_BLANK))
        if named is not None:
            first = next((line for line in self._lines if not line.blank), first)
        delimiter = named[1] if named is not None else sniff_delimiter(first.text)
        self._reader = csv.reader(self._feed(first), delimiter=delimiter)
        self._start = first.number
        try:
            self.header = [name.strip() for name in next(self._reader)]
        except csv.Error:
            raise FormatError(f"{source.name}: the header line is not readable as csv") from None
        at = {name: find_column(self.header, name) for name in (*required, *optional)}
        missing = [name for name in required if at[name] is None]
        if missing:
            raise FormatError(
                f"{source.name} has no column {', '.join(map(repr, missing))}; "
                f"columns found: {shown(self.header)}" + (f"; {remedy}" if remedy else "")
            )
        self._at = {name: index for name, index in at.items() if index is not None}

    @staticmethod
    def first_cells(source: Source) -> dict[str, str]:
        """The cells of the first row by column, without consuming it; empty for none."""
        ahead = [line.text for line in source.peek(3)]
        named = _SEPARATOR.fullmatch(ahead[0].strip(_BLANK))
        lines = ahead[1:] if named is not None else ahead
        if len(lines) < 2:
            return {}
        delimiter = named[1] if named is not None else sniff_delimiter(lines[0])
        cells = split_header(lines[1], delimiter=delimiter)
        return dict(zip(split_header(lines[0], delimiter=delimiter), cells, strict=False))

    def _feed(self, first: Line) -> Iterator[str]:
        line: Line | None = first
        while line is not None:
            self._next_line = line.number + 1
            if line.problem:
                self._bad[line.number] = line.problem
            yield line.text + "\n"
            line = next(self._lines, None)
        yield _END

    def rows(self) -> Iterator[TableRow | RowError]:
        """All data rows in order; rows that cannot be read as notes in their place."""
        number = 0
        while True:
            begin = self._next_line
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                number += 1
                self._bad.clear()
                yield self._note(
                    number, begin, f"not readable as csv, or a cell beyond {FIELD_LIMIT} characters"
                )
                continue
            if cells == [_END]:
                return
            if not cells:
                continue
            number += 1
            if _END in cells[-1]:
                yield self._note(
                    number,
                    begin,
                    "a quoted cell that begins in this row is never closed, so the rest of the "
                    'file cannot be split into rows; close the quote (write " inside as "")',
                )
                return
            problem = self._problem(cells)
            if problem:
                yield self._note(number, begin, problem)
                continue
            yield TableRow(
                number,
                self._source.place(begin),
                {name: cells[index] for name, index in self._at.items()},
                self._id_column,
            )

    def _problem(self, cells: Sequence[str]) -> str:
        if self._bad:
            # The row may span lines: whatever was bad since the last row belongs to it.
            line, problem = next(iter(self._bad.items()))
            self._bad.clear()
            return f"line {line} is {problem}"
        if len(cells) != len(self.header):
            return (
                f"{len(cells)} cells where the header names {len(self.header)} columns; "
                "quote cells that hold a delimiter, a quote or a line break"
            )
        return ""

    def _note(self, number: int, line: int, message: str) -> RowError:
        return RowError(message, row_id=f"row-{number}", place=self._source.place(line))
