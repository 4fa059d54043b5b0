"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_lab.errors import PersonaLabError
from persona_lab.wholefile import write_whole


def test_replaces_what_is_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_whole(file, "old")
    write_whole(file, "new: \u00e9\r\n")
    assert file.read_bytes() == "new: \u00e9\r\n".encode()
    assert list(tmp_path.iterdir()) == [file]


def test_the_old_file_stays_if_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_whole(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half \ud800")
    assert file.read_text(encoding="utf-8") == "old"


def test_says_where_and_why(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "deeper" / "report.html", "text")  # folders are made
    assert (tmp_path / "new" / "deeper" / "report.html").read_text(encoding="utf-8") == "text"
    file = tmp_path / "file"
    file.write_text("no folder", encoding="utf-8")
    with pytest.raises(PersonaLabError, match=r"cannot write .*report.html: Not a directory"):
        write_whole(file / "report.html", "text")
