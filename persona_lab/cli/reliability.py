"""``persona-lab reliability``: may a chatbot's questionnaire scores be trusted?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_lab.cli.llm_options import (
    DEFAULT_CONCURRENCY,
    DEFAULT_TIMEOUT_S,
    CassetteFile,
    Concurrency,
    DryRun,
    MaxCalls,
    MaxTokens,
    ModelName,
    Offline,
    PriceIn,
    PriceOut,
    ReplyRoom,
    RequestFields,
    Seed,
    Timeout,
    read_prices,
)
from persona_lab.cli.output import warn
from persona_lab.cli.trial_options import (
    BotSpec,
    Json,
    OutFolder,
    PersonaFile,
    ask_all,
    make_bot,
    opened,
    read_roles,
    say,
    show_table,
    tell,
    write_report,
)
from persona_lab.errors import InputError

if TYPE_CHECKING:
    from persona_lab.psychometrics.measures import Battery

EXAMPLES = (
    "persona-lab reliability --bot openai:http://localhost:8080/v1 --out runs/bot --dry-run",
    "persona-lab reliability --bot openai --model NAME --personas roles.jsonl --out runs/roles",
    "persona-lab reliability --bot openai --model NAME --wordings 1 --temperatures 0.7 "
    "--repeats 5 --out runs/retest",
)


def command(
    context: typer.Context,
    bot: BotSpec,
    out: OutFolder,
    instrument: Annotated[
        str,
        typer.Option(metavar="NAME|FILE", help="Questionnaire; see: persona-lab instruments list."),
    ] = "ipip-20",
    wordings: Annotated[
        int,
        typer.Option(metavar="N", help="Wordings: as printed, with I, as a question; 1 to 3."),
    ] = 3,
    orders: Annotated[
        int,
        typer.Option(metavar="N", help="Orders of the options: ascending, descending, shuffled."),
    ] = 2,
    temperatures: Annotated[
        str, typer.Option(metavar="T,...", help="Temperatures of the sampling.")
    ] = "0,0.7",
    repeats: Annotated[
        int, typer.Option(metavar="N", help="How often each combination is asked.")
    ] = 2,
    twins: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Negated items, to see contradictions: columns item (id or text) and negated.",
            show_default=False,
        ),
    ] = None,
    persona: PersonaFile = None,
    personas: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help='Roles that the bot answers in, one after the other: {"id", "system"} or '
            '{"id", "persona"} a line.',
            rich_help_panel="Chatbot",
            show_default=False,
        ),
    ] = None,
    llm_model: ModelName = None,
    cassette: CassetteFile = None,
    offline: Offline = False,
    concurrency: Concurrency = DEFAULT_CONCURRENCY,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    reply_room: ReplyRoom = 0,
    request: RequestFields = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    seed: Seed = 0,
    dry_run: DryRun = False,
    json_: Json = False,
) -> None:
    """Ask one questionnaire in every way that should not matter, and see what moves.

    All combinations of wordings, orders of the options, temperatures and repeats are asked;
    what that will cost is said first. Each trait gets a verdict in plain words, with tests,
    effect sizes and the variance that each factor adds.
    """
    from persona_lab.instruments import load_instrument
    from persona_lab.psychometrics import battery as b
    from persona_lab.psychometrics.battery_report import document, to_row
    from persona_lab.psychometrics.measures import measure
    from persona_lab.psychometrics.twins import read_twins

    protocol = b.Protocol.of_size(wordings, orders, read_temperatures(temperatures), repeats)
    items = load_instrument(instrument)
    denied = None if twins is None else read_twins(twins, items)
    if persona is not None and personas is not None:
        raise InputError("--persona is one role and --personas are several; give one of them")
    roles, notes = ([], []) if personas is None else read_roles(personas)
    if denied is not None and len(denied.instrument.items) < len(items.items):
        missing = len(items.items) - len(denied.instrument.items)
        notes.append(f"{missing} of {len(items.items)} items have no negated twin in the file.")
        warn(notes[-1])
    with opened(bot, llm_model, context.params) as client:
        respondents = b.respondents_of(make_bot(client, persona, seed), roles)
        sittings = b.plan(
            respondents, items, protocol, None if denied is None else denied.instrument
        )
        if dry_run:
            tell(b.forecast(sittings, prices=read_prices(price_in, price_out)), alone=json_)
            return
        records = ask_all(sittings, out, client, context.params)
        measured = measure(records, items, None if denied is None else denied.instrument)
        page = document(measured, client.name, protocol, notes)
        write_report(out, to_row(measured, client.name, protocol, notes), page, json_=json_)
        if not json_:
            _show(measured, client.name)


def read_temperatures(text: str) -> tuple[float, ...]:
    """Numbers of 0 or more from ``"0,0.7"``.

    Raises:
        InputError: it holds something else.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = (-1.0,)
    if not all(0 <= t < float("inf") for t in found):
        raise InputError(f"cannot read --temperatures {text!r}; write numbers such as 0,0.7")
    return found


def _show(battery: Battery, name: str) -> None:
    from persona_lab.psychometrics.battery_report import HEADER, trait_cells, verdicts_of

    whole, *verdicts = verdicts_of(battery)
    rows = [trait_cells(t, v) for t, v in zip(battery.traits, verdicts, strict=True)]
    show_table(
        f"Reliability of {name} on {battery.instrument.name}", HEADER, rows, left=("verdict",)
    )
    say(
        "Largest shift in points by wording, order and temperature; detectable: the least "
        "difference of two scores that is more than the way of asking.",
        "",
    )
    say(*(finding.text for finding in whole.findings))
    say(*(verdict.text for verdict in verdicts if verdict.level != "steady"))
