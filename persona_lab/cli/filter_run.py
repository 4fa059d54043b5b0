"""``persona-lab filter INPUT...``: score once, decide, lay the rows out."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.data_options import ColumnsOption
from persona_lab.cli.filter_report import report
from persona_lab.cli.measure import MeasureOption, detector_for
from persona_lab.cli.output import stderr, warn
from persona_lab.cli.score import FrameworkChoice
from persona_lab.errors import InputError
from persona_lab.formats import FORMATS

EXAMPLES = (
    "persona-lab filter chats.jsonl --out kept --keep 'extraversion.p_high >= 0.6 and words > 50'",
    "persona-lab filter data/ --out run --preset induced-trait --resume",
    "persona-lab filter --scores run --keep 'neuroticism.p_high < 0.4' --out calm",
    "persona-lab filter sweep --scores run --keep 'extraversion.p_high >= 0.6'",
    "persona-lab filter preview --scores run --out run.html",
)


class EngineChoice(str, Enum):
    """Where to compute."""

    local = "local"
    ray = "ray"


class DuplicatesChoice(str, Enum):
    """What to do with rows that repeat an earlier one."""

    reuse = "reuse"
    drop = "drop"
    score = "score"


class TargetFieldChoice(str, Enum):
    """Which part of a row is its target."""

    persona = "persona"
    profile = "profile"


def command(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Files (also .gz and .zst), folders, globs, Hugging Face dataset folders, or - "
            "for stdin.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for results.", show_default=False)
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="EXPRESSION",
            help="What to keep, over the fields of the scores. Left out: only score.",
            show_default=False,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:ARG]",
            help="A recipe: induced-trait, faithful, representative[:SHARE], "
            "balance:TRAIT=SHARE,...; with --keep, both.",
            show_default=False,
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Decide again on the scores of this run, without inference; without --out "
            "only count.",
            show_default=False,
        ),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|all",
            help="Score this speaker or role only. Left out: the one a row is about where the "
            "layout names one, else all.",
            show_default=False,
        ),
    ] = None,
    any_speaker: Annotated[
        bool,
        typer.Option(
            "--any-speaker", help="Keep a row if one scored speaker passes; else all must."
        ),
    ] = False,
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR",
            help="A name from 'persona-lab models list' (lexical is the fast one), or a folder.",
        ),
    ] = "default",
    measure: MeasureOption = None,
    cascade: Annotated[
        bool,
        typer.Option(
            "--cascade",
            help="The lexical model decides where it is sure, --detector the rest; how far they "
            "agree is measured on a sample.",
        ),
    ] = False,
    framework: Annotated[
        FrameworkChoice | None,
        typer.Option(
            help="Which traits to score; all that the detector knows if left out.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="Gives the fields target.*: 'E+ N-' or INFP, the same for all rows.",
            show_default=False,
        ),
    ] = None,
    target_field: Annotated[
        TargetFieldChoice | None,
        typer.Option(
            help="Each row brings its target: its labels (profile) or its persona statements.",
            show_default=False,
        ),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Costly fields to compute although --keep does not ask for them.",
            show_default=False,
        ),
    ] = None,
    duplicates: Annotated[
        DuplicatesChoice,
        typer.Option(
            help="Rows with equal content: reuse the first one's scores, drop all but the first, "
            "or score each anew."
        ),
    ] = DuplicatesChoice.reuse,
    engine: Annotated[EngineChoice, typer.Option(help="Where to compute.")] = EngineChoice.local,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Processes (ray: actors); by default one a processor."
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(help=f"Layout of all inputs: auto (each for itself), {', '.join(FORMATS)}."),
    ] = "auto",
    columns: ColumnsOption = None,
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run in --out that was stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run in --out.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Keep the dialogues that show a trait, fit a target, or meet any other condition.

    Every row is scored once. Rows go untouched to kept, dropped or unscored, with the
    reasons beside them; the scores stay in a ledger, so that thresholds can be moved
    without scoring again. Other commands: filter sweep, filter preview.

    Exit code 0: done. 1: done, nothing kept. 2: an error. 3: done, but some rows or a
    part of an input could not be read.
    """
    from persona_lab.encoding.device import available_cores
    from persona_lab.filtering.presets import Preset, find_preset
    from persona_lab.filtering.run import Job, run
    from persona_lab.filtering.scorer import ScorerSettings
    from persona_lab.filtering.scores import filter_scores
    from persona_lab.filtering.targets import TargetChoice

    recipe = find_preset(preset) if preset is not None else Preset()
    keep = recipe.and_keep(keep)
    if resume and overwrite:
        raise InputError("--overwrite starts anew and --resume goes on; give one of them")
    if scores is not None:
        if inputs:
            raise InputError("--scores decides on what was scored; leave the inputs away")
        drop = duplicates is DuplicatesChoice.drop
        summary = filter_scores(
            scores,
            keep,
            out,
            any_speaker=any_speaker,
            drop_duplicates=drop,
            stage=recipe.stage,
            overwrite=overwrite,
        )
    else:
        if out is None:
            raise InputError("name a folder for the results with --out")
        if cascade and keep is None:
            raise InputError(
                "--cascade needs --keep: only that says where the lexical model is sure"
            )
        choice = TargetChoice.parse(target) if target is not None else None
        field = target_field.value if target_field is not None else recipe.target_field
        if field is not None:
            if choice is not None:
                raise InputError("--target and --target-field exclude each other; give one")
            choice = TargetChoice(field=field)
        job = Job(
            keep,
            any_speaker,
            recipe.stage,
            duplicates.value,
            ScorerSettings(
                detector_for(detector, measure),
                () if framework is None else framework.names,
                speaker,
                not no_mask,
                choice,
                cascade=keep if cascade else None,
            ),
            _names(fields),
            format,
            _columns(columns),
            limit,
            strict,
        )
        with _Bar() as bar:
            summary = run(
                inputs or [],
                out,
                job,
                engine=engine.value,
                workers=workers or available_cores(),
                resume=resume,
                overwrite=overwrite,
                tell=bar.tell,
                warn=warn,
            )
    report(summary, out, json_=json_)


def _names(given: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (given or "").split(",") if part.strip())


def _columns(given: str | None) -> tuple[tuple[str, str], ...]:
    from persona_lab.formats import parse_columns

    return tuple(parse_columns(given).items())


class _Bar:
    """How far it is, on stderr, where that is a terminal."""

    def __init__(self) -> None:
        from persona_lab.cli.progress import Progress
        from persona_lab.scoring import Tally

        self._tally = Tally()
        self._progress = Progress(stderr(), self._tally, shown=True)

    def __enter__(self) -> _Bar:
        self._progress.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, done: int, skipped: int) -> None:
        """Rows done now, and those that were there."""
        self._tally.scored, self._tally.skipped = done, skipped
        for _ in self._progress.following([None]):
            pass
