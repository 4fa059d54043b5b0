"""Where the bytes come from: opening and looking ahead, line by line.

A :class:`Source` holds at most the lines that detection has looked at, so a file of many
gigabytes is read in constant memory.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from persona_lab.errors import InputError, RowError
from persona_lab.formats.arrow_tables import is_dataset, is_table, table_lines
from persona_lab.formats.decoding import Line, byte_lines, text_lines
from persona_lab.formats.packed import open_unpacked, stem

if TYPE_CHECKING:
    from persona_lab.formats.members import Members

SourceLike = str | os.PathLike[str] | IO[str] | IO[bytes] | io.RawIOBase
"""A path, ``"-"`` for standard input, or an open text or binary stream."""

STDIN = "-"
_STDIN_NAME = "stdin"


class Source:
    """An opened input with a name for messages, lines, and a look-ahead.

    Attributes:
        name: for places in messages: the file's name (less ``.gz`` or ``.zst``), never its
            folder; or ``stdin``.
        stem: the name without its extension, the id of a plain text.
        suffix: the extension in lower case; it only breaks ties in detection.
        path: None for a stream.
        is_folder: only a few layouts are folders; asking one for lines is an error.
        is_table: is it a Parquet or Arrow file, or a dataset folder? It is never prose.
        notes: remarks about the file as a whole, such as keys that were left out.
        members: which rows went into which dialogue; None while each is one of its own.
    """

    def __init__(self, given: SourceLike) -> None:
        """Open a path or wrap a stream, and look at its first words.

        Raises:
            InputError: it is missing, unreadable, empty or binary.
        """
        self.path: Path | None = None
        self.is_folder = self.is_table = False
        self.notes: list[str] = []
        self.members: Members | None = None
        self._opened: IO[bytes] | None = None
        self._wrapped: io.BufferedReader | None = None
        self._lines: Iterator[Line] = iter(())
        self._ahead: list[Line] = []
        self._break: InputError | None = None
        if isinstance(given, (str, os.PathLike)) and given != STDIN:
            self._open_path(Path(given))
        else:
            self._open_stream(
                getattr(sys.stdin, "buffer", sys.stdin)
                if isinstance(given, (str, os.PathLike))
                else given
            )
        if not self.is_folder:
            try:
                self._skip_leading_blanks()
            except BaseException:
                self.close()
                raise

    def _open_path(self, path: Path) -> None:
        self.path, self.name = path, stem(path.name) or str(path)
        self.stem, self.suffix = Path(self.name).stem, Path(self.name).suffix.lower()
        try:
            self.is_folder = path.is_dir() and not is_dataset(path)
            if self.is_folder:
                return
            self.is_table = is_table(path)
            if self.is_table:
                self._lines = table_lines(path)
                return
            self._opened = open_unpacked(path)
        except FileNotFoundError:
            raise InputError(f"there is no file {str(path)!r}; check the path") from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not a path"
            raise InputError(f"cannot read {str(path)!r}: {why}") from None
        try:
            self._lines = byte_lines(self._opened, self.name)
        except BaseException:
            self.close()
            raise

    def _open_stream(self, stream: Any) -> None:
        given_name = getattr(stream, "name", None)
        # Standard input calls itself "<stdin>", a file descriptor goes by a number.
        if not isinstance(given_name, str) or given_name.startswith("<"):
            given_name = _STDIN_NAME
        self.name = Path(given_name).name
        self.stem, self.suffix = Path(self.name).stem, Path(self.name).suffix.lower()
        if isinstance(stream, io.RawIOBase):
            # A raw stream hands out single bytes per readline; the wrapper is detached on
            # close, because closing belongs to whoever opened the stream.
            self._wrapped = stream = io.BufferedReader(stream)
        if _reads_text(stream):
            self._lines = text_lines(stream, self.name)
        else:
            self._lines = byte_lines(stream, self.name)

    def _skip_leading_blanks(self) -> None:
        for line in self._lines:
            if not line.blank:
                self._ahead.append(line)
                return
        raise InputError(f"{self.name} is empty; give a file with text in it")

    def peek(self, count: int | None) -> list[Line]:
        """The first lines, blank ones at the top left out, without consuming them.

        Args:
            count: how many at most; None for all (a JSON document needs that).
        """
        self._refuse_folder()
        if count is None:
            self._ahead.extend(iter(self._next, None))
        while count is not None and len(self._ahead) < count:
            line = self._next()
            if line is None:
                break
            self._ahead.append(line)
        return self._ahead[:count]

    def _next(self) -> Line | None:
        """One more line for the look-ahead; a break is raised where the lines are read."""
        try:
            return next(self._lines, None)
        except InputError as error:
            self._break = error
            return None

    def lines(self) -> Iterator[Line]:
        """All lines, once; blank ones at the top left out."""
        self._refuse_folder()
        ahead, self._ahead = self._ahead, []
        yield from ahead
        del ahead
        yield from self._lines
        if self._break is not None:
            raise self._break

    def _refuse_folder(self) -> None:
        if self.is_folder:
            raise InputError(f"{self.name} is a folder; give one of the files in it")

    def whole(self) -> str:
        """All the text, lines ended by a line feed.

        Raises:
            RowError: a line is not valid text; all of the input is one row here.
        """
        kept: list[str] = []
        for line in self.lines():
            if line.problem:
                raise RowError(line.problem, row_id=self.stem, place=self.place(line.number))
            kept.append(line.text)
        return "\n".join(kept)

    def note(self, remark: str) -> None:
        """Keep a remark about the file, once; it must not hold text of the input."""
        if remark not in self.notes:
            self.notes.append(remark)

    def bad_line(self, line: Line) -> RowError:
        """What is said of a line that cannot be trusted, where lines are read one by one."""
        place = self.place(line.number)
        return RowError(line.problem, row_id=f"line-{line.number}", place=place)

    def place(self, line: int) -> str:
        """``file:line`` for messages."""
        return f"{self.name}:{line}"

    def close(self) -> None:
        """Close what was opened here; a stream that was handed in stays open."""
        if self._opened is not None:
            self._opened.close()
        if self._wrapped is not None:
            self._wrapped.detach()
            self._wrapped = None


def _reads_text(stream: Any) -> bool:
    if isinstance(stream, (io.TextIOBase, io.BufferedIOBase)):
        return isinstance(stream, io.TextIOBase)
    try:
        return isinstance(stream.read(0), str)
    except (AttributeError, TypeError, OSError, ValueError):
        raise InputError(
            "the input is neither a path nor an open, readable stream; "
            "give a path, '-' for standard input, or an open file"
        ) from None
