"""What ``persona-lab filter`` prints in the end, and its exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from persona_lab.cli.output import note, stdout, warn, write_json

if TYPE_CHECKING:
    from persona_lab.filtering.run import Summary

EXIT_NOTHING_KEPT = 1
EXIT_UNREADABLE = 3


def report(summary: Summary, out: Path | None, *, json_: bool) -> None:
    """Print the counts, and end with the exit code that goes with them.

    Args:
        summary: of the run.
        out: folder of the results, if there is one.
        json_: as JSON on stdout.

    Raises:
        typer.Exit: nothing was kept, or some rows could not be read.
    """
    rows = summary["rows"]
    if json_:
        write_json(summary)
    else:
        _print(summary)
    if out is not None:
        note(f"The rows, the reasons and the ledger are in {out}")
    if summary["unreadable"]:
        where = f": see {out / 'unscored.reasons.jsonl'}" if out is not None else ""
        warn(f"{summary['unreadable']:,} rows could not be read{where}")
        raise typer.Exit(EXIT_UNREADABLE)
    if not rows["kept"]:
        warn("nothing was kept")
        raise typer.Exit(EXIT_NOTHING_KEPT)


def _print(summary: Summary) -> None:
    from rich.table import Table

    rows = summary["rows"]
    total = max(1, rows["total"])
    console = stdout()
    table = Table("", "rows", "share", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in ("kept", "dropped", "unscored"):
        table.add_row(name, f"{rows[name]:,}", f"{rows[name] / total:.1%}")
    table.add_row("total", f"{rows['total']:,}", "")
    console.print(table)
    if summary["clauses"]:
        console.print()
        table = Table("speakers who fail", "", "only this", box=None, pad_edge=False)
        table.columns[1].justify = table.columns[2].justify = "right"
        for clause in summary["clauses"]:
            table.add_row(clause["clause"], f"{clause['fails']:,}", f"{clause['alone']:,}")
        console.print(table)
    for code, count in summary["unscored"].items():
        console.print(f"{count:,} rows unscored: {code}")
    if summary["duplicates"]:
        console.print(f"{summary['duplicates']:,} rows repeat an earlier one")
    if cascade := summary.get("cascade"):
        models = ", ".join(f"{n:,} by {name}" for name, n in summary["models"].items())
        console.print(
            f"cascade: {models}; on {cascade['checked']:,} speakers that both scored, they agree "
            f"in {cascade['agreement']:.1%}"
        )
