"""What a notebook shows: everything that matters as text, and nothing unescaped."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from persona_lab.consistency.judge import ConsistencyJudge
from persona_lab.consistency.markers import Marker
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.report import Report, Unread
from persona_lab.detectors.registry import load_detector
from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.profile import ModelInfo, Profile, TraitScore, Unscored, Warning_
from persona_lab.traits import BIG_FIVE, MBTI

EVIL = "<script>alert('x')</script> & \"more\""
MODEL = ModelInfo("toy", "1.2", "ab" * 32)


class _Balance(HTMLParser):
    """Every tag is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("path", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        assert tag in ("path", "circle")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def text_of(thing: Profile | Unscored | Dialogue | Report | Unread) -> str:
    """What a reader sees; checks that the HTML is whole and harmless."""
    html = thing._repr_html_()
    assert "<script" not in html
    parser = _Balance()
    parser.feed(html)
    assert not parser.open
    return re.sub(r"\s+", " ", parser.text)


def test_a_profile_shows_its_numbers() -> None:
    traits = {key: TraitScore(0.25, 0.1, 0.4, "low") for key in BIG_FIVE.keys}
    traits["extraversion"] = TraitScore(0.625, 0.41, 0.77, "abstain")
    del traits["openness"]
    warning = Warning_("too_short", f"12 words {EVIL}")
    profile = Profile(EVIL, EVIL, BIG_FIVE, traits, 1234, 2, MODEL, (warning,))
    text = text_of(profile)
    assert "extraversion 0.62 0.41\u20130.77 unsure" in text
    assert "neuroticism 0.25 0.10\u20130.40 low" in text
    assert "openness unscored" in text and "1,234 words" in text
    assert f"too_short: 12 words {EVIL}" in text
    assert profile._repr_html_().count("<svg") == 4


def test_an_mbti_profile_names_letters() -> None:
    traits = {key: TraitScore(0.25, 0.1, 0.4, "low") for key in MBTI.keys}
    text = text_of(Profile("d", "Ann", MBTI, traits, 100, 1, MODEL))
    assert "MBTI, INFP" in text and "I \u2013 E 0.25 0.10\u20130.40 I " in text


def test_a_point_lies_where_its_probability_is() -> None:
    traits = {key: TraitScore(0.5, 0.0, 1.0, "low", 0.25) for key in BIG_FIVE.keys}
    html = Profile("d", "Ann", BIG_FIVE, traits, 100, 1, MODEL)._repr_html_()
    assert 'cx="80.0"' in html and "M6.0,8H154.0" in html and "M43.0,1V15" in html


def test_what_is_unscored_says_why() -> None:
    assert f"not scored: no words {EVIL}" in text_of(
        Unscored(EVIL, None, None, f"no words {EVIL}", "no_words")
    )
    assert "not scored: no turns" in text_of(Unread("d", None, NotScored("no turns", "no_words")))


def test_a_dialogue_shows_its_turns() -> None:
    turns = tuple(Utterance(str(i), f"speaker {i % 8}", f"turn {EVIL}") for i in range(32))
    speakers = {"speaker 1": Speaker("speaker 1", {"openness": 1.0}, (f"I am {EVIL}",))}
    text = text_of(Dialogue("d", turns, speakers, focus="speaker 1"))
    assert "d \u00b7 speaker 1" in text and "32 turns" in text and "and 2 more" in text
    assert f"29 speaker 5 turn {EVIL}" in text and "30 speaker" not in text
    assert "and 2 more turns" in text and "openness 1; \u201cI am" in text


def test_long_turns_are_cut_and_none_are_no_error() -> None:
    html = Dialogue("d", (Utterance("0", "Ann", "word " * 5000),))._repr_html_()
    assert len(html) < 2000
    assert "0 turns, nobody speaks" in text_of(Dialogue("d", ()))


@pytest.fixture(scope="module")
def report(toy_model: Path) -> Report:
    judge = ConsistencyJudge(load_detector(str(toy_model)), nli=NotScored("not here", "no_model"))
    turns = tuple(Utterance(str(i), "Ann", f"party plan and so on it goes {i}") for i in range(9))
    (found,) = judge.reports(Dialogue("talk", turns))
    assert isinstance(found, Report)
    return found


def test_a_report_shows_all_parts(report: Report) -> None:
    from dataclasses import replace

    marked = replace(report, markers=(Marker(EVIL, 2.5, 3),), id=EVIL)
    text = text_of(marked)
    row = report.to_row()
    assert f"consistency {row['score']:.2f} {row['low']:.2f}\u2013{row['high']:.2f}" in text
    for part in row["parts"]:
        assert f" {part} " in text
    assert "contradiction unscored not here" in text and report.explanation in text
    assert f"{EVIL} (2.5)" in text


def test_showing_results_needs_no_extra() -> None:
    code = (
        "import sys\n"
        "for name in ('pandas', 'matplotlib', 'seaborn'): sys.modules[name] = None\n"
        "from persona_lab.dialogue import Dialogue\n"
        "print('persona_lab.reports.notebook' in sys.modules)\n"
        "print(Dialogue.from_text('Hi')._repr_html_())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False\n<div")
