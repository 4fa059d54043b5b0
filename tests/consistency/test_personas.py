"""Persona statements from files and from what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_lab.consistency.instructions import as_said, split_persona
from persona_lab.consistency.personas import Statement, extract, read_persona
from persona_lab.errors import InputError


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "persona.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_lines_bullets_and_numbers(tmp_path: Path) -> None:
    path = written(
        tmp_path, "- I have two dogs.\n\n* I am 40.\n3) My car is  red.\nI am 40.\n---\n"
    )
    persona = read_persona(path)
    assert persona.everybody == ("I have two dogs.", "I am 40.", "My car is red.")
    assert persona.of("Ann") == persona.everybody


def test_json_for_each_speaker(tmp_path: Path) -> None:
    path = written(tmp_path, '{"Ann": ["I sail."], "Bob": "I ski.\\nI swim."}')
    persona = read_persona(path)
    assert persona.of("Ann") == ("I sail.",)
    assert persona.of("Bob") == ("I ski.", "I swim.")
    assert persona.of("Cy") == ()
    assert read_persona(written(tmp_path, '["I sail."]')).everybody == ("I sail.",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no persona statement"),
        ("\n - \n...\n", "holds no persona statement"),
        ('{"Ann": []}', "holds no persona statement"),
        ("{not json", "starts like JSON"),
        ('[{"a": 1}]', "a persona in JSON is"),
        (b"\xff\xfe\x00I", "not UTF-8"),
    ],
)
def test_files_that_hold_no_persona(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_persona(written(tmp_path, content))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--persona auto"):
        read_persona(tmp_path / "none.txt")


@pytest.mark.parametrize(
    "text",
    [
        "I have two dogs.",
        "I'm a nurse in Ohio.",
        "Well, I never eat any meat.",
        "My sister works at a bank.",
        "I don't like spicy food.",
        "I\u2019ve lived in Rome for years.",
        "I work from home.",
    ],
)
def test_facts(text: str) -> None:
    assert len(extract([(0, text)])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "I think you are right.",
        "I do not know what that is.",
        "I'm going to the shop now.",
        "I'd love to go there someday.",
        "I have two dogs, and you?",
        "Do I have any dogs?",
        "You have two nice dogs.",
        "I agree.",
        "I hope that you win it.",
        "I'm sorry to hear about that.",
        "That is my favourite one of all.",
    ],
)
def test_no_facts(text: str) -> None:
    assert extract([(0, text)]) == ()


def test_turns_are_kept_and_repeats_dropped() -> None:
    found = extract(
        [(1, "Hi! I have two dogs. Cute?"), (3, "I have two dogs!"), (5, "I own a car.")]
    )
    assert found == (Statement("I have two dogs.", 1), Statement("I own a car.", 5))


def test_at_most_twenty() -> None:
    assert len(extract([(0, " ".join(f"I have {i} red cars." for i in range(50)))])) == 20


PROMPT = """\
# Character
You are Mira, a retired sailor from Cork. You keep bees and your left knee hurts.

# Rules
- Always answer in English.
- Never mention prices.
- If the user is rude, stay polite.
- You must not talk about politics.
Style:
Keep replies short. Today's date is 2024-05-01. Current user: Wren.
"""


def test_a_system_prompt_is_taken_apart() -> None:
    parts = split_persona([PROMPT])
    assert parts.statements == (
        "You are Mira, a retired sailor from Cork.",
        "You keep bees and your left knee hurts.",
    )
    assert len(parts.set_apart) == 10
    assert "Never mention prices." in parts.set_apart


@pytest.mark.parametrize(
    "statement",
    [
        "I never use the tram.",
        "Never drinks alcohol.",
        "My boss is Dr. Brown from St. Ives.",
        "You keep bees and you never lie.",
        "Personality: warm, chatty",
        "I always keep my word!",
        "I can speak four languages.",
    ],
)
def test_what_can_be_contradicted_is_a_statement(statement: str) -> None:
    assert split_persona([statement]).statements == (statement,)


def test_what_is_said_to_the_character_is_read_as_it_would_say_it() -> None:
    assert as_said("You keep bees and your knee hurts.") == "I keep bees and my knee hurts."
    assert as_said("You're a baker.") == "I'm a baker."
    assert as_said("I know you well.") == "I know you well."
