"""``persona-lab filter preview``: one HTML page about what a filter does to a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.output import note, write_json

EXAMPLES = (
    "persona-lab filter preview --scores run --out run.html",
    "persona-lab filter preview --scores run --keep 'words > 80' --out words.html",
)


def command(
    scores: Annotated[Path, typer.Option(metavar="DIR", help="The --out folder of a run.")],
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="The page to write.")],
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="EXPRESSION",
            help="As for filter; left out: the one of the run.",
            show_default=False,
        ),
    ] = None,
    any_speaker: Annotated[
        bool,
        typer.Option(
            "--any-speaker", help="Keep a row if one scored speaker passes; else all must."
        ),
    ] = False,
    examples: Annotated[
        int, typer.Option(min=0, max=50, help="Rows to quote on each side of the threshold.")
    ] = 5,
    no_text: Annotated[
        bool, typer.Option("--no-text", help="Quote nothing of what people said.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the page if it exists.")
    ] = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the page's figures as JSON.")
    ] = False,
) -> None:
    """Write a page that shows what is kept and dropped: distributions, examples, clauses."""
    from persona_lab.filtering.preview import preview

    figures = preview(
        scores,
        out,
        keep,
        any_speaker=any_speaker,
        examples=examples,
        text=not no_text,
        overwrite=overwrite,
    )
    if json_:
        write_json(figures)
    note(f"The page is in {out}")
