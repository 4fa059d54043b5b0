"""``persona-lab report``: from results to a page, through the other commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persona_lab.cli import app
from persona_lab.detectors.registry import MODELS_VARIABLE
from tests.reports.test_report_dataset import Read, assert_self_contained

FILLER = "and then we did this and that and the other thing with them. "
LOUD = "The party was a party. " + FILLER * 3
QUIET = "I was alone. " + FILLER * 3
SHORT = "Hm, a party."

Run = Callable[..., Result]


@pytest.fixture
def run(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``persona-lab ARGS`` in one process."""
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*args: object, code: int = 0) -> Result:
        result = CliRunner().invoke(app, [*map(str, args)], prog_name="persona-lab")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    texts = {"l": LOUD, "q": QUIET, "m": LOUD + " Ha.", "s": SHORT, "e": ""}
    rows = ({"id": id, "text": text} for id, text in texts.items())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def scores(run: Run, data: Path, tmp_path: Path) -> Path:
    path = tmp_path / "scores.jsonl"
    run("score", data, "--detector", "toy", "--framework", "bigfive", "--out", path)
    return path


def test_from_texts_to_a_page(run: Run, scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = run("report", scores, "-o", out, "--title", "My <texts>", "--json")
    figures = json.loads(result.stdout)
    assert (figures["kind"], figures["title"]) == ("scores", "My <texts>")
    assert figures["rows"]["scored"] == 4 and figures["unscored"][0]["rows"] == 1
    rows = [json.loads(line) for line in scores.read_text().splitlines()]
    given = [row["traits"]["extraversion"] for row in rows if row["status"] == "scored"]
    trait = figures["frameworks"][0]["traits"][2]
    assert trait["mean"] == pytest.approx(sum(t["p_high"] for t in given) / 4, abs=1e-4)
    assert trait["labels"]["abstain"] == sum(t["label"] == "abstain" for t in given)
    html = out.read_text(encoding="utf-8")
    assert_self_contained(html)
    read = Read(html)
    assert read.text.startswith("My <texts>")
    assert read.column("In figures", "mean of p")["extraversion"] == f"{trait['mean']:.2f}"
    assert f"The page is in {out}" in result.stderr.replace("\n", "")
    assert str(tmp_path) not in html


def test_nothing_is_overwritten_unasked(run: Run, scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("mine")
    result = run("report", scores, "-o", out, code=2)
    assert "use --overwrite to replace it" in result.stderr and out.read_text() == "mine"
    run("report", scores, "-o", out, "--overwrite")
    assert out.read_text().startswith("<!doctype html>")
    before = scores.read_text()
    result = run("report", scores, "-o", scores, "--overwrite", code=2)
    assert "one of the results" in result.stderr and scores.read_text() == before
    run("report", scores, "-o", tmp_path, "--overwrite", code=2)
    assert "cannot write" in run("report", scores, "-o", out / "p.html", code=2).stderr
    run("report", scores, "-o", tmp_path / "new" / "folder" / "p.html")
    assert (tmp_path / "new" / "folder" / "p.html").is_file()


def test_bad_rows_are_told(run: Run, scores: Path, tmp_path: Path) -> None:
    with scores.open("a") as file:
        file.write("{torn\n" * 7)
    result = run("report", scores, "-o", tmp_path / "page.html")
    assert result.stderr.count("left out scores.jsonl:") == 5
    assert "7 rows could not be read" in result.stderr


def test_a_filter_run(run: Run, data: Path, tmp_path: Path) -> None:
    kept, out = tmp_path / "kept", tmp_path / "page.html"
    run(
        "filter", data, "--out", kept, "--keep", "extraversion.p_high >= 0.6", "--detector", "toy",
        "--workers", 1,
    )  # fmt: skip
    figures = json.loads(run("report", kept, "-o", out, "--json").stdout)
    (found,) = figures["runs"]
    assert found["summary"] == json.loads((kept / "summary.json").read_text())
    assert found["summary"]["rows"] == {"total": 5, "kept": 3, "dropped": 1, "unscored": 1}
    extraversion = next(t for t in found["traits"] if t["key"] == "extraversion")
    assert extraversion["n"] == {"all": 4, "kept": 3}
    assert sum(extraversion["bins"]["kept"][:12]) == 0
    # lengths of all five, the empty one among them
    assert sum(one["all"] for one in found["words"]) == found["summary"]["speakers"]
    assert sum(one["kept"] for one in found["words"]) == 3
    html = out.read_text()
    assert_self_contained(html)
    read = Read(html)
    assert read.tables["What each clause drops"][1] == ["extraversion.p_high >= 0.6", "1", "1"]
    assert "toy 1.2" in read.text and found["models"][0]["sha256"] in read.text
    both = tmp_path / "both.html"
    run("filter", "--scores", kept, "--keep", "words > 40", "--out", tmp_path / "long")
    run("report", kept, tmp_path / "long", "-o", both)
    table = Read(both.read_text()).tables["All runs"]
    assert [row[0] for row in table[1:]] == ["kept", "long"]


def test_an_unfinished_run_and_mixed_kinds(run: Run, scores: Path, tmp_path: Path) -> None:
    unfinished = tmp_path / "kept"
    unfinished.mkdir()
    (unfinished / "manifest.json").write_text('{"job": {}}')
    out = tmp_path / "page.html"
    assert "is not finished" in run("report", unfinished, "-o", out, code=2).stderr
    result = run("report", scores, unfinished, "-o", out, code=2)
    assert str(unfinished) in result.stderr.replace("\n", "") and not out.exists()


def test_help_names_what_it_reads(run: Run) -> None:
    text = " ".join(run("report", "--help").stdout.split())
    assert "score --out" in text and "profile.json" in text and "--overwrite" in text
    assert "report" in run("--help").stdout


@pytest.fixture
def trials(run: Run, tmp_path: Path) -> dict[str, Path]:
    """A run of each command that puts bots to the test."""
    acted = "callable:tests.psychometrics.acted"
    roles = tmp_path / "roles.jsonl"
    roles.write_text(
        "".join(
            json.dumps({"id": name, "system": f"You are {name}.", "group": name}) + "\n"
            for name in ("Wilma", "Tarek")
        )
    )
    found = {name: tmp_path / name for name in ("reliability", "populations", "again")}
    small = ("--wordings", 1, "--orders", 1, "--temperatures", "0")
    run("reliability", "--bot", f"{acted}:steady", *small, "--out", found["reliability"])
    run("reliability", "--bot", f"{acted}:crooked", *small, "--out", found["again"])
    run("populations", "--bot", f"{acted}:steady", "--personas", roles, "--out",
        found["populations"])  # fmt: skip
    return found


def test_trials_of_bots(run: Run, trials: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    for kind in ("reliability", "populations"):
        given = trials[kind]
        result = run("report", given, "-o", out, "--overwrite", "--json", "--title", "A <title>")
        figures = json.loads(result.stdout)
        assert (figures["kind"], figures["title"]) == (kind, "A <title>")
        assert figures["reports"][0]["report"] == json.loads((given / "report.json").read_text())
        html = out.read_text()
        assert_self_contained(html)
        assert "<h1>A &lt;title&gt;</h1>" in html and "<td>Agreeableness</td>" in html
    run("report", trials["reliability"] / "report.json", "-o", out, "--overwrite")
    both = run("report", trials["reliability"], trials["again"], "-o", out, "--overwrite")
    assert "Warning" not in both.stderr
    html = out.read_text()
    assert html.count("<h1>") == 1 and html.count("<h2>") >= 2
    assert "<em>reliability</em>" in html and "<em>again</em>" in html
    mixed = run(
        "report", trials["reliability"], trials["populations"], "-o", tmp_path / "no", code=2
    )
    assert "a reliability run" in mixed.stderr and "a population" in mixed.stderr
    (trials["again"] / "report.md").unlink()
    result = run("report", trials["again"], "-o", out, "--overwrite", code=2)
    assert "run the command that wrote the folder again" in result.stderr.replace("\n", " ")
