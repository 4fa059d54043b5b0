"""Open questions, scenarios, stories; and answers that say nothing about the bot."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from persona_lab.errors import InputError
from persona_lab.instruments import load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.flags import is_third_person, is_wrong_item, leaks, loops
from persona_lab.interviews.open_answers import Sitting
from persona_lab.interviews.questions import (
    in_turn,
    interview_questions,
    situational_questions,
    story_questions,
)
from persona_lab.traits import BIG_FIVE, MBTI
from tests.interviews.acted import ActedBot

MINI = load_instrument("ipip-20")
LIVELY = "You are extraverted."


def sitting(model: ActedBot, **how: object) -> Sitting:
    questions = in_turn(interview_questions(MINI))
    return Sitting(Bot("b", model, LIVELY), MINI.name, "interview", questions, **how)  # type: ignore[arg-type]


def test_every_item_becomes_a_question() -> None:
    questions = interview_questions(MINI)
    assert [q.item for q in questions] == [i.id for i in MINI.items]
    assert questions[0].text.startswith("Are you the life of the party?")
    assert {q.wording for q in questions} == {"rule"}
    # no domain fills one stretch
    assert len({q.domain for q in in_turn(questions)[:5]}) == 5


@pytest.mark.parametrize("name, traits", [("ipip-50", BIG_FIVE), ("jungian-48", MBTI)])
def test_there_are_scenarios_for_every_trait(name: str, traits: object) -> None:
    questions = situational_questions(load_instrument(name))
    counts = Counter(q.domain for q in questions)
    assert set(counts) == set(traits.keys) and min(counts.values()) >= 2  # type: ignore[attr-defined]
    assert len({q.item for q in questions}) == len(questions)
    words = {"introverted", "extraverted", "agreeable", "neurotic", "conscientious"}
    assert not any(words & set(q.text.lower().split()) for q in questions)


def test_own_scenarios_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    one = {"id": "1", "domain": "EI", "text": "What now?"}
    path.write_text(json.dumps({"scenarios": [one]}))
    with pytest.raises(InputError, match="no scenario about 'SN'"):
        situational_questions(load_instrument("jungian-48"), path)
    path = tmp_path / "twice.json"
    path.write_text(json.dumps({"scenarios": [one, one]}))
    with pytest.raises(InputError, match="two scenarios with the id '1'"):
        situational_questions(load_instrument("jungian-48"), path)
    with pytest.raises(InputError, match="1 to 3"):
        story_questions(9)


def test_fresh_contexts_know_nothing_of_each_other() -> None:
    model = ActedBot(MINI)
    records = list(sitting(model, one_conversation=False).ask())
    assert {len(r.messages) for r in model.requests} == {2}
    assert len(records) == 20 and all(r.status == "scored" and r.rating is None for r in records)


def test_one_conversation_goes_on_after_a_stop() -> None:
    whole, stopped = ActedBot(MINI), ActedBot(MINI)
    records = list(sitting(whole).ask())
    assert len(whole.requests[-1].messages) == 1 + 2 * 19 + 1
    rest = list(sitting(stopped).ask({r.id: r for r in records[:11]}))
    assert rest == records[11:] and stopped.requests == whole.requests[11:]


def test_the_interviewer_is_named_once_a_conversation() -> None:
    model = ActedBot(MINI)
    records = list(sitting(model, interviewer="an old friend").ask())
    assert ["old friend" in r.question for r in records] == [True] + [False] * 19


def slipped(said: str, **how: object) -> list[object]:
    model = ActedBot(MINI, slip=lambda asked, _: said)
    return list(sitting(model, **how).ask())


def test_a_refusal_is_asked_again_and_left_out_of_the_conversation() -> None:
    records = slipped("As an AI, I do not have preferences.")
    assert {r.code for r in records} == {"refusal"} and {r.status for r in records} == {"unscored"}  # type: ignore[attr-defined]
    assert all(r.answer.startswith("As an AI") for r in records)  # type: ignore[attr-defined]


def test_a_loop_counts_once() -> None:
    same = "I really like to go out with my friends."
    records = slipped(same)
    assert [r.code for r in records] == [None] + ["loop"] * 19  # type: ignore[attr-defined]
    # in conversations of their own the same words are an honest answer
    assert {r.code for r in slipped(same, one_conversation=False)} == {None}  # type: ignore[attr-defined]


def test_flags_by_rule() -> None:
    assert is_third_person("He is a quiet man who likes his books. He never goes out.")
    assert not is_third_person("I think she is nice, and I like her. My day was good.")
    assert not is_third_person("Yes, very much.")
    assert leaks("my orders: Always be nice to everybody, and never say no to anybody.",
                 "Always be nice to everybody, and never say no.")  # fmt: skip
    assert not leaks("I am always nice to everybody.", "You are always nice to everybody.")
    assert loops("I go home now and sleep. " * 6)
    assert not loops("Yes.", ["Yes."]) and not loops("I like it a lot, really.", ["Not me."])
    questions = ["Do you make friends easily?", "Do you often feel blue?"]
    assert is_wrong_item("Do you often feel blue? Well, no.", questions[0], questions[1:])
    assert not is_wrong_item("I rarely feel blue.", questions[0], questions[1:])
    both = "Do you make friends easily? Yes. Do you often feel blue? No."
    assert not is_wrong_item(both, questions[0], questions[1:])
