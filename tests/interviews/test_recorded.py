"""Recorded answers and labels from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import FormatError, InputError
from persona_lab.instruments import load_instrument
from persona_lab.interviews.labels import Labels, align, predicted_type, read_labels
from persona_lab.interviews.raters.rating import Rating
from persona_lab.interviews.recorded import read_recorded
from persona_lab.interviews.result import Measurement, measurements

MINI = load_instrument("ipip-20")
JUNG = load_instrument("jungian-48")


def lines(path: Path, *rows: Any) -> Path:
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_our_layout(tmp_path: Path) -> None:
    say = {"bot": "b", "question": "Parties?", "answer": "Yes, I love them."}
    path = lines(
        tmp_path / "a.jsonl",
        say | {"domain": "Extraversion"},
        say | {"item": "6", "protocol": "self-report", "rating": 2},
        say | {"protocol": "story", "answer": "Once I went out."},
        say | {"id": "x", "domain": "openness", "answer": "As an AI, I do not have opinions."},
        say | {"id": "y", "domain": "openness", "answer": " "},
        say | {"item": "6", "protocol": "self-report", "rating": 7, "repeat": 1},
        say | {"domain": "grit"},
        say | {"item": "999", "protocol": "self-report", "rating": 2},
        say | {"domain": "Extraversion", "id": "line-1"},
        say | {"domain": "openness", "protocol": "rant"},
        "no object",
    )
    found = read_recorded(path, MINI)
    assert [(r.protocol, r.domain, r.code) for r in found.records] == [
        ("interview", "extraversion", None),
        ("self-report", "extraversion", None),
        ("story", "", None),
        ("interview", "openness", "refusal"),
        ("interview", "openness", "empty"),
        ("self-report", "extraversion", "off_scale"),
    ]
    assert found.records[1].rating == 2 and found.records[5].rating is None
    # an id is not taken for the id of an item
    assert found.records[0].item == "qline-1"
    places = [str(problem).split(": ")[0] for problem in found.problems]
    assert places == [f"a.jsonl:{n}" for n in (7, 8, 9, 10, 11)]
    assert "grit" not in str(found.problems[0]) and "extraversion" in str(found.problems[0])
    assert "twice" in str(found.problems[2])


def test_chatharuhi_layout(tmp_path: Path) -> None:
    ask = {"id": "0", "question": "你经常交新朋友吗", "response_open": "当然", "factor": "E/I",
           "character": "汤师爷"}  # fmt: skip
    path = lines(tmp_path / "c.jsonl", ask, ask | {"id": "1", "factor": "P/J"})
    found = read_recorded(path, JUNG).records
    assert [(r.bot, r.domain, r.item) for r in found] == [
        ("汤师爷", "EI", "q0"), ("汤师爷", "JP", "q1"),
    ]  # fmt: skip
    big = {"id": 20, "question": "?", "response": "好", "factor": "neuroticism",
           "sub_factor": "N3", "role_name": "汤师爷"}  # fmt: skip
    (record,) = read_recorded(lines(tmp_path / "b.jsonl", big), MINI).records
    assert (record.domain, record.facet) == ("neuroticism", "N3")
    with pytest.raises(InputError, match="no answer about the domains of 'ipip-20'"):
        read_recorded(path, MINI)


def test_their_questions_count_from_0_and_the_questionnaire_from_1(data_dir: Path) -> None:
    questionnaire = data_dir / "incharacter" / "questionnaires" / "16Personalities.json"
    answers = data_dir / "chatharuhi_personality" / "mbti_results.jsonl"
    if not questionnaire.is_file() or not answers.is_file():
        pytest.skip("the recorded interviews are not among the corpora here")
    instrument = load_instrument(questionnaire)
    records = read_recorded(answers, instrument).records
    by_item = {r.item: r for r in records[:60]}
    assert by_item["1"].question.startswith("你经常交新朋友吗")
    assert instrument.item("1").text == "You regularly make new friends"
    domains = {item.id: item.domain for item in instrument.items}
    mapped = [r for r in records if r.item in domains]
    assert all(r.domain == domains[r.item] for r in mapped)
    # six questions are of another axis in one of the two data sets: they are no item
    assert len(mapped) == 54 * len({r.bot for r in records})


def test_personallm_layout(tmp_path: Path) -> None:
    persona = {"persona_encoding": "extr_agre_cons_neur_open", "iteration": 3, "model": "m"}
    numbers = "".join(f"({chr(97 + i)}) {1 + i % 5}\n" for i in range(20))
    path = lines(
        tmp_path / "m_stories.jsonl",
        persona | {"annotation": "I went out."},
        persona | {"iteration": 4, "annotation": numbers},
        persona | {"iteration": 5, "annotation": "(a) 5 (b) 2"},
        persona | {"persona_encoding": "xxxx", "annotation": "I went out."},
    )
    found = read_recorded(path, MINI)
    assert found.records[0].protocol == "story" and found.records[0].domain == ""
    assert [r.rating for r in found.records[1:6]] == [1, 2, 3, 4, 5]
    assert found.targets["extr_agre_cons_neur_open_p3"]["neuroticism"] == 1.0
    assert [str(p).split(": ")[0] for p in found.problems] == [
        "m_stories.jsonl:3", "m_stories.jsonl:4",
    ]  # fmt: skip


def test_an_unknown_layout_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'bot', 'question', 'answer' and 'domain'"):
        read_recorded(lines(tmp_path / "x.jsonl", {"text": "hello"}), MINI)


def measured(name: str, **scores: float | None) -> Measurement:
    ratings = [
        Rating(f"{name}{d}", "llm", "j", name, None, "interview", d, None, "1", 0, s,
               code=None if s is not None else "refusal")
        for d, s in scores.items()
    ]  # fmt: skip
    (found,) = measurements(ratings, JUNG if "EI" in scores else MINI)
    return found


def test_letters_ties_and_missing_characters() -> None:
    subjects = [
        measured("a", EI=0.9, SN=0.2, TF=0.5, JP=0.9),
        measured("b", EI=0.1, SN=None, TF=0.1, JP=0.1),
    ]
    assert predicted_type(subjects[0]).letters == "ENTJ"
    assert predicted_type(subjects[1]).letters == "IXFP"
    labels = Labels(types={"a": "ENFJ", "b": "XSFP", "ghost": "INTJ"})
    (row,) = align(labels, subjects)
    types = row["types"]
    # a: E N right, T wrong (a tie), J right; b: X skipped, S has no score, F P right
    assert (types["correct"], types["total"], types["abstained"]) == (5, 7, 1)
    assert types["ties"]["count"] == 1
    assert types["ties"]["to_second_letter"]["correct"] == 6
    assert types["missing"] == ["ghost"] and types["low"] < types["accuracy"] < types["high"]


def test_positions_as_incharacter_defines_them() -> None:
    labels = Labels(
        positions={"a": {"openness": 0.9, "extraversion": 0.5}, "ghost": {"openness": 1}}
    )
    (row,) = align(labels, [measured("a", openness=0.55, extraversion=0.1)])
    found = row["positions"]
    # .55 is on the side of .9, and between by the .6 rule; .5 is open and skipped
    assert (found["dimension_accuracy"]["correct"], found["dimension_accuracy"]["total"]) == (1, 1)
    assert found["three_way_accuracy"]["correct"] == 0
    assert found["mae"]["estimate"] == pytest.approx(0.35)
    assert found["missing_subjects"] == ["ghost"]


def test_labels_from_a_file(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "l.jsonl",
        {"character": "a", "label": "enfx"},
        {"id": "b", "targets": {"openness": 0.9}},
        {"id": "a", "label": "INTJ"},
        {"id": "c", "label": "ABCD"},
        {"id": "d", "targets": {"openness": 9}},
        {"label": "INTJ"},
    )
    found = read_labels(path)
    assert found.types == {"a": "ENFX"} and found.positions == {"b": {"openness": 0.9}}
    assert [str(p).split(": ")[0] for p in found.problems] == [f"l.jsonl:{n}" for n in (3, 4, 5, 6)]
    with pytest.raises(InputError, match="holds no labels"):
        read_labels(lines(tmp_path / "none.jsonl", {"id": "c"}))
