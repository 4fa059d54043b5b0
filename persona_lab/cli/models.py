"""``persona-lab models``: which detectors there are, and what is known about each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from persona_lab.cli.output import note, plain, stdout, write_json
from persona_lab.errors import ModelError

EXAMPLES = (
    "persona-lab models list",
    "persona-lab models show blend",
    "persona-lab models show ./my-models/lexical --verify --json",
)

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="List the detectors, or show what is known about one.",
)

_JSON = typer.Option("--json", help="Print JSON on stdout.")
_CARD = "README.md"


@command.command("list")
def list_(json_: Annotated[bool, _JSON] = False) -> None:
    """List the detectors that can be asked for by name."""
    from persona_lab.detectors.registry import MODELS_VARIABLE, list_models

    entries = list_models()
    if json_:
        write_json(
            [
                {
                    "name": entry.name,
                    "version": entry.version,
                    "frameworks": list(entry.frameworks),
                    "default": entry.default,
                    "measure": entry.measure,
                    "summary": entry.summary,
                    "path": str(entry.folder),
                    "problem": entry.problem or None,
                }
                for entry in entries
            ]
        )
        return
    if not entries:
        note(f"No models are installed; train one, or name a folder of models in {MODELS_VARIABLE}")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "version", "scores", "measures", "", "about"):
        table.add_column(title, overflow="fold", no_wrap=title == "name")
    for entry in entries:
        table.add_row(
            plain(entry.name),
            plain(entry.version),
            ", ".join(entry.frameworks),
            entry.measure,
            "default" if entry.default else "",
            Text(plain(entry.problem), style="red") if entry.problem else plain(entry.summary),
        )
    stdout().print(table)


@command.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of a model, or its folder.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compute the hash of the weights and compare it.")
    ] = False,
    json_: Annotated[bool, _JSON] = False,
) -> None:
    """Show a model's card: what it was trained on, how good it is, what it is not for."""
    from persona_lab.detectors.registry import find_model
    from persona_lab.detectors.store import read_config

    folder = find_model(name)
    config = read_config(folder)
    facts = _facts(folder, config)
    if verify:
        facts["verified"] = _verify(folder, config)
    if json_:
        write_json(facts)
    else:
        _print_card(folder, facts)
    if facts.get("verified") is False:
        raise ModelError(
            f"the weights in {folder} are not those that its config was written for; "
            "fetch, export or train the model again"
        )


def _facts(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """What the config says, without the calibration's many numbers."""
    known = {key: value for key, value in config.items() if key != "calibration"}
    return known | {"path": str(folder.resolve()), "size_mb": _size_mb(folder, config)}


def _size_mb(folder: Path, config: dict[str, Any]) -> float:
    """Size of the model and of the components that it takes from other folders."""
    parts = config.get("components")
    places = {folder.resolve()}
    if isinstance(parts, dict):
        places |= {(folder / str(where)).resolve() for where in parts.values()}
    files = {file for place in places for file in place.rglob("*") if file.is_file()}
    return round(sum(file.stat().st_size for file in files) / 1e6, 2)


def _verify(folder: Path, config: dict[str, Any]) -> bool:
    from persona_lab.detectors.store import fingerprint

    try:
        return fingerprint(folder, config) == config.get("sha256")
    except (OSError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"cannot verify {folder}: a part is missing or its config is damaged "
            f"({type(error).__name__}); fetch, export or train the model again"
        ) from error


def _print_card(folder: Path, facts: dict[str, Any]) -> None:
    from rich.markdown import Markdown

    console = stdout()
    card = folder / _CARD
    if card.is_file():
        console.print(Markdown(card.read_text(encoding="utf-8", errors="replace")))
        console.print()
    else:
        note(f"{folder} has no card ({_CARD})")
    for key in ("name", "version", "path", "size_mb", "sha256", "verified"):
        if key in facts:
            value = facts[key]
            shown = value if isinstance(value, str) else json.dumps(value)
            console.print(f"{key:9} {plain(shown)}", soft_wrap=True)
