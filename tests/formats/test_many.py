"""Folders and globs as one input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats.inputs import expand
from persona_lab.formats.many import ManyFiles, stands_for_many
from persona_lab.formats.youtube_personality import SCORES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, one of them without a text, one a folder deeper."""
    base = tmp_path / "data"
    (base / "deep").mkdir(parents=True)
    (base / "a.jsonl").write_text('{"id": "k", "text": "Rain again."}\n{"text": 5}\n')
    (base / "bad.csv").write_text("key,body\n1,Hi\n")
    (base / "deep" / "a.csv").write_text("id,text\nk,Sun at last.\nk,And wind.\n")
    return base


def ids(reader: ManyFiles) -> list[str]:
    with reader:
        return [row.row_id if isinstance(row, RowError) else row.id for row in reader]


def test_ids_name_the_file(folder: Path) -> None:
    reader = ManyFiles(expand([folder]).files)
    assert reader.format == "3 files"
    assert ids(reader) == [
        "a.jsonl:k",
        "a.jsonl:line-2",
        "bad.csv",
        "deep/a.csv:k",
        "deep/a.csv:k#2",
    ]


def test_the_columns_are_those_of_all_files(folder: Path) -> None:
    reader = ManyFiles(expand([folder / "bad.csv"]).files, columns="text=body,id=key")
    assert ids(reader) == ["bad.csv:1"] and reader.format == "1 file"


def test_strict_reading_stops_at_a_bad_row_or_file(folder: Path) -> None:
    with pytest.raises(RowError):
        ids(ManyFiles(expand([folder]).files, strict=True))
    (folder / "a.jsonl").unlink()
    with pytest.raises(FormatError, match="no column 'text'"):
        ManyFiles(expand([folder]).files, strict=True)


def test_a_file_that_breaks_off_costs_its_rest(folder: Path) -> None:
    (folder / "a.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00damaged")
    found = ids(ManyFiles(expand([folder / "a.jsonl.gz", folder / "deep"]).files))
    assert found == ["a.jsonl.gz", "a.csv:k", "a.csv:k#2"]


def test_the_only_file_is_reported_as_an_error(folder: Path) -> None:
    with pytest.raises(FormatError, match="no column 'text'"):
        ManyFiles(expand([str(folder / "*.csv")]).files)


def test_a_wrong_layout_is_told_once(folder: Path) -> None:
    with pytest.raises(FormatError, match="there is no format 'jsnol'"):
        ManyFiles(expand([folder]).files, "jsnol")


def test_remarks_name_the_file(tmp_path: Path) -> None:
    for name in ("p.json", "q.json"):
        (tmp_path / name).write_text(json.dumps([{"messages": ["Hi there.", "Good day."]}]))
    reader = ManyFiles(expand([tmp_path]).files)
    assert len(ids(reader)) == 2
    assert [remark.partition(":")[0] for remark in reader.notes] == ["p.json", "q.json"]


def test_what_stands_for_many_files(folder: Path, tmp_path: Path) -> None:
    assert stands_for_many(str(folder)) and stands_for_many(str(folder), "csv")
    assert stands_for_many(str(folder / "*.csv")) and stands_for_many(str(folder / "*.none"))
    odd = tmp_path / "talk[1].txt"
    odd.write_text("Ada: Hm.")
    for one in ("-", str(folder / "a.jsonl"), str(folder / "missing.txt"), str(odd)):
        assert not stands_for_many(one)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / SCORES).write_text("")
    assert not stands_for_many(str(tmp_path / "corpus"))


@pytest.mark.parametrize("given", ["", "*.csv"])
def test_nothing_to_read(tmp_path: Path, given: str) -> None:
    (tmp_path / "notes.docx").write_text("x")
    with pytest.raises(InputError, match="has no file to read; files in folders are told by"):
        expand([str(tmp_path / given)])


def test_rows_keep_what_else_they_carry(folder: Path) -> None:
    with ManyFiles(expand([folder / "deep"]).files) as reader:
        first, second = (row for row in reader if isinstance(row, Dialogue))
    assert (first.place, second.options["duplicate_of"]) == ("a.csv:2", "k")
