"""``persona-lab train-reader``: train the detector that reads what is shown."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = (
    "persona-lab train-reader --out my-reader",
    "persona-lab train-reader --out teacher --data corpora --backbone nomic-hf --frozen 6 "
    "--name reader-large",
    "persona-lab train-reader --out my-reader --data corpora --teacher teacher --pieces 100000",
)


def command(
    out: Annotated[Path, typer.Option(help="Gets the model's folder, and 'work'.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of corpora whose texts were rated (essays/, kaggle_mbti/, msc/, ...); "
            "left out, the texts that come with the package are all there is.",
            show_default=False,
        ),
    ] = None,
    backbone: Annotated[
        str,
        typer.Option(
            help="RoBERTa-, BERT- or NomicBERT-kind checkpoint by hub name or folder, or 'minilm' "
            "for the installed package."
        ),
    ] = "minilm",
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The --out folder of an earlier run that is trained further, in place of "
            "--backbone and --frozen.",
            show_default=False,
        ),
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="The --out folder of an earlier run, whose ratings of unrated texts are learnt, "
            "too; several are averaged.",
            show_default=False,
        ),
    ] = None,
    pieces: Annotated[
        int, typer.Option(min=0, help="Unrated pieces of the corpora that the teachers rate.")
    ] = 60_000,
    name: Annotated[str, typer.Option(help="Of the model and its folder in --out.")] = "reader",
    epochs: Annotated[int, typer.Option(min=1, help="How often each text is shown.")] = 3,
    learning_rate: Annotated[float, typer.Option(help="Of the highest layer.")] = 1e-4,
    frozen: Annotated[
        int, typer.Option(min=0, help="Lower layers that stay as they are; they cost less time.")
    ] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Of torch.")] = 2,
    seed: Annotated[int, typer.Option(help="Of draws, order and the linear layer.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Metrics as JSON on stdout.")] = False,
) -> None:
    """Train a reader on rated texts, export it, fit its rule, measure it, and write its card.

    With the texts that come with the package alone this takes about ten minutes on two cores.
    A killed run started again goes on after its last whole epoch.
    """
    from persona_lab.cli.output import note
    from persona_lab.training.reader.fit import ReaderSettings
    from persona_lab.training.reader.run import train_reader

    settings = ReaderSettings(
        epochs=epochs, learning_rate=learning_rate, frozen=frozen, threads=threads, seed=seed
    )
    with redirect_stdout(sys.stderr):  # the exporter prints what it wrote
        metrics = train_reader(
            out,
            settings,
            data=data,
            backbone=backbone,
            start=start,
            teachers=teacher or (),
            pieces=pieces,
            name=name,
            tell=note,
        )
    if json_:
        typer.echo(json.dumps(metrics))
        return
    typer.echo(str(out / name))
    for name, group in metrics["test"]["groups"].items():
        typer.echo(f"  {name:20} n {group['n']:4d}, r with readers {group['r']['value']:.2f}")
