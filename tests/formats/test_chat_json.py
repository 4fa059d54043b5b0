"""Chats as JSON, whatever the keys of their turns are called."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError, RowError
from persona_lab.formats import read_dialogues

ASK, REPLY = "Did the ferry leave?", "At noon, with the band aboard."
MORE, LAST = "Then we walk.", "I packed the blue tent."
SAID = [("user", ASK), ("assistant", REPLY), ("user", MORE), ("assistant", LAST)]
ROLES = [{"role": role, "content": text} for role, text in SAID]
FROM = [{"from": {"user": "human"}.get(role, "gpt"), "value": text} for role, text in SAID]
NO = {"role": "assistant", "content": "No."}
NODES: dict[str, Any] = {"top": {"id": "top", "message": None, "parent": None}} | {
    f"n{i}": {
        "parent": f"n{i - 1}" if i else "top",
        "message": {"author": {"role": r}, "content": {"content_type": "text", "parts": [t]}},
    }
    for i, (r, t) in enumerate(SAID)
}
NODES["other"] = {**NODES["n3"], "message": {**NODES["n3"]["message"]}}


def read(*rows: Any, columns: str | None = None, format: str = "auto") -> list[Dialogue]:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    results = list(read_dialogues(io.StringIO(text), format, columns=columns))
    assert not [str(bad) for bad in results if isinstance(bad, RowError)]
    return [found for found in results if isinstance(found, Dialogue)]


def said(dialogue: Dialogue) -> list[tuple[str, str]]:
    return [(u.speaker, u.text) for u in dialogue.utterances]


FOUR_TURNS = {
    "from and value": {"conversations": FROM},
    "roles under conversations": {"conversations": ROLES},
    "from and value under messages": {"messages": FROM},
    "conversation": {"conversation": ROLES, "turn": 2, "model": "x", "redacted": False},
    "dialog": {"dialog": ROLES},
    "thread": {"thread": ROLES},
    "items": {"items": ROLES},
    "text in a text": {"messages": json.dumps(ROLES)},
    "a Python literal in a text": {"messages": repr(ROLES)},
    "an object of lists": {
        "messages": {"role": [r for r, _ in SAID], "content": [t for _, t in SAID]}
    },
    "texts": {"data": [text for _, text in SAID]},
    "pairs": {"history": [[ASK, REPLY], [MORE, LAST]]},
    "named pairs": {"dialogue": [list(turn) for turn in SAID]},
    "objects of pairs": {
        "conversation": [{"human": ASK, "assistant": REPLY}, {"human": MORE, "assistant": LAST}]
    },
    "question after a history": {"query": MORE, "response": LAST, "history": [[ASK, REPLY]]},
    "roles inside": {"messages": [{"author": {"role": r}, "content": t} for r, t in SAID]},
    "parts": {"messages": [{"role": r, "content": [{"type": "text", "text": t}]} for r, t in SAID]},
    "a turn one level deeper": {"messages": [{"type": r, "data": {"content": t}} for r, t in SAID]},
    "a tree with its current branch": {"title": "x", "mapping": NODES, "current_node": "n3"},
    "messages of an export": {
        "uuid": "c",
        "account": {"uuid": "a"},
        "chat_messages": [
            {"sender": r, "text": "", "content": [{"type": "text", "text": t}]}
            for r, t in SAID
        ],
    },
    "contents": {"contents": [{"role": r, "parts": [{"text": t}]} for r, t in SAID]},
    "a flag for the side": {
        "conversation": [{"message": t, "is_bot": r == "assistant"} for r, t in SAID]
    },
    "a service that answers as the system": {
        "turns": [
            {"speaker": {"user": "USER", "assistant": "SYSTEM"}[r], "utterance": t}
            for r, t in SAID
        ],
    },
    "an export inside": {"id": "c", "chat": {"title": "x", "messages": ROLES}},
}  # fmt: skip


@pytest.mark.parametrize("name", FOUR_TURNS)
@pytest.mark.parametrize("form", ["lines", "array", "pretty"])
def test_turns_are_found(name: str, form: str) -> None:
    row = FOUR_TURNS[name]
    given = {
        "lines": [row, row],
        "array": [[row, row]],
        "pretty": [json.dumps([row, row], indent=1)],
    }
    first, second = read(*given[form])
    assert said(first) == said(second) == SAID


@pytest.mark.parametrize("turns", [ROLES, FROM])
def test_rows_and_elements_that_are_arrays(turns: list[Any]) -> None:
    lines = read(turns, turns, turns)
    assert [d.id for d in lines] == ["line-1", "line-2", "line-3"]
    nested = read(json.dumps([turns, turns], indent=1))
    assert [said(d) for d in (*lines, *nested)] == [SAID] * 5
    (bare,) = read(json.dumps(turns, indent=1))
    assert (bare.id, said(bare)) == ("stdin", SAID)


@pytest.mark.parametrize("between", ["", "\n", "\n\n", " , "])
@pytest.mark.parametrize("indent", [None, 1])
def test_arrays_one_after_another(between: str, indent: int | None) -> None:
    parts = [json.dumps([{"text": text}], indent=indent) for text in (ASK, REPLY, MORE)]
    assert [d.utterances[0].text for d in read(between.join(parts))] == [ASK, REPLY, MORE]


def test_text_after_the_closing_bracket_is_reported() -> None:
    good, bad = read_dialogues(io.StringIO(json.dumps([{"text": ASK}]) + " and so on"))
    assert isinstance(good, Dialogue)
    assert isinstance(bad, RowError) and "text after the closing ']' is not valid" in str(bad)


@pytest.mark.parametrize("word", ["chatgpt", "GPT", "Model", "bot", "bing", "bard", "AI", "gpt-4o"])
def test_whoever_answers_is_the_assistant(word: str) -> None:
    turns = [("SYSTEM", "I mend nets."), ("Human", ASK), (word, REPLY), ("prompter", MORE)]
    (dialogue,) = read({"conversations": [{"from": who, "value": text} for who, text in turns]})
    assert dialogue.speaker_names == ("user", "assistant")
    assert dialogue.speakers["assistant"].persona == ("I mend nets.",)


def test_names_beside_roles_and_names_alone() -> None:
    turns = [
        {"role": "user", "name": "Mira", "content": ASK},
        {"author": {"name": "osk", "nickname": "Oskar"}, "content": REPLY},
        {"sender": "Bingley", "text": MORE},
    ]
    (dialogue,) = read({"messages": turns})
    assert dialogue.speaker_names == ("Mira", "Oskar", "Bingley")


@pytest.mark.parametrize(
    "facts",
    [
        {"system": "I mend nets."},
        {"system_prompt": "I mend nets."},
        {"chatbot_role": "I mend nets."},
        {"instruction": "I mend nets."},
        {"system": [{"type": "text", "text": "I mend nets."}]},
        {"systemInstruction": {"role": "system", "parts": [{"text": "I mend nets."}]}},
    ],
)
def test_the_system_text_is_the_persona(facts: Any) -> None:
    (dialogue,) = read({"conversations": FROM, **facts})
    assert dialogue.speakers["assistant"].persona == ("I mend nets.",)
    assert said(dialogue) == SAID


@pytest.mark.parametrize(
    "role", ["tool", "function", "function_call", "observation", "tool-response", "ipython"]
)
def test_calls_of_tools_are_nobodys_words(role: str) -> None:
    turns = [*FROM[:1], {"from": role, "value": '{"tide": 3}'}, *FROM[1:]]
    (dialogue,) = read({"conversations": turns})
    assert said(dialogue) == SAID
    assert [u.id for u in dialogue.utterances] == ["0", "2", "3", "4"]


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": ASK, "input": "", "output": REPLY},
        {"prompt": ASK, "response": REPLY},
        {"prompt": ASK, "completion": REPLY},
        {"prompt": ROLES[:1], "completion": ROLES[1:2]},
        {"question": ASK, "answer": REPLY},
        {"query": ASK, "response": REPLY, "history": []},
    ],
)
def test_what_was_asked_and_what_was_answered(row: Any) -> None:
    assert [said(d) for d in read(row, row)] == [SAID[:2]] * 2


def test_a_text_beside_them_is_the_text_unless_it_repeats_them() -> None:
    facts = {"prompt": "Write about the sea.", "response": "ok", "user": "u17", "model": "m"}
    (dialogue,) = read({"text": LAST, **facts})
    assert said(dialogue) == [("author", LAST)]
    (dialogue,) = read({"text": f"### Ask {ASK} ### Reply {REPLY}", "prompt": ASK, "output": REPLY})
    assert said(dialogue) == SAID[:2]


@pytest.mark.parametrize("row", [{"user": "u17", "output": REPLY}, {"user": "u17", "model": "m"}])
def test_the_name_of_a_user_is_no_question(row: Any) -> None:
    with pytest.raises(FormatError):
        read(row)


def test_the_input_of_an_instruction_is_part_of_it() -> None:
    (dialogue,) = read({"instruction": "Greet him.", "input": "Captain Aho", "output": REPLY})
    assert said(dialogue)[0] == ("user", "Greet him.\nCaptain Aho")


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": ASK, "chosen": REPLY, "rejected": "No."},
        {"prompt": ROLES[:1], "chosen": ROLES[1:2], "rejected": [NO]},
        {"chosen": ROLES[:2], "rejected": [ROLES[0], NO]},
        {"prompt": ASK, "messages": ROLES[:2], "chosen": ROLES[:2], "rejected": [ROLES[0], NO]},
        {"conversations": FROM[:1], "chosen": FROM[1], "rejected": {"from": "gpt", "value": "No."}},
    ],
)  # fmt: skip
def test_each_reply_is_a_dialogue_of_its_own(row: Any) -> None:
    chosen, rejected = read({"id": "p", **row})
    assert said(chosen) == SAID[:2]
    assert said(rejected) == [("user", ASK), ("assistant", "No.")]
    assert [(d.id, d.group, d.options["reply"]) for d in (chosen, rejected)] == [
        ("p:chosen", "p", "chosen"),
        ("p:rejected", "p", "rejected"),
    ]


def test_two_conversations_of_a_row() -> None:
    first, second = read({"question_id": "q", "conversation_a": ROLES, "conversation_b": ROLES[:2]})
    assert (first.id, said(first)) == ("q:a", SAID)
    assert (second.id, said(second)) == ("q:b", SAID[:2])


class TestExports:
    def test_only_the_branch_that_was_kept(self) -> None:
        nodes = {**NODES, "again": {**NODES["n1"], "parent": "n0"}}
        (dialogue,) = read({"id": 5, "mapping": nodes, "current_node": "again"})
        assert (dialogue.id, said(dialogue)) == ("5", SAID[:2])

    def test_trees_follow_the_best_ranked_reply(self) -> None:
        def reply(text: str, rank: int | None) -> Any:
            return {"text": text, "role": "assistant", "rank": rank, "replies": []}

        first = {"text": ASK, "role": "prompter", "replies": [reply("No.", 1), reply(REPLY, 0)]}
        assert said(read({"message_tree_id": "t", "prompt": first})[0]) == SAID[:2]
        first["replies"].reverse()
        assert said(read(first)[0]) == SAID[:2]

    def test_rows_of_a_tree(self) -> None:
        rows = [
            {"message_id": "a", "parent_id": None, "role": "prompter", "text": ASK},
            {"message_id": "b", "parent_id": "a", "role": "assistant", "text": "No.", "rank": 1},
            {"message_id": "c", "parent_id": "a", "role": "assistant", "text": REPLY, "rank": 0},
        ]
        text = "\n".join(json.dumps({**row, "message_tree_id": "a"}) for row in rows)
        reader = read_dialogues(io.StringIO(text))
        (dialogue,) = reader
        assert isinstance(dialogue, Dialogue) and said(dialogue) == SAID[:2]
        assert "only the best ranked are read" in reader.notes[0]

    def test_a_chat_with_a_character(self) -> None:
        header = {"user_name": "Mira", "character_name": "Oskar", "chat_metadata": {}}
        turns = [
            {"name": "Mira", "is_user": True, "is_system": False, "mes": ASK},
            {"name": "Note", "is_user": False, "is_system": True, "mes": "Joined."},
            {"name": "Oskar", "is_user": False, "is_system": False, "mes": REPLY},
        ]
        (dialogue,) = read(header, *turns)
        assert said(dialogue) == [("Mira", ASK), ("Oskar", REPLY)]
        assert dialogue.focus == "Oskar"

    def test_notices_are_no_turns(self) -> None:
        bold = {"type": "bold", "text": "noon"}
        turns = [
            {"id": 1, "type": "service", "actor": "Mira", "action": "phone_call"},
            {"id": 2, "type": "message", "from": "Mira", "text": ASK},
            {"id": 3, "type": "message", "from": "Oskar", "text": ["At ", bold]},
        ]
        chat = {"name": "Oskar", "id": 7, "messages": turns}
        expected = [("Mira", ASK), ("Oskar", "At noon")]
        assert [said(d) for d in read(chat)] == [expected]
        both = read(json.dumps({"chats": {"list": [chat, {**chat, "id": 8}]}}, indent=1))
        assert [(d.id, said(d)) for d in both] == [("7", expected), ("8", expected)]

    def test_questions_deep_inside_are_no_chat(self) -> None:
        turns = [{"speaker": who, "text": text} for who, text in SAID]
        row = {"sessions": {"first": turns}, "qa": [{"question": ASK, "answer": "noon"}] * 2}
        assert [said(d) for d in read(row)] == [SAID]

    def test_settings_are_no_chat(self) -> None:
        with pytest.raises(FormatError, match="JSON of no known layout"):
            read({"toy": {"file_name": "toy.jsonl"}, "headers": [{"name": "a", "value": "b"}]})


class TestRowsThatAreTurns:
    rows = tuple(
        {"id": f"u{i}", "conversation_id": c, "speaker": who, "text": text, "reply-to": None}
        for i, (c, who, text) in enumerate(
            [(1.0, "Mira", ASK), ("x", "Mira", MORE), (1, "Oskar", REPLY), ("x", "Oskar", LAST)]
        )
    )

    @pytest.mark.parametrize("form", ["lines", "array"])
    def test_they_are_grouped_wherever_they_stand(self, form: str) -> None:
        first, second = read(*self.rows) if form == "lines" else read(json.dumps(self.rows))
        assert (first.id, said(first)) == ("1", [("Mira", ASK), ("Oskar", REPLY)])
        assert (second.id, said(second)) == ("x", [("Mira", MORE), ("Oskar", LAST)])
        assert [u.id for u in first.utterances] == ["u0", "u2"]

    @pytest.mark.parametrize("key", ["dialogue_id", "thread_id", "chatId", "message_tree_id"])
    def test_other_names_of_the_dialogue(self, key: str) -> None:
        rows = [{key: "a", "role": role, "content": text} for role, text in SAID]
        (dialogue,) = read(*rows)
        assert (dialogue.id, said(dialogue)) == ("a", SAID)

    def test_chosen_and_nested_keys(self) -> None:
        rows = [
            {"meta": {"talk": 3, "n": i}, "by": {"name": who}, "said": text, "bio": "I mend nets."}
            for i, (who, text) in enumerate(SAID)
        ]
        columns = "dialogue=meta.talk,speaker=by.name,text=said,id=meta.n"
        (dialogue,) = read(*rows, columns=columns)
        assert (dialogue.id, said(dialogue)) == ("3", SAID)

    def test_a_bad_row_costs_that_row(self) -> None:
        rows = [
            self.rows[0],
            {**self.rows[2], "text": 5},
            '{"conversation_id": 1, "te',
            self.rows[2],
        ]
        text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
        found = list(read_dialogues(io.StringIO(text)))
        good = [said(d) for d in found if isinstance(d, Dialogue)]
        assert good == [[("Mira", ASK), ("Oskar", REPLY)]]
        assert [d.place for d in found if isinstance(d, RowError)] == ["stdin:2", "stdin:3"]

    def test_bare_turns_are_one_dialogue(self) -> None:
        assert [said(d) for d in read(*ROLES)] == [SAID]
        turns = [{"speaker": who, "text": text} for who, text in SAID]
        assert [said(d) for d in read(json.dumps(turns))] == [SAID]

    def test_texts_with_their_authors_are_not(self) -> None:
        rows = [{"speaker": "Mira", "text": text} for _, text in SAID]
        assert len(read(*rows)) == len(read(json.dumps(rows))) == 4


class TestColumns:
    def test_turns_under_any_key(self) -> None:
        row = {"no": 4, "talk": {"lines": [{"by": who, "said": text} for who, text in SAID]}}
        (dialogue,) = read(row, columns="turns=talk.lines,speaker=by,text=said,id=no")
        assert (dialogue.id, said(dialogue)) == ("4", SAID)

    def test_persona(self) -> None:
        row = {"messages": ROLES, "bio": ["I mend nets.", "I sing."]}
        (dialogue,) = read(row, columns="persona=bio")
        assert dialogue.speakers["assistant"].persona == ("I mend nets.", "I sing.")

    def test_an_unknown_layout_says_what_to_try(self) -> None:
        row = {"key": "k", "lines": [{"by": "Mira", "said": ASK}]}
        with pytest.raises(FormatError, match="--columns turns=lines,speaker=by,text=said"):
            read(row)
        assert said(read(row, columns="turns=lines,speaker=by,text=said")[0]) == [("Mira", ASK)]
        with pytest.raises(FormatError, match="with --columns text=body,"):
            read({"who": "Mira", "body": ASK})


@pytest.mark.parametrize(("given", "id"), [(1.0, "1"), (7, "7"), ("a", "a"), (None, "line-1")])
def test_ids(given: Any, id: str) -> None:
    assert read({"id": given, "text": ASK})[0].id == id
    assert read({"id": given, "messages": ROLES})[0].id == id


def test_our_own_turns_keep_their_names() -> None:
    turns = [{"speaker": who, "text": ASK} for who in ("Human", "tool", "system", "GPT")]
    assert read({"turns": turns})[0].speaker_names == ("Human", "tool", "system", "GPT")


@pytest.mark.parametrize("harm", ["cut", "junk"])
def test_a_broken_element_of_a_printed_array_costs_that_element(harm: str) -> None:
    lines = json.dumps([{"id": str(i), "messages": ROLES} for i in range(3)], indent=1).split("\n")
    middle = len(lines) // 2
    broken = [*lines[:middle], *([] if harm == "cut" else ["  ?!"]), *lines[middle + 1 :]]
    found = list(read_dialogues(io.StringIO("\n".join(broken))))
    assert [d.id for d in found if isinstance(d, Dialogue)] == ["0", "2"]
    assert [type(d) for d in found] == [Dialogue, RowError, Dialogue]


def test_a_turn_of_nobodys_name_has_the_id_of_who_speaks() -> None:
    turns = [
        {"id": 1, "type": "message", "from": "Mira", "from_id": "user1", "text": ASK},
        {"id": 2, "type": "message", "from": None, "from_id": "user2", "text": REPLY},
    ]
    (dialogue,) = read({"name": "Mira", "type": "personal_chat", "id": 7, "messages": turns})
    assert said(dialogue) == [("Mira", ASK), ("user2", REPLY)]


@pytest.mark.parametrize("key", ["sender_name", "agent", "sender_id", "speaker_id"])
def test_rarer_keys_of_who_speaks(key: str) -> None:
    turns = [{key: name, "content": text} for name, text in [("Mira", ASK), ("Jon", REPLY)]]
    (dialogue,) = read({"messages": turns})
    assert said(dialogue) == [("Mira", ASK), ("Jon", REPLY)]
    # beside a role, such a key names a machine or an account
    roles = [{"role": r, "content": t, key: "x7"} for r, t in SAID]
    assert said(read({"messages": roles})[0]) == SAID


@pytest.mark.parametrize("key", ["src", "creator"])
def test_who_speaks_inside_a_rarer_key(key: str) -> None:
    turns = [
        {key: {"name": name}, "text": text}
        for name, text in [("Mira", ASK), ("Jon", REPLY), ("Mira", MORE)]
    ]
    (dialogue,) = read({"histories": {"histories": [{"external_id": "h", "msgs": turns}]}})
    assert said(dialogue) == [("Mira", ASK), ("Jon", REPLY), ("Mira", MORE)]


def test_messenger_writes_the_last_first_and_in_broken_letters() -> None:
    texts = ["Caf\u00e9?", "Caf\u00e9!", "\u2019t is late"]
    turns = [
        {"sender_name": name, "timestamp_ms": i, "content": text.encode().decode("latin-1")}
        for i, (name, text) in enumerate(zip(["Mira", "Jon", "Mira"], texts, strict=True))
    ]
    right = list(zip(["Mira", "Jon", "Mira"], texts, strict=True))
    assert said(read({"messages": turns[::-1]})[0]) == right
    assert said(read({"messages": turns})[0]) == right


@pytest.mark.parametrize(
    "notice",
    [
        {"role": "assistant", "channel": "analysis", "content": "They want nets."},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Nets."}]},
    ],
)
def test_thoughts_in_turns_of_their_own_are_not_said(notice: Any) -> None:
    (dialogue,) = read({"messages": [ROLES[0], notice, *ROLES[1:]]})
    assert said(dialogue) == SAID


def test_who_came_to_a_channel_says_nothing() -> None:
    rows = [
        {"type": "message", "subtype": "channel_join", "user": "U1", "text": "<@U1> has joined"},
        {"type": "message", "user": "U1", "text": ASK},
        {"type": "message", "user": "U2", "text": REPLY},
    ]
    (dialogue,) = read(json.dumps(rows))
    assert said(dialogue) == [("U1", ASK), ("U2", REPLY)]


def test_what_the_system_says_first_is_a_persona_though_nobody_answers() -> None:
    (dialogue,) = read(
        {"messages": [{"role": "system", "content": "Be shy."}, {"role": "user", "content": ASK}]}
    )
    assert said(dialogue) == [("user", ASK)]
    assert dialogue.speakers["assistant"].persona == ("Be shy.",)


@pytest.mark.parametrize("first", ["{}", "[]", '{"version": 1}'])
def test_a_first_row_of_no_layout_costs_that_row(first: str) -> None:
    text = f"{first}\n" + json.dumps({"messages": ROLES})
    *rest, dialogue = read_dialogues(io.StringIO(text))
    assert isinstance(dialogue, Dialogue) and said(dialogue) == SAID
    assert len(rest) == 1 and not (isinstance(rest[0], Dialogue) and rest[0].utterances)


def test_an_id_is_no_speaker_to_try() -> None:
    with pytest.raises(FormatError, match=r"--columns text=KEY"):
        read({"version": 1, "data": [{"id": "a", "text": ASK}, {"id": "b", "text": REPLY}]})
    with pytest.raises(FormatError, match=r"--columns text=body,speaker=author"):
        read({"author": "Mira", "body": ASK, "score": 3})


def test_posts_with_a_flag_are_no_dialogue() -> None:
    rows = [{"id": "a", "text": ASK, "is_bot": False}, {"id": "b", "text": REPLY, "is_bot": True}]
    assert [(d.id, len(d.utterances)) for d in read(json.dumps(rows))] == [("a", 1), ("b", 1)]
