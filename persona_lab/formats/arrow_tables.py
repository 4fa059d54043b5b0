"""Parquet files, Arrow files and Hugging Face dataset folders, read as lines.

The layouts of the other modules are told by csv columns or JSON keys, and a table has
both. So a table whose cells are plain is handed on as csv, and one with nested cells
(lists of turns, messages) as JSON lines; each row's lines carry the number of the row,
counted from 1. Tables stream batch by batch.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona_lab.errors import FormatError, InputError
from persona_lab.formats.decoding import Line

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET, ARROW_FILE = b"PAR1", b"ARROW1"
STATE, INFO, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
ARROW_SUFFIXES = frozenset({".parquet", ".arrow", ".feather"})

_BATCH_ROWS = 512


def is_dataset(folder: Path) -> bool:
    """Is it what ``datasets.Dataset.save_to_disk`` wrote?"""
    return (folder / STATE).is_file() and (folder / INFO).is_file()


def splits_of(folder: Path) -> list[Path]:
    """The dataset folders inside what ``datasets.DatasetDict.save_to_disk`` wrote."""
    if not (folder / SPLITS).is_file():
        return []
    names = json.loads((folder / SPLITS).read_text(encoding="utf-8")).get("splits", [])
    return [folder / name for name in names]


def is_table(path: Path) -> bool:
    """Is it a table that this module reads, by its first bytes or its folder's files?"""
    if path.is_dir():
        return is_dataset(path)
    if not path.is_file():  # a pipe cannot be looked into
        return False
    if path.suffix.lower() == ".arrow":
        return True
    with path.open("rb") as file:
        magic = file.read(len(ARROW_FILE))
    return magic.startswith((PARQUET, ARROW_FILE))


def files_of(path: Path) -> list[Path]:
    """The data files of a table: itself, or those that a dataset folder names in order."""
    if not path.is_dir():
        return [path]
    state = json.loads((path / STATE).read_text(encoding="utf-8"))
    if state.get("_indices_data_files"):
        raise FormatError(
            f"{path.name} holds a selection of rows by index; write it with "
            "dataset.flatten_indices().save_to_disk(...)"
        )
    return [path / entry["filename"] for entry in state["_data_files"]]


def read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a table, in order.

    Args:
        path: a Parquet or Arrow file, or a dataset folder.

    Raises:
        InputError: a file is missing, cut off or damaged.
        FormatError: a dataset folder that is a selection by index.
    """
    import pyarrow as pa

    try:
        for file in files_of(path):
            yield from _file_batches(file)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path.name} cannot be read as a table to its end ({type(error).__name__}); "
            "the file may be cut off or damaged"
        ) from None


def _file_batches(file: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with file.open("rb") as opened:
        magic = opened.read(len(ARROW_FILE))
        opened.seek(0)
        if magic.startswith(PARQUET):
            with pq.ParquetFile(opened) as parquet:
                yield from parquet.iter_batches(_BATCH_ROWS)
        elif magic.startswith(ARROW_FILE):
            with pa.ipc.open_file(opened) as table:
                for index in range(table.num_record_batches):
                    yield table.get_batch(index)
        else:
            with pa.ipc.open_stream(opened) as stream:
                yield from stream


def table_lines(path: Path) -> Iterator[Line]:
    """A table as the lines of a csv or JSON lines file; see the module's text."""
    import pyarrow as pa

    number = 0
    for batch in read_batches(path):
        if number == 0:
            nested = any(pa.types.is_nested(field.type) for field in batch.schema)
            if not nested:
                yield from _csv(0, batch.schema.names)
        for row in batch.to_pylist():
            number += 1
            if nested:
                yield Line(number, json.dumps(row, ensure_ascii=False, default=str))
            else:
                yield from _csv(number, [_cell(value) for value in row.values()])


def _cell(value: Any) -> str:
    if value is None or isinstance(value, bytes):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # whole numbers become fractions where one row has none
    return str(value)


def _csv(number: int, cells: list[str]) -> Iterator[Line]:
    """One csv row; a cell with line breaks spans several lines of one number."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    for part in text.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        nul = "\x00" in part
        yield Line(number, part.replace("\x00", "\ufffd"), "holds NUL characters" * nul)
