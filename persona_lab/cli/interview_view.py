"""How ``interview`` shows results and progress in a terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from persona_lab.cli.output import plain, stderr

if TYPE_CHECKING:
    from rich.status import Status
    from rich.table import Table

    from persona_lab.interviews.raters.rating import Rating
    from persona_lab.interviews.records import Record

_EVERY_S = 0.1
_SUBJECTS = 12
_TOLD = {
    "same_answer": "every question got the same answer, word for word",
    "echo": "they repeat the question",
    "both_sides": "the bot wrote the other side's turns, too; its answer ends before them",
}
"""Flags that people must see at once, besides those of broken answers."""


class Follower:
    """A line that counts answers and ratings while they come, where somebody watches."""

    def __init__(self) -> None:
        """Count from nothing."""
        self._counts: Counter[str] = Counter()
        self._unscored: Counter[str] = Counter()
        self._start = self._last = time.perf_counter()
        console = stderr()
        self._status: Status | None = None
        if console.is_terminal:
            self._status = console.status("asking ...")

    def __enter__(self) -> Follower:
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
        if self._status is not None:
            self._status.stop()

    def __call__(self, row: Record | Rating) -> None:
        """Count one more."""
        self._counts["ratings" if hasattr(row, "rater") else "answers"] += 1
        if row.code is not None:
            self._unscored[row.code] += 1
        now = time.perf_counter()
        if self._status is not None and now - self._last > _EVERY_S:
            self._last = now
            self._status.update(self.summary())

    def summary(self) -> str:
        """What has come so far."""
        parts = [f"{n:,} {name}" for name, n in self._counts.items()]
        if self._unscored:
            reasons = ", ".join(f"{n:,} {code}" for code, n in self._unscored.most_common(3))
            parts.append(f"{self._unscored.total():,} unscored ({reasons})")
        elapsed = max(time.perf_counter() - self._start, 1e-9)
        parts.append(f"{self._counts.total() / elapsed:.1f}/s")
        return "; ".join(parts)


def results_table(profile: Mapping[str, Any]) -> Table:
    """Scores with intervals: a line a subject and domain, a column a protocol and rater."""
    from rich.table import Table

    measured = profile["measurements"]
    columns = list(dict.fromkeys((m["protocol"], m["rater"]) for m in measured))
    subjects = list(dict.fromkeys((m["bot"], m["persona"]) for m in measured))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("subject", overflow="fold")
    table.add_column("domain", no_wrap=True)
    for protocol, rater in columns:
        table.add_column(f"{protocol}\n{rater}", justify="right", no_wrap=True)
    by_key = {(m["bot"], m["persona"], m["protocol"], m["rater"]): m["domains"] for m in measured}
    for bot, persona in subjects[:_SUBJECTS]:
        for number, domain in enumerate(profile["instrument"]["domains"]):
            name = plain(persona or bot) if number == 0 else ""
            found = (by_key.get((bot, persona, *column)) for column in columns)
            cells = ("" if d is None else _cell(d[domain["key"]]) for d in found)
            table.add_row(name, domain["name"], *cells)
    if len(subjects) > _SUBJECTS:
        table.add_row(f"and {len(subjects) - _SUBJECTS} more", "")
    return table


def _cell(result: Mapping[str, Any]) -> str:
    if result["score"] is None:
        return f"unscored\n{result['code']}"
    if result["low"] is None:
        return f"{result['score']:.2f}"
    return f"{result['score']:.2f}\n[{result['low']:.2f}, {result['high']:.2f}]"


def oddities(profile: Mapping[str, Any]) -> Iterator[str]:
    """What answers show of a bot that does not work, one sentence each."""
    from persona_lab.interviews.flags import BROKEN

    for protocol, flags in profile["answers"]["flags"].items():
        for flag, n in flags.items():
            why = _TOLD.get(flag) or BROKEN.get(flag)
            if why is not None:
                yield f"{n} answers of the {protocol} are odd ({flag}): {why}"
    for style in profile["answers"]["response_style"]:
        if style["straight_lined"]:
            who = style["persona"] or style["bot"]
            yield f"{who!r} gave every statement the same rating, also those that contradict"
