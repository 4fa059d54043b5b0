"""A command line with the commands that put chatbots to the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner, Result

from persona_lab.cli.lazy import Entry, LazyGroup


class _Commands(LazyGroup):
    entries = tuple(
        Entry(name, f"persona_lab.cli.{name}", name)
        for name in ("reliability", "populations", "judge", "converse")
    )


app = typer.Typer(cls=_Commands)


@app.callback()
def _root() -> None:
    """A group with these commands only."""


def run(*args: object, code: int = 0) -> Result:
    result = CliRunner(env={"COLUMNS": "160"}).invoke(app, list(map(str, args)))
    assert result.exit_code == code, result.output
    return result


def answer(*args: object) -> dict[str, Any]:
    """The one line of JSON that a command prints."""
    (line,) = run(*args, "--json").stdout.splitlines()
    found = json.loads(line, parse_constant=_no_constant)
    assert isinstance(found, dict)
    return found


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} in the output")


def write_lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
