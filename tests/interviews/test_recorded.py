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


ASKED = {"id": 3, "question": "Do you hum at work?", "query_style": "interview"}


def test_incharacter(tmp_path: Path) -> None:
    item = MINI.items[5]
    rows = [
        ASKED | {"response_open": "Ilse: All day, and loudly."},
        ASKED | {"id": 4, "response_open": "Ilse: <think>Hm, no.</think>Never."},
        ASKED | {"id": 5, "question": item.text, "response_open": "Ilse: As an AI, I do not have "
                 "preferences."},
        ASKED | {"id": 6, "response_open": "Ilse: "},
        {"id": 7, "question": "What?"},
    ]  # fmt: skip
    path = tmp_path / "ilse_interview.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = read_recorded(path, MINI)
    assert [(r.bot, r.domain, r.answer, r.code) for r in found.records[:2]] == [
        ("Ilse", "", "All day, and loudly.", None),
        ("Ilse", "", "Never.", None),
    ]
    third = found.records[2]
    assert (third.item, third.domain, third.code) == (item.id, item.domain, "refusal")
    assert [(r.bot, r.answer, r.code) for r in found.records[3:]] == [("Ilse", None, "empty")] * 2
    assert len({r.id for r in found.records}) == len(found.records) == 5


def test_incharacter_without_a_common_name(tmp_path: Path) -> None:
    rows = [ASKED | {"response_open": "Well: yes."}, ASKED | {"id": 4, "response_open": "Oh: no."}]
    path = tmp_path / "some_bot.json"
    path.write_text(json.dumps(rows))
    found = read_recorded(path, MINI).records
    assert [(r.bot, r.answer) for r in found] == [
        ("some_bot", "Well: yes."),
        ("some_bot", "Oh: no."),
    ]


def test_incharacter_with_closed_answers(tmp_path: Path) -> None:
    item = MINI.items[0]
    rows = [
        ASKED | {"question": item.text, "query_style": "choose", "response_open": "Ilse: 4."},
        ASKED | {"id": 4, "query_style": "choose", "response_open": "Ilse: 2"},
    ]
    path = lines(tmp_path / "a.jsonl", *rows)
    (record,), (problem,) = (found := read_recorded(path, MINI)).records, found.problems
    assert (record.protocol, record.item, record.rating) == ("self-report", item.id, 4.0)
    assert "is no item of 'ipip-20'" in str(problem) and "--instrument" in str(problem)


def test_psychobench(tmp_path: Path) -> None:
    first, second = MINI.items[:2]
    path = tmp_path / "toy-bfi.csv"
    path.write_text(
        '"Prompt: Reply with a number, from 1 to 5.",order-0,shuffle0-test0,shuffle0-test1,'
        "order-1,shuffle1-test0\n"
        f"1. One,{first.id},4,5,{second.id},1\n"
        f"2. Two,{second.id},2,,{first.id},9\n"
        f"3. Three,no-such,3,3,{first.id},3\n"
    )
    found = read_recorded(path, MINI)
    assert [(r.bot, r.item, r.repeat, r.rating, r.code) for r in found.records] == [
        ("toy-bfi", first.id, 0, 4.0, None),
        ("toy-bfi", first.id, 1, 5.0, None),
        ("toy-bfi", second.id, 2, 1.0, None),
        ("toy-bfi", second.id, 0, 2.0, None),
        ("toy-bfi", second.id, 1, None, "empty"),
        ("toy-bfi", first.id, 2, None, "no_number"),
    ]
    assert len(found.problems) == 1 and "'no-such'" in str(found.problems[0])
    path.write_text("Prompt,order-0,shuffle0-test0\n1. One,77,4\n")
    with pytest.raises(InputError, match=r"no answer that can be read: .*item '77'"):
        read_recorded(path, MINI)
