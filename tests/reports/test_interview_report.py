"""The report: one file, no network, nothing unescaped, everything in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from persona_lab.instruments import load_instrument
from persona_lab.interviews.raters.rating import Quote, Rating
from persona_lab.interviews.records import Record
from persona_lab.interviews.result import measurements
from persona_lab.interviews.summary import Cost, Findings, summarize
from persona_lab.llm.budget import Prices, Usage
from persona_lab.reports.html import number, percent, signed
from persona_lab.reports.interview import interview_report
from persona_lab.reports.svg import Interval, Row, Series, intervals, radar

MINI = load_instrument("ipip-20")
EVIL = "<script>alert(1)</script>"


def rating(domain: str, score: float | None, **more: object) -> Rating:
    given = {
        "id": f"{domain}{more}", "rater": "llm", "judge": "j", "bot": EVIL, "persona": "p",
        "protocol": "interview", "domain": domain, "facet": None, "unit": "1", "repeat": 0,
        "score": score, "reason": EVIL, "code": None if score is not None else "refusal",
        "quotes": (Quote("r", f"I love {EVIL} & tea."),),
    }  # fmt: skip
    return Rating(**given | more)  # type: ignore[arg-type]


def record(item: str, code: str | None) -> Record:
    return Record(
        f"r{item}", EVIL, "p", "ipip-20", "interview", "rule", "", 0.0, 0, item, "openness", None,
        "?", "!", None, "scored" if code is None else "unscored", code and EVIL, code,
        ("third_person",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def html() -> str:
    ratings = [
        rating("extraversion", 0.9),
        rating("extraversion", 0.7, unit="2"),
        rating("neuroticism", 0.2, rater="detector", low=0.1, high=0.6),
        rating("openness", None),
        rating("openness", 0.4, unit="2", protocol="self-report", rater="closed", persona="q"),
    ]
    findings = Findings(
        MINI,
        {"protocols": ["interview"], "repeats": 3},
        [record("1", "refusal"), record("2", None)],
        measurements(ratings, MINI),
        targets={"p": {"extraversion": 1.0, "neuroticism": 1.0}},
        costs=[Cost("bot", EVIL, Usage(12, 3, 4000, 500), Prices(1.0, 2.0))],
        notes=(EVIL,),
    )
    return interview_report(summarize(findings))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_one_well_formed_file_without_network(html: str) -> None:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    names = {tag for tag, _ in tags.seen}
    assert not names & {"script", "link", "img", "iframe"}
    assert not re.search(r"(?:src|href)=|url\(|@import", html)
    addresses = set(re.findall(r"https?://[^\s\"<]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "prefers-color-scheme: dark" in html


def test_what_bots_say_is_escaped(html: str) -> None:
    assert EVIL not in html and "&lt;script&gt;" in html


def test_everything_is_in_it(html: str) -> None:
    text = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    plain = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert "1 of 2 answers usable" in plain
    assert "0.80 ✓" in plain  # the mean of both groups, on the side of the target
    assert "0.20 ✗ [0.10, 0.60]" in plain
    assert "unscored: refusal" in plain and "third person" in plain
    assert "4,000" in plain and "0.0050" in plain
    assert "With targets" in plain and "1/1 = 100%" in plain


def test_charts_put_values_where_they_belong() -> None:
    mark = Interval(0.25, 0.0, 0.5, 0.2, 0.9, "red", "a & b")
    svg = str(intervals([Row("calm", "tense <", (mark,), 1.0)], "title"))
    left, right = (float(x) for x in re.findall(r'class="grid" d="M([\d.]+),', svg)[::3])
    (dot,) = map(float, re.findall(r'<circle cx="([\d.]+)"', svg))
    assert dot == pytest.approx(left + 0.25 * (right - left))
    assert "tense &lt;" in svg and "a &amp; b" in svg and 'class="bounds"' in svg
    empty = Interval(None, None, None, None, None, "red", "refused")
    assert "unscored" in str(intervals([Row("a", "b", (empty,))], "t"))
    whole = str(radar(["a", "b", "c"], [Series((1.0, 0.5, 0.0), "red")], "t"))
    assert whole.count('class="series') == 1
    gap = str(radar(["a", "b", "c"], [Series((1.0, None, 0.0), "red")], "t"))
    assert 'class="series' not in gap and gap.count("<circle") == 2


def test_figures() -> None:
    assert (number(None), number(1234.5, 1)) == ("\u2013", "1,234.5")
    assert (signed(-0.001), signed(-0.5), signed(0.5)) == ("0.00", "\u22120.50", "+0.50")
    assert (percent(0.816), percent(None)) == ("82%", "\u2013")


def test_agreement_of_methods_where_there_are_enough_subjects() -> None:
    methods = (("self-report", "closed", 0.0), ("interview", "llm", 0.1))
    ratings = [
        rating("openness", i / 10 + more, persona=f"p{i}", protocol=protocol, rater=rater)
        for i in range(8)
        for protocol, rater, more in methods
    ]
    profile = summarize(Findings(MINI, {}, [], measurements(ratings, MINI)))
    html = interview_report(profile)
    assert "<th>self-report, closed and interview, llm</th>" in html
    assert re.search(r"<td>Openness</td><td>\+1\.00 <small>", html)
    # a profile of an earlier version does not know of it
    del profile["method_agreement"]
    assert "Do the methods agree?" not in interview_report(profile)
