"""``persona-lab converse`` with acted speakers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persona_lab.reports.trials import trial_kind
from tests.cli.trials import answer, run, write_lines
from tests.conversing.acted import PEOPLE

ACTED = "callable:tests.conversing.acted:"
SMALL = ("--turns", 4, "--repeats", 2, "--no-alignment")


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "roles.jsonl", [*PEOPLE, {"id": "cy", "system": "calm"}])


def test_two_talk(tmp_path: Path, roles: Path) -> None:
    out = tmp_path / "run"
    args = ("converse", "--bot", f"{ACTED}swayed", "--personas", roles, *SMALL, "--repeats", 3,
            "--out", out)  # fmt: skip
    result = run(*args)
    assert "bob answers differently after talking: Extraversion +2.0 points." in result.stdout
    assert "makes about 252 LLM calls" in result.stderr
    assert "252 LLM calls; " in result.stderr
    report = json.loads((out / "report.json").read_text())
    assert trial_kind(out) == "converse"
    assert report["speakers"]["bob"]["traits"]["extraversion"]["after"] == 3.0
    assert len((out / "talks.jsonl").read_text().splitlines()) == 3
    assert "LLM calls;" not in run(*args).stderr


def test_dry_run_and_choice_of_speakers(tmp_path: Path, roles: Path) -> None:
    args = ("converse", "--bot", f"{ACTED}steady", "--personas", roles, *SMALL, "--out",
            tmp_path / "run", "--speakers", "cy,ann", "--instrument", "none")  # fmt: skip
    assert answer(*args, "--dry-run")["calls"] == 8
    assert list(answer(*args)["speakers"]) == ["cy", "ann"]


def test_a_partner_of_another_model(tmp_path: Path, roles: Path) -> None:
    found = answer(
        "converse", "--bot", f"{ACTED}steady", "--partner", f"{ACTED}silent", "--personas",
        roles, *SMALL, "--instrument", "none", "--out", tmp_path / "run",
    )  # fmt: skip
    assert found["broken"] == {"refusal": 2}
    assert found["talks"] == 0


def test_alignment_is_measured(tmp_path: Path, roles: Path) -> None:
    found = answer(
        "converse", "--bot", f"{ACTED}parrot", "--personas", roles, "--instrument", "none",
        "--turns", 10, "--repeats", 1, "--out", tmp_path / "run",
    )  # fmt: skip
    assert found["speakers"]["ann"]["alignment"]["words"]["estimate"] > 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--speakers", "ann,eve"), "there is no persona 'eve'; the file holds: ann, bob, cy"),
        (("--speakers", "ann"), "two personas talk"),
        (("--speakers", "ann,ann"), "two speakers are called 'ann'"),
        (("--instrument", "bfi-44"), "there is no instrument"),
    ],
)
def test_one_line_for_a_mistake(
    tmp_path: Path, roles: Path, args: tuple[object, ...], says: str
) -> None:
    given = ("converse", "--bot", f"{ACTED}steady", "--personas", roles, *SMALL)
    result = run(*given, "--out", tmp_path / "run", *args, code=2)
    assert says in result.stderr
    assert result.stderr.count("Error:") == 1
