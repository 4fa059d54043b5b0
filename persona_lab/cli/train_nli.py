"""``persona-lab train-contradiction``: train the model that finds contradictions."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = (
    "persona-lab train-contradiction --data corpora --out my-models",
    "persona-lab train-contradiction --data corpora --out my-models --minutes 75",
    "persona-lab train-contradiction --data corpora --out my-models --start models/contradiction "
    "--pairs 60000",
    "persona-lab train-contradiction --data corpora --out teacher --backbone nomic-hf --frozen 5 "
    "--pairs 30000 --learning-rate 6e-5",
    "persona-lab train-contradiction --data corpora --out my-models --teacher teacher",
)


def command(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of corpora: nli/*.jsonl.gz (premise, hypothesis, label, source) and "
            "decode/; msc/, synthetic_persona_chat/ and negated_items/ where they are there."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Gets the folder 'contradiction', and 'work'.")],
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Show as many pairs as fit into this time here.", show_default=False
        ),
    ] = None,
    pairs: Annotated[
        int, typer.Option(min=1, help="Pairs to show, repetitions counted; --minutes overrides it.")
    ] = 168_000,
    batch: Annotated[int, typer.Option(min=1, help="Pairs a step.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="Of the highest layer.")] = 1e-4,
    backbone: Annotated[
        str,
        typer.Option(
            help="RoBERTa- or BERT-family checkpoint by hub name or folder, or 'minilm' for the "
            "installed package; NomicBERT for a teacher."
        ),
    ] = "minilm",
    start: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a finished contradiction model to go on from.", show_default=False
        ),
    ] = None,
    frozen: Annotated[
        int, typer.Option(min=0, help="Lower layers that are not trained, for speed.")
    ] = 0,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="--out folder of an earlier run with a larger backbone, which reads pairs that "
            "nobody judged; may be given again.",
            show_default=False,
        ),
    ] = None,
    unjudged: Annotated[
        int, typer.Option(min=1, help="Pairs of turns of the corpora that the teachers read.")
    ] = 30_000,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 1,
    seed: Annotated[int, typer.Option(help="Of splits, draws and order.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Metrics as JSON on stdout.")] = False,
) -> None:
    """Train, export, calibrate and measure a contradiction model, and write its card.

    A killed run started again goes on after its last whole block; a line on stderr tells of
    each block.
    """
    from persona_lab.cli.output import note
    from persona_lab.training.nli_draw import NliSettings
    from persona_lab.training.nli_run import train_contradiction

    settings = NliSettings(
        pairs=pairs, batch=batch, learning_rate=learning_rate, frozen=frozen, threads=threads,
        seed=seed,
    )  # fmt: skip
    with redirect_stdout(sys.stderr):  # the exporter prints what it wrote
        metrics = train_contradiction(
            data, out, settings, minutes=minutes, backbone=backbone, start=start,
            teachers=teacher or (), unjudged_pairs=unjudged, tell=note,
        )  # fmt: skip
    if json_:
        typer.echo(json.dumps(metrics))
        return
    if "test" not in metrics:
        typer.echo(f"{out}: a teacher, for --teacher")
        return
    test = metrics["test"]
    typer.echo(str(out / "contradiction"))
    for name, found in (("DECODE dialogues", test["decode"]), ("pairs", test["pairs"])):
        typer.echo(
            f"  {name:18} n {found['n']}, accuracy {100 * found['accuracy']['value']:.1f} %, "
            f"AUC {found['auc']['value']:.3f}"
        )
