"""``persona-lab inspect``: how a file is read, before anything is scored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from persona_lab.cli import app

TURNS = [
    {"from": "human", "value": "Did you water the figs?"},
    {"from": "gpt", "value": "Twice, and I sang to them. " * 9},
]


def run(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(
        app, ["inspect", *map(str, args)], prog_name="persona-lab", env={"COLUMNS": "80"}
    )
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    rows = [
        json.dumps({"id": "a", "system": "I grow figs.", "conversations": TURNS, "labels": [1]}),
        '{"id": "b", "conver',
        json.dumps({"id": "c", "conversations": [*TURNS, *TURNS]}),
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_what_people_see(chats: Path) -> None:
    out = run(chats).stdout
    for part in (
        "chats.jsonl: read as sharegpt",
        "keys: id, system, conversations, labels",
        "turns = conversations, speaker = conversations[].from, text = conversations[].value",
        "persona = system",
        "2 dialogues, 6 turns, 1 row skipped",
        "speakers: user (3 turns), assistant (3 turns)",
        "note: the key 'labels' is left out",
        "skipped: chats.jsonl:2: not valid JSON",
        "The first dialogue, a",
        "(assistant is: I grow figs.)",
        "user: Did you water the figs?",
        "...",
    ):
        assert part in out, part


def test_the_same_as_json(chats: Path) -> None:
    row = json.loads(run(chats, "--json").stdout)
    assert (row["file"], row["layout"], row["dialogues"], row["turns"]) == (
        "chats.jsonl",
        "sharegpt",
        2,
        6,
    )
    assert row["speakers"] == {"user": 3, "assistant": 3}
    assert [bad["id"] for bad in row["skipped"]] == ["line-2"]
    assert row["first"]["personas"] == {"assistant": ["I grow figs."]}
    assert row["first"]["turns"][0] == {"speaker": "user", "text": "Did you water the figs?"}


def test_columns_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("no,body,mood\n1,Figs are ripe.,calm\n")
    assert "--columns text=body" in run(path, code=2).stderr
    row = json.loads(run(path, "--columns", "text=body,id=no", "--json").stdout)
    assert (row["keys"], row["read_as"]) == (["no", "body", "mood"], {"text": "body", "id": "no"})
    assert row["first"]["id"] == "1"


def test_chats_in_a_table(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,prompt,response\n1,Are the figs ripe?,Nearly.\n")
    row = json.loads(run(path, "--json").stdout)
    assert row["read_as"] == {"user": "prompt", "assistant": "response", "id": "id"}


def test_a_folder(chats: Path) -> None:
    (chats.parent / "dataset_info.json").write_text('{"chats": {"file_name": "chats.jsonl"}}')
    (chats.parent / "notes.docx").write_text("x")
    (chats.parent / "bad.csv").write_text("key,body\n1,Hi\n")
    result = run(chats.parent, "--json")
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == ["chats.jsonl"]
    for name in ("dataset_info.json", "notes.docx", "bad.csv"):
        assert name in result.stderr


def test_a_file_without_any_dialogue(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": 5}\n')
    assert "not one dialogue could be read" in run(path, code=2).stderr


def test_the_roles_of_columns_are_in_every_help() -> None:
    for command in (
        "score",
        "consistency",
        "filter",
        "evaluate",
        "inspect",
        "train",
        "tune",
        "export",
    ):
        result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "300"})
        assert result.exit_code == 0, result.output
        for role in ("text", "id", "speaker", "dialogue", "persona", "turns", "Dots reach"):
            assert role in result.stdout, (command, role)
