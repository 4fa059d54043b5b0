"""Chats in text, made at random: what is written comes back, and nothing breaks."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError, RowError
from persona_lab.formats import read_dialogues
from persona_lab.formats.chat_text import missed, split_chat

NAMES = st.sampled_from(["Ida", "Otto Berg", "Zoë", "于春晓", "प्रिया", "O'Neil", "Łukasz"])
WORDS = st.text(st.sampled_from("abc äß好 .,:!?-'"), min_size=1, max_size=40)
TURNS = st.lists(st.tuples(NAMES, WORDS.filter(lambda text: text.strip())), min_size=4, max_size=8)
LINES = {
    "messenger": "12/05/21, 10:31 - {}: {}",
    "brackets": "[2021-05-12 10:31:07] {}: {}",
    "template": "<|im_start|>{}\n{}<|im_end|>",
    "captions": "00:00:01,000 --> 00:00:02,000\n<v {}>{}</v>\n",
}
PIECES = st.sampled_from(
    [
        "Ida: hi", "Otto: ho", "<ida> hi", "[SPEAKER_00]: hi", "IDA", "Ida", "", "", "---", "-->",
        "1", "WEBVTT", "00:01.000 --> 00:02.000", "12/05/21, 10:31 - Ida: hi", "### Human: hi",
        "[INST] hi [/INST] ho", "<|im_start|>user", "a __eou__ b __eou__", "INT. MILL", "(smiles)",
        "[10:31]", "10:31", "Ida, [12.05.21 10:31]", "**", "# Talk", "\u200e", "{Embed}", "<v >",
        "It rained.",
    ]
)  # fmt: skip


@given(turns=TURNS, layout=st.sampled_from(sorted(LINES)))
@settings(max_examples=60, deadline=None)
def test_what_is_written_comes_back(turns: list[tuple[str, str]], layout: str) -> None:
    if layout == "template":
        turns = [(("user", "assistant")[i % 2], text) for i, (_, text) in enumerate(turns)]
    content = "\n".join(LINES[layout].format(name, text.strip()) for name, text in turns)
    (dialogue,) = read_dialogues(io.StringIO(content))
    assert isinstance(dialogue, Dialogue)
    found = [(u.speaker, u.text) for u in dialogue.utterances]
    assert found == [(name, text.strip()) for name, text in turns]


@given(lines=st.lists(st.one_of(PIECES, WORDS), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_nothing_breaks_and_no_word_is_made_up(lines: list[str]) -> None:
    content = "\n".join(lines)
    split_chat(content)
    missed(content)
    try:
        rows = list(read_dialogues(io.StringIO(content)))
    except InputError:
        return
    said = [u.text for row in rows if isinstance(row, Dialogue) for u in row.utterances]
    squeezed = "".join(content.split())
    assert all("".join(part.split()) in squeezed for text in said for part in text.split("\n"))


@given(turns=TURNS, at=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_damaged_line_costs_itself(turns: list[tuple[str, str]], at: int) -> None:
    names = ["Ida", "Otto"] * 4
    lines = [
        f"12/05/21, 10:31 - {name}: {text.strip()}".encode()
        for name, (_, text) in zip(names, turns, strict=False)
    ]
    lines[at] += b"\xe9"
    bad, dialogue = read_dialogues(io.BytesIO(b"\n".join(lines)))
    assert isinstance(bad, RowError) and bad.place == f"stdin:{at + 1}"
    assert isinstance(dialogue, Dialogue)
    expected = [text.strip() for i, (_, text) in enumerate(turns) if i != at]
    assert [u.text for u in dialogue.utterances] == expected
