"""``persona-lab compare``: has a bot's personality changed? A regression gate for CI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.compare_view import show
from persona_lab.cli.output import note, stdout, warn, write_json

EXIT_DRIFT = 1

EXAMPLES = (
    "persona-lab compare runs/main runs/branch",
    "persona-lab compare main/profile.json branch/profile.json --junit drift.xml",
)


def command(
    before: Annotated[
        Path,
        typer.Argument(
            metavar="A", help="profile.json to hold on to, or its folder.", show_default=False
        ),
    ],
    after: Annotated[Path, typer.Argument(metavar="B", help="The new one.", show_default=False)],
    alpha: Annotated[
        float,
        typer.Option(
            min=0.0001,
            max=0.5,
            help="Chance of a false alarm in the whole comparison (Holm).",
        ),
    ] = 0.05,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE.xml", help="Also write JUnit, for CI.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Compare two interviews of a bot, trait by trait.

    Both are paired item by item (or group by group). A trait has drifted where the paired test
    is significant after Holm's correction and, if there are repeats, the change is larger than
    the minimal detectable one. Exit code 1 where a trait has drifted, else 0.
    """
    from persona_lab.errors import InputError
    from persona_lab.interviews.comparing import cases_of, compare
    from persona_lab.interviews.junit import write_junit
    from persona_lab.interviews.summary import read_profile

    changes = compare(read_profile(before), read_profile(after), alpha=alpha)
    skipped = sum(change.reason is not None for change in changes)
    drifted = sum(change.drifted for change in changes)
    if junit is not None:
        write_junit(junit, "persona-lab compare", cases_of(changes))
    if json_:
        rows = [change.to_row() for change in changes]
        write_json({"drifted": drifted, "compared": len(changes) - skipped, "changes": rows})
    else:
        show(stdout(), changes)
    if skipped == len(changes):
        raise InputError(f"nothing could be compared: {changes[0].reason}")
    if skipped:
        warn(f"{skipped} of {len(changes)} traits could not be compared")
    note(f"{drifted} of {len(changes) - skipped} traits drifted")
    if drifted:
        raise typer.Exit(EXIT_DRIFT)
