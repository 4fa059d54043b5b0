"""``persona-lab tune``: search settings, then train with the best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.data_options import DataColumns
from persona_lab.errors import TrainingError

EXAMPLES = ("persona-lab tune --data essay=essays.csv --out study --trials 30",)


def command(
    data: Annotated[
        list[str], typer.Option(help="Labelled file as REGISTER=PATH or REGISTER=FORMAT:PATH.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the study and settings.json.")],
    columns: DataColumns = None,
    component: Annotated[str, typer.Option(help="lexical, pooled or both.")] = "lexical",
    trials: Annotated[int, typer.Option(help="Trials each study should have in the end.")] = 20,
    encoder: Annotated[
        Path | None, typer.Option(help="Exported encoder folder, for the pooled component.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of sampler and folds.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
) -> None:
    """Search settings with Optuna; a killed or repeated call goes on where the study is."""
    from persona_lab.cli.data_options import load_data, progress_bar
    from persona_lab.training.tune import tune

    kinds = ("lexical", "pooled") if component == "both" else (component,)
    if not set(kinds) <= {"lexical", "pooled"}:
        raise TrainingError(f"--component is lexical, pooled or both, not {component!r}")
    if "pooled" in kinds and encoder is None:
        raise TrainingError("tuning the pooled component needs --encoder (see 'export')")
    out.mkdir(parents=True, exist_ok=True)
    file = out / "settings.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    studies = {study["study"]: study for study in found.get("tuning", ())}
    examples = load_data(data, [], columns or ())
    with progress_bar(quiet=json_) as tell:
        for kind in kinds:
            best, studies[kind] = tune(
                examples,
                out / "study.sqlite",
                component=kind,
                n_trials=trials,
                encoder_folder=encoder,
                cache=out / "vectors",
                seed=seed,
                progress=tell,
            )
            found[kind] = best.to_json()[kind]
    found["tuning"] = list(studies.values())
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if json_:
        typer.echo(json.dumps(found["tuning"]))
    else:
        for study in found["tuning"]:
            typer.echo(
                f"{study['study']}: best mean AUC {study['best_mean_auc']:.4f} of "
                f"{study['trials']} trials ({study['pruned']} pruned): {study['best']}"
            )
        typer.echo(f"settings are in {file}; use them with: persona-lab train --settings {file}")
