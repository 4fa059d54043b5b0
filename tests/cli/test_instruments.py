"""``persona-lab instruments``: lists, items, audits, and scores from tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from persona_lab.cli.lazy import Entry, LazyGroup


class _Commands(LazyGroup):
    entries = (Entry("instruments", "persona_lab.cli.instruments", "Questionnaires."),)


app = typer.Typer(cls=_Commands)


@app.callback()
def _root() -> None:
    """A group with this command only."""


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def run(*args: object, code: int = 0, input: str | None = None) -> Result:
    given = ["instruments", *map(str, args)]
    result = CliRunner().invoke(app, given, prog_name="persona-lab", input=input)
    assert result.exit_code == code, result.output
    return result


def rows(*args: object, **how: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*args, "--json", **how).stdout.splitlines()]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ratings.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_list() -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        "ipip-20",
        "ipip-50",
        "ipip-120",
        "jungian-48",
    ]
    (entries,) = rows("list")
    assert [e["n_items"] for e in entries] == [20, 50, 120, 48]


def test_show() -> None:
    shown = run("show", "ipip-120").stdout
    assert "Johnson, J. A. (2014)" in shown and "public domain" in shown
    (line,) = (line for line in shown.splitlines() if line.startswith("51 "))
    assert line.split() == ["51", "neuroticism", "-1", "Immoderation", "Rarely", "overindulge"]
    (record,) = rows("show", "jungian-48")
    assert len(record["items"]) == 48 and record["items"][0]["keyed"] == 1


def test_audit() -> None:
    printed = run("audit", "ipip-50").stdout
    assert "Look at 1 of 50 items" in printed and "Dislike myself" in printed
    (found,) = rows("audit", "ipip-50")
    assert [i["id"] for i in found["items"] if i["status"] == "look"] == ["19"]
    assert {d["plus"] for d in found["domains"]} == {5}


def test_one_row_a_rating(tmp_path: Path) -> None:
    # extraversion of the Mini-IPIP: 1 and 11 plus, 6 and 16 minus
    path = write(tmp_path, "item,rating\n1,5\n6,1\n11,4\n16,\n")
    (row,) = rows("score", "ipip-20", path)
    found = row["domains"]["extraversion"]
    assert (row["id"], row["status"]) == ("ratings", "scored")
    assert (found["n_answered"], found["n_items"]) == (3, 4)
    assert found["mean"] == pytest.approx(14 / 3)
    assert (found["low_bound"], found["high_bound"]) == (15 / 4, 19 / 4)
    assert row["domains"]["openness"]["mean"] is None
    printed = run("score", "ipip-20", path).stdout
    assert "4.67" in printed and "3 of 4" in printed and "3.75 to 4.75" in printed


def test_several_respondents_in_one_column(tmp_path: Path) -> None:
    text = "respondent,item,rating\nann,1,5\nbob,1,1\nann,6,1\nbob,zz,3\n"
    ann, bob = rows("score", "ipip-20", write(tmp_path, text))
    assert ann["domains"]["extraversion"]["mean"] == 5.0
    assert bob["status"] == "unscored" and bob["code"] == "bad_rating"
    assert bob["reason"].startswith("ratings.csv:5: ") and "'zz'" in bob["reason"]


def test_one_row_a_respondent_keeps_the_order_and_goes_on_after_bad_cells(tmp_path: Path) -> None:
    text = "respondent;age;1;6\nann;30;5;1\nbob;31;9;1\ncyd;32;3;3\ndan;33;;NA\neve;34;x;1\n"
    path = write(tmp_path, text)
    result = run("score", "ipip-20", path, "--json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(r["id"], r["status"]) for r in found] == [
        ("ann", "scored"),
        ("bob", "unscored"),
        ("cyd", "scored"),
        ("dan", "unscored"),
        ("eve", "unscored"),
    ]
    assert "ratings.csv:3" in found[1]["reason"] and "from 1 to 5" in found[1]["reason"]
    assert found[3]["code"] == "no_answers"
    assert "not a number" in found[4]["reason"] and "'x'" not in found[4]["reason"]
    assert (found[0]["straight_lined"], found[2]["straight_lined"]) == (False, True)
    assert found[0]["acquiescence"] == found[2]["acquiescence"] == 0.0
    assert "ignored: age" in result.stderr and "Warning: ratings.csv:3" in result.stderr


def test_ratings_from_stdin() -> None:
    (row,) = rows("score", "jungian-48", "-", input="item,rating\n1,5\n")
    assert row["domains"]["EI"]["mean"] == 5.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item,rating\n1,5\nx9,1\n", ["ratings.csv:3", "no item 'x9'"]),
        ("item,rating\n1,6\n", ["ratings.csv:2", "rating 6", "from 1 to 5"]),
        ("item,rating\n1,nan\n", ["ratings.csv:2", "not a number"]),
        ("item,rating\n1,5\n1,4\n", ["ratings.csv:3", "rated twice"]),
        ("item,rating\n", ["no ratings below its header"]),
        ("age,city\n1,2\n", ["no column that is an item", "'item' and 'rating'", "age, city"]),
        ("1,1\n2,3\n", ["two columns for item '1'"]),
        ("1,6\n5,9\n", ["ratings.csv:2", "item '6'"]),
    ],
)
def test_bad_tables_end_with_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    result = run("score", "ipip-20", write(tmp_path, text), code=2)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ") and all(word in line for word in words), line


def test_unknown_instruments() -> None:
    assert "bundled are" in run("show", "nope", code=2).stderr
