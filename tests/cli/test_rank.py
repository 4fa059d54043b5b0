"""``persona-lab rank``: candidates in order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from persona_lab.cli.lazy import Entry, LazyGroup
from persona_lab.consistency.parts import NotScored
from persona_lab.detectors.registry import MODELS_VARIABLE


class _Commands(LazyGroup):
    entries = (Entry("rank", "persona_lab.cli.rank", "Order candidates."),)


app = typer.Typer(cls=_Commands)


@app.callback()
def _root() -> None:
    """Only this command."""


@pytest.fixture(autouse=True)
def _settings(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))
    monkeypatch.setattr(
        "persona_lab.consistency.judge.load_nli", lambda: NotScored("no model here", "no_model")
    )


def run(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["rank", *map(str, args), "--detector", "toy"])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "replies.txt"
    path.write_text("alone\nparty\n🙂\n", encoding="utf-8")
    lines = run(path, "--target", "E+").stdout.splitlines()
    assert lines[0].split()[0] == "1"
    assert lines[0].endswith("party")
    assert lines[1].endswith("alone")
    assert "not scored" in lines[2]


def test_contexts_compete_apart(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    records = [("a", "alone", "q1"), ("b", "party", "q1"), ("c", "alone", "q2")]
    keys = ("id", "text", "context")
    path.write_text(
        "\n".join(json.dumps(dict(zip(keys, record, strict=True))) for record in records)
    )
    found = [json.loads(line) for line in run(path, "--target", "E+", "--json").stdout.splitlines()]
    assert [(r["id"], r["rank"]) for r in found] == [("b", 1), ("a", 2), ("c", 1)]
    assert found[0]["score"] == found[0]["match"]


def test_a_persona_without_a_model_is_said(tmp_path: Path) -> None:
    path, persona = tmp_path / "replies.txt", tmp_path / "persona.txt"
    path.write_text("party\n")
    persona.write_text("I own dogs.\n")
    assert "left out: no model here" in run(path, "--target", "E+", "--persona", persona).stderr


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        ("party\n", "Z+", "cannot read the target"),
        ("", "E+", "is empty"),
        ('{"reply": "party"}\n', "E+", "has no 'text'"),
    ],
)
def test_mistakes(tmp_path: Path, content: str, target: str, message: str) -> None:
    path = tmp_path / "replies.txt"
    path.write_text(content)
    assert message in " ".join(run(path, "--target", target, code=2).output.split())
