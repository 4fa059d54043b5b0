"""What is written in a layout is read back equal, and damage costs the damaged rows only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats import read_dialogues, write_dialogues
from persona_lab.thoughts import Thought, split_thought

FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def is_thought(text: str) -> bool:
    """Does it hold a mark of a thought, which is no word of the speaker?"""
    return split_thought(text) != Thought(text)


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(
    lambda text: bool(text.strip()) and text.lstrip()[0] not in "[{" and not is_thought(text)
)
SIDES = st.lists(TEXTS, min_size=2, max_size=6)
CHATS = st.lists(SIDES, min_size=1, max_size=4)

Said = list[tuple[str, str]]


def turns(texts: list[str], speaker: str, text: str, names: tuple[str, str]) -> list[Any]:
    return [{speaker: names[i % 2], text: said} for i, said in enumerate(texts)]


def messages(texts: list[str]) -> Any:
    return turns(texts, "role", "content", ("user", "assistant"))


def sharegpt(texts: list[str]) -> Any:
    return turns(texts, "from", "value", ("human", "gpt"))


ROWS: dict[str, Callable[[list[str]], Any]] = {
    "openai": lambda texts: {"messages": messages(texts)},
    "sharegpt": lambda texts: {"conversations": sharegpt(texts)},
    "array": messages,
    "json in a text": lambda texts: {"messages": json.dumps(sharegpt(texts))},
    "lists": lambda texts: {
        "dialogue": {"role": ["user", "assistant"] * 3, "content": texts}
        if len(texts) == 6
        else messages(texts)
    },
    "texts": lambda texts: {"data": texts},
    "parts": lambda texts: {
        "messages": [{**turn, "content": [turn["content"]]} for turn in messages(texts)]
    },
}


def as_said(texts: list[str]) -> Said:
    return [(("user", "assistant")[i % 2], text) for i, text in enumerate(texts)]


def said(dialogue: Dialogue) -> Said:
    return [(u.speaker, u.text) for u in dialogue.utterances]


def good(text: str) -> list[Said]:
    return [said(d) for d in read_dialogues(io.StringIO(text)) if isinstance(d, Dialogue)]


@pytest.mark.parametrize("layout", ROWS)
@FEW
@given(chats=CHATS)
def test_rows_come_back(layout: str, chats: list[list[str]]) -> None:
    rows = [ROWS[layout](texts) for texts in chats]
    expected = [as_said(texts) for texts in chats]
    if layout != "array" or len(rows) > 1:  # one array alone is a document
        assert good("\n".join(map(json.dumps, rows))) == expected
    assert good(json.dumps(rows, indent=1)) == expected


@FEW
@given(chats=CHATS, order=st.randoms())
def test_rows_that_are_turns_come_back_in_any_order(chats: list[list[str]], order: Any) -> None:
    places = [number for number, texts in enumerate(chats) for _ in texts]
    order.shuffle(places)
    left = [iter(turns(texts, "role", "text", ("human", "bot"))) for texts in chats]
    rows = [{"conversation_id": number, **next(left[number])} for number in places]
    expected = [as_said(chats[number]) for number in dict.fromkeys(places)]
    assert good("\n".join(map(json.dumps, rows))) == expected
    table = io.StringIO()
    writer = csv.DictWriter(table, ["conversation_id", "role", "text"])
    writer.writeheader()
    writer.writerows(rows)
    found = read_dialogues(io.StringIO(table.getvalue()), "csv")
    assert [said(d) for d in found if isinstance(d, Dialogue)] == expected


@FEW
@given(chats=CHATS, names=st.lists(TEXTS, min_size=2, max_size=2, unique=True))
def test_our_own_rows_come_back(chats: list[list[str]], names: list[str], tmp_path: Path) -> None:
    both = (names[0], names[1])
    rows = [json.dumps({"turns": turns(texts, "speaker", "text", both)}) for texts in chats]
    first = [d for d in read_dialogues(io.StringIO("\n".join(rows))) if isinstance(d, Dialogue)]
    assert len(first) == len(chats)
    write_dialogues(first, tmp_path / "own.jsonl")
    again = [d for d in read_dialogues(tmp_path / "own.jsonl") if isinstance(d, Dialogue)]
    assert [(d.id, said(d), d.speakers, d.focus) for d in again] == [
        (d.id, said(d), d.speakers, d.focus) for d in first
    ]


@pytest.mark.parametrize("layout", ["openai", "sharegpt", "array", "texts"])
@FEW
@given(chats=st.lists(SIDES, min_size=3, max_size=5), data=st.data())
def test_damage_costs_the_damaged_line(layout: str, chats: list[list[str]], data: Any) -> None:
    lines = [json.dumps(ROWS[layout](texts)) for texts in chats]
    hurt = data.draw(st.integers(1, len(lines) - 1))
    start = data.draw(st.integers(0, len(lines[hurt]) - 2))
    end = data.draw(st.integers(start + 1, len(lines[hurt])))
    lines[hurt] = lines[hurt][:start] + lines[hurt][end:]
    found = list(read_dialogues(io.StringIO("\n".join(lines))))
    expected = [as_said(texts) for number, texts in enumerate(chats) if number != hurt]
    rest = [
        said(d) for d in found if isinstance(d, Dialogue) and not d.place.endswith(f":{hurt + 1}")
    ]
    assert rest == expected


@FEW
@given(st.text(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["messages", "role", "content", "text", "id", "turns", "prompt", "chosen"]),
        inner, max_size=4),
    max_leaves=12,
).map(json.dumps))  # fmt: skip
def test_nothing_breaks_the_reader(content: str) -> None:
    try:
        found = list(read_dialogues(io.StringIO(content)))
    except (FormatError, InputError):
        return
    assert all(isinstance(row, (Dialogue, RowError)) for row in found)
