"""What was read, in one line on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from persona_lab.errors import RowError

if TYPE_CHECKING:
    from persona_lab.dialogue import Dialogue

_SHOWN, _COUNTED = 4, 1000


class ReadSummary:
    """Counts what passes by; memory does not grow with the input.

    The names of speakers are the user's data: the line is for their terminal, not for logs.
    """

    def __init__(self, layout: str) -> None:
        """Begin with nothing.

        Args:
            layout: name of the format that the input is read as.
        """
        self._layout = layout
        self._dialogues = self._skipped = 0
        self._names: dict[str, None] = {}

    def following(self, rows: Iterable[Dialogue | RowError]) -> Iterator[Dialogue | RowError]:
        """Hand the rows on and count them."""
        for row in rows:
            if isinstance(row, RowError):
                self._skipped += 1
            else:
                self._dialogues += 1
                if len(self._names) < _COUNTED:
                    self._names |= dict.fromkeys(row.speaker_names)
            yield row

    def __str__(self) -> str:
        """Layout, dialogues, speakers (the first ones by name) and rows that were skipped."""
        names = list(self._names)
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        if len(names) >= _COUNTED:
            more = " and many more"
        by = f"; speakers: {', '.join(names[:_SHOWN])}{more}" if names else ""
        count = f"{self._dialogues:,} dialogue{'s' * (self._dialogues != 1)}"
        skipped = f"{self._skipped:,} row{'s' * (self._skipped != 1)} skipped"
        return f"read as {self._layout}: {count}, {skipped}{by}"
