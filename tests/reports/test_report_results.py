"""Which kind of result a file or folder is, and what is said where it is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persona_lab.errors import InputError
from persona_lab.interviews.summary import FORMAT
from persona_lab.reports.results import ACCEPTED, recognise
from tests.reports.test_report_consistency import report
from tests.reports.test_report_dataset import scored, write


@pytest.fixture
def interview(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "main"
    folder.mkdir(parents=True)
    (folder / "profile.json").write_text(json.dumps({"format": FORMAT}, indent=1))
    return folder


def test_kinds_are_told_from_the_content(tmp_path: Path, interview: Path) -> None:
    scores = write(tmp_path / "a.txt", "", "{torn", scored("a", 0.5))
    rows = write(tmp_path / "b.jsonl", report("a"))
    copy = tmp_path / "main.json"
    copy.write_bytes((interview / "profile.json").read_bytes())
    run = tmp_path / "kept"
    (run / "ledger").mkdir(parents=True)
    (run / "manifest.json").write_text('{"job": {}}')
    kinds = {
        path: recognise([path])[0].kind
        for path in (scores, rows, interview, interview / "profile.json", copy, run / "ledger", run)
    }
    assert list(kinds.values()) == [
        "scores", "consistency", "interview", "interview", "interview", "filter", "filter",
    ]  # fmt: skip
    assert recognise([run / "ledger"])[0].path == run


def test_names_are_as_short_as_they_can_be(tmp_path: Path) -> None:
    paths = []
    for place in ("x/a", "x/b", "y/a"):
        (tmp_path / place).mkdir(parents=True)
        paths.append(write(tmp_path / place / "s.jsonl", scored("a", 0.5)))
    paths.append(write(tmp_path / "t.jsonl", scored("a", 0.5)))
    names = [given.name for given in recognise(paths)]
    assert names == ["x/a/s.jsonl", "b/s.jsonl", "y/a/s.jsonl", "t.jsonl"]


def test_mixed_kinds_are_named(tmp_path: Path, interview: Path) -> None:
    scores = write(tmp_path / "a.jsonl", scored("a", 0.5))
    with pytest.raises(InputError) as error:
        recognise([scores, interview])
    assert str(scores) in str(error.value) and str(interview) in str(error.value)
    assert "score rows" in str(error.value) and "an interview" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\xff\xfe\x00\n", b"{\n}\n", b"[1, 2]\n"])
def test_what_is_no_result(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        recognise([path])
    assert str(error.value) == f"{path} is no result; give {ACCEPTED}"


def test_what_is_not_there_or_there_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*gone\.jsonl: No such file"):
        recognise([tmp_path / "gone.jsonl"])
    with pytest.raises(InputError, match=f"the folder {tmp_path} holds no result"):
        recognise([tmp_path])
    scores = write(tmp_path / "a.jsonl", scored("a", 0.5))
    with pytest.raises(InputError, match="name each once"):
        recognise([scores, tmp_path / "." / "a.jsonl"])


def test_a_manifest_of_another_program_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}')
    with pytest.raises(InputError, match="holds no result"):
        recognise([tmp_path])


def test_a_file_name_that_is_no_unicode(tmp_path: Path) -> None:
    try:
        path = write(tmp_path / "caf\udce9.jsonl", scored("a", 0.5))
    except OSError:
        pytest.skip("this file system has no such names")
    assert recognise([path])[0].name == "caf?.jsonl"
