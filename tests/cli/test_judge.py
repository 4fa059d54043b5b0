"""``persona-lab judge`` with acted players and judges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persona_lab.reports.trials import trial_kind
from tests.cli.trials import answer, run, write_lines

ACTED = "callable:tests.judging.acted:"


@pytest.fixture
def rubrics(tmp_path: Path) -> Path:
    folder = tmp_path / "rubrics"
    folder.mkdir()
    levels = "\n".join(f"Score = {n}: {'good ' * n}" for n in range(1, 6))
    (folder / "Fit.txt").write_text(f"Does it fit?\n{levels}\n")
    return folder


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    rows = [
        {"id": f"c{i}", "persona": "a baker", "question": "Who?",
         "response": f"quality {i % 5 + 1}", "reference": "quality"}
        for i in range(10)
    ]  # fmt: skip
    return write_lines(tmp_path / "cases.jsonl", rows)


def test_two_judges(tmp_path: Path, rubrics: Path, cases: Path) -> None:
    out = tmp_path / "run"
    result = run(
        "judge", cases, "--rubric", rubrics, "--judge", f"{ACTED}fair", "--judge",
        f"{ACTED}five", "--out", out,
    )  # fmt: skip
    assert "gives every case 5 on Fit" in result.stdout
    assert trial_kind(out) == "judge"
    assert "This run makes about 60 LLM calls" in result.stderr
    report = json.loads((out / "report.json").read_text())
    assert report["rubrics"]["Fit"]["mean"]["estimate"] == 4.0
    assert report["rouge_l_recall"]["mean"]["estimate"] == 1.0
    assert report["rouge_l_recall"]["correlation_with_score"]["code"] == "no_variance"
    assert len((out / "votes.jsonl").read_text().splitlines()) == 60
    again = run("judge", cases, "--rubric", rubrics, "--judge", f"{ACTED}fair", "--judge",
                f"{ACTED}five", "--out", out)  # fmt: skip
    assert again.stdout == result.stdout
    assert "LLM calls;" not in again.stderr


def test_the_bot_answers(tmp_path: Path, rubrics: Path) -> None:
    cases = write_lines(
        tmp_path / "q.jsonl",
        [{"id": "1", "persona": "a quality 4 baker", "questions": {"Fit": ["Who?", "Why?"],
          "Other": ["What?"]}},
         {"id": "2", "persona": "a quality 2 baker", "situation": "You want bread."},
         {"id": "2", "persona": "twice", "situation": "You want bread."}],
    )  # fmt: skip
    args = ("judge", cases, "--rubric", rubrics, "--bot", f"{ACTED}player", "--judge",
            f"{ACTED}fair", "--interrogator", f"{ACTED}parrot_user", "--turns", 4, "--votes", 2,
            "--out", tmp_path / "run")  # fmt: skip
    assert answer(*args, "--dry-run")["calls"] == 2 + 4 + 3 * 2
    found = answer(*args)
    assert found["rubrics"]["Fit"]["scores"] == {"1:Fit:1": 4.0, "1:Fit:2": 4.0, "2": 2.0}
    assert any("1 cases are for other rubrics only" in note for note in found["notes"])
    assert any("q.jsonl:3" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "name who answers with --bot"),
        (("--judge-model", "x", "--judge-model", "y"), "name all models or none"),
        (("--judge", f"{ACTED}fair"), "for more votes of one use --votes"),
        (("--rubric", "none.txt"), "cannot read the rubric"),
    ],
)
def test_one_line_for_a_mistake(
    tmp_path: Path, rubrics: Path, args: tuple[object, ...], says: str
) -> None:
    cases = write_lines(tmp_path / "q.jsonl", [{"id": "1", "persona": "p", "question": "q"}])
    result = run("judge", cases, "--rubric", rubrics, "--judge", f"{ACTED}fair", "--out",
                 tmp_path / "run", *args, code=2)  # fmt: skip
    assert says in result.stderr
    assert result.stderr.count("Error:") == 1


def test_no_case_can_be_judged(tmp_path: Path, rubrics: Path) -> None:
    cases = write_lines(tmp_path / "q.jsonl", [{"id": "1"}])
    result = run("judge", cases, "--rubric", rubrics, "--judge", f"{ACTED}fair", "--out",
                 tmp_path / "run", code=2)  # fmt: skip
    assert "q.jsonl holds no case that can be judged by: Fit" in result.stderr


def test_the_budget_keeps_votes(tmp_path: Path, rubrics: Path, cases: Path) -> None:
    args = ("judge", cases, "--rubric", rubrics, "--judge", f"{ACTED}fair", "--out", tmp_path / "r")
    result = run(*args, "--max-calls", 4, code=2)
    assert "the same command goes on" in result.stderr
    assert len((tmp_path / "r" / "votes.jsonl").read_text().splitlines()) == 4
    assert answer(*args)["rubrics"]["Fit"]["mean"]["estimate"] == 3.0
