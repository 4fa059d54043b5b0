"""JSON lines that survive a kill at any point: appended to, never rewritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Generic, Protocol, TypeVar

from persona_lab.errors import InputError, PersonaLabError

PASSING: Final = frozenset(
    {
        "unavailable",
        "rate_limited",
        "bad_reply",
        "thought_cut_off",
        "budget",
        "offline",
        "cancelled",
        "key",
        "llm",
    }
)
"""Codes of what may be gone at the next try: a rerun asks again."""


class Row(Protocol):
    """What a file needs to know of its rows."""

    @property
    def id(self) -> str:
        """Stable name."""

    @property
    def code(self) -> str | None:
        """Why it is unscored; None where it is not."""

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""


R = TypeVar("R", bound=Row)


class RowFile(Generic[R]):
    """One row a line.

    A later row replaces an earlier one of the same id (what came at the second try). What a
    killed run left of its last line is dropped when the file is opened.
    """

    def __init__(self, path: Path, parse: Callable[[dict[str, Any]], R]) -> None:
        """Open a file, new or from an earlier run.

        Args:
            path: where.
            parse: makes a row of JSON types; raises KeyError, TypeError or ValueError where
                it is none.

        Raises:
            InputError: it holds something else.
            PersonaLabError: it cannot be written.
        """
        self.path = path
        try:
            self._rows, whole = read_rows(path, parse) if path.exists() else ({}, 0)
            self._file: IO[str] = path.open("a", encoding="utf-8", newline="\n")
            self._file.truncate(whole)
        except OSError as error:
            raise _cannot("write", path, error) from None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def append(self, row: R) -> None:
        """Write one row; it is with the operating system when this returns.

        Raises:
            PersonaLabError: the disk is full, or the file went away.
        """
        try:
            self._file.write(json.dumps(row.to_row(), ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise _cannot("write", self.path, error) from None
        self._rows[row.id] = row

    def read(self) -> list[R]:
        """All rows, the last of each id, in the order in which ids came first."""
        return list(self._rows.values())

    def ids(self) -> set[str]:
        """Ids that need not be asked for again."""
        return set(self.finished())

    def finished(self) -> dict[str, R]:
        """The rows of :meth:`ids`, by id."""
        return {id: row for id, row in self._rows.items() if row.code not in PASSING}

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_rows(path: Path, parse: Callable[[dict[str, Any]], R]) -> tuple[dict[str, R], int]:
    """The rows of a file by id, the last of each, and the bytes of its whole lines.

    Raises:
        InputError: the file cannot be read, or a line is no row.
    """
    rows: dict[str, R] = {}
    whole = 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if not raw.endswith(b"\n"):
                    break
                row = _parse(raw, parse, f"{path.name}:{number}")
                rows[row.id] = row
                whole += len(raw)
    except OSError as error:
        raise _cannot("read", path, error) from None
    return rows, whole


def _parse(raw: bytes, parse: Callable[[dict[str, Any]], R], place: str) -> R:
    try:
        return parse(json.loads(raw))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{place} is not a line that 'persona-lab interview' wrote; name another folder with "
            "--out"
        ) from None


def _cannot(do: str, path: Path, error: OSError) -> PersonaLabError:
    why = error.strerror or type(error).__name__
    return PersonaLabError(f"cannot {do} {path}: {why}")
