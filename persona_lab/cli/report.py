"""``persona-lab report``: results in, one page to read, send or print out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.output import note, warn, write_json

_SHOWN = 5

EXAMPLES = (
    "persona-lab report runs/plain -o plain.html",
    "persona-lab report runs/main runs/branch --title 'Before and after' -o bots.html",
    "persona-lab report runs/plain-reliability runs/role-reliability -o trust.html",
    "persona-lab report scores.jsonl -o dataset.html",
    "persona-lab report consistency.jsonl -o chats.html --json > figures.json",
)


def command(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT...",
            help="Results of one kind: an interview's folder or profile.json (several are "
            "compared), rows of score --out or of consistency --out, or folders of filter, "
            "reliability, populations, judge or converse.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.html", help="The page to write.")
    ],
    title: Annotated[
        str | None,
        typer.Option(help="Heading of the page; left out: what it is about.", show_default=False),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the page if it exists.")
    ] = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the page's figures as JSON.")
    ] = False,
) -> None:
    """Make one page of results, to read, send or print.

    The kind of the results is told from their content. The page is a single file that needs
    no network and no script; it quotes nothing of what people wrote, except in the report of
    an interview. Rows that cannot be read are counted, and the others go on.
    """
    from persona_lab.errors import InputError
    from persona_lab.reports.page import make_page
    from persona_lab.wholefile import write_whole

    if out.exists() and not overwrite:
        raise InputError(f"{out} exists already; use --overwrite to replace it")
    if out.is_dir() or any(_same(out, result) for result in results):
        raise InputError(f"--out {out} is a folder or one of the results; name another file")
    page = make_page(results, title)
    for problem in page.unreadable[:_SHOWN]:
        warn(f"left out {problem}")
    if page.unreadable:
        total = page.figures["problems"]["total"]
        warn(f"{total:,} rows could not be read; the page lists them")
    write_whole(out, page.html)
    if json_:
        write_json(page.figures)
    note(f"The page is in {out}")


def _same(out: Path, result: Path) -> bool:
    return out.exists() and result.exists() and out.samefile(result)
