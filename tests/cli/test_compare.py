"""``persona-lab compare``: a gate for CI."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import Result

from tests.cli.test_interview import ACTED, SUNNY, run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two interviews of the same bot, and one after it has become another."""
    folder = tmp_path_factory.mktemp("runs")
    found = {}
    changed = SUNNY.replace("extraverted", "introverted")
    for name, system in {"main": SUNNY, "same": SUNNY, "changed": changed}.items():
        found[name] = str(folder / name)
        result = run(
            "interview", "--bot", ACTED, "--instrument", "ipip-20", "--system", system,
            "--repeats", "2", "--out", found[name],
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
    return found


def test_the_same_bot_passes(runs: dict[str, str]) -> None:
    result = run("compare", runs["main"], runs["same"])
    assert result.exit_code == 0, result.stderr
    assert "0 of 5 traits drifted" in result.stderr


def changed(runs: dict[str, str], *more: str) -> Result:
    return run("compare", runs["main"], f"{runs['changed']}/profile.json", *more)


def test_drift_is_exit_code_1(runs: dict[str, str], tmp_path: Path) -> None:
    result = changed(runs, "--json", "--junit", str(tmp_path / "d.xml"))
    assert result.exit_code == 1, result.stderr
    found = json.loads(result.stdout)
    assert (found["drifted"], found["compared"]) == (1, 5)
    (row,) = [c for c in found["changes"] if c["drifted"]]
    assert row["domain"] == "extraversion" and row["difference"]["high"] < 0
    suite = ElementTree.parse(tmp_path / "d.xml").getroot()[0]
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["extraversion"]


def test_the_table_names_the_drift(runs: dict[str, str]) -> None:
    result = changed(runs)
    line = next(line for line in result.stdout.splitlines() if line.startswith("drift"))
    assert "extrav" in line


def test_what_is_no_profile(runs: dict[str, str], tmp_path: Path) -> None:
    result = run("compare", runs["main"], str(tmp_path))
    assert result.exit_code == 2 and "cannot read" in result.stderr


def test_a_trait_is_one_line_in_80_columns(
    runs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = changed(runs).stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    traits = ["openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism"]
    for trait in traits:
        (line,) = [line for line in lines if trait in line]
        mark, _, before, after, change, *_ = line.split()
        assert (mark == "drift") == (trait == "extraversion")
        assert float(change) == pytest.approx(float(after) - float(before), abs=0.011)


def test_why_traits_are_not_compared_is_said_once(
    runs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    profile = json.loads(Path(runs["main"], "profile.json").read_text())
    for measured in profile["measurements"]:
        for key in ("openness", "neuroticism"):
            measured["domains"][key] |= {"units": {}, "score": None}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    result = run("compare", runs["main"], str(tmp_path))
    lines = result.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("-")] == [
        "openness",
        "neuroticism",
    ]
    (told,) = [line for line in lines if line.startswith("not compared")]
    assert told.startswith("not compared: openness, neuroticism: ")
    assert "2 of 5 traits could not be compared" in result.stderr
