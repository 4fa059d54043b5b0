"""``persona-lab interview`` with a function for a chatbot."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner, Result

from persona_lab.cli.lazy import Entry, LazyGroup

ACTED = "callable:tests.interviews.acted:answer"
BOT = ("--bot", ACTED, "--instrument", "ipip-20")
SUNNY = "You are open, conscientious, extraverted, agreeable and stable."
GLOOMY = "You are conventional, spontaneous, introverted, critical and neurotic."


class Group(LazyGroup):
    entries = (
        Entry("interview", "persona_lab.cli.interview", "."),
        Entry("compare", "persona_lab.cli.compare", "."),
    )


app = typer.Typer(cls=Group)


@app.callback()
def root() -> None:
    """Both commands."""


def run(*args: str) -> Result:
    return CliRunner().invoke(app, [*args])


@pytest.fixture
def roles(tmp_path: Path) -> str:
    path = tmp_path / "roles.jsonl"
    rows = [
        {"id": "sunny", "system": SUNNY, "targets": "O+ C+ E+ A+ N-"},
        {"id": "gloomy", "system": GLOOMY, "targets": "E- N+"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_an_interview_from_the_question_to_the_report(tmp_path: Path, roles: str) -> None:
    out, junit = tmp_path / "out", tmp_path / "j.xml"
    result = run(
        "interview", *BOT, "--personas", roles, "--judge", ACTED, "--protocol", "self-report",
        "--protocol", "interview", "--rater", "closed", "--rater", "llm", "--repeats", "2",
        "--out", str(out), "--junit", str(junit), "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    profile = json.loads(result.stdout)
    assert json.loads((out / "profile.json").read_text()) == profile
    met = {m["protocol"]: m["positions"]["dimension_accuracy"] for m in profile["targets_met"]}
    assert {(p, m["correct"], m["total"]) for p, m in met.items()} == {
        ("self-report", 7, 7), ("interview", 7, 7),
    }  # fmt: skip
    assert "sunny" in (out / "report.html").read_text()
    assert "about 180 LLM calls" in result.stderr
    # both repeats say the same, and judging it twice at once is one call
    assert sum(c["calls"] + c["replayed"] for c in profile["cost"]) == 180
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("14", "0")
    again = run(
        "interview", *BOT, "--personas", roles, "--protocol", "self-report", "--repeats", "2",
        "--out", str(out),
    )  # fmt: skip
    assert "about 0 LLM calls" in again.stderr and again.exit_code == 0
    assert "Extraversion" in again.stdout


def test_dry_run_asks_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(
        "interview", *BOT, "--protocol", "story", "--out", str(out), "--dry-run", "--json",
        "--price-in", "1", "--price-out", "1",
    )  # fmt: skip
    found = json.loads(result.stdout)
    assert found["calls"] == 1 and found["price"] > 0 and not out.exists()


def test_targets_missed_are_failures(tmp_path: Path) -> None:
    junit = tmp_path / "j.xml"
    result = run(
        "interview", *BOT, "--system", SUNNY, "--target", "E- N-", "--out", str(tmp_path / "o"),
        "--junit", str(junit), "--name", "my bot",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    suite = ElementTree.parse(junit).getroot()[0]
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["extraversion"] and suite[0].get("classname").startswith("my bot.")


def test_short_forms_and_adaptive_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTED_INSTRUMENT", "ipip-50")
    bot = ("--bot", ACTED, "--instrument", "ipip-50")
    short = run("interview", *bot, "--items", "2", "--out", str(tmp_path / "s"), "--json")
    assert json.loads(short.stdout)["answers"]["n"] == 10
    result = run("interview", *bot, "--precision", "0.5", "--out", str(tmp_path / "a"), "--json")
    adaptive = json.loads(result.stdout)["adaptive"]
    assert adaptive["items_full"] == 50 and 15 <= adaptive["items_asked"] <= 30
    assert adaptive["saved"] == pytest.approx(1 - adaptive["items_asked"] / 50)


def test_recorded_answers_with_labels(tmp_path: Path) -> None:
    answers, labels = tmp_path / "a.jsonl", tmp_path / "l.jsonl"
    row = {"bot": "ann", "question": "Parties?", "domain": "extraversion"}
    rows = [row | {"answer": "I talk with everybody at the party."}, {"bot": "ann", "answer": "x"}]
    answers.write_text("".join(json.dumps(r) + "\n" for r in rows))
    known = [{"id": "ann", "targets": {"extraversion": 1.0}}, {"id": "ghost", "label": "ENTP"}]
    labels.write_text("".join(json.dumps(r) + "\n" for r in [*known, {"id": "ann"}]))
    result = run(
        "interview", "--answers", str(answers), "--instrument", "ipip-20", "--rater", "llm",
        "--judge", ACTED, "--labels", str(labels), "--out", str(tmp_path / "o"), "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    profile = json.loads(result.stdout)
    assert profile["alignment"][0]["positions"]["dimension_accuracy"]["correct"] == 1
    assert [p.split(": ")[0] for p in profile["problems"]] == ["a.jsonl:2", "l.jsonl:3"]
    assert result.stderr.count("Warning: ") == 2
    report = (tmp_path / "o" / "report.html").read_text()
    assert "a.jsonl:2" in report


MISTAKES = {
    "neither": ((), "--bot SPEC"),
    "both": (("--bot", ACTED, "--answers", "x"), "--answers FILE"),
    "bot": (("--bot", "chatty"), "cannot read --bot 'chatty'"),
    "judge": (("--bot", ACTED, "--judge", "chatty"), "cannot read --judge 'chatty'"),
    "two roles": (("--bot", ACTED, "--system", "a", "--persona", "b"), "one of them"),
    "protocol": (("--bot", ACTED, "--protocol", "chat"), "self-report, interview"),
    "rater": (("--bot", ACTED, "--rater", "mind"), "closed, option, llm, detector"),
    "wording": (("--bot", ACTED, "--wording", "rude"), "standard, first-person"),
    "target": (("--bot", ACTED, "--target", "chaotic"), "E+ N-"),
    "precision": (("--bot", ACTED, "--precision", "0"), "above 0"),
    "instrument": (("--bot", ACTED, "--instrument", "nope"), "bundled are"),
    "judges": (("--bot", ACTED, "--judge", ACTED, "--judge", ACTED), "same name"),
    "no judge": (("--bot", ACTED, "--protocol", "story", "--rater", "llm"), "--judge SPEC"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line(mistake: str, tmp_path: Path) -> None:
    args, expected = MISTAKES[mistake]
    if "--instrument" not in args:
        args = (*args, "--instrument", "ipip-20")
    result = run("interview", *args, "--out", str(tmp_path / "o"))
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert result.exit_code == 2 and len(errors) == 1, result.stderr
    assert expected in errors[0]


def bad_questionnaire(path: Path, **changes: object) -> str:
    from persona_lab.instruments import load_instrument

    record = json.loads(load_instrument("ipip-20").to_json())
    record["items"][3] |= changes
    path.write_text(json.dumps(record))
    return str(path)


@pytest.mark.parametrize(
    "changes, words",
    [({"keyed": 3}, "the key 3"), ({"domain": "grit"}, "grit"), ({"id": "1"}, "'1'")],
)
def test_a_bad_questionnaire_is_named(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    path = bad_questionnaire(tmp_path / "q.json", **changes)
    result = run("interview", "--bot", ACTED, "--instrument", path, "--out", str(tmp_path / "o"))
    assert result.exit_code == 2 and "q.json" in result.stderr and words in result.stderr
    assert not (tmp_path / "o").exists()


def test_no_answer_is_in_messages(tmp_path: Path) -> None:
    answers = tmp_path / "a.jsonl"
    answers.write_text(json.dumps({"question": "?", "answer": "my secret", "domain": "x"}) + "\n")
    result = run("interview", "--answers", str(answers), "--out", str(tmp_path / "o"))
    assert result.exit_code == 2 and "secret" not in result.stderr
