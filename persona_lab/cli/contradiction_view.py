"""``evaluate --task contradiction``: run it and show what came out."""

from __future__ import annotations

import json
from typing import Any

import typer


def evaluate_task(
    input: str, format: str, model: str | None, *, sample: int, seed: int, json_: bool
) -> None:
    """Measure the contradiction model on a labelled file and print the result.

    Args:
        input: file or folder.
        format: ``decode``, ``nli`` or ``cdconv``.
        model: a model's folder; None for the bundled one.
        sample: take this many rows at random; 0 for all.
        seed: of the sample and the bootstrap.
        json_: print one JSON object.

    Raises:
        PersonaLabError: the input or the model cannot be used.
    """
    from persona_lab.cli.data_options import progress_bar
    from persona_lab.training.evaluate_contradiction import evaluate_contradiction

    with progress_bar(quiet=json_) as tell:
        result = evaluate_contradiction(
            input, format, model=model, sample=sample, seed=seed, progress=tell
        )
    if json_:
        typer.echo(json.dumps(result))
    else:
        _show(result)


def _show(result: dict[str, Any]) -> None:
    from persona_lab.cli.output import note, stdout

    def cell(metric: dict[str, Any] | None, factor: int, digits: int) -> str:
        if metric is None or metric["value"] is None:
            return "-"
        value, low, high = (factor * metric[k] for k in ("value", "low", "high"))
        return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    from rich.table import Table

    table = Table(title=f"{result['model']} on {result['format']}, threshold {result['threshold']}")
    for name in ("rows", "n", "majority %", "accuracy %", "balanced %", "AUC", "ECE"):
        table.add_column(name, justify="left" if name == "rows" else "right")
    for name, m in (("new", result), ("seen in training", result["seen_in_training"])):
        if m["n"]:
            majority = m.get("majority")
            table.add_row(
                name,
                f"{m['n']:,}",
                "-" if majority is None else f"{100 * majority:.1f}",
                cell(m.get("accuracy"), 100, 1),
                cell(m.get("balanced_accuracy"), 100, 1),
                cell(m.get("auc"), 1, 3),
                cell(m.get("ece"), 1, 3),
            )
    stdout().print(table)
    for reason, count in result["unscored"].items():
        note(f"{count:,} rows not scored: {reason}")
