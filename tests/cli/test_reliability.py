"""``persona-lab reliability`` with acted bots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.trials import answer, run, write_lines
from tests.psychometrics.acted import DENIED

STEADY = "callable:tests.psychometrics.acted:steady"
CROOKED = "callable:tests.psychometrics.acted:crooked"
SMALL = ("--wordings", 2, "--orders", 2, "--repeats", 2)


def test_the_issues_example(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = run("reliability", "--bot", CROOKED, *SMALL, "--out", out)
    assert "Agreeableness" in result.stdout
    assert "points with the order of the options" in result.stdout
    assert "do not compare it across prompts" in result.stdout
    # what it costs is said first, what it cost in the end
    stderr = result.stderr
    assert stderr.index("This run makes about 320 LLM calls") < stderr.index("320 LLM calls; ")
    report = json.loads((out / "report.json").read_text())
    assert report["traits"]["agreeableness"]["verdict"]["level"] == "fragile"
    assert "do not compare it across prompts" in (out / "report.md").read_text()
    assert (out / "report.html").read_text().startswith("<!doctype html>")
    assert len((out / "answers.jsonl").read_text().splitlines()) == 320


def test_a_rerun_asks_only_what_is_new(tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = answer("reliability", "--bot", CROOKED, *SMALL, "--out", out)
    again = run("reliability", "--bot", CROOKED, *SMALL, "--out", out, "--json")
    assert "makes about 0 LLM calls" in again.stderr
    assert json.loads(again.stdout) == first
    more = run("reliability", "--bot", CROOKED, *SMALL[:4], "--repeats", 3, "--out", out)
    assert "makes about 160 LLM calls" in more.stderr


def test_a_dry_run_asks_nothing(tmp_path: Path) -> None:
    prices = ("--price-in", 2, "--price-out", 8)
    found = answer("reliability", "--bot", STEADY, "--out", tmp_path / "x", "--dry-run", *prices)
    assert found["calls"] == 480
    expected = (found["tokens_in"] * 2 + found["tokens_out"] * 8) / 1e6
    assert found["price"] == pytest.approx(expected)
    assert not (tmp_path / "x").exists()


def test_the_budget_keeps_what_it_paid_for(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = run("reliability", "--bot", STEADY, *SMALL, "--max-calls", 50, "--out", out, code=2)
    assert result.stderr.count("Error:") == 1
    assert "the same command goes on" in result.stderr
    assert len((out / "answers.jsonl").read_text().splitlines()) == 50
    result = run("reliability", "--bot", STEADY, *SMALL, "--out", out)
    assert "makes about 270 LLM calls" in result.stderr


def test_personas_and_twins(tmp_path: Path) -> None:
    roles = write_lines(
        tmp_path / "roles.jsonl",
        [{"id": "loud", "system": "extraversion=5"}, {"id": "quiet", "system": "extraversion=1"},
         {"id": "loud", "system": "twice"}],
    )  # fmt: skip
    twins = tmp_path / "twins.csv"
    rows = [f'{id},"{text}"' for id, text in DENIED.items()]
    twins.write_text("item,negated\n" + "\n".join(rows[:19]) + "\n")
    found = run(
        "reliability", "--bot", STEADY, "--wordings", 1, "--temperatures", "0", "--repeats", 1,
        "--personas", roles, "--twins", twins, "--out", tmp_path / "run", "--json",
    )  # fmt: skip
    assert "roles.jsonl:3: the id 'loud' occurs twice" in found.stderr
    report = json.loads(found.stdout)
    assert report["respondents"] == ["loud", "quiet"]
    assert report["traits"]["extraversion"]["by_respondent"] == {"loud": 5.0, "quiet": 1.0}
    assert report["conduct"]["negated_twins"]["n"] == 2 * 19
    assert "1 of 20 items have no negated twin in the file." in report["notes"]
    # one sitting a respondent, at temperature 0: nothing is NaN, and reasons are told
    assert report["traits"]["openness"]["icc"]["code"] == "no_variance"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--wordings", 9), "there are 3 wordings"),
        (("--temperatures", "warm"), "numbers such as 0,0.7"),
        (("--temperatures", "nan"), "numbers such as 0,0.7"),
        (("--temperatures", "-1"), "numbers such as 0,0.7"),
        (("--instrument", "bfi-44"), "there is no instrument 'bfi-44'"),
        (("--personas", "none.jsonl"), "none.jsonl"),
        (("--persona", "none.txt"), "cannot read the persona"),
        (("--twins", "none.csv"), "none.csv"),
        (("--price-in", 1), "--price-in and --price-out belong together"),
    ],
)
def test_one_line_for_a_mistake(tmp_path: Path, args: tuple[object, ...], says: str) -> None:
    result = run("reliability", "--bot", STEADY, "--out", tmp_path / "run", *args, code=2)
    (line,) = [text for text in result.stderr.splitlines() if text.startswith("Error:")]
    assert says in line
    assert not (tmp_path / "run" / "answers.jsonl").exists()


def test_another_bots_folder_is_refused(tmp_path: Path) -> None:
    role = tmp_path / "role.txt"
    role.write_text("extraversion=1")
    args = ("reliability", "--bot", STEADY, *SMALL, "--out", tmp_path / "run")
    run(*args)
    result = run(*args, "--persona", role, code=2)
    assert "name another folder with --out" in result.stderr
