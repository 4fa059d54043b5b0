"""The page that holds interviews of several bots together."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import InputError
from persona_lab.instruments import load_instrument
from persona_lab.interviews.comparing import compare
from persona_lab.interviews.raters.rating import Rating
from persona_lab.interviews.result import measurements
from persona_lab.interviews.summary import Findings, summarize
from persona_lab.reports.page import Page, make_page
from tests.reports.test_report_dataset import EVIL, Read, assert_self_contained

MINI = load_instrument("ipip-20")
PLAIN = (0.6, 0.7, 0.5, 0.65)
LOUD = (0.9, 0.95, 0.85, 0.9)


def rating(bot: str, persona: str | None, domain: str, unit: int, score: float | None) -> Rating:
    return Rating(
        id=f"{bot}{persona}{domain}{unit}", rater="closed", judge=None, bot=bot, persona=persona,
        protocol="self-report", domain=domain, facet=None, unit=str(unit), repeat=0, score=score,
        reason="said so", code=None if score is not None else "refusal", quotes=(),
    )  # fmt: skip


def write(
    folder: Path, bot: str, values: tuple[float, ...], *, persona: str | None = None,
    settings: dict[str, Any] | None = None, instrument: str = "ipip-20",
    notes: tuple[str, ...] = (),
) -> Path:  # fmt: skip
    """An interview in which extraversion has these scores, openness a refusal."""
    ratings = [
        rating(bot, persona, key, i, value if key == "extraversion" else 0.4 + i / 100)
        for key in ("extraversion", "neuroticism")
        for i, value in enumerate(values)
    ]
    ratings.append(rating(bot, persona, "openness", 0, None))
    found = Findings(
        MINI, settings or {"repeats": 1}, [], measurements(ratings, MINI),
        targets={persona or "": {"extraversion": 1.0}}, notes=notes,
    )  # fmt: skip
    profile = summarize(found)
    profile["instrument"]["name"] = instrument
    folder.mkdir(parents=True)
    (folder / "profile.json").write_text(json.dumps(profile), encoding="utf-8")
    return folder


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "profile.json").read_text())
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    base = tmp_path_factory.mktemp("runs")
    return [write(base / "a", "plain", PLAIN), write(base / "b", "loud", LOUD)]


@pytest.fixture(scope="module")
def page(folders: list[Path]) -> Page:
    return make_page(folders)


def test_scores_stand_side_by_side(page: Page) -> None:
    (profile,) = page.figures["profiles"]
    scores = {d["domain"]: d["scores"] for d in profile["domains"]}
    assert [one["score"] for one in scores["extraversion"]] == [0.6125, 0.9]
    assert [one["code"] for one in scores["openness"]] == ["refusal", "refusal"]
    table = Read(page.html).tables["self-report"]
    assert table[0] == ["domain", "plain", "loud"]
    line = next(row for row in table if row[0] == "Extraversion")
    assert line[1].startswith("0.61 [") and line[2].startswith("0.90 [")
    assert next(row for row in table if row[0] == "Openness")[1] == "unscored: refusal"


def test_differences_are_those_of_compare(page: Page, folders: list[Path]) -> None:
    expected = [change.to_row() for change in compare(*map(read, folders))]
    (found,) = page.figures["comparisons"]
    assert found["changes"] == expected
    assert (found["first"], found["second"], found["differ"]) == ("plain", "loud", 1)
    change = next(c for c in expected if c["drifted"])
    assert change["domain"] == "extraversion"
    table = Read(page.html).tables["loud minus plain"]
    line = next(row for row in table if row[0] == "Extraversion")
    assert line[4].startswith(f"+{change['difference']['estimate']:.2f} [")
    assert (line[6], line[8]) == (f"{change['p_holm']:.4f}", "differs")
    assert next(row for row in table if row[0] == "Neuroticism")[8] == "none found"


def test_the_charts_show_every_bot(page: Page) -> None:
    titles = re.findall(r"<title>(\w+: [^<]*)</title>", page.html)
    extraverted = [t for t in titles if "0.61" in t or "0.90" in t]
    assert [t.split(" [")[0] for t in extraverted] == ["plain: 0.61", "loud: 0.90"]
    # what is unscored is written as such and says why
    assert titles[:2] == ["plain: said so", "loud: said so"]
    assert page.html.count('class="none"') == 6
    assert page.html.count('class="target"') == 1


def test_three_bots_are_compared_each_with_each(folders: list[Path], tmp_path: Path) -> None:
    third = write(tmp_path / "c", "third", LOUD, settings={"repeats": 3})
    page = make_page([*folders, third])
    pairs = [(c["first"], c["second"], c["differ"]) for c in page.figures["comparisons"]]
    assert pairs == [("plain", "loud", 1), ("plain", "third", 1), ("loud", "third", 0)]
    assert page.figures["settings_that_differ"] == {"repeats": [1, 1, 3]}
    text = Read(page.html).text
    assert "not interviewed alike" in text and "Each of the 3 comparisons" in text


def test_of_many_bots_each_is_compared_with_the_first(tmp_path: Path) -> None:
    folders = [write(tmp_path / str(i), f"bot{i}", PLAIN) for i in range(6)]
    page = make_page(folders)
    pairs = [(c["first"], c["second"]) for c in page.figures["comparisons"]]
    assert pairs == [("bot0", f"bot{i}") for i in range(1, 6)]


def test_personas_of_their_own_are_what_is_compared(tmp_path: Path) -> None:
    folders = [
        write(tmp_path / "a", "bot", PLAIN, persona="shy"),
        write(tmp_path / "b", "bot", LOUD, persona="bold"),
    ]
    page = make_page(folders)
    (found,) = page.figures["comparisons"]
    assert (found["first"], found["second"], found["differ"]) == ("shy", "bold", 1)
    assert page.figures["profiles"][0]["domains"][2]["targets"] == [1.0, 1.0]


def test_what_has_nothing_in_common_says_so(tmp_path: Path) -> None:
    both = write(tmp_path / "a", "bot", PLAIN, persona="shy")
    profile = read(both)
    second = [{**m, "persona": "meek"} for m in profile["measurements"]]
    profile["measurements"] += second
    (both / "profile.json").write_text(json.dumps(profile))
    other = write(tmp_path / "b", "bot", LOUD, persona="bold")
    page = make_page([both, other])
    (found,) = page.figures["comparisons"]
    assert found["compared"] == 0 and "have no persona" in found["reason"]
    text = Read(page.html).text
    assert "Not compared: the profiles have no persona" in text
    # a section is about the bots that have it; the other one is named, not drawn as unscored
    assert "Not measured: bot (b)." in text and "bot (b): not measured" not in page.html
    assert [bot["name"] for bot in page.figures["bots"]] == ["bot (a)", "bot (b)"]


def test_what_most_bots_have_comes_first(tmp_path: Path) -> None:
    both = write(tmp_path / "a", "one", PLAIN, persona="shy")
    profile = read(both)
    profile["measurements"] += [{**m, "persona": "bold"} for m in profile["measurements"]]
    (both / "profile.json").write_text(json.dumps(profile))
    page = make_page([both, write(tmp_path / "b", "two", LOUD, persona="bold")])
    assert [one["persona"] for one in page.figures["profiles"]] == ["bold", "shy"]
    assert page.figures["comparisons"][0]["compared"] == 2


def test_of_very_many_lines_those_that_differ_are_shown(tmp_path: Path) -> None:
    folders = []
    for name, values in (("a", PLAIN), ("b", LOUD)):
        folder = write(tmp_path / name, name, values)
        profile = read(folder)
        (one,) = profile["measurements"]
        profile["measurements"] = [{**one, "persona": f"p{i}"} for i in range(50)]
        # twelve units of one persona move by about a half: enough to pass Holm's correction
        units = {str(i): {"0": 0.1 + i / 100} for i in range(12)}
        if name == "b":
            units = {u: {"0": v["0"] + 0.5 + int(u) / 500} for u, v in units.items()}
        strong = {**one["domains"]["extraversion"], "units": units}
        profile["measurements"][7]["domains"] = {**one["domains"], "extraversion": strong}
        (folder / "profile.json").write_text(json.dumps(profile))
        folders.append(folder)
    page = make_page(folders)
    (found,) = page.figures["comparisons"]
    assert (len(found["changes"]), found["differ"]) == (250, 1)
    table = Read(page.html).tables["b minus a"]
    assert [row[0] for row in table[1:]] == ["p7: Extraversion"]
    assert "249 more lines" in Read(page.html).text


def test_other_questionnaires_and_damaged_profiles(folders: list[Path], tmp_path: Path) -> None:
    other = write(tmp_path / "a", "x", PLAIN, instrument="ipip-50")
    with pytest.raises(InputError, match="compare interviews with the same questionnaire"):
        make_page([folders[0], other])
    profile = read(other)
    del profile["answers"]
    (other / "profile.json").write_text(json.dumps(profile))
    with pytest.raises(InputError, match="lacks 'answers'"):
        make_page([other])


def test_one_interview_is_the_report_of_interview(folders: list[Path]) -> None:
    from persona_lab.reports.interview import interview_report

    page = make_page([folders[0]])
    assert page.html == interview_report(read(folders[0]))
    assert page.figures["profile"] == read(folders[0])
    named = make_page([folders[0] / "profile.json"], title=EVIL)
    assert "Interview of" not in named.html and EVIL in Read(named.html).text
    assert named.html.count("<section") == page.html.count("<section")


def test_hostile_names(tmp_path: Path) -> None:
    folders = [
        write(tmp_path / "a", EVIL, PLAIN, notes=(EVIL,)),
        write(tmp_path / "b", EVIL, LOUD, persona=EVIL, settings={EVIL: EVIL}),
    ]
    page = make_page(folders)
    assert_self_contained(page.html)
    assert EVIL in Read(page.html).text
