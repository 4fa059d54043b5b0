"""The page about consistency rows: its figures against the rows."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from persona_lab.consistency.overall import WEIGHTS
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.report import Unread
from persona_lab.errors import InputError
from persona_lab.reports.page import Page, make_page
from tests.reports.test_report_dataset import EVIL, Read, assert_self_contained, scored, write

SECRET = "I have never told anybody of my yellow submarine"


def report(
    id: str, score: float = 0.8, *, speaker: str = "bot", change: float | None = 0.1,
    conflicts: tuple[float, ...] = (), judged: bool = True, met: bool | None = None,
    words: int = 90,
) -> dict[str, Any]:  # fmt: skip
    """A row as ``persona-lab consistency`` writes it."""
    parts: dict[str, float | None] = dict.fromkeys(WEIGHTS)
    parts |= {"drift": None if change is None else 1 - change, "accommodation": 0.3}
    if judged:
        parts["contradiction"] = 0.2 if conflicts else 1.0
    missing = {n: f"{words} turns are too few" for n, value in parts.items() if value is None}
    costs = {n: WEIGHTS[n] * (1 - value) for n, value in parts.items() if value is not None}
    details: dict[str, Any] = {"markers": [{"word": SECRET, "z": 3.0, "n": 2}]}
    if change is not None:
        details["drift"] = {"shift": {"openness": -2.5, "extraversion": 0.4, "neuroticism": 1.0}}
        windows = [{"first": i, "last": i, "p_high": {"openness": 0.9 - i / 10}} for i in range(4)]
        details["stability"] = {"windows": windows}
    if met is not None:
        details["target"] = {"success": met}
    return {
        "id": id, "speaker": speaker, "framework": "bigfive", "status": "scored", "score": score,
        "low": max(score - 0.1, 0), "high": min(score + 0.1, 1), "parts": parts,
        "unscored": missing, "costs": costs,
        "change_point": None if change is None else {"turn": 7, "probability": change},
        "contradictions": [{"a": SECRET, "b": SECRET, "p": p, "a_turn": 1, "b_turn": 5}
                           for p in conflicts],
        "explanation": SECRET, "details": details, "word_count": words,
        "warnings": [], "model": {"name": "m", "version": "1", "sha256": "ef" * 32},
    }  # fmt: skip


SCORES = (0.9, 0.35, 0.8, 0.6, 0.75, 0.5)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    rows = [
        report("a", SCORES[0], met=True),
        report("a", SCORES[1], speaker="user", change=0.95, conflicts=(0.6, 0.9)),
        report("b", SCORES[2], met=False, change=None),
        report("b", SCORES[3], speaker="user", change=0.5),
        report("c", SCORES[4], judged=False, met=True),
        report("c", SCORES[5], speaker="user", conflicts=(0.7,)),
        Unread("d", None, NotScored("nobody speaks", "no_words")).to_row(),
    ]
    return make_page([write(tmp_path_factory.mktemp("rows") / "c.jsonl", *rows)])


def test_scores(page: Page) -> None:
    figures = page.figures
    assert figures["rows"] == {"total": 7, "scored": 6, "unscored": 1, "unreadable": 0}
    assert figures["dialogues"] == 4
    assert figures["score"]["mean"] == pytest.approx(fmean(SCORES))
    assert sum(figures["score"]["bins"]) == 6 and figures["score"]["bins"][18] == 1
    assert figures["unscored"] == [{"code": "no_words", "rows": 1, "example": "nobody speaks"}]


def test_parts_and_why_they_are_missing(page: Page) -> None:
    parts = {part["name"]: part for part in page.figures["parts"]}
    assert (parts["contradiction"]["n"], parts["contradiction"]["unscored"]) == (5, 2)
    assert parts["contradiction"]["mean"] == pytest.approx((1.0 * 3 + 0.2 * 2) / 5)
    assert parts["target"]["mean"] is None
    reasons = {reason["example"]: reason["rows"] for reason in parts["drift"]["reasons"]}
    assert reasons == {"90 turns are too few": 1, "nobody speaks": 1}


def test_reasons_that_differ_in_their_figures_are_one(tmp_path: Path) -> None:
    rows = [report(str(n), change=None, words=n) for n in (3, 14, 15)]
    figures = make_page([write(tmp_path / "c.jsonl", *rows)]).figures
    (reason,) = figures["parts"][1]["reasons"]
    assert reason == {"code": None, "rows": 3, "example": "3 turns are too few"}


def test_who_drifts(page: Page) -> None:
    drift = page.figures["drift"]
    assert (drift["judged"], drift["drifted"]) == (5, 2)
    assert [(one["id"], one["speaker"], one["turn"]) for one in drift["listed"]] == [
        ("a", "user", 7), ("b", "user", 7),
    ]  # fmt: skip
    assert drift["listed"][0]["shift"][0] == {"trait": "openness", "log_odds": -2.5}
    assert drift["listed"][0]["windows"] == pytest.approx([0.9, 0.8, 0.7, 0.6])
    # Wilson: 2 of 5
    assert (drift["share"]["low"], drift["share"]["high"]) == (0.1176, 0.7693)
    assert Read(page.html).tables["Who drifts"][1][:4] == ["a", "user", "7", "0.95"]


def test_where_nobody_drifts_the_nearest_are_listed(tmp_path: Path) -> None:
    rows = [report(str(n), change=n / 20) for n in range(8)]
    page = make_page([write(tmp_path / "c.jsonl", *rows)])
    assert [one["id"] for one in page.figures["drift"]["listed"]] == ["7", "6", "5", "4", "3"]
    assert "None of 8 speakers has a change point" in Read(page.html).text


def test_contradictions_are_counted_and_not_quoted(page: Page) -> None:
    found = page.figures["contradictions"]
    assert (found["judged"], found["with"], found["pairs"]) == (5, 2, 3)
    assert found["counts"] == [
        {"pairs": 0, "rows": 3}, {"pairs": 1, "rows": 1}, {"pairs": 2, "rows": 1},
    ]  # fmt: skip
    assert [(one["id"], one["pairs"], one["strongest"]) for one in found["listed"]] == [
        ("a", 2, 0.9), ("c", 1, 0.7),
    ]  # fmt: skip
    assert SECRET not in page.html and SECRET not in json.dumps(page.figures)


def test_the_least_consistent_come_first(page: Page) -> None:
    least = page.figures["least"]
    assert [one["score"] for one in least] == sorted(SCORES)
    # .45 of 1.2 times .8 is more than .40 times .95 and .35 times .7
    assert (least[0]["costliest"], least[1]["costliest"]) == ("drift", "contradiction")
    assert Read(page.html).column("The least consistent", "score")["a"] == "0.90"


def test_speakers_and_target(page: Page) -> None:
    by_name = {one["name"]: one for one in page.figures["speakers"]}
    assert by_name["user"]["mean"] == pytest.approx(fmean((0.35, 0.6, 0.5)), abs=1e-4)
    assert (by_name["user"]["drifted"], by_name["user"]["contradictions"]) == (2, 3)
    assert (by_name["bot"]["judged_for_drift"], by_name["bot"]["rows"]) == (2, 3)
    assert (page.figures["target"]["met"], page.figures["target"]["judged"]) == (2, 3)
    assert "2 of 3 speakers met the personality" in Read(page.html).text


def test_nothing_scored(tmp_path: Path) -> None:
    row = Unread("d", None, NotScored("nobody speaks", "no_words")).to_row()
    page = make_page([write(tmp_path / "c.jsonl", row)])
    assert page.figures["score"]["median"] is None
    assert "The course of no dialogue could be judged" in Read(page.html).text


def test_bad_rows_and_rows_of_another_kind(tmp_path: Path) -> None:
    bad = [report("x") | {"score": "high"}, report("x") | {"parts": {}}, report("x") | {"id": 3}]
    page = make_page([write(tmp_path / "c.jsonl", *bad, report("y"))])
    assert (page.figures["rows"]["scored"], page.figures["rows"]["unreadable"]) == (1, 3)
    mixed = write(tmp_path / "m.jsonl", report("x"), scored("y", 0.5))
    with pytest.raises(InputError, match=r"m\.jsonl:2 is one of score rows among consistency rows"):
        make_page([mixed])


def test_hostile_names_and_many_rows(tmp_path: Path) -> None:
    rows = [
        report(f"{EVIL}{i}", (i % 100) / 100, speaker=f"{EVIL}{i % 50}", change=0.9,
               conflicts=(0.7,))
        for i in range(10_000)
    ]  # fmt: skip
    page = make_page([write(tmp_path / "c.jsonl", *rows)])
    assert_self_contained(page.html)
    assert len(page.html.encode()) < 200_000
    assert page.figures["rows"]["scored"] == 10_000
