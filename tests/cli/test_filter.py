"""``persona-lab filter``: words, streams, exit codes and the three commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persona_lab.cli import app
from persona_lab.detectors.registry import MODELS_VARIABLE

FILLER = "and then we did this and that and the other thing with them. "
LOUD = "The party was a party. " + FILLER * 3
QUIET = "I was alone. " + FILLER * 3

Run = Callable[..., Result]


@pytest.fixture
def run(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``persona-lab filter ARGS`` in one process."""
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*args: object, input: str | None = None, code: int = 0) -> Result:
        given = ["filter", *map(str, args)]
        result = CliRunner().invoke(app, given, input=input, prog_name="persona-lab")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return call


def lines(*records: object) -> str:
    return "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    rows = ({"id": i, "text": t} for i, t in (("l", LOUD), ("q", QUIET), ("m", LOUD + " Ha.")))
    path.write_text(lines(*rows), encoding="utf-8")
    return path


KEEP = ("--keep", "extraversion.p_high >= 0.6", "--detector", "toy", "--workers", 1)


def test_a_run_and_what_it_prints(run: Run, data: Path, tmp_path: Path) -> None:
    result = run(data, "--out", tmp_path / "out", *KEEP)
    assert [line.split() for line in result.stdout.splitlines()[:5]] == [
        ["rows", "share"],
        ["kept", "2", "66.7%"],
        ["dropped", "1", "33.3%"],
        ["unscored", "0", "0.0%"],
        ["total", "3"],
    ]
    assert "extraversion.p_high >= 0.6  1" in result.stdout
    assert f"are in {tmp_path / 'out'}" in result.stderr.replace("\n", "")
    kept = (tmp_path / "out/kept/in.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in kept] == ["l", "m"]


def test_json(run: Run, data: Path, tmp_path: Path) -> None:
    result = run(data, "--out", tmp_path / "out", *KEEP, "--json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "out/summary.json").read_text())


def test_the_default_command_may_be_named(run: Run, data: Path, tmp_path: Path) -> None:
    run("run", data, "--out", tmp_path / "out", *KEEP)
    assert "INPUT..." in run("--help").stdout
    assert "sweep" in run("--help").stdout


def test_stdin(run: Run, tmp_path: Path) -> None:
    text = lines({"id": 1, "text": LOUD}, {"id": 2, "text": QUIET})
    run("-", "--out", tmp_path / "out", *KEEP, input=text)
    out = tmp_path / "out"
    assert (out / "kept/stdin").read_text() == lines({"id": 1, "text": LOUD})
    assert (out / "input/stdin").read_text() == text
    # what was read is there: a second run with --resume needs no input
    run("-", "--out", out, *KEEP, "--resume", input="")


def test_decide_again_sweep_and_preview(run: Run, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(data, "--out", out, "--detector", "toy", "--workers", 1)
    assert run("--scores", out, "--keep", "words < 44", "--json").stdout.count('"kept": 1') == 1
    run("--scores", out, "--keep", "words < 44", "--out", tmp_path / "two")
    assert json.loads((tmp_path / "two/kept/in.jsonl").read_text())["id"] == "q"
    swept = run(
        "sweep", "--scores", out, "--keep", "words > 1", "--vary", "words=42,43,44,45", "--json"
    )
    assert [json.loads(line)["kept"] for line in swept.stdout.splitlines()] == [2, 2, 1, 0]
    table = run("sweep", "--scores", out, "--keep", "words > 1", "--vary", "words=42,44").stdout
    assert [row.split()[:3] for row in table.splitlines()[1:]] == [
        ["42", "2", "66.7%"],
        ["44", "1", "33.3%"],
    ]
    page = tmp_path / "page.html"
    run("preview", "--scores", out, "--keep", "words < 44", "--out", page)
    assert "words &lt; 44" in page.read_text()


class TestExitCodes:
    def test_a_speaker_who_is_in_no_dialogue(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "in.jsonl"
        turns = [{"speaker": "Ines", "text": LOUD}, {"speaker": "Otto", "text": QUIET}]
        path.write_text(lines({"turns": turns}, {"turns": turns[:1]}))
        result = run(path, "--out", tmp_path / "out", *KEEP, "--speaker", "Inez", code=2)
        told = result.stderr.replace("\n", " ")
        assert "no dialogue has a speaker 'Inez'; speakers there: Ines, Otto" in told
        # the rows are there all the same, with the reason
        reasons = (tmp_path / "out/unscored.reasons.jsonl").read_text()
        assert reasons.count("no_speaker") == 2
        # one dialogue that has the speaker is enough
        found = run(path, "--out", tmp_path / "two", *KEEP, "--speaker", "otto", "--json", code=1)
        assert json.loads(found.stdout)["unscored"] == {"no_speaker": 1}

    def test_nothing_kept(self, run: Run, data: Path, tmp_path: Path) -> None:
        result = run(
            data, "--out", tmp_path / "out", "--keep", "words > 999", "--detector", "toy", code=1
        )
        assert "nothing was kept" in result.stderr

    def test_rows_that_cannot_be_read(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "in.jsonl"
        path.write_text(lines({"text": LOUD}, "{broken", {"text": QUIET}))
        result = run(path, "--out", tmp_path / "out", *KEEP, code=3)
        assert "1 rows could not be read" in result.stderr.replace("\n", " ")
        summary = json.loads((tmp_path / "out/summary.json").read_text())
        assert summary["rows"] == {"total": 3, "kept": 1, "dropped": 1, "unscored": 1}

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (("--keep", "extravert > 1"), "unknown field 'extravert'"),
            (("--keep", "words >"), "is not an expression"),
            (("--preset", "best"), "there is no preset 'best'"),
            (("--cascade",), "--cascade needs --keep"),
            (("--fields", "charm"), "--fields names an unknown field 'charm'"),
            (("--resume", "--overwrite"), "give one of them"),
            (("--target", "E+", "--target-field", "profile"), "exclude each other"),
            (("--target", "a tall one"), "cannot read the target"),
        ],
    )
    def test_mistakes(
        self, run: Run, data: Path, tmp_path: Path, args: tuple[str, ...], message: str
    ) -> None:
        result = run(data, "--out", tmp_path / "out", "--detector", "toy", *args, code=2)
        assert message in result.stderr.replace("\n", " ")
        assert not (tmp_path / "out").exists()

    def test_no_input_or_no_output(self, run: Run, data: Path, tmp_path: Path) -> None:
        assert "give at least one file" in run("--out", tmp_path / "o", *KEEP, code=2).stderr
        assert "name a folder for the results" in run(data, *KEEP, code=2).stderr
        assert "leave the inputs away" in run(data, "--scores", tmp_path, code=2).stderr
        (tmp_path / "empty").mkdir()
        assert "has no file to read" in run(tmp_path / "empty", "--out", "o", *KEEP, code=2).stderr
