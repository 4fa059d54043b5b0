"""``persona-lab consistency``: rows, resume, the view, and input that is bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from persona_lab.cli.consistency_view import sparkline
from persona_lab.cli.lazy import Entry, LazyGroup
from persona_lab.consistency.parts import NotScored
from persona_lab.detectors.registry import MODELS_VARIABLE

FILLER = "and then we did this and that with them again"


class _Commands(LazyGroup):
    entries = (Entry("consistency", "persona_lab.cli.consistency", "Measure consistency."),)


app = typer.Typer(cls=_Commands)


@app.callback()
def _root() -> None:
    """Only this command."""


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _settings(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(
        "persona_lab.consistency.judge.load_nli", lambda: NotScored("no model here", "no_model")
    )


@pytest.fixture
def run() -> Run:
    def consistency(*args: object, input: str | None = None, code: int = 0) -> Result:
        given = ["consistency", *map(str, args), "--detector", "toy"]
        result = CliRunner().invoke(app, given, input=input)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return consistency


def dialogue(id: str, n: int = 8) -> dict[str, Any]:
    lines = [f"The party {i} was kind, {FILLER}." for i in range(n)]
    turns = [{"speaker": "AB"[i % 2], "text": line} for i, line in enumerate(lines)]
    return {"id": id, "turns": turns}


def write(path: Path, *records: object) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    return write(tmp_path / "talks.jsonl", dialogue("one"), dialogue("two", 2), dialogue("three"))


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_of_json_and_of_a_file_are_the_same(run: Run, talks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    printed = [json.loads(x) for x in run(talks, "--json").stdout.splitlines()]
    run(talks, "--out", out)
    assert rows(out) == printed
    assert [(r["id"], r["speaker"]) for r in printed] == [
        (id, who) for id in ("one", "two", "three") for who in "AB"
    ]
    assert [r["status"] for r in printed] == ["scored"] * 2 + ["unscored"] * 2 + ["scored"] * 2
    assert printed[0]["unscored"]["contradiction"] == "no model here"


def test_resume(run: Run, talks: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    run(talks, "--out", whole)
    run(talks, "--out", part, "--limit", 2)
    torn = part.read_text(encoding="utf-8") + '{"id": "thr'
    part.write_text(torn, encoding="utf-8")
    assert "already" in run(talks, "--out", part, "--resume").output
    assert part.read_bytes() == whole.read_bytes()
    assert "already" in run(talks, "--out", part, code=2).output
    # other settings are another measure
    run(talks, "--out", part, "--resume", "--target", "E+", code=2)


def test_the_view(run: Run, talks: Path) -> None:
    shown = run(talks, "--target", "E+").stdout
    assert "one · A" in shown
    assert "extraversion" in shown
    assert "target match" in shown
    assert "not scored: contradiction: no model here" in shown
    assert "What costs most is" in shown


def test_many_speakers_are_one_a_line(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "many.jsonl", *(dialogue(f"talk-{i}") for i in range(15)))
    shown = run(path).stdout.splitlines()
    assert len(shown) == 1 + 30
    assert shown[0].startswith("id ")
    assert shown[-1].startswith("talk-14")


def test_success_rate(run: Run, talks: Path) -> None:
    assert "target met in 6 of 6 (100%)" in run(talks, "--target", "E+").output
    assert "target met in 0 of 6 (0%)" in run(talks, "--target", "E-").output


def test_bad_rows_are_told_and_the_others_go_on(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.jsonl", dialogue("one"), "{broken", dialogue("three"))
    result = run(path, "--json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [r.get("code") for r in found] == [None, None, "unreadable", None, None]
    assert "bad.jsonl:2" in result.stderr
    assert "bad.jsonl:1" in run(write(path, "{broken"), code=2).output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "XYZZ"], "not an MBTI type"),
        (["--target", "none.json"], "cannot read the target"),
        (["--persona", "none.txt"], "cannot read the persona"),
        (["--resume"], "name one"),
        (["--speaker", "nobody"], "nobody"),
    ],
)
def test_mistakes(run: Run, talks: Path, options: list[str], message: str) -> None:
    assert message in " ".join(run(talks, *options, code=2).output.split())


def test_an_empty_persona_file(run: Run, talks: Path, tmp_path: Path) -> None:
    empty = tmp_path / "persona.txt"
    empty.write_text("\n\n")
    assert "holds no persona statement" in run(talks, "--persona", empty, code=2).output


def test_sparkline() -> None:
    assert sparkline([0.0, 0.5, 1.0], unicode=True) == "▁▅█"
    assert sparkline([0.0, 0.55, 1.0], unicode=False) == "059"
    assert len(sparkline([0.5] * 1000, unicode=True)) == 60


def test_a_folder(run: Run, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(json.dumps(dialogue("k")) + "\n")
    (tmp_path / "bad.csv").write_text("key,body\n1,Hi\n")
    result = run(tmp_path, "--json")
    found = dict.fromkeys(json.loads(line)["id"] for line in result.stdout.splitlines())
    assert list(found) == ["a.jsonl:k", "b.jsonl:k", "bad.csv"]
