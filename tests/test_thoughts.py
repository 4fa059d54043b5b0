"""What a reasoning model thinks is told apart from what it says, however it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persona_lab.dialogue import Dialogue
from persona_lab.formats import read_dialogues
from persona_lab.llm.chat import ChatReply
from persona_lab.thoughts import Thought, split_thought

SAID, THOUGHT = "I bake on Sundays.", "She wants a hobby. Say baking."
WRITTEN = {
    "think": f"<think>\n{THOUGHT}\n</think>\n\n{SAID}",
    "thinking": f"<thinking>{THOUGHT}</thinking> {SAID}",
    "thought": f"<thought>{THOUGHT}</thought>\n{SAID}",
    "reasoning": f"<Reasoning>{THOUGHT}</Reasoning>\n<answer>{SAID}</answer>",
    "Magistral": f"[THINK]{THOUGHT}[/THINK]{SAID}",
    "Kimi": f"◁think▷{THOUGHT}◁/think▷{SAID}",
    "Seed": f"<seed:think>{THOUGHT}</seed:think>{SAID}",
    "Sky": f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>\n"
    f"<|begin_of_solution|>{SAID}<|end_of_solution|>",
    "Command": f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{SAID}"
    "<|END_RESPONSE|>",
    "harmony": f"<|start|>assistant<|channel|>analysis<|message|>{THOUGHT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{SAID}<|return|>",
    "harmony without marks": f"analysis{THOUGHT}assistantfinal{SAID}",
    "only its end": f"{THOUGHT}\n</think>\n{SAID}",
    "before and after": f"{SAID}\n<think>{THOUGHT}</think>",
}
CUT_OFF = {
    "think": f"<think>\n{THOUGHT}",
    "Magistral": f"[THINK]{THOUGHT}",
    "Kimi": f"◁think▷ {THOUGHT}",
    "harmony": f"<|channel|>analysis<|message|>{THOUGHT}",
    "a second one": f"<think>x</think>\n<think>{THOUGHT}",
}
NO_THOUGHT = (
    "a < b, and [think] twice about 'it'",
    "Put it between `<think>` and `</think>`.",
    'The tag "<reasoning>" opens it.',
    "I say <think> in the middle of a line and never close it.",
    "analysis of the final exam",
    "",
)


@pytest.mark.parametrize("how", WRITTEN)
def test_what_is_said_and_what_is_thought(how: str) -> None:
    assert split_thought(WRITTEN[how]) == Thought(SAID, THOUGHT)


@pytest.mark.parametrize("how", CUT_OFF)
def test_a_thought_that_is_cut_off(how: str) -> None:
    found = split_thought(CUT_OFF[how])
    assert (found.said, found.cut_off) == ("", True) and found.thought.endswith(THOUGHT)


def test_what_was_said_before_a_cut_is_kept() -> None:
    assert split_thought(f"{SAID}\n<think>{THOUGHT}") == Thought(SAID, THOUGHT, cut_off=True)


@pytest.mark.parametrize("text", NO_THOUGHT)
def test_other_texts_come_back_as_they_are(text: str) -> None:
    assert split_thought(text) == Thought(text)


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("layout", ["messages", "conversations", "turns"])
def test_turns_of_data_sets(tmp_path: Path, layout: str, how: str) -> None:
    asked, said = "What do you like?", WRITTEN[how]
    row = {
        "messages": [
            {"role": "user", "content": asked}, {"role": "assistant", "content": said},
        ],
        "conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": said}],
        "turns": [{"speaker": "Max", "text": asked}, {"speaker": "Ida", "text": said}],
    }[layout]  # fmt: skip
    (tmp_path / "talks.jsonl").write_text(json.dumps({layout: row}) + "\n", encoding="utf-8")
    (dialogue,) = read_dialogues(tmp_path / "talks.jsonl")
    assert isinstance(dialogue, Dialogue)
    assert [u.text for u in dialogue.utterances] == [asked, SAID]


def test_a_turn_that_is_only_a_cut_off_thought_is_empty(tmp_path: Path) -> None:
    rows = [{"role": "user", "content": "Hm?"}, {"role": "assistant", "content": CUT_OFF["think"]}]
    (tmp_path / "t.jsonl").write_text(json.dumps({"messages": rows}) + "\n")
    (dialogue,) = read_dialogues(tmp_path / "t.jsonl")
    assert isinstance(dialogue, Dialogue)
    assert [u.text for u in dialogue.utterances] == ["Hm?", ""]


def test_a_thought_of_several_paragraphs() -> None:
    text = f"<think>\nFirst.\n\nSecond.\n\nThird.\n</think>\n\n{SAID}\n\nAnd more."
    assert [u.text for u in Dialogue.from_text(text).utterances] == [SAID, "And more."]


def test_a_recording_from_before_thoughts_were_told_apart() -> None:
    record = ChatReply(WRITTEN["think"], "stop", 1, 1, 0, None, "toy", 0.1).to_record()
    del record["thought"]
    reply = ChatReply.from_record(record, replayed=True)
    assert (reply.text, reply.thought) == (SAID, THOUGHT)
    with pytest.raises(ValueError, match="nothing that is said"):
        ChatReply.from_record(record | {"text": CUT_OFF["think"]}, replayed=True)
