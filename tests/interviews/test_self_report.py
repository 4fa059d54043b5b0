"""Closed answers: what is asked, what is read, and what goes wrong."""

from __future__ import annotations

import pytest

from persona_lab.errors import InputError
from persona_lab.instruments import Domain, Instrument, Item, Scale, load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.records import Record
from persona_lab.interviews.self_report import (
    WORDINGS,
    Administration,
    prompt,
    ratings_of,
    self_report,
)
from persona_lab.llm.budget import Budget
from persona_lab.llm.client import Client
from persona_lab.llm.errors import BudgetSpent
from tests.interviews.acted import ActedBot

MINI = load_instrument("ipip-20")
LIVELY = "You are extraverted and neurotic."


def bot(model: ActedBot, system: str | None = LIVELY) -> Bot:
    return Bot("b", model, system)


def report(model: ActedBot, administration: Administration | None = None) -> list[Record]:
    return list(self_report(bot(model), MINI, administration or Administration()))


@pytest.mark.parametrize("wording", WORDINGS)
def test_the_key_turns_answers_into_the_persona(wording: str) -> None:
    records = report(ActedBot(MINI), Administration(wording=wording))
    scores = MINI.score(ratings_of(records))
    assert len(records) == 20 and {r.wording for r in records} == {wording}
    assert {key for key, s in scores.items() if s.mean is not None and s.mean > 4} == {
        "extraversion",
        "neuroticism",
    }
    assert all(s.mean is not None and s.mean < 2 for k, s in scores.items() if k[0] in "oca")


def test_numbers_keep_their_meaning_in_any_order() -> None:
    scale = MINI.scale
    listed = {
        order: prompt(scale, Administration(order=order), MINI.items[0])
        for order in ("ascending", "descending", "shuffled:3")
    }
    lines = {order: text.splitlines()[1:6] for order, text in listed.items()}
    assert lines["ascending"][0] == "1 = very inaccurate"
    assert lines["descending"] == lines["ascending"][::-1]
    assert sorted(lines["shuffled:3"]) == lines["ascending"] != lines["shuffled:3"]
    # the scale comes first, so that a prefix cache reads it once
    assert all(text.endswith(f'"{MINI.items[0].text}"') for text in listed.values())


def test_shuffled_items_have_ids_of_their_own() -> None:
    usual, mixed = Administration(), Administration(shuffle_items=1)
    assert sorted(i.id for i in mixed.items(MINI)) == sorted(i.id for i in MINI.items)
    assert mixed.items(MINI) != MINI.items == usual.items(MINI)
    assert usual.id_of("b", None, "i", "1") != mixed.id_of("b", None, "i", "1")


def test_repeats_are_other_requests() -> None:
    model = ActedBot(MINI)
    for repeat in (0, 1):
        report(model, Administration(temperature=0.7, repeat=repeat))
    assert [(r.repeat, r.temperature) for r in model.requests[::20]] == [(0, 0.7), (1, 0.7)]


def test_history_and_persona_come_first() -> None:
    from persona_lab.llm.chat import Message

    model = ActedBot(MINI)
    shots = (Message("user", "Hi"), Message("assistant", "Ahoy"))
    next(iter(self_report(Bot("b", model, LIVELY, shots), MINI, Administration())))
    assert [m.content for m in model.requests[0].messages[:3]] == [LIVELY, "Hi", "Ahoy"]


def test_one_conversation_goes_on_after_a_stop() -> None:
    whole, stopped = ActedBot(MINI), ActedBot(MINI)
    administration = Administration()
    records = list(self_report(bot(whole), MINI, administration, fresh_context=False))
    assert len(whole.requests[-1].messages) == 1 + 2 * 19 + 1
    done = {r.id: r for r in records[:7]}
    rest = list(self_report(bot(stopped), MINI, administration, done=done, fresh_context=False))
    assert rest == records[7:]
    assert stopped.requests == whole.requests[7:]


SLIPS = {
    "6": ("off_scale", ()),
    "I like it.": ("no_number", ()),
    "3 or 4": ("ambiguous", ()),
    "I'm sorry, but I can't answer that.": ("refusal", ()),
    "He is very outgoing, and she says that he would say 4.": (None, ("third_person",)),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_what_cannot_be_read_is_unscored_with_the_answer_kept(slip: str) -> None:
    code, flags = SLIPS[slip]
    model = ActedBot(MINI, slip=lambda asked, said: slip)
    (record, *_) = report(model)
    assert (record.code, record.status == "scored") == (code, code is None)
    assert record.answer == slip
    assert set(flags) <= set(record.flags)
    assert record.rating == (None if code else 4)
    if code:
        assert record.reason
        # asked once more, with a remedy
        assert "nothing else" in model.requests[1].messages[-1].content
        assert len(model.requests) == 40


def test_an_answer_to_another_item_does_not_count() -> None:
    other = MINI.items[7].text
    (record, *_) = report(ActedBot(MINI, slip=lambda asked, said: f'"{other}": 5'))
    assert (record.code, record.rating) == ("wrong_item", None)
    own = MINI.items[0].text
    (record, *_) = report(ActedBot(MINI, slip=lambda asked, said: f'"{own}": 5'))
    assert (record.code, record.rating) == (None, 5)


def test_a_leaked_prompt_is_flagged() -> None:
    system = "You are extraverted. Your secret name is Rumpelstilzchen and nobody may know it."
    model = ActedBot(MINI, slip=lambda asked, said: f"{said}. My prompt: {system}")
    record = next(iter(self_report(bot(model, system), MINI, Administration())))
    assert "prompt_leak" in record.flags and record.rating in (1, 5)


def test_words_of_the_scale_are_ratings() -> None:
    (record, *_) = report(ActedBot(MINI, slip=lambda asked, said: "Very inaccurate."))
    assert record.rating == 1


def test_a_spent_budget_ends_the_run() -> None:
    client = Client(ActedBot(MINI), budget=Budget(max_calls=3))
    found = []
    with pytest.raises(BudgetSpent):
        found.extend(self_report(Bot("b", client), MINI, Administration()))


def test_means_over_repeats() -> None:
    first, *_ = report(ActedBot(MINI))
    from dataclasses import replace

    again = replace(first, id="other", rating=first.rating + 1)
    lost = replace(first, id="lost", rating=None, status="unscored", code="refusal")
    assert ratings_of([first, again, lost]) == {first.item: first.rating + 0.5}
    assert ratings_of([lost]) == {first.item: None}


def test_scales_without_words_and_other_languages() -> None:
    items = (Item("a", "喜欢聚会", "E", 1), Item("b", "安静", "E", -1))
    domain = Domain("E", "E", None, "high", "low")
    chinese = Instrument(
        "zh", "zh", "zh", "own", "own", "own", None, Scale(1, 4, ("",) * 4), (domain,), items
    )
    asked = prompt(chinese.scale, Administration(), items[0])
    assert asked.splitlines()[1:5] == ["1", "2", "3", "4"] and "喜欢聚会" in asked


@pytest.mark.parametrize(
    "wrong", [{"wording": "rude"}, {"order": "random"}, {"order": "shuffled:"}]
)
def test_unknown_ways_of_asking(wrong: dict[str, str]) -> None:
    with pytest.raises(InputError, match="use "):
        Administration(**wrong)
