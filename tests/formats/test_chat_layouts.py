"""OpenAI messages and ShareGPT conversations."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from persona_lab.dialogue import Dialogue
from persona_lab.errors import RowError
from persona_lab.formats import Result, read_dialogues

CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You are a grumpy baker."},
        {"role": "user", "content": "Hi!"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
        {"role": "tool", "content": "42 loaves", "tool_call_id": "c1"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "What now?"},
                {"type": "image_url", "image_url": {"url": "http://x"}},
                {"type": "text", "text": "Go."},
            ],
        },
    ]
}
SHARE: dict[str, Any] = {
    "id": "c9",
    "conversations": [
        {"from": "system", "value": "Be kind."},
        {"from": "human", "value": "Hi!"},
        {"from": "gpt", "value": "Hello."},
        {"from": "bing", "value": "Beep."},
        {"from": "gpt", "value": None},
    ],
}


def read(text: str, format: str = "auto") -> list[Result]:
    return list(read_dialogues(io.StringIO(text), format))


def turns(dialogue: Result) -> list[tuple[str, str, str]]:
    assert isinstance(dialogue, Dialogue), str(dialogue)
    return [(u.id, u.speaker, u.text) for u in dialogue.utterances]


class TestOpenAI:
    def test_roles_parts_tool_calls_and_the_system_message(self) -> None:
        (dialogue,) = read(json.dumps(CHAT))
        assert turns(dialogue) == [
            ("1", "user", "Hi!"),
            ("4", "assistant", "What now?\nGo."),
        ]
        assert isinstance(dialogue, Dialogue)
        assert (dialogue.id, dialogue.focus) == ("line-1", None)
        assert dialogue.speakers["assistant"].persona == ("You are a grumpy baker.",)
        assert set(dialogue.speakers) == {"assistant"}

    def test_names_win_over_roles(self) -> None:
        messages = [
            {"role": "developer", "content": "Be Bob."},
            {"role": "user", "name": "Ann", "content": "Hi"},
            {"role": "assistant", "name": "Bob", "content": "Hey"},
        ]
        (dialogue,) = read(json.dumps({"id": "x", "group": "g", "messages": messages}))
        assert turns(dialogue) == [("1", "Ann", "Hi"), ("2", "Bob", "Hey")]
        assert isinstance(dialogue, Dialogue)
        assert (dialogue.id, dialogue.group) == ("x", "g")
        assert dialogue.speakers["Bob"].persona == ("Be Bob.",)

    @pytest.mark.parametrize("indent", [None, 2])
    def test_one_document_an_array_and_lines_read_the_same(self, indent: int | None) -> None:
        alone = turns(read(json.dumps(CHAT, indent=indent))[0])
        assert [turns(d) for d in read(json.dumps([CHAT, CHAT], indent=indent))] == [alone, alone]
        assert [turns(d) for d in read(json.dumps(CHAT) + "\n" + json.dumps(CHAT))] == [alone] * 2

    def test_a_bare_array_of_messages_is_one_dialogue(self) -> None:
        (dialogue,) = read(json.dumps(CHAT["messages"], indent=1))
        assert turns(dialogue) == turns(read(json.dumps(CHAT))[0])
        assert isinstance(dialogue, Dialogue) and dialogue.id == "stdin"

    def test_no_messages_is_still_a_dialogue(self) -> None:
        (dialogue,) = read('{"id": "x", "messages": []}')
        assert turns(dialogue) == []

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ({"text": "a"}, "the record has no 'messages'"),
            ({"messages": "a"}, "'messages' must be a list, not text"),
            ({"messages": [3]}, "every element of 'messages' must be an object"),
            ({"messages": [{"content": "a"}]}, "message 1 has no 'role'"),
            ({"messages": [{"role": 3, "content": "a"}]}, "'role' must be text, not a number"),
            ({"messages": [{"role": "user", "content": 3}]}, "'content' must be text, a list"),
            ({"messages": [{"role": "user", "content": [3]}]}, "part of 'content' must be an ob"),
        ],
    )
    def test_bad_rows_are_reported_between_good_ones(self, row: Any, message: str) -> None:
        lines = "\n".join(json.dumps(r) for r in (CHAT, row, CHAT))
        before, bad, after = read(lines, "openai")
        assert isinstance(before, Dialogue) and isinstance(after, Dialogue)
        assert isinstance(bad, RowError) and message in str(bad)


class TestShareGPT:
    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("array", [True, False])
    def test_names_are_mapped_and_the_system_text_is_the_persona(
        self, indent: int | None, array: bool
    ) -> None:
        (dialogue,) = read(json.dumps([SHARE] if array else SHARE, indent=indent))
        assert turns(dialogue) == [
            ("1", "user", "Hi!"),
            ("2", "assistant", "Hello."),
            ("3", "assistant", "Beep."),
        ]
        assert isinstance(dialogue, Dialogue)
        assert dialogue.id == "c9"
        assert dialogue.speakers["assistant"].persona == ("Be kind.",)

    def test_rows_without_id_are_numbered(self) -> None:
        row = {"conversations": [{"from": "human", "value": "a"}]}
        lines = json.dumps(row) + "\n\n" + json.dumps(row)
        assert [d.id for d in read(lines) if isinstance(d, Dialogue)] == ["line-1", "line-3"]
        array = json.dumps([row, row])
        assert [d.id for d in read(array) if isinstance(d, Dialogue)] == ["item-1", "item-2"]

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ({"messages": []}, "the record has no 'conversations'"),
            ({"conversations": {}}, "'conversations' must be a list, not an object"),
            ({"conversations": [{"value": "a"}]}, "turn 1 has no 'from'"),
            (
                {"conversations": [{"from": "gpt", "value": 3}]},
                "'value' must be text, a list of parts",
            ),
        ],
    )
    def test_bad_rows_are_reported_between_good_ones(self, row: Any, message: str) -> None:
        before, bad, after = read(json.dumps([SHARE, row, SHARE]), "sharegpt")
        assert isinstance(before, Dialogue) and isinstance(after, Dialogue)
        assert (before.id, after.id) == ("c9", "c9#2")
        assert isinstance(bad, RowError) and message in str(bad)


_TALK = [{"role": "user", "content": "Is it far?"}, {"role": "assistant", "content": "No."}]
_NAMED = [{"speaker": name, "text": "Well."} for name in ("Ada", "Tor", "Ada")]
_ALONE = [{"speaker": "Ada", "text": "Nobody there?"}]


@pytest.mark.parametrize(
    "value",
    [
        {"north": _TALK, "south": _NAMED},
        {"north": _TALK, "south": _ALONE},
        {"north": _TALK, "south": []},
        {"north": {"messages": _TALK}, "south": {"turns": _NAMED}},
        {"north": {"log": _TALK, "goal": "hills"}, "south": {"log": _NAMED, "goal": "sea"}},
        {"talks": {"north": _TALK, "south": _NAMED}},
        {"version": 2, "talks": {"north": _TALK, "south": _NAMED}},
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_the_key_of_a_chat_is_its_id(value: object, indent: int | None) -> None:
    found = list(read_dialogues(io.StringIO(json.dumps(value, indent=indent))))
    assert all(isinstance(dialogue, Dialogue) for dialogue in found)
    assert [dialogue.id for dialogue in found if isinstance(dialogue, Dialogue)] == [
        "north",
        "south",
    ]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ({"talk_7": _TALK}, ["talk_7"]),
        ({"lines_said": _TALK}, ["line-1"]),
        ({"id": "own", "lines_said": _TALK}, ["own"]),
        ({"k1": {"id": "own", "messages": _TALK}, "k2": {"messages": _TALK}}, ["own", "k2"]),
        ({"all": [{"lines": _TALK}, {"lines": _NAMED}]}, ["line-1.1", "line-1.2"]),
    ],
)
def test_a_key_that_is_no_id(value: object, ids: list[str]) -> None:
    found = list(read_dialogues(io.StringIO(json.dumps(value))))
    assert [dialogue.id for dialogue in found if isinstance(dialogue, Dialogue)] == ids
