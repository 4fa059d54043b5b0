"""Copying the rows of an input to the files of their verdicts, untouched.

A row of a line-based layout is what lies between the line where it begins and the line
where the next one begins, so its bytes are copied as they are, quotes and all. Elements
of a JSON document, rows of a table and whole files are copied likewise.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from persona_lab.errors import InputError
from persona_lab.filtering.decide import VERDICTS
from persona_lab.filtering.ledger import cannot_write
from persona_lab.filtering.reading import Input, opened
from persona_lab.formats import FORMATS, Columns
from persona_lab.formats.arrow_tables import is_table
from persona_lab.formats.decoding import utf16_lines
from persona_lab.formats.documents import document_elements
from persona_lab.formats.packed import open_unpacked, packer
from persona_lab.formats.records import is_document
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ONE_FILE = frozenset({"text", "transcript", "subtitles", "screenplay"})
"""Layouts of which a file is one row."""

_ONE_FILE_OR_LINES = "chat-template"
"""The layout of which a file or each of its lines is a row."""

_NOWHERE = len(VERDICTS)
"""Stands for rows beyond the limit of a run: they are not copied."""

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Routes:
    """Where the rows of one input go.

    Attributes:
        lines: ``(n_rows,)`` where each begins.
        verdicts: ``(n_rows,)`` 0 kept, 1 dropped, 2 unscored.
        bad: ``(n_rows,)`` is it a row that could not be read?
        stop: line from which nothing was read; None for the end of the input.
    """

    lines: NDArray[np.int64]
    verdicts: NDArray[np.int8]
    bad: NDArray[np.bool_]
    stop: int | None = None

    def sorted(self) -> Routes:
        """By line: a bad row inside a dialogue of several rows is reported before it."""
        order = np.lexsort((-self.verdicts, self.lines))  # of one line, the strictest first
        return Routes(self.lines[order], self.verdicts[order], self.bad[order], self.stop)

    def of_records(self, begins: NDArray[np.int64]) -> NDArray[np.int8]:
        """Verdicts of records, of which a dialogue may have several.

        Args:
            begins: ``(n_records,)`` line where each begins.

        Returns:
            ``(n_records,)``; -1 for records before the first row.
        """
        good = self.lines[~self.bad]
        at = np.searchsorted(good, begins, side="right") - 1
        found = np.where(at >= 0, np.append(self.verdicts[~self.bad], -1)[at], -1)
        own = np.searchsorted(self.lines, begins)
        own = np.minimum(own, max(len(self.lines) - 1, 0))
        exact = self.lines[own] == begins if len(self.lines) else np.zeros(len(begins), bool)
        return np.where(exact, self.verdicts[own] if len(self.lines) else -1, found).astype(np.int8)


def route(entry: Input, routes: Routes, folder: Path, columns: Columns) -> None:
    """Copy the rows of an input into ``folder/kept``, ``dropped`` and ``unscored``.

    Args:
        entry: the input; no more than its size at the beginning of the run is read.
        routes: of its rows, in the order in which they were read.
        folder: that holds the three.
        columns: with which the input was read.

    Raises:
        PersonaLabError: a file cannot be written.
        InputError: the input cannot be read again.
    """
    source = Path(entry.path)
    targets = [folder / verdict / entry.name for verdict in VERDICTS]
    try:
        routes = _of_rows(entry, routes, columns)
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        if is_table(source):
            from persona_lab.filtering.routing_tables import route_table

            route_table(source, routes.sorted(), targets)
        elif _is_one_row(entry.layout, routes):
            _copy_whole(entry, targets[_overall(routes)])
        elif FORMATS[entry.layout].keys and (elements := _elements(entry)) is not None:
            _route_elements(entry, elements, routes, targets)
        else:
            _route_lines(entry, routes.sorted(), targets)
    except OSError as error:
        raise cannot_write(folder, error) from None


def _of_rows(entry: Input, routes: Routes, columns: Columns) -> Routes:
    """Routes of the rows where a dialogue may have rows that stand apart, or a row several."""
    if not FORMATS[entry.layout].keys and not FORMATS[entry.layout].takes_columns:
        return routes
    with opened(entry, columns) as reader:
        members = reader.members
        if members is None:  # that is known when the first dialogue is
            return routes
        for _ in reader:
            pass
    verdicts = members.verdicts(routes.verdicts.tolist(), missing=_NOWHERE)
    lines = np.array([line for line, _ in members.rows], np.int64)
    return Routes(lines, np.array(verdicts, np.int8), np.zeros(len(lines), bool))


def _is_one_row(layout: str, routes: Routes) -> bool:
    alone = layout == _ONE_FILE_OR_LINES and int(np.count_nonzero(~routes.bad)) < 2
    return layout in _ONE_FILE or alone


def _overall(routes: Routes) -> int:
    """The verdict on a file that is one row: that of its dialogue, whatever else is in it."""
    good = routes.verdicts[~routes.bad]
    return int((good if len(good) else routes.verdicts)[0])


def _copy_whole(entry: Input, target: Path) -> None:
    with Path(entry.path).open("rb") as source, target.open("wb") as file:
        left = entry.size
        while chunk := source.read(min(left, 1 << 20)):
            file.write(chunk)
            left -= len(chunk)


def _route_lines(entry: Input, routes: Routes, targets: Sequence[Path]) -> None:
    begins = _record_begins(entry, routes)
    verdicts = routes.of_records(begins)
    with ExitStack() as stack:
        files = [stack.enter_context(_packed(target)) for target in targets]
        stream = stack.enter_context(open_unpacked(Path(entry.path), limit=entry.size))
        at, current = -1, -1
        for number, raw in _raw_lines(stream):
            if number == routes.stop:
                break
            while at + 1 < len(begins) and begins[at + 1] <= number:
                at += 1
                current = int(verdicts[at])
            for file in files if current < 0 else files[current : current + 1]:
                file.write(raw)


def _record_begins(entry: Input, routes: Routes) -> NDArray[np.int64]:
    """Lines where records begin: rows, and the further records of a dialogue of several.

    These matter only where a bad record may stand between them.
    """
    layout = FORMATS[entry.layout]
    is_csv = bool(layout.header) or (layout.takes_columns and not layout.keys)
    if is_csv and routes.bad.any():
        with open_unpacked(Path(entry.path), limit=entry.size) as stream:
            source = Source(stream)
            try:
                places = [row.place for row in Table(source, []).rows()]
            finally:
                source.close()
        return np.array([int(place.rpartition(":")[2]) for place in places], np.int64)
    return np.unique(routes.lines)


def _raw_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their ends, numbered as the readers number them.

    A byte order mark comes first, as line 0: it belongs to every file.
    """
    mark = next((m for m in _MARKS if stream.peek(4).startswith(m)), b"")  # type: ignore[attr-defined]
    if mark:
        yield 0, stream.read(len(mark))
    try:
        yield from _numbered(stream, mark)
    except InputError:
        return  # it breaks off here; the row that stands for the rest has the reason


def _numbered(stream: IO[bytes], mark: bytes) -> Iterator[tuple[int, bytes]]:
    number = 0
    if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        for raw in utf16_lines(stream, little=mark == codecs.BOM_UTF16_LE):
            number += 1
            yield number, raw
        return
    for chunk in iter(stream.readline, b""):
        for raw in chunk.splitlines(keepends=True):
            number += 1
            yield number, raw


class _packed:
    """Open a file for writing, packed as its name says."""

    def __init__(self, path: Path) -> None:
        self._path, self._stack = path, ExitStack()

    def __enter__(self) -> IO[bytes]:
        file = self._stack.enter_context(self._path.open("wb"))
        packed = packer(self._path.name)(file)
        return packed if packed is file else self._stack.enter_context(packed)

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _elements(entry: Input) -> list[str] | None:
    """The elements of a JSON document as they stand there; None if it is JSON lines.

    What cannot be parsed at the end is the last element.
    """
    with open_unpacked(Path(entry.path), limit=entry.size) as stream:
        source = Source(stream)
        try:
            if not is_document(source):
                return None
            text = "\n".join(line.text for line in source.lines())
        finally:
            source.close()
    return [text[element.start : element.end] for element in document_elements(text)]


def _route_elements(
    entry: Input, elements: Sequence[str], routes: Routes, targets: Sequence[Path]
) -> None:
    if routes.stop is not None:
        elements = elements[: len(routes.verdicts)]
    if len(elements) != len(routes.verdicts):
        # one dialogue over all elements, or a document that does not split
        _copy_whole(entry, targets[_overall(routes)])
        return
    for verdict, target in enumerate(targets):
        mine = [e for e, v in zip(elements, routes.verdicts.tolist(), strict=True) if v == verdict]
        with _packed(target) as file:
            file.write(("[\n" + ",\n".join(mine) + "\n]\n").encode() if mine else b"[]\n")
