"""``persona-lab score``: texts and dialogues in, profiles with intervals out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_lab.cli.data_options import ColumnsOption, opened_dialogues
from persona_lab.cli.llm_options import (
    DEFAULT_CONCURRENCY,
    DEFAULT_TIMEOUT_S,
    CassetteFile,
    Concurrency,
    DryRun,
    MaxCalls,
    MaxTokens,
    MaybeLLM,
    ModelName,
    Offline,
    PriceIn,
    PriceOut,
    ReplyRoom,
    RequestFields,
    Seed,
    Temperature,
    Timeout,
)
from persona_lab.cli.measure import MeasureOption, detector_for
from persona_lab.cli.output import check_out, note, stderr, stdout, warn, write_json
from persona_lab.cli.progress import Progress
from persona_lab.cli.psycot_options import (
    DEFAULT_VARIANT,
    PSYCOT,
    Calibration,
    Instruments,
    Variant,
    open_psycot,
    refuse_llm_options,
    requests_of,
    tell_forecast,
)
from persona_lab.cli.read_summary import ReadSummary
from persona_lab.errors import RowError
from persona_lab.formats import FORMATS
from persona_lab.formats.source import STDIN
from persona_lab.traits import FRAMEWORKS

if TYPE_CHECKING:
    from rich.console import Console

    from persona_lab.cli.resultfile import ResultFile
    from persona_lab.detectors import Detector, Result
    from persona_lab.dialogue import Dialogue

    Results = Iterator[tuple[Dialogue | None, Result]]

_WARNINGS_SHOWN = 20
_REMINDER = "Weak evidence about text, not a diagnosis of a person"

EXAMPLES = (
    "persona-lab score talk.txt --explain",
    "persona-lab score chats.jsonl --speaker assistant --json > profiles.jsonl",
    "persona-lab score posts.csv --columns text=body,id=user --out profiles.jsonl",
    "echo 'I could talk to strangers all day.' | persona-lab score -",
    "persona-lab score talk.txt --detector psycot --llm openai:http://localhost:8080/v1 --dry-run",
)


class FrameworkChoice(str, Enum):
    """Which framework to score."""

    bigfive = "bigfive"
    mbti = "mbti"
    both = "both"

    @property
    def names(self) -> tuple[str, ...]:
        """The frameworks' names, in the order of the rows."""
        return tuple(FRAMEWORKS) if self is FrameworkChoice.both else (self.value,)


def command(
    context: typer.Context,
    input: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A file of any layout below, a folder or glob of them (ids are FILE:ID), the "
            "folder of a known corpus, or - for stdin.",
            show_default=False,
        ),
    ],
    format: Annotated[
        str,
        typer.Option(
            help=f"Layout of INPUT: auto (tells it from the content), {', '.join(FORMATS)}."
        ),
    ] = "auto",
    columns: ColumnsOption = None,
    framework: Annotated[
        FrameworkChoice | None,
        typer.Option(
            help="Which traits to score; all that the detector knows if left out.",
            show_default=False,
        ),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR",
            help="A name from 'persona-lab models list', a model's folder, or psycot: ask the "
            "language model of --llm.",
        ),
    ] = "default",
    measure: MeasureOption = None,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|all",
            help="Score this speaker or role only (user, assistant), or all. Left out: the "
            "one a row is about where the layout names one, else all.",
            show_default=False,
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which utterances moved each trait most.")
    ] = False,
    no_mask: Annotated[
        bool,
        typer.Option("--no-mask", help="Read words that name a type or trait (INFP), too."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first row that cannot be read.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Read the first N rows only.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Write result rows there, each as it is made."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --out if it exists.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the file of --out where a run stopped.")
    ] = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print result rows as JSON lines on stdout.")
    ] = False,
    variant: Variant = DEFAULT_VARIANT,
    instrument: Instruments = None,
    calibration: Calibration = None,
    llm: MaybeLLM = None,
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
) -> None:
    """Score texts and dialogues.

    Every speaker gets a calibrated probability per trait with a 90 % interval. Where the
    interval reaches over the threshold, or the text is too short, the label is "unsure".
    Rows that cannot be scored come out with the reason, in their place.
    """
    check_out(input, out, overwrite=overwrite, resume=resume)
    detector = detector_for(detector, measure)
    if input == STDIN and sys.stdin.isatty():
        note("Reading from the terminal; end with Ctrl-D (Windows: Ctrl-Z, Enter).")
    with ExitStack() as stack:
        # mistakes in the input show before the model is loaded and the file is touched
        reader = stack.enter_context(opened_dialogues(input, format, columns, strict=strict))

        from persona_lab.cli.resultfile import ResultFile
        from persona_lab.detectors.registry import load_detector
        from persona_lab.detectors.screening import Options
        from persona_lab.scoring import Scoring

        read = ReadSummary(reader.format)
        records: Iterable[Dialogue | RowError] = read.following(islice(reader, limit))
        names = None if framework is None else framework.names
        model: Detector
        if detector == PSYCOT:
            asked = stack.enter_context(open_psycot(context.params))
            records = list(records)  # the forecast is about all of them
            requests = requests_of(records, speaker)
            tell_forecast(asked, requests, names, json_=json_ and dry_run)
            if dry_run:
                return
            model = asked
        else:
            refuse_llm_options(context)
            model = load_detector(detector, options=Options(mask=not no_mask))
        known = tuple(f.name for f in model.frameworks)
        file = None
        if out is not None:
            file = stack.enter_context(
                ResultFile(out, model.info, overwrite=overwrite, resume=resume)
            )
        console = stderr()
        scoring = Scoring(
            model,
            frameworks=names or known,
            speaker=speaker,
            explain=explain,
            done=file.done if file is not None else None,
            on_bad_row=_Warner(console).bad_row,
        )
        table = file is None and not json_
        # a bar on the same terminal as the results would be torn to pieces
        bar = stack.enter_context(
            Progress(console, scoring.tally, shown=table or not (json_ and sys.stdout.isatty()))
        )
        results = bar.following(scoring.results(records))
        if table:
            _print_table(results, detector, model.info.name, explain=explain, before=bar.stop)
        else:
            _write_rows(results, file, json_=json_, explain=explain)
        bar.stop()
        note(str(read))
        note(bar.summary())
        scoring.check()


def _write_rows(results: Results, file: ResultFile | None, *, json_: bool, explain: bool) -> None:
    try:
        for _, result in results:
            row = result.to_row(explain=explain)
            if file is not None:
                file.write(row)
            if json_:
                write_json(row)
    except KeyboardInterrupt:
        if file is not None:
            note(f"The rows so far are in {file.path}; --resume goes on from there")
        raise


def _print_table(
    results: Results, detector: str, model: str, *, explain: bool, before: Callable[[], None]
) -> None:
    from persona_lab.cli.tables import show

    console = stdout()
    if show(console, results, explain=explain, before=before):
        card = (
            "" if detector == PSYCOT else f"; see the model card: persona-lab models show {model}"
        )
        reminder = _REMINDER + card
        console.print(reminder, style="dim italic", soft_wrap=True)


class _Warner:
    """Warns of bad rows; of a broken file of a million rows not a million times."""

    def __init__(self, console: Console) -> None:
        self._console, self._count = console, 0

    def bad_row(self, error: RowError) -> None:
        self._count += 1
        if self._count <= _WARNINGS_SHOWN:
            warn(str(error), console=self._console)
        elif self._count == _WARNINGS_SHOWN + 1:
            warn("more bad rows follow; each has its row in the output", console=self._console)
