"""``persona-lab reproduce``: published studies, recomputed from their recorded data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_lab.cli.output import plain, stdout, write_json
from persona_lab.studies import STUDIES, run_study
from persona_lab.studies.result import rounded

if TYPE_CHECKING:
    from rich.table import Table

    from persona_lab.studies import Row, StudyResult

EXAMPLES = (
    "persona-lab reproduce chatharuhi data/chatharuhi_personality",
    "persona-lab reproduce personallm data/personallm --json > personallm.json",
)


def command(
    study: Annotated[
        str,
        typer.Argument(
            help="; ".join(f"{name}: {known.help}" for name, known in STUDIES.items()) + ".",
            show_default=False,
        ),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder with the study's data, as its authors published them.",
            show_default=False,
        ),
    ],
    json_: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with all details.")
    ] = False,
) -> None:
    """Recompute a published study from its recorded data.

    Shows each figure of the paper, the same figure computed here, and the difference. No
    model is asked again: what chatbots, judges and people said was recorded by the authors.
    """
    result = run_study(study, folder)
    if json_:
        write_json(result.to_json())
        return
    console = stdout()
    console.print(plain(f"{result.title} ({result.source})"), style="bold", soft_wrap=True)
    console.print(_table(result))
    for text in result.notes:
        console.print(plain(text), soft_wrap=True)


def _table(result: StudyResult) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("measure", overflow="fold")
    for name in ("paper", "here", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in result.rows:
        table.add_row(plain(row.measure), *_cells(row))
    return table


def _cells(row: Row) -> tuple[str, str, str]:
    """Paper, here and difference, all with the paper's decimals."""
    here = None if row.here is None else rounded(row.here, row.digits)
    difference = row.difference
    sign = "+" if difference else ""
    return (
        "-" if row.paper is None else f"{row.paper:,.{row.digits}f}",
        "-" if here is None else f"{here:,.{row.digits}f}",
        "-" if difference is None else f"{difference:{sign},.{row.digits}f}",
    )
