"""``--detector psycot`` on the command line, with a function for a language model."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from persona_lab.cli import app

ACTED = "callable:tests.detectors.psycot.acted:answer"
PSYCOT = ("--detector", "psycot", "--llm", ACTED, "--instrument", "ipip-20")


def run(*args: str):
    return CliRunner().invoke(app, [*args])


@pytest.fixture
def talk(tmp_path):
    file = tmp_path / "talk.txt"
    file.write_text("Ann: We sparkle all day long.\nBob: I sit at home, quite alone.\n")
    return str(file)


@pytest.fixture
def labelled(tmp_path):
    file = tmp_path / "rows.jsonl"
    rows = [
        {
            "id": str(i),
            "text": f"I {'sparkle' if i % 2 else 'sit'} at home {i}.",
            "labels": {"extraversion": i % 2},
        }
        for i in range(24)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def test_score_asks_and_tells_what_it_used(talk):
    result = run("score", talk, *PSYCOT, "--json", "--explain")
    assert result.exit_code == 0, result.stderr
    ann, bob = map(json.loads, result.stdout.splitlines())
    assert ann["traits"]["extraversion"]["label"] == "high"
    assert bob["traits"]["extraversion"]["label"] == "low"
    assert len(ann["items"]) == 20
    assert "20 LLM calls" in result.stderr
    assert "option A" in result.stderr


def test_the_table_shows_items(talk):
    result = run("score", talk, *PSYCOT, "--explain", "--speaker", "Ann")
    assert "The author is the life of the party" in result.stdout


def test_dry_run_asks_nothing(talk):
    result = run(
        "score", talk, *PSYCOT, "--dry-run", "--json", "--price-in", "2", "--price-out", "8"
    )
    forecast = json.loads(result.stdout)
    assert forecast["calls"] == 20
    expected = (forecast["tokens_in"] * 2 + forecast["tokens_out"] * 8) / 1e6
    assert forecast["price"] == pytest.approx(expected)
    assert "LLM calls;" not in result.stderr


def test_a_second_run_costs_nothing(talk, tmp_path):
    cassette = ("--cassette", str(tmp_path / "replies.sqlite"))
    first = run("score", talk, *PSYCOT, *cassette, "--json")
    second = run("score", talk, *PSYCOT, *cassette, "--json", "--offline")
    assert second.exit_code == 0, second.stderr
    assert first.stdout == second.stdout
    assert "20 replayed" in second.stderr


def test_offline_without_the_reply_is_one_line(talk, tmp_path):
    cassette = ("--cassette", str(tmp_path / "replies.sqlite"))
    assert run("score", talk, *PSYCOT, *cassette, "--speaker", "Ann").exit_code == 0
    result = run("score", talk, *PSYCOT, *cassette, "--offline")
    assert result.exit_code == 2
    assert result.stderr.count("Error:") == 1


def test_the_budget_keeps_what_it_paid_for(talk, tmp_path):
    out = tmp_path / "rows.jsonl"
    result = run(
        "score", talk, *PSYCOT, "--max-calls", "12", "--concurrency", "1", "--out", str(out)
    )
    assert result.exit_code == 2
    assert "--max-calls" in result.stderr
    assert [json.loads(line)["speaker"] for line in out.read_text().splitlines()] == ["Ann"]


def test_evaluate_calibrates_and_score_uses_it(labelled, talk, tmp_path):
    result = run(
        "evaluate", labelled, *PSYCOT, "--framework", "bigfive", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["traits"]["extraversion"]["accuracy"]["value"] == 1.0
    assert found["conduct"]["failures"] == {}
    assert {row["r"] for row in found["items"] if row["trait"] == "extraversion"} == {1.0}
    assert found["calibration"]["extraversion"]["slope"] > 0
    file = tmp_path / "calibration.json"
    file.write_text(result.stdout)
    scored = run("score", talk, *PSYCOT, "--calibration", str(file), "--json")
    row = json.loads(scored.stdout.splitlines()[0])
    assert row["warnings"] == []
    assert row["traits"]["extraversion"]["p_high"] != 0.875


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--detector", "psycot"), "--llm SPEC"),
        (("--llm", ACTED), "--llm is about --detector psycot"),
        ((*PSYCOT, "--variant", "astrology"), "psycot-expect"),
        ((*PSYCOT, "--framework", "mbti"), "does not score 'mbti'"),
        ((*PSYCOT, "--calibration", "missing.json"), "cannot read --calibration"),
        ((*PSYCOT, "--instrument", "bfi-44"), "bfi-44"),
        ((*PSYCOT, "--price-in", "2"), "give both"),
    ],
)
def test_mistakes_are_one_line(talk, args, says):
    result = run("score", talk, *args)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert result.stderr.count("Error:") == 1
