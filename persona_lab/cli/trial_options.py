"""What the commands that put chatbots to the test share: their bot, their folder, their bar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_lab.cli.llm_options import SPEC_HELP, announce, client_options, open_client, report
from persona_lab.cli.output import note, plain, stderr, stdout, warn, write_json
from persona_lab.errors import InputError, PersonaLabError, RowError

if TYPE_CHECKING:
    from persona_lab.interviews.bots import Bot, Persona
    from persona_lab.interviews.records import Record
    from persona_lab.llm import Client, Forecast
    from persona_lab.psychometrics.battery import Sitting
    from persona_lab.psychometrics.document import Document

_PANEL = "Chatbot"

BotSpec = Annotated[
    str,
    typer.Option(
        "--bot",
        metavar="SPEC",
        help="The chatbot's model: " + SPEC_HELP,
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
PersonaFile = Annotated[
    Path | None,
    typer.Option(
        "--persona",
        metavar="FILE",
        help="The bot's system prompt as text, or a character card (JSON or PNG).",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
OutFolder = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder for answers and reports. A rerun goes on with the answers that are there.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")]


@contextmanager
def opened(spec: str, model: str | None, options: Mapping[str, Any]) -> Iterator[Client]:
    """The client of a spec; what it used is told in the end.

    Args:
        spec: as in ``--bot``.
        model: name of the model.
        options: the command's parameters by name, as ``typer.Context.params`` holds them.

    Raises:
        PersonaLabError: an option cannot be used.
    """
    with open_client(spec, model=model, **client_options(options)) as client:
        try:
            yield client
        finally:
            used = client.usage
            if used.calls or used.replayed or used.failures:
                report(client)


def make_bot(client: Client, persona: Path | None, seed: int) -> Bot:
    """A bot of a client's model, with the system prompt of a file."""
    from persona_lab.interviews.bots import Bot, read_persona

    return Bot(client.name, client, None if persona is None else read_persona(persona), seed=seed)


def read_roles(file: Path) -> tuple[list[Persona], list[str]]:
    """The personas of a file; bad records are left out, with a warning each.

    Returns:
        The personas, and a note on each record that was left out.

    Raises:
        InputError: the file cannot be read, or holds no persona.
    """
    from persona_lab.interviews.bots import load_personas

    found = load_personas(file)
    notes = [f"left out: {row}" for row in found if isinstance(row, RowError)]
    for text in notes:
        warn(text)
    personas = [row for row in found if not isinstance(row, RowError)]
    if not personas:
        raise InputError(f"{file.name} holds no persona that can be used")
    return personas, notes


def tell(forecast: Forecast, *, alone: bool) -> None:
    """Say what a run will use: on stderr, or alone on stdout as JSON."""
    if alone:
        write_json(asdict(forecast))
    else:
        announce(forecast)


@contextmanager
def counting(total: int, what: str, *, shown: bool) -> Iterator[Callable[[object], None]]:
    """A bar on stderr while somebody watches.

    Yields:
        To be called after each step, with anything.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = stderr()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=not (shown and console.is_terminal),
    ) as bar:  # fmt: skip
        task = bar.add_task(what, total=total)
        yield lambda _: bar.advance(task)


def ask_all(
    sittings: Sequence[Sitting], out: Path, client: Client, options: Mapping[str, Any]
) -> list[Record]:
    """Hold sittings that are not in the folder yet, and read all answers.

    Args:
        sittings: of the run.
        out: folder of the run.
        client: that the bots ask.
        options: the command's parameters by name.

    Raises:
        PersonaLabError: what ended the run; answers so far are kept.
    """
    from persona_lab.interviews.records import RecordFile
    from persona_lab.psychometrics import battery as b

    b.claim_folder(out, sittings)
    with RecordFile(out / b.TRANSCRIPT) as file:
        planned = b.forecast(sittings, file.ids(), client.prices)
        tell(planned, alone=False)
        try:
            with counting(planned.calls, "asking", shown=not options["json_"]) as step:
                b.run(sittings, file, client, concurrency=options["concurrency"], on_record=step)
        except (PersonaLabError, KeyboardInterrupt):
            note(f"Answers so far are in {out / b.TRANSCRIPT}; the same command goes on")
            raise
        return b.answers_of(sittings, file.read())


def show_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[str] = ()
) -> None:
    """A table on stdout.

    Args:
        title: above it.
        header: of the columns.
        rows: cells.
        left: columns of words besides the first; all others hold numbers.
    """
    from rich.table import Table

    console = stdout()
    console.print(plain(title), style="bold", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(header):
        words = i == 0 or name in left
        table.add_column(
            name, overflow="fold", justify="left" if words else "right", no_wrap=i == 0
        )
    for row in rows:
        table.add_row(*map(plain, row))
    console.print(table)


def say(*lines: str) -> None:
    """Sentences on stdout, each on a line of its own."""
    console = stdout()
    for line in lines:
        console.print(plain(line), soft_wrap=True)


def write_report(folder: Path, row: Mapping[str, Any], page: Document, *, json_: bool) -> None:
    """Write ``report.json``, ``.md`` and ``.html``, and say so.

    Args:
        folder: of the run.
        row: the report for programs; printed too, if ``json_`` is set.
        page: the report for people.
        json_: print it.
    """
    from persona_lab.wholefile import write_whole

    text = json.dumps(row, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    write_whole(folder / "report.json", text)
    page.write(folder)
    if json_:
        write_json(row)
    note(f"The report is in {folder}: report.md, report.html and report.json")
