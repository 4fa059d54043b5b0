"""How far a run is, on stderr and only where somebody watches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from persona_lab.scoring import Tally

T = TypeVar("T")

_EVERY_S = 0.1


class Progress:
    """A line that counts rows; a context manager that takes it away in the end."""

    def __init__(self, console: Console, tally: Tally, *, shown: bool) -> None:
        """Start to count.

        Args:
            console: on stderr.
            tally: the run's counts.
            shown: may the line be shown, if stderr is a terminal?
        """
        self._tally = tally
        self._start = time.perf_counter()
        self._status: Status | None = None
        if shown and console.is_terminal:
            self._status = console.status("reading ...")

    def __enter__(self) -> Progress:
        """Show the line."""
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take it away."""
        self.stop()

    def stop(self) -> None:
        """Take the line away for good; more calls do nothing."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def following(self, items: Iterable[T]) -> Iterator[T]:
        """Hand items on and keep the line up to date."""
        last = 0.0
        for item in items:
            now = time.perf_counter()
            if self._status is not None and now - last > _EVERY_S:
                last = now
                self._status.update(self.summary())
            yield item

    def summary(self) -> str:
        """Rows scored, unscored by reason, and the speed."""
        tally = self._tally
        parts = [f"{tally.scored:,} row{'s' * (tally.scored != 1)} scored"]
        if tally.unscored:
            reasons = ", ".join(f"{n:,} {code}" for code, n in tally.unscored.most_common())
            parts.append(f"{tally.unscored.total():,} not scored ({reasons})")
        if tally.skipped:
            were = "dialogue was" if tally.skipped == 1 else "dialogues were"
            parts.append(f"{tally.skipped:,} {were} there already")
        elapsed = max(time.perf_counter() - self._start, 1e-9)
        parts.append(f"{tally.rows / elapsed:,.1f} rows/s")
        return "; ".join(parts)
