"""``persona-lab evaluate``: how good is a detector on labelled texts?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

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
    Temperature,
    Timeout,
)
from persona_lab.cli.measure import MeasureOption, detector_for
from persona_lab.cli.psycot_options import (
    DEFAULT_VARIANT,
    PSYCOT,
    Calibration,
    Instruments,
    Variant,
    open_psycot,
    refuse_llm_options,
    tell_forecast,
)
from persona_lab.errors import TrainingError

EXAMPLES = (
    "persona-lab evaluate essays.csv --framework bigfive --baseline lexical",
    "persona-lab evaluate essays.csv --detector psycot --llm openai:http://localhost:8080/v1 "
    "--sample 60 --cassette replies.sqlite --json > calibration.json",
    "persona-lab evaluate decode/ --task contradiction --format decode",
)


def command(
    context: typer.Context,
    input: Annotated[str, typer.Argument(help="Labelled file or folder, or - for stdin.")],
    format: Annotated[str, typer.Option(help="Layout of the input; auto looks inside.")] = "auto",
    columns: ColumnsOption = None,
    task: Annotated[
        str,
        typer.Option(
            help="personality, or contradiction: dialogues or pairs of texts with a label, "
            "--format decode, nli or cdconv."
        ),
    ] = "personality",
    framework: Annotated[
        str, typer.Option(help="bigfive, mbti, or auto: the one that the labels belong to.")
    ] = "auto",
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR",
            help="Name or folder of a model, or psycot: ask the language model of --llm.",
        ),
    ] = "default",
    measure: MeasureOption = None,
    baseline: Annotated[
        str | None, typer.Option(help="Another model, compared text by text.")
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            help="csv of folds (id, then a column a trait or 'fold'): train anew on each."
        ),
    ] = None,
    refit: Annotated[
        int, typer.Option(help="Train anew on this many folds by group instead of --folds.")
    ] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Keep rows with an option, for example run=9,10 (personallm)."),
    ] = None,
    priors: Annotated[
        str, typer.Option(help="sample, or forum: weight MBTI types to their real share.")
    ] = "sample",
    sample: Annotated[
        int,
        typer.Option(min=0, help="Take this many texts (or pairs) at random; 0 for all."),
    ] = 0,
    seed: Annotated[
        int, typer.Option(help="Of the sample, the bootstrap and a language model.")
    ] = 0,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    no_mask: Annotated[
        bool, typer.Option("--no-mask", help="psycot: show words that name a type or trait.")
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
    dry_run: DryRun = False,
) -> None:
    """Measure a detector on labelled texts, with intervals.

    Texts that the model was trained on are judged by the part of it that was not: the
    figure is out of fold, and a warning says how many there were.
    """
    import numpy as np

    from persona_lab.cli.data_options import progress_bar
    from persona_lab.detectors.registry import find_model
    from persona_lab.training.evaluate import evaluate, group_folds, labelled, read_folds
    from persona_lab.training.refit import cross_validate
    from persona_lab.traits import FRAMEWORKS

    if task == "contradiction":
        from persona_lab.cli.contradiction_view import evaluate_task

        model = None if detector == "default" else detector
        evaluate_task(input, format, model, sample=sample, seed=seed, json_=json_)
        return
    if task != "personality":
        raise TrainingError(f"--task is personality or contradiction, not {task!r}")
    if framework != "auto" and framework not in FRAMEWORKS:
        raise TrainingError(
            f"there is no framework {framework!r}; use auto or {', '.join(FRAMEWORKS)}"
        )
    if priors not in ("sample", "forum"):
        raise TrainingError(f"--priors is sample or forum, not {priors!r}")
    folder = None
    detector = detector_for(detector, measure)
    if detector != PSYCOT:
        refuse_llm_options(context)
        folder = find_model(detector)
    elif folds is not None or refit or baseline:
        raise TrainingError("--folds, --refit and --baseline are about trained detectors")
    with opened_dialogues(input, format, columns) as reader:
        dialogues = list(reader)
    chosen = FRAMEWORKS[framework] if framework != "auto" else _framework_of(dialogues)
    examples, left_out = labelled(dialogues, chosen, only=_parse_only(only or []))
    if 0 < sample < len(examples):
        picks = np.random.default_rng(seed).choice(len(examples), sample, replace=False)
        examples = [examples[i] for i in sorted(picks)]
    if folder is None:
        found = _ask(context, examples, chosen, json_=json_)
        if found is None:
            return
        result = found
    elif folds is not None or refit:
        plan = (
            read_folds(folds, examples, chosen)
            if folds is not None
            else group_folds(examples, chosen, refit)
        )
        with progress_bar(quiet=json_) as tell:
            result = cross_validate(folder, examples, chosen, plan, progress=tell)
    else:
        result = evaluate(
            folder,
            examples,
            chosen,
            baseline=find_model(baseline) if baseline else None,
            forum_priors=priors == "forum",
            seed=seed,
        )
    result["left_out"] = left_out
    _warn(result)
    if json_:
        typer.echo(json.dumps(result))
    else:
        _show(result)


def _ask(
    context: typer.Context, examples: list[Any], framework: Any, *, json_: bool
) -> dict[str, Any] | None:
    """Measure a language model; None after a dry run."""
    from dataclasses import asdict

    from persona_lab.cli.data_options import progress_bar
    from persona_lab.training.evaluate import request_of
    from persona_lab.training.evaluate_llm import evaluate_psycot

    options = context.params
    with open_psycot(options) as detector:
        dry_json = options["dry_run"] and json_
        tell_forecast(detector, map(request_of, examples), (framework.name,), json_=dry_json)
        if options["dry_run"]:
            return None
        with progress_bar(quiet=json_) as tell:
            result = evaluate_psycot(
                detector, examples, framework,
                forum_priors=options["priors"] == "forum", seed=options["seed"],
                progress=lambda share: tell("asked", share),
            )  # fmt: skip
        usage = getattr(detector.model, "usage", None)
        return result | ({"usage": asdict(usage)} if usage is not None else {})


def _framework_of(dialogues: list[Any]) -> Any:
    """The framework that the first labelled row has labels of."""
    from persona_lab.traits import FRAMEWORKS

    for dialogue in dialogues:
        for speaker in getattr(dialogue, "speakers", {}).values():
            for framework in FRAMEWORKS.values():
                if set(speaker.labels) & set(framework.keys):
                    return framework
    raise TrainingError(
        "no row carries labels; give a labelled layout (--format) or columns named like traits"
    )


def _parse_only(given: list[str]) -> dict[str, set[str]]:
    parsed = {}
    for part in given:
        name, equals, values = part.partition("=")
        if not (name and equals and values):
            raise TrainingError(f"cannot read --only {part!r}; write NAME=VALUE,VALUE")
        parsed[name] = set(values.split(","))
    return parsed


def _warn(result: dict[str, Any]) -> None:
    seen = result.get("seen_in_training", 0)
    if seen:
        typer.secho(
            f"WARNING: {seen} of {result['n']} texts were in this model's training data. They are "
            "judged by the part of the model that never saw them (out of fold).",
            fg="yellow",
            err=True,
        )
    for reason, count in {**result["left_out"], **result.get("unscored", {})}.items():
        typer.secho(f"note: {count} rows left out: {reason}", err=True)


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    def cell(metric: dict[str, Any], factor: int, digits: int) -> str:
        if metric["value"] is None:
            return "-"
        value, low, high = (factor * metric[name] for name in ("value", "low", "high"))
        return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    table = Table(
        title=f"{result['detector']} on {result['n']} texts, {result['framework']}"
        + (f", trained anew on {result['folds']} folds" if "folds" in result else "")
    )
    for name in ("trait", "n", "majority %", "accuracy %", "macro-F1 %", "AUC", "ECE", "abstains"):
        table.add_column(name, justify="left" if name == "trait" else "right")
    for name, m in [*result["traits"].items(), ("mean", result["mean"])]:
        table.add_row(
            name,
            str(m["n"]),
            f"{100 * m['majority']:.1f}",
            cell(m["accuracy"], 100, 1),
            cell(m["macro_f1"], 100, 1),
            cell(m["auc"], 1, 2),
            cell(m["ece"], 1, 2),
            f"{100 * m['abstained']:.0f} %" if "abstained" in m else "",
            end_section=name == list(result["traits"])[-1],
        )
    console = Console(width=None if Console().is_terminal else 132)
    console.print(table)
    if "items" in result:
        _show_items(console, result)
    if "without_masking" in result:
        bare = result["without_masking"]
        console.print(
            "With type words left in the text (a leak), macro-F1 would read "
            f"{cell(bare['macro_f1'], 100, 1)} and accuracy {cell(bare['accuracy'], 100, 1)}."
        )
    if "against_baseline" in result:
        d = result["against_baseline"]
        console.print(
            f"Against {d['detector']}, same texts: accuracy {100 * d['difference']:+.2f} points "
            f"[{100 * d['low']:+.2f}, {100 * d['high']:+.2f}], McNemar p = {d['p_value']:.3f}."
        )


def _show_items(console: Any, result: dict[str, Any]) -> None:
    """What the items tell about the labels."""
    known = [row for row in result["items"] if row["r"] is not None]
    if known:
        mean = sum(row["r"] for row in known) / len(known)
        best = max(known, key=lambda row: row["r"])
        console.print(
            f"Items correlate {mean:+.2f} with the labels on average; the best, "
            f"{best['statement']!r} ({best['trait']}), {best['r']:+.2f}."
        )
    if "stopped" in result:
        console.print(f"Stopped early: {result['stopped']}")
