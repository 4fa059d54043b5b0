"""The ledger: scores as Parquet parts, each written at once and read back batch by batch.

While a run goes on there is one part a chunk; a part that exists is complete, so a run
that was killed goes on after the parts that are there. The finished ledger holds the same
lines with the verdicts, in few files.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.filtering.fields import INTERNAL, Field, arrow_schema
from persona_lab.filtering.lines import POSITION
from persona_lab.filtering.reading import CHUNK_ROWS, Chunk, Input, Row

if TYPE_CHECKING:
    import pyarrow as pa

_PART = "part-{:06d}.parquet"
_KEPT_PARTS = 32
_GROUP_LINES = 16_384
_FILE_GROUPS = 8


class Parts:
    """The parts of a run, one a chunk."""

    def __init__(self, folder: Path, fields: Mapping[str, Field], inputs: Sequence[Input]) -> None:
        """Use a folder, which may hold parts of an earlier run.

        Args:
            folder: made if it is not there.
            fields: of the run.
            inputs: of the run.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._inputs = folder, inputs
        self._schema = arrow_schema(fields)
        self._recent: OrderedDict[int, tuple[pa.Table, dict[int, range]]] = OrderedDict()

    def path(self, number: int) -> Path:
        """Where the part of a chunk lies, or will."""
        return self._folder / _PART.format(number)

    def numbers(self) -> set[int]:
        """Of the chunks whose parts are there."""
        names = (path.stem for path in self._folder.glob("part-*.parquet"))
        return {int(name.rpartition("-")[2]) for name in names}

    def has(self, chunk: Chunk) -> bool:
        """Is the part of this chunk there from an earlier run?

        Raises:
            InputError: it is, but of other rows: an input was changed since.
        """
        if not self.path(chunk.number).exists():
            return False
        table, lines = self._load(chunk.number)
        contents = table["content"].to_pylist()
        mine = {row.ordinal: row.content or None for row in chunk.rows}
        theirs = {ordinal: contents[where.start] for ordinal, where in lines.items()}
        if mine != theirs:
            name = self._inputs[chunk.rows[0].source].name
            raise InputError(
                f"{name} is not as it was when the run began, so it cannot be resumed; "
                "start anew with --overwrite"
            )
        return True

    def write(self, chunk: Chunk, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
        """Write the part of a chunk, with the lines of rows seen before and of bad rows.

        Args:
            chunk: what was scored.
            columns: from the scorer, ``position`` counting ``chunk.to_score``.

        Returns:
            The part.
        """
        import pyarrow as pa

        fresh, own = self._fresh(chunk, columns)
        tables, offsets, end = [fresh], {-1: 0}, len(fresh)
        picks: list[int] = []
        owners: list[Row] = []
        for row in chunk.rows:
            first = row.ordinal if row.copy_of is None else row.copy_of
            if first // CHUNK_ROWS == chunk.number:
                lines = own[first]
            else:
                table, where = self._load(first // CHUNK_ROWS)
                if first // CHUNK_ROWS not in offsets:
                    offsets[first // CHUNK_ROWS], end = end, end + len(table)
                    tables.append(table)
                start = offsets[first // CHUNK_ROWS]
                lines = [start + i for i in where[first]]
            picks += lines
            owners += [row] * len(lines)
        part = pa.concat_tables(tables).take(pa.array(picks, pa.int64()))
        part = self._with_places(part, owners)
        write_atomically(self.path(chunk.number), part)
        self._remember(chunk.number, part)
        return part

    def _fresh(
        self, chunk: Chunk, columns: Mapping[str, Sequence[Any]]
    ) -> tuple[pa.Table, dict[int, list[int]]]:
        """Lines that were scored now, then the bad rows; and which lines are whose."""
        import pyarrow as pa

        scored = [row for row in chunk.rows if row.scored_anew]
        bad = [row for row in chunk.rows if row.code]
        count = len(columns[POSITION]) if scored else 0
        data: dict[str, list[Any]] = {
            name: [*(columns[name] if count and name in columns else [None] * count)]
            + [None] * len(bad)
            for name in self._schema.names
        }
        lines: dict[int, list[int]] = {}
        for line in range(count):
            lines.setdefault(scored[columns[POSITION][line]].ordinal, []).append(line)
        for line, row in enumerate(bad, start=count):
            lines[row.ordinal] = [line]
            data["status"][line], data["code"][line] = "unscored", row.code
            data["unscored_reason"][line] = row.problem
        return pa.table(data, schema=self._schema), lines

    def _with_places(self, part: pa.Table, owners: Sequence[Row]) -> pa.Table:
        """Put in what belongs to the row itself, not to its content."""
        values: dict[str, list[Any]] = {
            INTERNAL: [row.ordinal for row in owners],
            "id": [row.id for row in owners],
            "source": [self._inputs[row.source].name for row in owners],
            "row": [row.row for row in owners],
            "line": [row.line for row in owners],
            "group": [row.group for row in owners],
            "content": [row.content or None for row in owners],
            "duplicate": [row.repeats for row in owners],
        }
        import pyarrow as pa

        for name, column in values.items():
            at = self._schema.get_field_index(name)
            field = self._schema.field(at)
            part = part.set_column(at, field, pa.array(column, field.type))
        return part

    def _load(self, number: int) -> tuple[pa.Table, dict[int, range]]:
        if number not in self._recent:
            import pyarrow.parquet as pq

            self._remember(number, pq.read_table(self.path(number), memory_map=False))
        self._recent.move_to_end(number)
        return self._recent[number]

    def _remember(self, number: int, part: pa.Table) -> None:
        self._recent[number] = part, lines_by_row(part)
        if len(self._recent) > _KEPT_PARTS:
            self._recent.popitem(last=False)


def lines_by_row(part: pa.Table) -> dict[int, range]:
    """Which lines of a table belong to which row; they are consecutive."""
    ordinals = part[INTERNAL].to_numpy()
    starts = row_starts(ordinals)
    ends = [*starts[1:], len(ordinals)]
    return {int(ordinals[a]): range(int(a), int(b)) for a, b in zip(starts, ends, strict=True)}


def row_starts(ordinals: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Indices at which a new row begins."""
    changes = np.flatnonzero(np.diff(ordinals)) + 1
    return np.concatenate([np.zeros(min(1, len(ordinals)), changes.dtype), changes])


def write_atomically(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that is there as a whole or not at all.

    Raises:
        PersonaLabError: the disk is full, or the folder cannot be written.
    """
    import pyarrow.parquet as pq

    unfinished = path.with_name(path.name + ".unfinished")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise cannot_write(path, error) from None


def cannot_write(path: Path, error: OSError) -> PersonaLabError:
    """The error for a file that cannot be written; what was done so far is kept."""
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return PersonaLabError(
        f"cannot write {path}: {why}; what was scored so far is kept, make room and run again "
        "with --resume"
    )


class LedgerWriter:
    """Writes the finished ledger: tables in, few files with large row groups out.

    A context manager; on an error the files are closed as they are.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        """Write into a folder that is not yet in its place."""
        folder.mkdir(parents=True)
        self._folder, self._schema = folder, schema
        self._waiting: list[pa.Table] = []
        self._groups = self._files = 0
        self._file: ExitStack | None = None
        self._writer: Any = None

    def __enter__(self) -> LedgerWriter:
        """Return the writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give up what is not written."""
        self._waiting = []
        with suppress(OSError):
            self._end_file()

    def write(self, table: pa.Table) -> None:
        """Take lines in; all lines of a row must come in one table.

        Raises:
            OSError: the disk is full.
        """
        self._waiting.append(table)
        if sum(map(len, self._waiting)) >= _GROUP_LINES:
            self._flush()

    def close(self) -> None:
        """Write what is left; a ledger without lines gets a file, too.

        Raises:
            OSError: the disk is full.
        """
        if self._waiting or not self._files:
            self._flush()
        self._end_file()

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(self._waiting) if self._waiting else self._schema.empty_table()
        self._waiting = []
        if self._file is None:
            self._file = ExitStack()
            file = self._file.enter_context((self._folder / _PART.format(self._files)).open("wb"))
            self._writer = self._file.enter_context(
                pq.ParquetWriter(file, self._schema, compression="zstd")
            )
            self._files += 1
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        self._groups += 1
        if self._groups % _FILE_GROUPS == 0:
            self._end_file()

    def _end_file(self) -> None:
        stack, self._file = self._file, None
        if stack is not None:
            stack.close()


def read_ledger(folder: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The lines of a ledger in order, in tables that keep the lines of a row together.

    Args:
        folder: of the parts.
        columns: to read; None for all.

    Raises:
        InputError: there is no ledger, or it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = sorted(folder.glob("part-*.parquet"))
    if not paths:
        raise InputError(f"there is no ledger in {folder}; give the --out folder of a run")
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, columns=columns, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path} cannot be read ({type(error).__name__})") from None
