"""``persona-lab reproduce``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from persona_lab.cli.lazy import Entry, LazyGroup
from persona_lab.studies import STUDIES


class _Commands(LazyGroup):
    entries = (Entry("reproduce", "persona_lab.cli.reproduce", "Recompute a study."),)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def run(*args: object, code: int = 0) -> Result:
    app = typer.Typer(cls=_Commands)
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, ["reproduce", *map(str, args)])
    assert result.exit_code == code, result.output
    return result


def items(folder: Path) -> Path:
    """Five people, one scale of two items of which one is reversed."""
    (folder / "bfi.keys.csv").write_text("rownames,agree\n1,-A1\n2,A2\n")
    rows = ["1,1,6", "2,2,5", "3,5,2", "4,6,2", "5,,3"]
    (folder / "bfi.csv").write_text("\n".join(["rownames,A1,A2", *rows]) + "\n")
    return folder


def test_a_table_of_paper_here_and_difference(tmp_path: Path) -> None:
    output = run("human-items", items(tmp_path)).stdout
    assert "measure" in output and "difference" in output
    (line,) = (line for line in output.splitlines() if line.startswith("agree: alpha"))
    # answers 6 5 2 1 and 6 5 2 2: alpha 2 (1 - (5.667 + 4.25) / 19.667)
    assert line.split()[-3:] == ["0.70", "0.99", "+0.29"]
    (line,) = (line for line in output.splitlines() if line.startswith("agree: omega"))
    assert line.split()[-3:] == ["-", "-", "-"]


def test_json_is_one_object_with_reasons(tmp_path: Path) -> None:
    result = run("human-items", items(tmp_path), "--json")
    assert result.stderr == ""
    value = json.loads(result.stdout)
    assert value["study"] == "human-items"
    assert value["rows"][0]["difference"] == 0.29
    assert value["scales"]["agree"]["alpha"]["n"] == 4
    assert value["scales"]["agree"]["omega"]["code"] == "too_few_items"


def test_mistakes_are_one_line_and_exit_2(tmp_path: Path) -> None:
    assert "the studies are: chatharuhi" in run("nope", tmp_path, code=2).stderr
    assert "bfi.keys.csv" in run("human-items", tmp_path, code=2).stderr
    items(tmp_path)
    (tmp_path / "bfi.csv").write_text("rownames,A1,A2\n1,2,five\n")
    stderr = run("human-items", tmp_path, code=2).stderr
    assert stderr == "Error: bfi.csv:2, A2: expected a number\n"
    (tmp_path / "bfi.csv").write_text("rownames,A1\n1,2\n")
    assert "bfi.csv has no column 'A2'" in run("human-items", tmp_path, code=2).stderr


def test_the_help_names_all_studies() -> None:
    output = run("--help").output
    for name in ("chatharuhi", "incharacter", "human-items", "personallm", "interaction-llms"):
        assert name in output


def test_the_readme_counts_the_studies() -> None:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    readme = Path(__file__).resolve().parents[2] / "README.md"
    wanted = f"recompute {words[len(STUDIES)]} published studies"
    assert wanted in readme.read_text(encoding="utf-8")
