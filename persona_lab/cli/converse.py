"""``persona-lab converse``: two chatbots talk, with questionnaires before and after."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from persona_lab.cli.output import note
from persona_lab.cli.trial_options import (
    BotSpec,
    Json,
    OutFolder,
    counting,
    opened,
    read_roles,
    say,
    show_table,
    tell,
    write_report,
)
from persona_lab.errors import InputError, PersonaLabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from persona_lab.conversing.study import Speaker, Study
    from persona_lab.interviews.bots import Persona
    from persona_lab.interviews.records import Record

EXAMPLES = (
    "persona-lab converse --bot openai --model NAME --personas roles.jsonl --out runs/talk "
    "--dry-run",
    "persona-lab converse --bot openai --model NAME --personas roles.jsonl --speakers ann,bob "
    "--task story --turns 6 --repeats 20 --out runs/story",
)


def command(
    context: typer.Context,
    bot: BotSpec,
    personas: Annotated[
        Path,
        typer.Option(
            metavar="FILE.jsonl",
            help='The roles: {"id", "system"} or {"id", "persona"} a line.',
            rich_help_panel="Chatbot",
            show_default=False,
        ),
    ],
    out: OutFolder,
    speakers: Annotated[
        str | None,
        typer.Option(
            metavar="ID,ID",
            help="Which two of the roles; the first one begins. Left out: the file's first two.",
            rich_help_panel="Chatbot",
            show_default=False,
        ),
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="Another model for the second speaker, as for --bot.",
            rich_help_panel="Chatbot",
            show_default=False,
        ),
    ] = None,
    partner_model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Its name.", rich_help_panel="Chatbot", show_default=False
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(metavar="chat|story|TEXT", help="What they do together, or own words."),
    ] = "chat",
    turns: Annotated[
        int, typer.Option(min=2, metavar="N", help="Turns of a talk, both together.")
    ] = 8,
    words: Annotated[int, typer.Option(min=1, metavar="N", help="Words asked for a turn.")] = 60,
    repeats: Annotated[int, typer.Option(min=1, metavar="N", help="How many talks.")] = 5,
    instrument: Annotated[
        str,
        typer.Option(metavar="NAME|FILE|none", help="Questionnaire before and after each talk."),
    ] = "ipip-20",
    no_alignment: Annotated[
        bool, typer.Option("--no-alignment", help="Do not measure how alike they speak.")
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
    temperature: Temperature = 0.7,
    seed: Seed = 0,
    dry_run: DryRun = False,
    json_: Json = False,
) -> None:
    """Let two chatbots talk or write together, and see whether they stay themselves.

    Both fill in a questionnaire before and after each talk. The report tells which traits
    move, whether the two come closer, and how far each takes up the other's language. The
    talks are in talks.jsonl, which 'score' and 'consistency' read. Limits such as --max-calls
    hold for each model by itself.
    """
    from persona_lab.conversing.report import HEADER, document, rows, sentences, to_row
    from persona_lab.conversing.results import aligner, summarize
    from persona_lab.conversing.study import Study
    from persona_lab.instruments import load_instrument

    items = None if instrument == "none" else load_instrument(instrument)
    roles, notes = read_roles(personas)
    pair = _pair(roles, speakers)
    with ExitStack() as stack:
        both = _speakers(stack, pair, context.params)
        study = Study(both, task, turns, repeats, words, items)
        if dry_run:
            tell(study.forecast(read_prices(price_in, price_out)), alone=json_)
            return
        # the encoder is loaded before anything is paid for
        align = None if no_alignment else aligner()
        records, talks = _held(study, out, context.params)
        result = summarize(study, talks, records, align)
        page = document(study, result, notes)
        write_report(out, to_row(study, result, notes), page, json_=json_)
        if not json_:
            show_table(page.title, HEADER, rows(result), left=("trait",))
            say("", *sentences(study, result))


def _pair(roles: Sequence[Persona], wanted: str | None) -> tuple[Persona, Persona]:
    """The two roles that are to talk."""
    names = [role.id for role in roles]
    chosen = names[:2] if wanted is None else [name.strip() for name in wanted.split(",")]
    by_id = {role.id: role for role in roles}
    unknown = [name for name in chosen if name not in by_id]
    if unknown:
        shown = ", ".join(names[:12])
        raise InputError(f"there is no persona {unknown[0]!r}; the file holds: {shown}")
    if len(chosen) != 2:
        raise InputError("two personas talk; give a file of two or more, and two ids to --speakers")
    return by_id[chosen[0]], by_id[chosen[1]]


def _speakers(
    stack: ExitStack, pair: tuple[Persona, Persona], options: Mapping[str, Any]
) -> tuple[Speaker, Speaker]:
    from persona_lab.conversing.study import Speaker
    from persona_lab.interviews.bots import Bot

    first = stack.enter_context(opened(options["bot"], options["llm_model"], options))
    second = first
    if options["partner"] is not None:
        second = stack.enter_context(opened(options["partner"], options["partner_model"], options))
    a, b = (
        Speaker(
            role.id,
            Bot(
                client.name,
                client,
                role.system,
                temperature=options["temperature"],
                seed=options["seed"],
            ),
        )
        for role, client in zip(pair, (first, second), strict=True)
    )
    return a, b


def _held(
    study: Study, out: Path, options: Mapping[str, Any]
) -> tuple[Sequence[Record], Sequence[Any]]:
    """Hold what is not in the folder yet, and read everything."""
    from persona_lab.conversing.study import run
    from persona_lab.conversing.talk import Talk
    from persona_lab.interviews.records import RecordFile
    from persona_lab.interviews.rowfile import RowFile
    from persona_lab.psychometrics.battery import TRANSCRIPT, claim, digest

    about = {
        f"speaker {s.name} of {s.bot.name}": digest(f"{s.bot.system} {s.bot.seed}")
        for s in study.speakers
    }
    if study.instrument is not None:
        about[f"instrument {study.instrument.name}"] = digest(study.instrument.to_json())
    claim(out, about)
    with (
        closing(RecordFile(out / TRANSCRIPT)) as records,
        closing(RowFile(out / "talks.jsonl", Talk.from_row)) as talks,
    ):
        prices = read_prices(options["price_in"], options["price_out"])
        expected = study.forecast(prices, talks.finished(), records.ids())
        tell(expected, alone=False)
        try:
            with counting(expected.calls, "asking", shown=not options["json_"]) as step:
                run(study, records, talks, concurrency=options["concurrency"], on_step=step)
        except (PersonaLabError, KeyboardInterrupt):
            note(f"Talks and answers so far are in {out}; the same command goes on")
            raise
        return records.read(), talks.read()
