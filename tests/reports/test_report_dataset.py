"""The page about score rows: its figures against the rows, and what it must never hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import pytest

from persona_lab.errors import InputError
from persona_lab.profile import ModelInfo, Profile, TraitScore, Unscored, Warning_
from persona_lab.reports.bars import Column, Shares, columns, course, shares, strip
from persona_lab.reports.page import Page, make_page
from persona_lab.traits import BIG_FIVE, MBTI, Framework

MODEL = ModelInfo("toy", "1.2", "ab" * 32)
EVIL = '"><img src=http://evil.example/x onerror=alert(1)><script>alert(1)</script>'


class Read(HTMLParser):
    """A page as its reader gets it.

    Attributes:
        tags: names and attributes, in order.
        text: all that is written, blanks as one.
        tables: by the heading before it, rows of cells.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.tables: dict[str, list[list[str]]] = {}
        self._heading, self._open = "", list[str]()
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "meta":
            return
        self._open.append(tag)
        if tag in ("h2", "h3", "summary"):
            self._heading = ""
        if tag == "table":
            self.tables[" ".join(self._heading.split())] = []
        if tag in ("tr", "td", "th"):
            rows = list(self.tables.values())[-1]
            if tag == "tr":
                rows.append([])
            else:
                rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "title"} & set(self._open):
            return
        self.text += data
        if {"h2", "h3", "summary"} & set(self._open):
            self._heading += data
        if {"td", "th"} & set(self._open):
            row = list(self.tables.values())[-1][-1]
            row[-1] += data

    def column(self, heading: str, name: str) -> dict[str, str]:
        """A column of the table under a heading, by the first cell of each row."""
        header, *rows = self.tables[heading]
        at = header.index(name)
        return {row[0]: row[at].split(" [")[0] for row in rows}


def assert_self_contained(html: str) -> None:
    """Nothing is fetched, and nothing runs."""
    page = Read(html)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"}
    for _, attributes in page.tags:
        assert not {"src", "href", "srcset", "action"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert "url(" not in (attributes.get("style") or "")
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)
    assert style and "url(" not in style[1] and "@import" not in style[1]


def scored(
    id: str, p: float, *, framework: Framework = BIG_FIVE, words: int = 100, speaker: str = "Ann",
    label: str = "abstain", drop: str = "", model: ModelInfo = MODEL,
) -> dict[str, Any]:  # fmt: skip
    """A row with the same score on all traits."""
    trait = TraitScore(p, max(p - 0.1, 0), min(p + 0.1, 1), label, 0.5)  # type: ignore[arg-type]
    traits = {key: trait for key in framework.keys if key != drop}
    warnings = (Warning_("too_short", "few words"),) if words < 20 else ()
    return Profile(id, speaker, framework, traits, words, 1, model, warnings).to_row()


def unscored(id: str, code: str, reason: str, speaker: str | None = "Ann") -> dict[str, Any]:
    return Unscored(id, speaker, BIG_FIVE, reason, code, 3).to_row()


def write(path: Path, *rows: Mapping[str, Any] | str) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def trait_of(page: Page, key: str, framework: int = 0) -> dict[str, Any]:
    traits = page.figures["frameworks"][framework]["traits"]
    return next(t for t in traits if t["key"] == key)


VALUES = (0.05, 0.2, 0.3, 0.45, 0.45, 0.55, 0.7, 0.9, 1.0)
LABELS = ("low", "low", "abstain", "abstain", "abstain", "abstain", "abstain", "high", "high")
WORDS = (5, 15, 15, 30, 30, 90, 90, 700, 700)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    made = zip(VALUES, LABELS, WORDS, strict=True)
    return [scored(f"d{i}", p, label=label, words=n) for i, (p, label, n) in enumerate(made)]


@pytest.fixture(scope="module")
def page(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Page:
    more = [unscored("u1", "language", "it is in de"), unscored("u2", "language", "it is in fr")]
    path = write(tmp_path_factory.mktemp("rows") / "s.jsonl", *rows, *more)
    return make_page([path])


def test_the_figures_are_those_of_the_rows(page: Page) -> None:
    found = trait_of(page, "openness")
    assert found["n"] == len(VALUES)
    assert found["mean"] == pytest.approx(fmean(VALUES), abs=1e-4)
    assert found["p_median"] == median(VALUES)
    assert found["sd"] == pytest.approx(stdev(VALUES), abs=1e-4)
    # t(8) = 2.306 at 97.5 %
    reach = 2.306 * stdev(VALUES) / 3
    assert found["high"] - found["mean"] == pytest.approx(reach, abs=2e-4)
    assert found["labels"] == {"low": 2, "abstain": 5, "high": 2}
    widths = [min(p + 0.1, 1) - max(p - 0.1, 0) for p in VALUES]
    assert found["interval_width"] == pytest.approx(fmean(widths), abs=1e-4)
    assert page.figures["rows"] == {
        "total": 11, "scored": 9, "unscored": 2, "unreadable": 0, "repeated": 0,
    }  # fmt: skip
    assert (page.figures["texts"], page.figures["words"]["median"]) == (11, 30)
    assert page.figures["words"]["total"] == sum(WORDS) + 2 * 3


def test_a_value_on_an_edge_is_in_the_bin_that_begins_there(page: Page) -> None:
    bins = trait_of(page, "openness")["bins"]
    by_bin = [sum(counts) for counts in zip(*bins.values(), strict=True)]
    expected = [0] * 20
    for at in (1, 4, 6, 9, 9, 11, 14, 18, 19):
        expected[at] += 1
    assert by_bin == expected
    assert bins["high"][18:] == [1, 1] and bins["low"][1] == 1


def test_the_page_shows_the_figures(page: Page) -> None:
    read = Read(page.html)
    assert read.column("In figures", "mean of p")["neuroticism"] == f"{fmean(VALUES):.2f}"
    assert read.column("In figures", "unsure")["openness"] == "5"
    assert "9 of 11 rows scored" in re.sub(r"(\d)(rows)", r"\1 \2", read.text)
    assert read.tables["What could not be scored"][1] == ["language", "2", "it is in de"]
    assert MODEL.sha256 in read.text and "Not for hiring" in read.text
    titles = re.findall(r"<g><title>(0\.\d\d) to [\d.]+: ([^<]*)</title>", page.html)
    drawn = sum(
        int(n) for _, said in titles for n in re.findall(r"(\d+) (?:low|unsure|high)", said)
    )
    assert drawn == 5 * len(VALUES)


def test_abstaining_by_length(page: Page) -> None:
    found = {one["words"]: one for one in page.figures["frameworks"][0]["by_words"]}
    # five labels a row; the bins between the shortest and the longest are there, too
    assert (found["10\u201319"]["labels"], found["10\u201319"]["share"]) == (10, 0.5)
    assert (found["20\u201339"]["labels"], found["20\u201339"]["share"]) == (10, 1.0)
    assert (found["500\u2013999"]["share"], found["200\u2013299"]["share"]) == (0.0, None)
    assert (*found,)[:: len(found) - 1] == ("0\u20139", "500\u2013999")


def test_extremes_by_id(page: Page) -> None:
    found = trait_of(page, "agreeableness")
    assert [row["id"] for row in found["highest"]] == ["d8", "d7", "d6", "d5", "d3"]
    assert [row["id"] for row in found["lowest"]] == ["d0", "d1", "d2", "d3", "d4"]
    assert {row["id"] for row in found["nearest"][:3]} == {"d3", "d4", "d5"}
    assert (found["highest"][0]["p_high"], found["highest"][0]["words"]) == (1.0, 700)
    assert Read(page.html).tables["agreeableness"][2][:2] == ["d8", "Ann"]


def test_types_and_files_and_names(tmp_path: Path) -> None:
    names = ["user", "assistant"] * 6
    first = [scored(f"a{i}", 0.2, framework=MBTI, speaker=n) for i, n in enumerate(names)]
    second = [scored(f"b{i}", 0.8, framework=MBTI, label="high") for i in range(3)]
    page = make_page([write(tmp_path / "a.jsonl", *first), write(tmp_path / "b.jsonl", *second)])
    (found,) = page.figures["frameworks"]
    assert found["types"]["listed"] == [{"type": "XXXX", "rows": 12}, {"type": "ESTJ", "rows": 3}]
    assert (found["types"]["complete"], found["types"]["different"]) == (3, 2)
    by_file = {one["name"]: one for one in found["by_source"]}
    assert by_file["b.jsonl"]["traits"]["EI"] == {"n": 3, "mean": 0.8, "low": 0.8, "high": 0.8}
    assert (by_file["a.jsonl"]["share"], by_file["b.jsonl"]["share"]) == (1.0, 0.0)
    # Ann comes up three times only
    assert [one["name"] for one in found["by_speaker"]] == ["user", "assistant"]
    assert Read(page.html).tables["By file"][1][:5] == ["a.jsonl", "12", "12", "12", "0"]


def test_what_is_missing_is_not_zero(tmp_path: Path) -> None:
    some = make_page(
        [write(tmp_path / "a.jsonl", scored("a", 0.7, drop="openness"), scored("b", 0.9))]
    )
    assert (trait_of(some, "openness")["n"], trait_of(some, "openness")["mean"]) == (1, 0.9)
    assert trait_of(some, "openness")["low"] is None
    assert trait_of(some, "extraversion")["mean"] == 0.8
    none = make_page([write(tmp_path / "b.jsonl", unscored("u", "no_words", "no words", None))])
    assert none.figures["frameworks"] == [] and none.figures["words"]["median"] is None
    assert "0 of 1" in Read(none.html).text


def test_bad_rows_are_counted_and_the_others_go_on(tmp_path: Path) -> None:
    good = scored("a", 0.7)
    wrong = scored("a", 0.7)
    wrong["traits"]["openness"]["p_high"] = 1.7
    no_number = scored("a", 0.7)
    no_number["traits"]["openness"]["low"] = float("nan")
    path = write(
        tmp_path / "s.jsonl", "{torn", good, "[]", good | {"word_count": -1},
        good | {"framework": "hexaco"}, good | {"traits": 3}, wrong, good | {"status": "?"},
        no_number, good | {"id": "\ud800"}, good,
    )  # fmt: skip
    page = make_page([path])
    assert page.figures["rows"]["scored"] == 2 and page.figures["rows"]["repeated"] == 1
    assert page.figures["rows"]["unreadable"] == page.figures["problems"]["total"] == 9
    assert page.unreadable[0] == "s.jsonl:1: not a line of JSON"
    read = Read(page.html)
    assert "s.jsonl:7: a figure is not a number from 0 to 1" in read.text
    assert "9 rows could not be read" in read.text


def test_nothing_but_bad_rows(tmp_path: Path) -> None:
    row = scored("a", 0.7) | {"status": "?"}
    with pytest.raises(InputError, match=r"not one row can be read: s\.jsonl:1: its status"):
        make_page([write(tmp_path / "s.jsonl", row)])


def test_two_models_are_pointed_out(tmp_path: Path, page: Page) -> None:
    other = ModelInfo("toy", "1.3", "cd" * 32)
    path = write(tmp_path / "s.jsonl", scored("a", 0.7), scored("b", 0.7, model=other))
    assert "2 models or settings" in Read(make_page([path]).html).text
    assert "models or settings" not in Read(page.html).text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    rows = [scored(f"{EVIL}{i}", 0.7, speaker=EVIL) for i in range(6)]
    rows += [scored(f"b{i}", 0.2, speaker="b") for i in range(6)]
    path = write(tmp_path / "a&<b>.jsonl", *rows, unscored("u", EVIL, EVIL))
    page = make_page([path, write(tmp_path / "b.jsonl", *rows)], title=EVIL)
    assert_self_contained(page.html)
    read = Read(page.html)
    assert read.tables["Big Five: speakers who come back"][1][0] == EVIL
    assert "a&<b>.jsonl" in read.text and f"{EVIL}0" in read.text


def test_ten_thousand_rows_make_a_small_page(tmp_path: Path) -> None:
    rows = [scored(f"some-rather-long-id-{i}", (i % 997) / 997, speaker=f"s{i % 400}")
            for i in range(10_000)]  # fmt: skip
    page = make_page([write(tmp_path / "s.jsonl", *rows)])
    assert page.figures["rows"]["scored"] == 10_000
    assert len(page.html.encode()) < 200_000
    assert_self_contained(page.html)


def test_many_files_and_endless_names_fit(tmp_path: Path) -> None:
    rows = [scored(f"{'x' * 9000}{i}", 0.7) for i in range(3)]
    page = make_page([write(tmp_path / f"{i}.jsonl", *rows) for i in range(70)])
    assert len(page.html.encode()) < 100_000
    assert len(page.figures["frameworks"][0]["by_source"]) == 70
    assert "The first 60 of 70 files" in Read(page.html).text
    assert page.figures["frameworks"][0]["traits"][0]["highest"][0]["id"] == f"{'x' * 9000}0"


def test_columns_are_as_high_as_their_figures() -> None:
    svg = str(
        columns(
            [Column((2, 1), "a"), Column((0, 4), "b")], ("red", "blue"), [(0.0, "0"), (1.0, "1")],
            "t", full=4, label="4", size=(100, 142),
        )
    )  # fmt: skip
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" style', svg)]
    assert heights == [50, 25, 100]
    assert re.findall(r"fill:(\w+)", svg) == ["red", "blue", "blue"]


def test_shares_strips_and_courses() -> None:
    bar = str(shares([Shares("<x>", (0.5, 0.03, 0.47), "t")], ("red", "grey", "blue"), "t"))
    widths = [float(w) for w in re.findall(r'width="([\d.]+)"', bar)]
    assert widths == pytest.approx([241.0, 14.5, 226.5], abs=0.1)
    # a part of 3 per cent has no room for its figure
    assert re.findall(r">(\d+%)<", bar) == ["50%", "47%"] and "&lt;x&gt;" in bar
    mark = str(strip(0.0, -3.0, 0.5, ends=(-1.0, 1.0)))
    assert 'cx="66.0"' in mark and "M6.0,8.0 H96.0" in mark
    assert 'points="4.0,19.0 48.0,11.0 92.0,3.0"' in str(course([0.0, 0.5, 1.0], "t"))
