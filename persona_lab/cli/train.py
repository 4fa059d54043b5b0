"""``persona-lab train``: train detectors on your own labelled texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from persona_lab.cli.data_options import DataColumns
from persona_lab.errors import MissingExtraError, TrainingError

EXAMPLES = ("persona-lab train --data essay=essays.csv --data forum=mbti_1.csv --out my-models",)


def command(
    data: Annotated[
        list[str],
        typer.Option(
            help="Labelled file as REGISTER=PATH or REGISTER=FORMAT:PATH; give it once a file."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the models (lexical, pooled, blend).")],
    columns: DataColumns = None,
    backbone: Annotated[
        str,
        typer.Option(
            help="RoBERTa-family checkpoint by hub name or folder, 'minilm' for the installed "
            "package, or 'none' for the lexical model alone. With a GPU, roberta-base is a good "
            "choice."
        ),
    ] = "minilm",
    encoder: Annotated[
        Path | None, typer.Option(help="Use this exported encoder folder instead of a backbone.")
    ] = None,
    layers: Annotated[
        str, typer.Option(help="Layers whose means make the segment vectors; 'last' for the last.")
    ] = "2,3,4,6",
    unfreeze: Annotated[
        int, typer.Option(help="Top layers to fine-tune first; 0 keeps the encoder as it is.")
    ] = 0,
    epochs: Annotated[int, typer.Option(help="Of fine-tuning, at most.")] = 3,
    background: Annotated[
        list[Path] | None, typer.Option(help="Unlabelled texts of other kinds, for the gate.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="JSON of settings, as 'tune' writes it.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Members of the ensemble.")] = 5,
    seed: Annotated[int, typer.Option(help="Of folds, solvers and windows.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Metrics as JSON on stdout.")] = False,
) -> None:
    """Train lexical, pooled and blended detectors, and write their cards.

    A killed run started again goes on: vectors and fine-tuning checkpoints are kept in
    OUT/work.
    """
    from dataclasses import replace

    from persona_lab.cli.data_options import load_data, progress_bar
    from persona_lab.training.run import train
    from persona_lab.training.settings import Settings

    given: dict[str, Any] = {}
    if settings is not None:
        try:
            given = json.loads(settings.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"cannot read settings from {settings}: {error}") from error
    facts = {name: given.pop(name) for name in ("tuning",) if name in given}
    chosen = replace(Settings.from_json(given), n_folds=folds, seed=seed)
    if encoder is None and backbone != "none" and not (out / "work" / "encoder").is_dir():
        from persona_lab.training.backbone import check_backbone

        check_backbone(backbone)  # before files are read, which may take minutes
    examples = load_data(data, background or [], columns or ())
    work = out / "work"
    with progress_bar(quiet=json_) as tell:
        folder = encoder
        if folder is None and backbone != "none":
            folder = work / "encoder"
            facts |= _make_encoder(
                folder, backbone, layers, unfreeze, epochs, examples, work, seed, tell
            )
        elif folder is not None and (folder / "export.json").is_file():
            facts["export"] = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        metrics = train(
            examples, out, chosen, encoder_folder=folder, cache=work / "vectors",
            facts=facts, progress=tell,
        )  # fmt: skip
    _cards(out, list(metrics))
    if json_:
        typer.echo(json.dumps(metrics))
    else:
        for model, found in metrics.items():
            typer.echo(f"{out / model}")
            for register, frameworks in found["validation"].items():
                for framework, cell in frameworks.items():
                    mean = cell["mean"]
                    typer.echo(
                        f"  {register:12} {framework:8} accuracy "
                        f"{100 * mean['accuracy']['value']:.1f} % (majority "
                        f"{100 * mean['majority']:.1f}), AUC {mean['auc']['value']:.3f}, "
                        f"ECE {mean['ece']['value']:.3f}"
                    )


def _make_encoder(
    folder: Path,
    backbone: str,
    layers: str,
    unfreeze: int,
    epochs: int,
    examples: list[Any],
    work: Path,
    seed: int,
    tell: Any,
) -> dict[str, Any]:
    """Load, perhaps fine-tune, and export the encoder; facts for the card."""
    try:
        from persona_lab.training.backbone import load_backbone
        from persona_lab.training.export import export_encoder
    except ImportError as error:
        raise MissingExtraError(str(error.name), "train", "training an encoder") from error
    done = folder / "export.json"
    if done.is_file():  # an interrupted run left a finished encoder
        return {"export": json.loads(done.read_text(encoding="utf-8"))}
    model, tokenizer = load_backbone(backbone)
    chosen = parse_layers(layers, model.config.num_hidden_layers)
    facts: dict[str, Any] = {}
    if unfreeze:
        from persona_lab.training.finetune import FineTuneSettings, fine_tune

        model, facts["finetune"] = fine_tune(
            model,
            tokenizer,
            examples,
            FineTuneSettings(unfreeze=unfreeze, epochs=epochs, seed=seed),
            layers=chosen,
            folder=work / "finetune",
            progress=tell,
        )
    facts["export"] = export_encoder(
        model, tokenizer, folder, layers=chosen, keep_fp32=True,
        calibration_texts=sample_texts(examples, seed),
    )  # fmt: skip
    done.write_text(json.dumps(facts["export"]), encoding="utf-8")
    return facts


def parse_layers(given: str, top: int) -> tuple[int, ...]:
    """Read ``2,3,4,6`` or ``last``; layers above the top are left out.

    Raises:
        TrainingError: it is neither.
    """
    if given == "last":
        return (top,)
    try:
        wanted = {int(part) for part in given.split(",")}
    except ValueError:
        raise TrainingError(f"--layers is 'last' or numbers such as 2,3,4, not {given!r}") from None
    return tuple(sorted({min(layer, top) for layer in wanted}))


def sample_texts(examples: list[Any], seed: int, n: int = 400) -> list[str]:
    """Texts to calibrate the export with: some of each register."""
    import random

    picks = random.Random(seed).sample(examples, min(n, len(examples)))
    return ["\n".join(e.utterances)[:3000] for e in picks]


def _cards(out: Path, models: list[str]) -> None:
    from persona_lab.training.card import write_card

    for model in models:
        write_card(out / model)
