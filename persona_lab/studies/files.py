"""Reading the recorded data of a study; an error names the file and the line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from persona_lab.errors import FormatError, InputError

Object = dict[str, Any]

_RECORD_FILES = (".jsonl", ".json", ".txt")


def need_file(folder: Path, name: str, study: str) -> Path:
    """The path of a file that must be there.

    Raises:
        InputError: it is not.
    """
    path = folder / name
    if not path.is_file():
        raise InputError(f"{study} needs the file {name}, which is not in {folder}")
    return path


def find_files(
    folder: Path, fits: Callable[[Object], bool], *, study: str, usual_name: str, holds: str
) -> list[Path]:
    """Files of records whose first record fits, whatever the files are called.

    Args:
        folder: to look in.
        fits: does a file's first record belong to what is looked for?
        study: for the message.
        usual_name: what the file is called in the public data, for the message.
        holds: what its records must hold, for the message.

    Raises:
        InputError: no file fits.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix in _RECORD_FILES and p.is_file())
    found = [path for path in paths if fits(_first(path))]
    if not found:
        raise InputError(
            f"{study} needs the file {usual_name} ({holds}); no file of {folder} holds that"
        )
    return found


def read_objects(path: Path) -> Iterator[tuple[str, Object]]:
    """The objects of a JSON Lines file, each with its place.

    Yields:
        ``file:line`` and the object.

    Raises:
        FormatError: a line is not a JSON object.
        InputError: the file cannot be read.
    """
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path.name}:{number}"
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise FormatError(f"{place}: not JSON (column {error.colno}: {error.msg})") from None
        if not isinstance(value, dict):
            raise FormatError(f"{place}: expected a JSON object, one a line")
        yield place, value


def read_json(path: Path) -> Object:
    """A file that is one JSON object.

    Raises:
        FormatError: it is not.
        InputError: it cannot be read.
    """
    try:
        value = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path.name}:{error.lineno}: not JSON ({error.msg})") from None
    if not isinstance(value, dict):
        raise FormatError(f"{path.name}: expected one JSON object")
    return value


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a csv file by column.

    Args:
        path: the file.
        columns: that must be there.

    Raises:
        FormatError: a column is missing, or a row has another number of cells.
        InputError: the file cannot be read.
    """
    reader = csv.DictReader(_text(path).splitlines(keepends=True), restval=None)
    found = reader.fieldnames or []
    missing = [name for name in columns if name not in found]
    if missing:
        raise FormatError(f"{path.name} has no column {missing[0]!r}; columns: {', '.join(found)}")
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise FormatError(f"{path.name}:{reader.line_num}: not {len(found)} cells")
        rows.append(row)
    return rows


def number_in(cell: str, place: str) -> float:
    """The number in a cell.

    Raises:
        FormatError: there is none.
    """
    try:
        return float(cell)
    except ValueError:
        raise FormatError(f"{place}: expected a number") from None


def text_in(record: Object, key: str, place: str) -> str:
    """A text of a record.

    Raises:
        FormatError: it is missing or no text.
    """
    value = record.get(key)
    if not isinstance(value, str):
        raise FormatError(f"{place}: {key!r} is missing or not a text")
    return value


def _first(path: Path) -> Object:
    """The first record of a file; empty where there is none that can be read."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            value = json.loads(file.readline())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error.__class__.__name__}") from None
