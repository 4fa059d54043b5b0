"""Folders and globs read as one input: one file after another, ids told apart by the file."""

from __future__ import annotations

import glob
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats import persona_statements, youtube_personality
from persona_lab.formats.arrow_tables import is_dataset
from persona_lab.formats.base import Columns, Result
from persona_lab.formats.inputs import InputFile
from persona_lab.formats.reading import (
    AUTO,
    check_layout,
    detect_format,
    parse_columns,
    read_dialogues,
)
from persona_lab.formats.source import STDIN

_OF_FOLDERS = frozenset({youtube_personality.FORMAT.name, persona_statements.FORMAT.name})


def stands_for_many(given: str, layout: str = AUTO) -> bool:
    """Does an input stand for files, rather than for one that a reader opens?

    Args:
        given: a path, a glob, or ``-``. The folder of a known corpus and a data set that was
            saved to disk are one.
        layout: name of the layout, or ``auto``.
    """
    path = Path(given)
    if given == STDIN or not path.is_dir():
        return given != STDIN and glob.has_magic(given) and not path.exists()
    if layout in _OF_FOLDERS or is_dataset(path):
        return False
    try:
        return layout != AUTO or not detect_format(path)
    except FormatError:
        return True


class ManyFiles(Iterator[Result]):
    """The dialogues of several files, in order; a context manager that closes them.

    Ids are ``FILE:ID``. A file that cannot be read, or breaks off, is one bad row.

    Attributes:
        format: how many files, for messages such as "read as 3 files".
        notes: remarks about the files so far, with their names.
    """

    def __init__(
        self,
        files: Sequence[InputFile],
        layout: str = AUTO,
        columns: str | Columns | None = None,
        *,
        strict: bool = False,
    ) -> None:
        """Open the first file, so that mistakes show at once.

        Args:
            files: from :func:`persona_lab.formats.inputs.expand`.
            layout: of all files, or ``auto``: each for itself.
            columns: as for ``read_dialogues``.
            strict: raise the first bad row, or what is wrong with a file.

        Raises:
            InputError: the only file cannot be read, or the first one where reading is strict.
            FormatError: there is no such layout, or the columns cannot be understood.
        """
        check_layout(layout)
        self.format = f"{len(files)} file{'s' * (len(files) != 1)}"
        self.notes: list[str] = []
        self._layout, self._columns = layout, parse_columns(columns)
        self._strict = strict
        self._rows = self._read(files)
        first = list(islice(self._rows, 1))
        self._following = chain(first, self._rows)

    def __next__(self) -> Result:
        """The next dialogue, or a note about a bad row or file.

        Raises:
            InputError: it is bad and reading is strict.
        """
        return next(self._following)

    def __enter__(self) -> ManyFiles:
        """Return the reader itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file that is open."""
        self._rows.close()

    def _read(self, files: Sequence[InputFile]) -> Generator[Result, None, None]:
        for file in files:
            try:
                yield from self._read_one(file)
            except InputError as error:
                if self._strict or len(files) == 1:
                    raise
                yield RowError(str(error), row_id=file.name, place=file.name)

    def _read_one(self, file: InputFile) -> Iterator[Result]:
        columns, strict = self._columns, self._strict
        with read_dialogues(file.path, self._layout, columns=columns, strict=strict) as reader:
            try:
                for result in reader:
                    if isinstance(result, RowError):
                        result.row_id = f"{file.name}:{result.row_id}"
                        yield result
                    else:
                        yield replace(result, id=f"{file.name}:{result.id}")
            finally:
                self.notes += [f"{file.name}: {remark}" for remark in reader.notes]
