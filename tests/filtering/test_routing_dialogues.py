"""Rows of dialogues that are not one a row go where their dialogue goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from persona_lab.cli import app
from persona_lab.detectors.registry import MODELS_VARIABLE

FILLER = "and then we did this and that and the other thing with them. "
LOUD, QUIET = "The party was a party. " + FILLER * 3, "I was alone. " + FILLER * 3
TURNS = [("p", "Mira", LOUD), ("q", "Bo", QUIET), ("p", "Bo", LOUD), ("q", "Mira", QUIET)]
ROWS = [{"conversation_id": c, "speaker": who, "text": text} for c, who, text in TURNS]
KEEP = ("--keep", "extraversion.p_high >= 0.6", "--detector", "toy", "--workers", 1)

Run = Callable[..., Result]


@pytest.fixture
def run(toy_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``persona-lab filter ARGS``; the results are in ``out``."""
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))

    def call(*args: object) -> Result:
        given = ["filter", *map(str, args), "--out", str(tmp_path / "out"), *map(str, KEEP)]
        result = CliRunner().invoke(app, given, prog_name="persona-lab")
        assert result.exit_code in (0, 3), result.output
        return result

    return call


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_json_lines(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + "{broken\n")
    assert "total        3" in run(path).stdout
    kept, dropped = (tmp_path / "out" / name / "in.jsonl" for name in ("kept", "dropped"))
    assert (lines(kept), lines(dropped)) == (ROWS[::2], ROWS[1::2])
    assert (tmp_path / "out" / "unscored" / "in.jsonl").read_text() == "{broken\n"


def test_an_array(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text(json.dumps(ROWS))
    run(path)
    kept = json.loads((tmp_path / "out" / "kept" / "in.json").read_text())
    dropped = json.loads((tmp_path / "out" / "dropped" / "in.json").read_text())
    assert (kept, dropped) == (ROWS[::2], ROWS[1::2])


def test_tables(run: Run, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "in.parquet")
    (tmp_path / "in.csv").write_text(
        "conversation_id,speaker,text\n" + "".join(f"{c},{s},{t}\n" for c, s, t in TURNS)
    )
    run(tmp_path / "in.parquet", tmp_path / "in.csv")
    out = tmp_path / "out"
    assert pq.read_table(out / "kept" / "in.parquet").to_pylist() == ROWS[::2]
    assert pq.read_table(out / "dropped" / "in.parquet").to_pylist() == ROWS[1::2]
    assert (out / "kept" / "in.csv").read_text().count("party") == 4
    assert (out / "kept" / "in.csv").read_text().count("alone") == 0


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_row_is_kept_only_if_both_its_replies_are(run: Run, tmp_path: Path, form: str) -> None:
    rows = [
        {"id": "both", "prompt": LOUD, "chosen": LOUD, "rejected": LOUD + "Yes."},
        {"id": "one", "prompt": LOUD, "chosen": LOUD, "rejected": QUIET},
    ]
    path = tmp_path / ("in.json" if form == "array" else "in.jsonl")
    path.write_text(json.dumps(rows) if form == "array" else "\n".join(map(json.dumps, rows)))
    run(path)
    kept, dropped = (tmp_path / "out" / name / path.name for name in ("kept", "dropped"))
    found = [json.loads(p.read_text()) for p in (kept, dropped)] if form == "array" else [
        lines(kept), lines(dropped)
    ]  # fmt: skip
    assert found == [rows[:1], rows[1:]]


def test_arrays_one_after_another_stay_apart(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text(json.dumps([{"text": LOUD}]) + json.dumps([{"text": QUIET}]))
    run(path)
    assert json.loads((tmp_path / "out" / "kept" / "in.json").read_text()) == [{"text": LOUD}]


def test_a_folder_with_a_description_and_odd_keys(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dataset_info.json").write_text('{"toy": {"file_name": "toy.jsonl"}}')
    (folder / "toy.jsonl").write_text(json.dumps({"text": LOUD, "labels": [1]}) + "\n")
    result = run(folder)
    assert "dataset_info.json left out" in result.stderr
    assert result.stderr.count("toy.jsonl: the key 'labels' is left out") == 1
    assert "total        1" in result.stdout


def test_dialogues_by_line(run: Run, tmp_path: Path) -> None:
    rows = [f"{LOUD} __eou__ {LOUD} __eou__", f"{QUIET} __eou__ {QUIET} __eou__"]
    bad = b"caf\xe9 __eou__ yes __eou__"
    path = tmp_path / "in.txt"
    path.write_bytes(b"\n".join([rows[0].encode(), bad, rows[1].encode()]) + b"\n")
    assert "total        3" in run(path).stdout
    folders = [tmp_path / "out" / name / "in.txt" for name in ("kept", "unscored", "dropped")]
    expected = [rows[0].encode(), bad, rows[1].encode()]
    assert [folder.read_bytes() for folder in folders] == [row + b"\n" for row in expected]


@pytest.mark.parametrize(
    "mark", ["\n\nHuman: {}\n\nAssistant: {}\n", "INT. A\n\nEVA\n{}\n\nKIM\n{}\n"]
)
def test_a_chat_that_is_a_file_is_copied_whole(run: Run, tmp_path: Path, mark: str) -> None:
    path = tmp_path / "in.txt"
    content = mark.format(LOUD, LOUD).encode() + b"caf\xe9\n"
    path.write_bytes(content)
    run(path)
    assert (tmp_path / "out" / "kept" / "in.txt").read_bytes() == content


def test_an_array_with_a_damaged_element(run: Run, tmp_path: Path) -> None:
    rows = [json.dumps({"text": text}).encode() for text in (LOUD, QUIET, LOUD)]
    rows.insert(1, b'{"text": "caf\xe9"}')
    (tmp_path / "in.json").write_bytes(b"[\n" + b",\n".join(rows) + b"\n]\n")
    run(tmp_path / "in.json")
    out = tmp_path / "out"
    kept, dropped, unscored = (
        json.loads((out / name / "in.json").read_text()) for name in ("kept", "dropped", "unscored")
    )
    assert (kept, dropped) == ([{"text": LOUD}] * 2, [{"text": QUIET}])
    assert len(unscored) == 1
