"""Rows that stand shuffled in the file, and replies that were not chosen."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from persona_lab.dialogue import Dialogue
from persona_lab.formats import read_dialogues

SAID = ["Is the kiln hot?", "Nearly.", "Then we wait.", "With tea."]
MOVED = "turns that stand out of order are put in the order of their numbers or time stamps"
LEFT_OUT = "of replies that were written side by side, those marked as not chosen are left out"
ORDERS = [[2, 0, 3, 1], [3, 2, 1, 0]]


def rows(order: list[int], **columns: list[Any]) -> list[dict[str, Any]]:
    """Rows of the dialogue 'k', with more columns, in an order."""
    made = [
        {"conversation_id": "k", "speaker": "Ada" if i % 2 else "Tor", "text": text}
        | {key.replace("__", " "): values[i] for key, values in columns.items()}
        for i, text in enumerate(SAID)
    ]
    return [made[i] for i in order]


def written(given: list[dict[str, Any]], kind: str) -> str:
    if kind == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in given)
    if kind == "json":
        return json.dumps(given, indent=1)
    out = io.StringIO()
    table = csv.DictWriter(out, given[0], delimiter="\t" if kind == "tsv" else ",")
    table.writeheader()
    table.writerows(given)
    return out.getvalue()


def read(text: str) -> tuple[list[list[str]], list[str]]:
    """What is said in each dialogue, and the notes."""
    reader = read_dialogues(io.StringIO(text))
    found = []
    for dialogue in reader:
        assert isinstance(dialogue, Dialogue)
        found.append([u.text for u in dialogue.utterances])
    return found, reader.notes


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv"])
@pytest.mark.parametrize(
    "key",
    ["turn_index", "turn", "turn_id", "turnId", "utterance_idx", "position", "index", "Turn__no"],
)
def test_the_number_of_the_turn_is_the_order(key: str, kind: str, order: list[int]) -> None:
    for numbers in ([0, 1, 2, 3], ["1", "2", "9", "10"], [1.0, 2.0, 3.0, 5.0], [-1, 0, 4, 8]):
        given = rows(order, **{key: list(numbers)})
        assert read(written(given, kind)) == ([SAID], [MOVED])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
@pytest.mark.parametrize("key", ["timestamp", "date", "created_at", "sentAt"])
@pytest.mark.parametrize(
    "form", ["2031-04-0{}", "2031-04-01 0{}:30", "2031-04-01T0{}:30:00Z", "2031-04-0{}T07:00+02:00"]
)
def test_a_time_stamp_is_the_order(form: str, key: str, kind: str, order: list[int]) -> None:
    given = rows(order, **{key: [form.format(i + 1) for i in range(4)]})
    assert read(written(given, kind)) == ([SAID], [MOVED])


def test_newest_first_with_equal_times() -> None:
    given = rows([3, 2, 1, 0], date=["2031-04-01", "2031-04-01", "2031-04-02", "2031-04-02"])
    assert read(written(given, "jsonl")) == ([SAID], [MOVED])


@pytest.mark.parametrize("order", [*ORDERS, [0, 1, 2, 3]])
@pytest.mark.parametrize(
    "columns",
    [
        {"turn": [1, 2, 2, 3]},
        {"turn": [1, 2, None, 4]},
        {"turn": [1, 2, 2.5, 4]},
        {"position": ["baker", "smith", "cook", "clerk"]},
        {"index": [True, False, True, False]},
        {"timestamp": ["2031-04-01", "2031-04-02", "", "2031-04-04"]},
        {"timestamp": ["2031-04-01T10:00", "2031-04-02T10:00Z", "2031-04-03", "2031-04-04"]},
        {"timestamp": ["noon", "one", "two", "three"]},
        {"turn": [1, 1, 2, 2], "date": ["2031-04-01", "2031-04-02", "2031-04-03", "2031-04-04"]},
    ],
)
def test_rows_that_do_not_tell_stay_as_they_stand(
    columns: dict[str, list[Any]], order: list[int]
) -> None:
    assert read(written(rows(order, **columns), "jsonl")) == ([[SAID[i] for i in order]], [])


def test_rows_in_order_need_no_note() -> None:
    assert read(written(rows([0, 1, 2, 3], turn=[1, 2, 3, 4]), "csv")) == ([SAID], [])


def test_dialogues_are_put_in_order_each_for_itself() -> None:
    given = rows([1, 0, 2, 3], turn=[1, 2, 3, 4])
    other = [{**row, "conversation_id": "m"} for row in rows([3, 0, 2, 1], turn=[1, 2, 2, 4])]
    mixed = [row for pair in zip(given, other, strict=True) for row in pair]
    found, notes = read(written(mixed, "jsonl"))
    assert found == [SAID, [SAID[i] for i in (3, 0, 2, 1)]] and notes == [MOVED]


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_a_file_that_is_one_dialogue(kind: str) -> None:
    given = [
        {"role": "assistant" if i % 2 else "user", "content": SAID[i], "turn": i} for i in ORDERS[0]
    ]
    assert read(written(given, kind)) == ([SAID], [MOVED])


@pytest.mark.parametrize("mark", ["if_chosen", "chosen", "is_chosen"])
@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("key", ["messages", "conversation_history", "turns"])
def test_replies_that_were_not_chosen_are_left_out(key: str, numbered: bool, mark: str) -> None:
    turns = [
        {"turn": 0, "role": "user", "content": SAID[0], mark: None},
        {"turn": 0, "role": "model", "content": "No idea.", mark: False},
        {"turn": 0, "role": "model", "content": SAID[1], mark: True},
        {"turn": 1, "role": "user", "content": SAID[2], mark: None},
        {"turn": 1, "role": "model", "content": SAID[3], mark: True},
        {"turn": 1, "role": "model", "content": "Why?", mark: False},
        {"turn": 1, "role": "model", "content": "Cake.", mark: False},
    ]
    given = [turn if numbered else {k: v for k, v in turn.items() if k != "turn"} for turn in turns]
    assert read(json.dumps({key: given})) == ([SAID], [LEFT_OUT])


def test_rows_of_replies_that_were_not_chosen() -> None:
    given = rows([0, 1, 1, 2, 3], turn=[0, 0, 1, 1])
    marked = [{**row, "chosen": i != 1} if i in (1, 2) else row for i, row in enumerate(given)]
    assert read(written(marked, "jsonl")) == ([SAID], [LEFT_OUT])


@pytest.mark.parametrize(
    "marks", [[False] * 4, [True, False, True, False], [None, False, None, True], ["no"] * 4]
)
@pytest.mark.parametrize("numbered", [True, False])
def test_a_mark_on_turns_that_are_no_alternatives(marks: list[object], numbered: bool) -> None:
    given = [
        {"role": "assistant" if i % 2 else "user", "content": text, "chosen": mark}
        | ({"turn": i} if numbered else {})
        for i, (text, mark) in enumerate(zip(SAID, marks, strict=True))
    ]
    assert read(json.dumps({"messages": given})) == ([SAID], [])
