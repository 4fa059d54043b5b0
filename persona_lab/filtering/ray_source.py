"""The inputs of a run as a Ray Data source; Ray is imported here."""

from __future__ import annotations

from typing import Any

from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

from persona_lab.filtering.ray_data import read_messages
from persona_lab.filtering.reading import RowReader


class ChunkSource(Datasource):
    """One read task that streams all chunks: rows are numbered as they come."""

    def __init__(self, reader: RowReader, done: frozenset[int]) -> None:
        """Keep what to read."""
        self._reader, self._done = reader, done

    def estimate_inmemory_data_size(self) -> int | None:
        """Bytes of the inputs."""
        return sum(entry.size for entry in self._reader.inputs)

    def get_read_tasks(self, *args: Any, **kwargs: Any) -> list[ReadTask]:
        """The task; a repetition of it reads the same, as the inputs do not change."""
        reader, done = self._reader, self._done
        facts = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(lambda: read_messages(_anew(reader), done), facts)]


def _anew(reader: RowReader) -> RowReader:
    return RowReader(
        reader.inputs, reader.columns, reader.strict, reader.limit, reader.find_repeats
    )
