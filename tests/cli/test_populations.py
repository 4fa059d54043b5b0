"""``persona-lab populations`` with acted bots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.trials import answer, run, write_lines

STEADY = "callable:tests.psychometrics.acted:steady"


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    people = [
        {"id": f"p{i}",
         "system": f"You are Bo, {30 + i} years old.\nextraversion={5 - 4 * (i % 2)}",
         "targets": {"extraversion": 1 - i % 2}, "group": "ab"[i % 2]}
        for i in range(6)
    ]  # fmt: skip
    return write_lines(tmp_path / "roles.jsonl", people)


def test_a_population(tmp_path: Path, roles: Path) -> None:
    result = run(
        "populations", "--bot", STEADY, "--personas", roles, "--perturb", "name,age,lines",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert "Asking for Extraversion moves it by 4.0 points" in result.stdout
    assert "Another name changes 6 personas' scores by 0.00 points" in result.stdout
    # six personas, their two kinds of variants, and the bot as it is
    assert "This run makes about 380 LLM calls" in result.stderr
    assert "380 LLM calls; " in result.stderr
    assert "6 of 6 personas have nothing to change for --perturb lines" in result.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["traits"]["extraversion"]["control"]["shift"] == 4.0
    assert report["traits"]["extraversion"]["baseline"] == 4.0
    assert {c["trait"] for c in report["contrasts"]} == set(report["traits"])
    assert "Control" in (tmp_path / "run" / "report.md").read_text()


def test_dry_run_and_json(tmp_path: Path, roles: Path) -> None:
    args = ("populations", "--bot", STEADY, "--personas", roles, "--no-baseline")
    assert answer(*args, "--out", tmp_path / "x", "--dry-run")["calls"] == 120
    found = answer(*args, "--out", tmp_path / "y")
    assert found["personas"] == [f"p{i}" for i in range(6)]
    assert found["traits"]["extraversion"]["baseline"] is None
    assert found["traits"]["extraversion"]["control"]["raised"]["code"] == "no_data"


def test_one_persona_is_not_nan(tmp_path: Path) -> None:
    roles = write_lines(tmp_path / "one.jsonl", [{"id": "p", "system": "extraversion=5"}])
    found = answer("populations", "--bot", STEADY, "--personas", roles, "--out", tmp_path / "run")
    assert found["traits"]["extraversion"]["spread"]["code"] == "too_few"
    assert found["inertia"]["code"] == "too_few"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--perturb", "hair"), "use name, age, lines"),
        (("--reference", "none.json"), "cannot read the reference"),
        (("--repeats", 0), "repeats is 0"),
    ],
)
def test_one_line_for_a_mistake(
    tmp_path: Path, roles: Path, args: tuple[object, ...], says: str
) -> None:
    given = ("populations", "--bot", STEADY, "--personas", roles, "--out", tmp_path / "run")
    result = run(*given, *args, code=2)
    assert says in result.stderr
    assert result.stderr.count("Error:") == 1


def test_a_file_without_personas(tmp_path: Path) -> None:
    roles = write_lines(tmp_path / "bad.jsonl", [{"id": "p"}, 3])
    result = run("populations", "--bot", STEADY, "--personas", roles, "--out", tmp_path, code=2)
    assert "bad.jsonl:1" in result.stderr
    assert "Error: bad.jsonl holds no persona that can be used" in result.stderr
