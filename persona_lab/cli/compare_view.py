"""How ``compare`` shows what has changed: a line a trait, in 80 columns too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from persona_lab.cli.output import plain

if TYPE_CHECKING:
    from rich.console import Console

    from persona_lab.interviews.comparing import Change

_LEGEND = "p after Holm's correction; n items or groups; MDC minimal detectable change"


def show(console: Console, changes: Sequence[Change]) -> None:
    """Print a table for each persona, protocol and rater, and why a trait is not compared.

    Args:
        console: for results.
        changes: those of one persona, protocol and rater one after the other.
    """
    for who, group in groupby(changes, key=lambda c: (c.persona, c.protocol, c.rater)):
        rows = list(group)
        heading = ", ".join(plain(part) for part in who if part)
        console.print(Text(heading, style="bold"), no_wrap=True, overflow="ellipsis")
        console.print(_table(rows))
        for line in _reasons(rows):
            console.print(line, soft_wrap=True)
        console.print()
    console.print(Text(_LEGEND, style="dim"), soft_wrap=True)


def _table(changes: Sequence[Change]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("trait", no_wrap=True, overflow="ellipsis")
    for name in ("before", "after", "change", "interval", "n", "p", "MDC"):
        table.add_column(name, justify="right", no_wrap=True)
    for change in changes:
        found = change.difference
        mark = "drift" if change.drifted else "-" if change.reason else "same"
        interval = ""
        if found.low is not None and found.high is not None:
            interval = f"[{found.low:+.2f}, {found.high:+.2f}]"
        table.add_row(
            mark,
            plain(change.domain),
            _number(change.before),
            _number(change.after),
            "" if found.estimate is None else f"{found.estimate:+.2f}",
            interval,
            "" if change.reason else f"{found.n:,}",
            "" if change.p_holm is None else f"{change.p_holm:.4f}",
            "" if change.mdc.estimate is None else f"{change.mdc.estimate:.2f}",
            style="red" if change.drifted else "dim" if change.reason else None,
        )
    return table


def _reasons(changes: Sequence[Change]) -> Iterator[Text]:
    """Why traits could not be compared, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for change in changes:
        if change.reason is not None:
            by_reason.setdefault(change.reason, []).append(change.domain)
    for reason, domains in by_reason.items():
        yield Text(f"not compared: {plain(', '.join(domains))}: {plain(reason)}", style="yellow")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
