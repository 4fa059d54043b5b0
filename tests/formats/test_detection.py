"""Telling layouts apart by their content."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from persona_lab.errors import FormatError, InputError
from persona_lab.formats import FORMATS, detect_format, read_dialogues

EXAMPLES = {
    "text": "It was a dark night: so it began.\nAnd then?\n",
    "transcript": "Ann: hi\nBob: hello\nand more\n",
    "subtitles": "WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n",
    "chat-template": "### Human: hi\n### Assistant: hello\n",
    "dailydialog": "hi __eou__ hello __eou__\n",
    "screenplay": "INT. KITCHEN\n\nANN\nhi\n\nBOB\nhello\n",
    "jsonl": '{"id": "a", "text": "hi"}\n',
    "openai": '{"messages": [{"role": "user", "content": "hi"}]}\n',
    "sharegpt": '[{"conversations": [{"from": "human", "value": "hi"}]}]',
    "chat": '{"instruction": "Greet me.", "input": "", "output": "Hello there."}\n',
    "csv": "id;text\n1;hi\n",
    "essays": "#AUTHID,TEXT,cEXT,cNEU,cAGR,cCON,cOPN\na,hi,y,y,y,y,y\n",
    "kaggle-mbti": "type,posts\nINFP,hi\n",
    "friends-persona": (
        ",scene_id,text,character,cAGR,cCON,cEXT,cOPN,cNEU\n0,01_e01_c01,<b>A</b>: x,A,1,1,1,1,1\n"
    ),
    "personallm": '{"persona_encoding": "extr", "annotation": "hi", "text": "x"}\n',
    "msc": '{"dialog": [], "init_personachat": {}}\n',
    "synthetic-persona-chat": (
        "user 1 personas,user 2 personas,Best Generated Conversation\na,b,User 1: hi\n"
    ),
    "cped": "Dialogue_ID,Speaker,Utterance\nd,A,hi\n",
}


def test_every_layout_that_is_a_stream_has_an_example() -> None:
    assert set(EXAMPLES) | {"youtube-personality", "persona-statements"} == set(FORMATS)


@pytest.mark.parametrize("layout", EXAMPLES)
@pytest.mark.parametrize("name", ["data", "data.txt", "data.csv", "data.jsonl"])
def test_content_wins_over_the_name(tmp_path: Path, layout: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(EXAMPLES[layout])
    expected = layout
    if layout == "text":
        # Prose says nothing by itself, so here the extension decides.
        expected = {".csv": "csv", ".jsonl": "jsonl"}.get(path.suffix, layout)
    assert detect_format(path) == expected


@pytest.mark.parametrize("layout", EXAMPLES)
def test_streams_are_told_apart_and_put_back(layout: str) -> None:
    for stream in (io.StringIO(EXAMPLES[layout]), io.BytesIO(EXAMPLES[layout].encode("utf-16"))):
        assert detect_format(stream) == layout
        assert read_dialogues(stream).format == layout


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "neuroticism.jsonl").write_text("{}")
    assert detect_format(tmp_path) == "persona-statements"
    (tmp_path / "impression_scores.csv").write_text("vlogId Extr\n")
    assert detect_format(tmp_path) == "youtube-personality"


def test_a_text_beside_the_scores_of_others_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "impression_scores.csv").write_text("vlogId Extr\nVLOG1 3\n")
    for name, layout in (("README.txt", "text"), ("VLOG1.txt", "youtube-personality")):
        (tmp_path / name).write_text("Hello, hello.")
        assert detect_format(tmp_path / name) == layout


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("{'loc': 'x'} <SEP> a\tb\n", "text"),
        ("[10:31] Ann: hi\n[10:32] Bob: hello\n", "transcript"),
        ("{curly} start of a text\n", "text"),
        ("[Scene: a bar]\nnobody speaks\n", "text"),
        ("text\nwithout any table\n", "text"),
        ("To: a\nFrom: b\nSubject: c\nDate: d\n", "text"),
        ("https://a.b\nhttps://c.d\n", "text"),
        ('{\n  "text": "hi"\n}\n', "jsonl"),
        ('broken{\n{"text": "hi"}\n', "text"),
        ('{"id": "broken\n{"messages": []}\n', "openai"),
        ("text,id\nHello: you,1\n", "csv"),
        ('{"personas": [], "dialog": []}', "msc"),
        ('[{"role": "user", "content": "hi"}]', "openai"),
    ],
)
def test_cases_on_the_border(content: str, layout: str) -> None:
    assert detect_format(io.StringIO(content)) == layout


def test_columns_speak_for_tables_and_records() -> None:
    assert detect_format(io.StringIO("a,b\n1,2\n"), columns="text=b") == "csv"
    assert detect_format(io.StringIO('{"b": "x"}'), columns="text=b") == "jsonl"


def test_unknown_json_lists_its_keys() -> None:
    with pytest.raises(FormatError, match="keys found: dial, index; name the key of the text with"):
        detect_format(io.StringIO('{"dial": [], "index": 1}'))


def test_all_lines_undecodable() -> None:
    with pytest.raises(InputError, match=r"stdin:1: not valid UTF-8 \(byte 1 of the file\)"):
        detect_format(io.BytesIO("für\nmüde\n".encode("latin-1")))


def test_a_stream_that_cannot_be_rewound() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    for pipe in (Pipe(b"hi"), "-"):
        with pytest.raises(FormatError, match="cannot be rewound"):
            detect_format(pipe)
    assert read_dialogues(Pipe(b"hi")).format == "text"
