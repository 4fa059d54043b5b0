"""Which rows of a file went into which dialogue, for those who copy rows by dialogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from persona_lab.errors import RowError
from persona_lab.formats.records import Record


@dataclass(slots=True)
class Members:
    """The rows of a file whose dialogues are not one a row.

    Attributes:
        rows: line and name of every row, in the order of the file.
        joined: by the name of a row, the name of what it became a part of.
        made: names of what each result was made from, in the order of the results.
    """

    rows: list[tuple[int, str]] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def watched(self, rows: Iterable[Record | RowError]) -> Iterator[Record | RowError]:
        """The rows, noted as they pass."""
        for row in rows:
            self.rows.append((int(row.place.rpartition(":")[2]), name_of(row)))
            yield row

    def verdicts(self, given: Sequence[int], missing: int) -> list[int]:
        """The verdict on each row, from those on the results.

        Args:
            given: one a result; fewer where reading stopped before the end.
            missing: for rows of which no result is among them.

        Returns:
            One a row: the highest of those that the row is a part of.
        """
        by_name: dict[str, int] = {}
        for name, verdict in zip(self.made, given, strict=False):
            by_name[name] = max(verdict, by_name.get(name, verdict))
        return [by_name.get(self.joined.get(name, name), missing) for _, name in self.rows]


def name_of(row: Record | RowError) -> str:
    """What tells a row from the others of its file."""
    return row.row_id if isinstance(row, RowError) else row.fallback
