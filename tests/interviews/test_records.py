"""Transcripts that survive."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.interviews.records import Record, RecordFile, read_transcript, record_id

ONE = Record(
    id="b/1", bot="b", persona=None, instrument="i", protocol="interview", wording="rule",
    order="", temperature=0.0, repeat=0, item="1", domain="E", facet=None, question="Sind Sie?",
    answer="Ja, naïv 😀", flags=("loop",),
)  # fmt: skip


def write(path: Path, *records: Record) -> None:
    with RecordFile(path) as file:
        for record in records:
            file.append(record)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    two = replace(ONE, id="b/2", status="unscored", code="refusal", reason="declined", answer=None)
    write(path, ONE, two)
    assert read_transcript(path) == [ONE, two]
    with RecordFile(path) as file:
        assert file.read() == [ONE, two] and file.ids() == {"b/1", "b/2"}


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_torn_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "t.jsonl"
    two = replace(ONE, id="b/2")
    write(path, ONE, two)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert read_transcript(path) == [ONE]
    with RecordFile(path) as file:
        assert file.ids() == {"b/1"}
        file.append(two)
    assert path.read_bytes() == whole


def test_what_may_pass_is_asked_again_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    down = replace(ONE, status="unscored", code="unavailable", reason="down", answer=None)
    declined = replace(ONE, id="b/2", status="unscored", code="refusal", reason="declined")
    write(path, down, declined)
    with RecordFile(path) as file:
        assert file.ids() == {"b/2"}
        file.append(ONE)
        assert file.read() == [ONE, declined]
    assert read_transcript(path) == [ONE, declined]
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_another_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text(json.dumps({"my": "notes"}) + "\n")
    with pytest.raises(InputError, match=r"notes\.jsonl:1"):
        RecordFile(path)
    assert json.loads(path.read_text()) == {"my": "notes"}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(PersonaLabError):
        RecordFile(tmp_path)


def test_ids_do_not_run_into_each_other() -> None:
    assert record_id("a/b", "c") != record_id("a", "b/c") != record_id("a%2Fb", "c")
    assert record_id("a", None, 1) == "a/1"
