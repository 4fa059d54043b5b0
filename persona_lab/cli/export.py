"""``persona-lab export``: a torch encoder becomes ONNX files for inference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.data_options import ColumnsOption, opened_dialogues
from persona_lab.errors import MissingExtraError

EXAMPLES = ("persona-lab export roberta-base --texts talks.jsonl --out my-encoder",)


def command(
    backbone: Annotated[
        str, typer.Argument(help="RoBERTa-family checkpoint by hub name or folder, or 'minilm'.")
    ],
    texts: Annotated[str, typer.Option(help="File with some hundred texts like those to come.")],
    out: Annotated[Path, typer.Option(help="Folder for encoder.onnx and tokenizer.json.")],
    columns: ColumnsOption = None,
    layers: Annotated[str, typer.Option(help="Layers whose means make the vectors.")] = "2,3,4,6",
    max_tokens: Annotated[int, typer.Option(help="Longest segment.")] = 128,
    keep_fp32: Annotated[bool, typer.Option(help="Write the float graph too, for GPUs.")] = False,
    seed: Annotated[int, typer.Option(help="Of the choice of texts.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="The facts as JSON on stdout.")] = False,
) -> None:
    """Write an encoder as int8 ONNX, and fail where it differs from torch."""
    from persona_lab.cli.train import parse_layers, sample_texts
    from persona_lab.training.corpora import BACKGROUND, dialogue_examples

    try:
        from persona_lab.training.backbone import load_backbone
        from persona_lab.training.export import export_encoder
    except ImportError as error:
        raise MissingExtraError(str(error.name), "train", "export") from error
    with opened_dialogues(texts, columns=columns) as reader:
        examples = [
            example
            for dialogue in reader
            if not isinstance(dialogue, Exception)
            for example in dialogue_examples(dialogue, BACKGROUND)
        ]
    model, tokenizer = load_backbone(backbone)
    facts = export_encoder(
        model,
        tokenizer,
        out,
        max_tokens=max_tokens,
        layers=parse_layers(layers, model.config.num_hidden_layers),
        calibration_texts=sample_texts(examples, seed),
        keep_fp32=keep_fp32,
    )
    (out / "export.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    if json_:
        typer.echo(json.dumps(facts))
