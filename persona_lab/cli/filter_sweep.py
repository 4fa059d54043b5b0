"""``persona-lab filter sweep``: how much would be kept at other thresholds?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.output import stdout, write_json

EXAMPLES = (
    "persona-lab filter sweep --scores run --keep 'extraversion.p_high >= 0.6'",
    "persona-lab filter sweep --scores run --keep 'extraversion.p_high >= 0.6 and words > 50' "
    "--vary extraversion.p_high=0.5:0.9:0.1 --vary words=20,50,100",
)

_BAR = 30


def command(
    scores: Annotated[Path, typer.Option(metavar="DIR", help="The --out folder of a run.")],
    keep: Annotated[
        str, typer.Option(metavar="EXPRESSION", help="As for filter; its numbers are varied.")
    ],
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=A:B:STEP|A,B,...",
            help="Thresholds to try, once a field; all combinations. Left out: each compared "
            "field alone, at the deciles of its values.",
            show_default=False,
        ),
    ] = None,
    any_speaker: Annotated[
        bool,
        typer.Option(
            "--any-speaker", help="Keep a row if one scored speaker passes; else all must."
        ),
    ] = False,
    drop_duplicates: Annotated[
        bool, typer.Option("--drop-duplicates", help="Keep only the first of equal rows.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Show how much would be kept over a grid of thresholds, from the ledger alone."""
    from persona_lab.filtering.sweep import parse_vary, sweep

    rows = sweep(
        scores,
        keep,
        parse_vary(vary or ()),
        any_speaker=any_speaker,
        drop_duplicates=drop_duplicates,
    )
    if json_:
        for row in rows:
            write_json(row.to_row())
        return
    from rich.table import Table

    names = list(dict.fromkeys(name for row in rows for name in row.values))
    table = Table(*names, "kept", "share", "", box=None, pad_edge=False)
    for column in table.columns[:-1]:
        column.justify = "right"
    for row in rows:
        cells = [f"{row.values[name]:g}" if name in row.values else "" for name in names]
        bar = "\u2588" * round(_BAR * row.share)
        table.add_row(*cells, f"{row.kept:,}", f"{row.share:.1%}", bar)
    stdout().print(table)
