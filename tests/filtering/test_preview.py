"""The page: figures that add up, examples on both sides, nothing that could run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from persona_lab.errors import InputError
from persona_lab.filtering import preview
from tests.filtering.conftest import FILLER, Filter, talk, write_lines

NASTY = "<script>alert('x')</script> party "


@pytest.fixture
def scores(run_filter: Filter, tmp_path: Path) -> Path:
    records = [
        talk(str(i), ("a", f"{NASTY} {'this ' * i} {FILLER}"), ("b", FILLER * (1 + i % 2)))
        for i in range(20)
    ]
    path = write_lines(tmp_path / "<in>.jsonl", *records)
    run_filter(path, "words >= 20 and dialogue.turns = 2", any_speaker=True)
    return tmp_path / "out"


def test_figures(scores: Path, tmp_path: Path) -> None:
    figures = preview(scores, tmp_path / "page.html", examples=3)
    rows = figures["summary"]["rows"]
    assert rows["total"] == 20 and 0 < rows["kept"] < 20
    by_name = {h["name"]: h for h in figures["histograms"]}
    for name in ("extraversion.p_high", "words", "speaker"):
        assert sum(by_name[name]["before"]) == 40
        assert sum(by_name[name]["after"]) == 2 * rows["kept"]
    assert by_name["speaker"]["labels"] == ["a", "b"]
    near = figures["examples"]["words >= 20"]
    assert [e["kept"] for e in near] == [True] * 3 + [False] * 3
    kept_values = [e["value"] for e in near if e["kept"]]
    dropped_values = [e["value"] for e in near if not e["kept"]]
    assert kept_values == sorted(kept_values) and max(dropped_values) < 20
    assert all(e["text"] == "" for e in near)


def test_the_page_is_whole_and_harmless(scores: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    preview(scores, page)
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not re.search(r"(src|href)\s*=|url\(|@import", html)
    assert "words &gt;= 20" in html and "&lt;in&gt;.jsonl row" in html


def test_without_text(scores: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    preview(scores, page, text=False)
    assert "script" not in page.read_text(encoding="utf-8")


def test_it_does_not_replace_a_file_unasked(scores: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    with pytest.raises(InputError, match="exists already; use --overwrite"):
        preview(scores, page)
    assert page.read_text() == "mine"
    preview(scores, page, "words > 9999", overwrite=True)
    assert "nothing" not in page.read_text() and "words &gt; 9999" in page.read_text()
