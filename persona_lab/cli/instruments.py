"""``persona-lab instruments``: which questionnaires there are, their keys, and scoring."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_lab.cli.output import note, plain, stdout, warn, write_json
from persona_lab.errors import InputError, RowError

if TYPE_CHECKING:
    from persona_lab.instruments.audit import Audit
    from persona_lab.instruments.model import Instrument

EXAMPLES = (
    "persona-lab instruments list",
    "persona-lab instruments show jungian-48",
    "persona-lab instruments audit my-questionnaire.json",
    "persona-lab instruments score ipip-50 ratings.csv --json",
)

_WARNINGS_SHOWN = 20

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="List questionnaires, show one, check its keys, or score ratings.",
)

_JSON = typer.Option("--json", help="Print JSON on stdout.")
_NAME = typer.Argument(metavar="NAME", help="Name of a bundled instrument, or a file.")
_LANGUAGE = typer.Option(
    "--language", metavar="CODE", help="Which of the file's languages, for example en or zh."
)


@command.command("list")
def list_(json_: Annotated[bool, _JSON] = False) -> None:
    """List the bundled instruments."""
    from persona_lab.instruments.loading import list_instruments

    found = list_instruments()
    if json_:
        write_json([asdict(info) for info in found])
        return
    rows = [
        (i.name, str(i.n_items), i.framework or "", i.language, i.licence, i.title) for i in found
    ]
    _print_table(("name", "items", "measures", "language", "licence", "title"), rows)


@command.command("show")
def show(
    name: Annotated[str, _NAME],
    language: Annotated[str | None, _LANGUAGE] = None,
    json_: Annotated[bool, _JSON] = False,
) -> None:
    """Show an instrument: where it comes from, its scale, and its items with their keys."""
    from persona_lab.instruments.loading import load_instrument

    instrument = load_instrument(name, language=language)
    if json_:
        write_json(json.loads(instrument.to_json()))
        return
    console = stdout()
    for key in ("title", "language", "licence", "source", "citation"):
        console.print(f"{key:9} {plain(getattr(instrument, key))}", soft_wrap=True)
    console.print(f"{'scale':9} {plain(instrument.prompt_scale())}", soft_wrap=True)
    _print_notes(instrument.notes)
    console.print()
    rows = [
        (item.id, item.domain, f"{item.keyed:+d}", item.facet or "", item.text)
        for item in instrument.items
    ]
    _print_table(("item", "domain", "key", "facet", "text"), rows)


@command.command("audit")
def audit_(
    name: Annotated[str, _NAME],
    language: Annotated[str | None, _LANGUAGE] = None,
    json_: Annotated[bool, _JSON] = False,
) -> None:
    """Check the keys: their balance, items to look at, and repeated items.

    An item to look at is not wrong: its text denies something, and its key is plus.
    """
    from persona_lab.instruments.audit import audit
    from persona_lab.instruments.loading import load_instrument

    found = audit(load_instrument(name, language=language))
    if json_:
        items = [asdict(item) | {"status": item.status} for item in found.items]
        write_json(asdict(found) | {"items": items})
    else:
        _print_audit(found)


@command.command("score")
def score(
    name: Annotated[str, _NAME],
    ratings: Annotated[
        str,
        typer.Argument(
            metavar="RATINGS.csv",
            help="Columns item and rating (and respondent), or one row a respondent with a "
            "column an item; - for stdin.",
        ),
    ],
    language: Annotated[str | None, _LANGUAGE] = None,
    json_: Annotated[bool, _JSON] = False,
) -> None:
    """Score ratings; reverse-keyed items are turned round.

    Means are on the instrument's own scale: more is more of the domain's high pole. The
    bounds say what the mean could be if the missing answers were known.
    """
    from persona_lab.instruments.loading import load_instrument
    from persona_lab.instruments.ratings import read_ratings, scored_row

    instrument = load_instrument(name, language=language)
    table = read_ratings(ratings, instrument)
    if table.ignored:
        note(f"Columns that are no items are ignored: {', '.join(table.ignored)}")
    bad = [entry for entry in table.respondents if isinstance(entry, RowError)]
    if len(bad) == len(table.respondents):
        raise InputError(str(bad[0]) if bad else "the file has no ratings below its header")
    for error in bad[:_WARNINGS_SHOWN]:
        warn(str(error))
    if len(bad) > _WARNINGS_SHOWN:
        warn(f"{len(bad) - _WARNINGS_SHOWN} more respondents have bad ratings")
    rows = [scored_row(instrument, entry) for entry in table.respondents]
    if json_:
        for row in rows:
            write_json(row)
    else:
        _print_scores(rows, instrument)


def _print_scores(rows: Iterable[dict[str, Any]], instrument: Instrument) -> None:
    names = {domain.key: domain.name for domain in instrument.domains}
    cells = []
    for row in rows:
        if row["status"] == "unscored":
            cells.append((row["id"], "", "", "", "", row["reason"]))
            continue
        for key, found in row["domains"].items():
            complete = found["n_answered"] == found["n_items"]
            bounds = "" if complete else f"{found['low_bound']:.2f} to {found['high_bound']:.2f}"
            mean = "" if found["mean"] is None else f"{found['mean']:.2f}"
            answered = f"{found['n_answered']} of {found['n_items']}"
            remark = found["reason"] or ""
            if row["straight_lined"]:
                remark = remark or "the same rating throughout"
            cells.append((row["id"], names[key], mean, answered, bounds, remark))
    _print_table(("respondent", "domain", "mean", "answered", "bounds", ""), cells)
    scale = instrument.scale
    note(f"The scale goes from {scale.low} to {scale.high}; --json has facets and errors, too.")


def _print_audit(found: Audit) -> None:
    console = stdout()
    rows = [(d.key, str(d.plus), str(d.minus), d.one_sided or "") for d in found.domains]
    _print_table(("domain", "plus", "minus", "one-sided"), rows)
    if found.to_look_at:
        console.print(f"\nLook at {len(found.to_look_at)} of {len(found.items)} items:")
        for item in found.to_look_at:
            line = f"{item.id}: {item.hint}; {'; '.join(item.reasons)}"
            console.print(f"  {plain(line)}", soft_wrap=True)
    if found.duplicates:
        console.print("\nItems that say the same:")
        for d in found.duplicates:
            line = f"{d.kind}: {', '.join(d.ids)} ({', '.join(d.domains)}): {d.text}"
            console.print(f"  {plain(line)}", soft_wrap=True)
    _print_notes(found.notes)


def _print_notes(notes: Iterable[str]) -> None:
    console = stdout()
    for line in notes:
        console.print(f"{'note':9} {plain(line)}", soft_wrap=True)


def _print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in ("name", "item", "key"))
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    stdout().print(table)
