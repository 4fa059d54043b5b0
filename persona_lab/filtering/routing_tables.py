"""Copying the rows of Parquet files, Arrow files and dataset folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.errors import InputError
from persona_lab.formats.arrow_tables import INFO, PARQUET, STATE, files_of, read_batches

if TYPE_CHECKING:
    import pyarrow as pa

    from persona_lab.filtering.routing import Routes

_DATA = "data-00000-of-00001.arrow"


def route_table(source: Path, routes: Routes, targets: Sequence[Path]) -> None:
    """Copy the rows of a table to three tables of the same kind and schema.

    Args:
        source: file or dataset folder.
        routes: of its rows, sorted.
        targets: by verdict.
    """
    opened = _schema(source)
    with ExitStack() as stack:
        writers = [_writer(source, target, opened, stack) for target in targets]
        done = 0
        try:
            for batch in read_batches(source):
                if routes.stop is not None:
                    batch = batch.slice(0, max(0, routes.stop - 1 - done))
                numbers = np.arange(done + 1, done + 1 + len(batch))
                done += len(batch)
                verdicts = routes.of_records(numbers)
                for verdict, write in enumerate(writers):
                    write(batch.filter(_mask(verdicts == verdict)))
        except InputError:
            # the rows up to the break are in their files; the break itself has its reason
            pass


def _mask(values: np.ndarray[Any, Any]) -> pa.BooleanArray:
    import pyarrow as pa

    return pa.array(values)


def _schema(source: Path) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = files_of(source)[0]
    if _is_parquet(file):
        return pq.read_schema(file)
    with file.open("rb") as opened:
        reader = pa.ipc.open_stream if _is_stream(file) else pa.ipc.open_file
        with reader(opened) as table:
            return table.schema


def _is_parquet(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == PARQUET


def _is_stream(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(6) != b"ARROW1"


def _writer(
    source: Path, target: Path, schema: pa.Schema, stack: ExitStack
) -> Callable[[pa.RecordBatch], None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        # splits and sizes of the whole are not those of a part
        info = json.loads((source / INFO).read_text(encoding="utf-8"))
        for key in ("splits", "download_size", "dataset_size", "size_in_bytes"):
            info.pop(key, None)
        (target / INFO).write_text(json.dumps(info, indent=2), encoding="utf-8")
        state = json.loads((source / STATE).read_text(encoding="utf-8"))
        state["_data_files"] = [{"filename": _DATA}]
        state["_fingerprint"] = f"{state.get('_fingerprint', '')}-{target.parent.name}"
        (target / STATE).write_text(json.dumps(state, indent=2), encoding="utf-8")
        file = stack.enter_context((target / _DATA).open("wb"))
        return _write_batches(stack.enter_context(pa.ipc.new_stream(file, schema)))
    file = stack.enter_context(target.open("wb"))
    if _is_parquet(source):
        writer = stack.enter_context(pq.ParquetWriter(file, schema, compression="zstd"))
        return lambda batch: writer.write_batch(batch) if len(batch) else None
    new = pa.ipc.new_stream if _is_stream(source) else pa.ipc.new_file
    return _write_batches(stack.enter_context(new(file, schema)))


def _write_batches(writer: Any) -> Callable[[pa.RecordBatch], None]:
    def write(batch: pa.RecordBatch) -> None:
        if len(batch):
            writer.write_batch(batch)

    return write
