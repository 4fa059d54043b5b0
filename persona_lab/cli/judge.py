"""``persona-lab judge``: role-play answers, rated by language models with your rubrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import ExitStack
from itertools import islice
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
from persona_lab.cli.output import note, warn
from persona_lab.cli.trial_options import (
    Json,
    OutFolder,
    counting,
    opened,
    say,
    show_table,
    tell,
    write_report,
)
from persona_lab.errors import InputError, PersonaLabError, RowError

if TYPE_CHECKING:
    from persona_lab.interviews.bots import Bot
    from persona_lab.judging.cases import Case
    from persona_lab.judging.panel import Players

_PANEL = "Who answers"

EXAMPLES = (
    "persona-lab judge answers.jsonl --rubric rubrics/ --judge openai --judge-model NAME --out "
    "runs/judged",
    "persona-lab judge questions.jsonl --rubric rubrics/ --bot openai:http://localhost:8080/v1 "
    "--judge openai --judge-model NAME --votes 5 --out runs/judged --dry-run",
)


def command(
    context: typer.Context,
    cases: Annotated[
        Path,
        typer.Argument(
            metavar="CASES.jsonl",
            help='{"id", "persona", "question", "response", "reference"?} a line; without a '
            'response the bot answers. "situation" in place of the question makes a conversation.',
            show_default=False,
        ),
    ],
    rubric: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE|DIR",
            help="Text with {persona}, {question}, {response} and a line 'Score = 1: ...' for each "
            "score; or a folder of such .txt files.",
            show_default=False,
        ),
    ],
    judge: Annotated[
        list[str],
        typer.Option(
            metavar="SPEC", help="A judge's model, as for --bot; may be repeated.",
            show_default=False,
        ),
    ],
    out: OutFolder,
    judge_model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Name of each judge's model, in the same order.",
            show_default=False,
        ),
    ] = None,
    votes: Annotated[
        int, typer.Option(min=1, metavar="N", help="Votes of each judge on each case.")
    ] = 3,
    judge_temperature: Annotated[
        float, typer.Option(min=0.0, metavar="T", help="Of the judges' sampling.")
    ] = 0.7,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Judge the first N cases.", show_default=False),
    ] = None,
    bot: Annotated[
        str | None,
        typer.Option(
            "--bot", metavar="SPEC",
            help="The chatbot that answers cases without a response: openai:URL, openai, "
            "callable:MODULE:FUNCTION, command:PROGRAM ARGS, or cassette:FILE.",
            rich_help_panel=_PANEL, show_default=False,
        ),
    ] = None,
    interrogator: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC", help="Who talks with the bot about a situation; the bot's own model "
            "if left out.", rich_help_panel=_PANEL, show_default=False,
        ),
    ] = None,
    interrogator_model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Its model's name.", rich_help_panel=_PANEL,
                     show_default=False),
    ] = None,
    turns: Annotated[
        int,
        typer.Option(min=2, metavar="N", help="Turns of a conversation, both together.",
                     rich_help_panel=_PANEL),
    ] = 8,
    words: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="About how many words an answer has, for the "
                     "forecast; four times that is the most.", rich_help_panel=_PANEL),
    ] = 80,
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
) -> None:  # fmt: skip
    """Let language models rate role-play answers by your rubrics.

    Each judge votes several times; the report tells how far its votes, and the judges, agree,
    and which judge gives everything the same score. A reply that cannot be read is unscored,
    never 0. Where a case has a reference, ROUGE-L recall stands beside the judges. Limits such
    as --max-calls hold for each model by itself.
    """
    from persona_lab.judging.report import HEADER, LEGEND, document, rubric_cells, sentences, to_row
    from persona_lab.judging.rubrics import load_rubrics
    from persona_lab.judging.running import Trial

    rubrics = load_rubrics(rubric)
    chosen, notes = _read_cases(cases, limit, {r.name for r in rubrics})
    with ExitStack() as stack:
        trial = Trial(
            chosen,
            rubrics,
            _judges(stack, context.params),
            votes,
            _players(stack, chosen, context.params),
        )
        expected = trial.forecast(read_prices(price_in, price_out))
        tell(expected, alone=dry_run and json_)
        if dry_run:
            return
        try:
            with counting(expected.calls, "asking", shown=not json_) as step:
                judgement = trial.run(out, concurrency=concurrency, on_step=step)
        except (PersonaLabError, KeyboardInterrupt):
            note(f"Answers and votes so far are in {out}; the same command goes on")
            raise
        write_report(out, to_row(judgement, notes), document(judgement, notes), json_=json_)
        if not json_:
            show_table("Judged role-play", HEADER, [rubric_cells(r) for r in judgement.rubrics])
            say(LEGEND, "", *sentences(judgement))


def _read_cases(file: Path, limit: int | None, rubrics: Set[str]) -> tuple[list[Case], list[str]]:
    """The first cases of a file that can be judged, and a note on each that cannot."""
    from persona_lab.judging.cases import load_cases

    found = load_cases(file)
    notes = [f"left out: {row}" for row in found if isinstance(row, RowError)]
    read = [row for row in found if not isinstance(row, RowError)]
    cases = [case for case in read if not case.rubrics or rubrics & set(case.rubrics)]
    if len(cases) < len(read):
        notes.append(f"left out: {len(read) - len(cases)} cases are for other rubrics only")
    for text in notes:
        warn(text)
    if not cases:
        raise InputError(
            f"{file.name} holds no case that can be judged by: {', '.join(sorted(rubrics))}"
        )
    return list(islice(cases, limit)), notes


def _judges(stack: ExitStack, options: Mapping[str, Any]) -> list[Bot]:
    from persona_lab.interviews.bots import Bot

    specs, names = options["judge"], options["judge_model"] or [None] * len(options["judge"])
    if len(names) != len(specs):
        raise InputError(
            f"--judge is given {len(specs)} times and --judge-model {len(names)} times; name all "
            "models or none"
        )
    clients = [
        stack.enter_context(opened(spec, name, options))
        for spec, name in zip(specs, names, strict=True)
    ]
    return [
        Bot(c.name, c, temperature=options["judge_temperature"], seed=options["seed"])
        for c in clients
    ]


def _players(stack: ExitStack, cases: Sequence[Case], options: Mapping[str, Any]) -> Players | None:
    """Who answers; None where all cases have responses or nobody was named."""
    from persona_lab.interviews.bots import Bot
    from persona_lab.judging.panel import Players

    if options["bot"] is None or all(case.response is not None for case in cases):
        return None
    how = {"temperature": options["temperature"], "seed": options["seed"]}
    client = stack.enter_context(opened(options["bot"], options["llm_model"], options))
    player = Bot(client.name, client, **how)
    asking = player
    if options["interrogator"] is not None:
        other = stack.enter_context(
            opened(options["interrogator"], options["interrogator_model"], options)
        )
        asking = Bot(other.name, other, **how)
    return Players(player, asking, options["turns"], options["words"])
