"""``persona-lab populations``: one questionnaire over many personas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    Temperature,
    Timeout,
    read_prices,
)
from persona_lab.cli.output import warn
from persona_lab.cli.trial_options import (
    BotSpec,
    Json,
    OutFolder,
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

EXAMPLES = (
    "persona-lab populations --bot openai --model NAME --personas roles.jsonl --out runs/roles "
    "--dry-run",
    "persona-lab populations --bot openai:http://localhost:8080/v1 --personas roles.jsonl "
    "--instrument ipip-50 --perturb name,age,lines --out runs/roles",
)


def command(
    context: typer.Context,
    bot: BotSpec,
    personas: Annotated[
        Path,
        typer.Option(
            metavar="FILE.jsonl",
            help='The roles: {"id", "system"} or {"id", "persona"} a line, with optional targets '
            '({"extraversion": 1} or "E+ N-") and group.',
            rich_help_panel="Chatbot",
            show_default=False,
        ),
    ],
    out: OutFolder,
    instrument: Annotated[
        str,
        typer.Option(metavar="NAME|FILE", help="Questionnaire; see: persona-lab instruments list."),
    ] = "ipip-20",
    repeats: Annotated[int, typer.Option(metavar="N", help="How often each persona is asked.")] = 1,
    perturb: Annotated[
        str | None,
        typer.Option(
            metavar="KIND,...",
            help="Ask changed personas, too: name, age, lines (another order).",
            show_default=False,
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help='How much people vary: {"extraversion": {"sd": 0.8, "n": 500}}.',
            show_default=False,
        ),
    ] = None,
    no_baseline: Annotated[
        bool, typer.Option("--no-baseline", help="Do not ask the bot without a persona.")
    ] = False,
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
    temperature: Temperature = 0.0,
    seed: Seed = 0,
    dry_run: DryRun = False,
    json_: Json = False,
) -> None:
    """Let a chatbot fill in a questionnaire as many personas, and see whether they differ.

    Reports what it says whoever it plays, how far the personas spread, whether traits follow
    the targets, effect sizes between groups, and what a changed name, age or order of lines
    moves.
    """
    from persona_lab.instruments import load_instrument
    from persona_lab.psychometrics import battery as b
    from persona_lab.psychometrics.perturb import KINDS, variant
    from persona_lab.psychometrics.population_report import (
        HEADER,
        LEGEND,
        document,
        sentences,
        to_row,
        trait_cells,
    )
    from persona_lab.psychometrics.populations import measure_population
    from persona_lab.psychometrics.reference import read_reference

    kinds = [] if perturb is None else perturb.split(",")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InputError(f"there is no --perturb {unknown[0]!r}; use {', '.join(KINDS)}")
    items = load_instrument(instrument)
    known = None if reference is None else read_reference(reference, items)
    roles, notes = read_roles(personas)
    variants = []
    for kind in kinds:
        changed = [v for role in roles if (v := variant(role, kind, seed)) is not None]
        variants += changed
        if len(changed) < len(roles):
            notes.append(
                f"{len(roles) - len(changed)} of {len(roles)} personas have nothing to change for "
                f"--perturb {kind}."
            )
            warn(notes[-1])
    protocol = b.Protocol(("standard",), ("ascending",), (temperature,), repeats)
    with opened(bot, llm_model, context.params) as client:
        bare = make_bot(client, None, seed)
        respondents = b.respondents_of(bare, [*roles, *variants])
        if not no_baseline:
            respondents.append(b.Respondent(bare))
        sittings = b.plan(respondents, items, protocol)
        if dry_run:
            tell(b.forecast(sittings, prices=read_prices(price_in, price_out)), alone=json_)
            return
        records = ask_all(sittings, out, client, context.params)
        measured = measure_population(
            records, items, roles, baseline=None if no_baseline else bare.name, reference=known
        )
        page = document(measured, client.name, notes)
        write_report(out, to_row(measured, client.name, notes), page, json_=json_)
        if not json_:
            show_table(page.title, HEADER, [trait_cells(t) for t in measured.traits])
            say(LEGEND, "", *sentences(measured))
