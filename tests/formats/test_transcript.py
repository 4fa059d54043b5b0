"""Plain texts and ``Name: text`` transcripts."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from persona_lab.dialogue import AUTHOR, Dialogue
from persona_lab.errors import FormatError, RowError
from persona_lab.formats import detect_format, read_dialogues
from persona_lab.formats.transcript import share_of_turns, split_turn


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Ann: hello", ("Ann", "hello")),
        ("Ann:hello", ("Ann", "hello")),
        ("  Dr. Rosen :  Yes? ", ("Dr. Rosen", "Yes?")),
        ("User 1: 10:30 is fine", ("User 1", "10:30 is fine")),
        ("bot_0: hi", ("bot_0", "hi")),
        ("Woman No. 1: Hi.", ("Woman No. 1", "Hi.")),
        ("Monica, Rachel: Hi!", ("Monica, Rachel", "Hi!")),
        ("Joey's Sister: Hi", ("Joey's Sister", "Hi")),
        ("于春晓\uff1a怎么了", ("于春晓", "怎么了")),
        ("प्रिया: नमस्ते", ("प्रिया", "नमस्ते")),
        ("Łukasz Żółć: cześć", ("Łukasz Żółć", "cześć")),
        ("Ross (angrily): No!", ("Ross", "(angrily) No!")),
        ("**Ann:** hello", ("Ann", "hello")),
        ("**Ann**: **very** bold", ("Ann", "**very** bold")),
        ("[10:31] Ann: hello", ("Ann", "hello")),
        ("(00:01:05) Ann: hello", ("Ann", "hello")),
        ("[12/05/21, 10:31:07 PM] Ann B: hello", ("Ann B", "hello")),
        ("12/05/21, 10:31 - Ann: hello", ("Ann", "hello")),
        ("10:31 Ann: hello", ("Ann", "hello")),
        ("Ann:", ("Ann", "")),
        ("http://example.org/a: b", None),
        ("https://example.org", None),
        ("10:30", None),
        ("10:30 is when we meet", None),
        ("At 10:30 we meet", None),
        ("see you at 9:15", None),
        (r"C:\Users", None),
        ("one two three four five: no name", None),
        ("x" * 41 + ": too long", None),
        ("I left early. He said: go", None),
        ("Well, look: there it is", None),
        ("no colon at all", None),
        ("(She laughs: loudly)", None),
        ("", None),
    ],
)
def test_split_turn(line: str, expected: tuple[str, str] | None) -> None:
    assert split_turn(line) == expected


def test_share_of_turns_wants_a_conversation() -> None:
    assert share_of_turns(["Ann: hi", "Bob: hi", "and more"]) == pytest.approx(2 / 3)
    assert share_of_turns(["From: a", "To: b", "Subject: c", "Date: d"]) == 0.0
    assert share_of_turns(["It began so.", "Ann: hi", "Ann: hi"]) == 0.0
    assert share_of_turns([]) == 0.0


def test_transcript_with_continuations_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    path.write_text(
        "\n[10:31] Ann Lee: Hello\nhow are you?\n\nBob: Fine.\nsee http://x.org\n\nBob:\n"
    )
    (dialogue,) = read_dialogues(path)
    assert isinstance(dialogue, Dialogue)
    assert (dialogue.id, dialogue.place, dialogue.focus) == ("talk", "talk.txt:2", None)
    assert [(u.id, u.speaker, u.text) for u in dialogue.utterances] == [
        ("0", "Ann Lee", "Hello\nhow are you?"),
        ("1", "Bob", "Fine.\nsee http://x.org"),
        ("2", "Bob", ""),
    ]


def test_lines_that_belong_to_nobody_are_reported() -> None:
    stream = io.BytesIO(b"Interview, part one\n\nAnn: hi\nBob: h\xff\nAnn: bye\n")
    reader = read_dialogues(stream, "transcript")
    bad_line, dialogue = reader
    assert isinstance(bad_line, RowError) and bad_line.place == "stdin:4"
    assert reader.notes == ["1 line is left out as nobody's words (titles, notices, placeholders)"]
    assert isinstance(dialogue, Dialogue)
    assert [(u.speaker, u.text) for u in dialogue.utterances] == [("Ann", "hi"), ("Ann", "bye")]


def test_transcript_without_any_name() -> None:
    with pytest.raises(FormatError, match=r"no line begins with 'Name: '.*--format text"):
        read_dialogues(io.StringIO("just prose\nand more"), "transcript")


def test_plain_text_has_one_author_and_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "my essay.txt"
    path.write_bytes(b"\r\nFirst line\r\nsecond line\r\n\r\n  \r\nNext: one\r\n")
    assert detect_format(path) == "text"
    (dialogue,) = read_dialogues(path)
    assert isinstance(dialogue, Dialogue)
    assert (dialogue.id, dialogue.focus, dialogue.place) == ("my essay", AUTHOR, "my essay.txt:2")
    assert [(u.id, u.speaker, u.text) for u in dialogue.utterances] == [
        ("0", AUTHOR, "First line\nsecond line"),
        ("1", AUTHOR, "Next: one"),
    ]
