"""Scoring over HTTP: the rows of the command line, in the order of the items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from typer.testing import CliRunner

from persona_lab.cli import app as cli
from persona_lab.samples import sample_path
from tests.service.conftest import LOUD, QUIET, MakeApp, items


def post(client: FlaskClient, path: str, **body: Any) -> Any:
    return client.post(path, json=body)


def test_rows_are_those_of_the_command_line(client: FlaskClient) -> None:
    samples = client.get("/v1/samples").json["items"]
    answer = post(client, "/v1/profiles", items=samples, framework="both", explain=True)
    told = CliRunner().invoke(
        cli, ["score", str(sample_path()), "--detector", "toy", "--explain", "--json"]
    )
    expected = [json.loads(line) for line in told.stdout.splitlines()]
    assert answer.status_code == 200
    assert answer.json["items"] == expected
    assert len(expected) == 20


def test_ids_and_order_are_kept(client: FlaskClient) -> None:
    rows = post(
        client,
        "/v1/profiles",
        items=[
            {"id": "z", "text": LOUD},
            {"text": ""},
            {"id": "a", "turns": [{"speaker": s, "text": QUIET} for s in ("Bo", "Al", "Bo")]},
        ],
    ).json["items"]
    assert [(r["id"], r["speaker"], r["status"]) for r in rows] == [
        ("z", "author", "scored"),
        ("item-2", "author", "unscored"),
        ("a", "Bo", "scored"),
        ("a", "Al", "scored"),
    ]
    assert rows[1]["code"] == "no_words"
    assert rows[0]["traits"]["extraversion"]["label"] == "high"
    assert rows[2]["traits"]["extraversion"]["label"] == "low"


def test_one_speaker_can_be_chosen_and_a_missing_one_is_a_row(client: FlaskClient) -> None:
    turns = [{"speaker": "user", "text": LOUD}, {"speaker": "assistant", "text": QUIET}]
    given = [{"id": "both", "turns": turns}, {"id": "one", "turns": turns[:1]}]
    rows = post(client, "/v1/profiles", items=given, speaker="assistant").json["items"]
    assert [(r["id"], r["status"], r.get("code")) for r in rows] == [
        ("both", "scored", None),
        ("one", "unscored", "no_speaker"),
    ]


def test_halves_of_surrogate_pairs_do_no_harm(client: FlaskClient) -> None:
    body = b'{"items":[{"id":"\\ud83d","text":"The party was a party \\udc00 yes"}]}'
    answer = client.post("/v1/profiles", data=body, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json["items"][0]["id"] == "\N{REPLACEMENT CHARACTER}"


def test_consistency_gives_the_rows_of_the_command_line(client: FlaskClient) -> None:
    samples = client.get("/v1/samples").json["items"][-1:]
    answer = post(client, "/v1/consistency", items=samples, target="E+ N-", window=4)
    (row, *_) = answer.json["items"]
    assert answer.status_code == 200
    assert set(row["parts"]) == {
        "stability",
        "drift",
        "target",
        "contradiction",
        "accommodation",
    }
    assert set(row["details"]["target"]["traits"]) == {"extraversion", "neuroticism"}


def test_rank_puts_the_wanted_reply_first_within_its_context(client: FlaskClient) -> None:
    given = [
        {"id": "q", "text": "alone " * 8, "context": "1"},
        {"id": "p", "text": "party " * 8, "context": "1"},
        {"id": "e", "text": "", "context": "1"},
        {"id": "r", "text": "alone again", "context": "2"},
    ]
    answer = post(client, "/v1/rank", items=given, target="E+").json
    assert [(r["id"], r["rank"]) for r in answer["items"]] == [
        ("p", 1),
        ("q", 2),
        ("e", None),
        ("r", 1),
    ]


def test_files_of_known_layouts_become_items(client: FlaskClient) -> None:
    read = post(client, "/v1/dialogues", content='{"id": "x", "text": "hi"}\nnot json\n').json
    assert read["format"] == "jsonl"
    assert [item["id"] for item in read["items"]] == ["x"]
    assert len(read["errors"]) == 1
    chat = post(client, "/v1/dialogues", content="Ann: Hello!\nBob: Hi, Ann.\n").json
    assert [turn["speaker"] for turn in chat["items"][0]["turns"]] == ["Ann", "Bob"]


def test_the_catalogue_names_models_and_instruments(client: FlaskClient) -> None:
    (model,) = client.get("/v1/models").json["items"]
    assert (model["name"], model["version"], model["default"]) == ("toy", "1.2", True)
    card = client.get("/v1/models/toy").json
    assert "**ten** words" in card["card"]
    assert card["limits"]["max_items"] == 64
    assert "ipip-50" in [i["name"] for i in client.get("/v1/instruments").json["items"]]


@pytest.mark.parametrize("name", ["../toy", "/etc", "default"])
def test_a_model_is_a_name_and_never_a_folder(client: FlaskClient, name: str) -> None:
    answer = post(client, "/v1/profiles", items=items("hi"), model=name)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/model")


def test_a_missing_model_is_told_at_once(make_app: MakeApp, tmp_path: Path) -> None:
    client = make_app(detectors=(str(tmp_path / "nowhere"),)).test_client()
    assert client.get("/health/live").status_code == 200
    answer = post(client, "/v1/profiles", items=items("hi"))
    assert (answer.status_code, answer.json["type"]) == (424, "/docs#model-missing")
    assert client.get("/health/ready").status_code == 503


CHAT = [("system", "I love parties."), ("user", QUIET), ("assistant", LOUD), ("tool", LOUD)]


@pytest.mark.parametrize(
    "item",
    [
        {"messages": [{"role": role, "content": text} for role, text in CHAT]},
        {"conversations": [{"from": role, "value": text} for role, text in CHAT]},
        {
            "conversations": [
                {"from": {"user": "human", "assistant": "gpt"}.get(role, role), "value": text}
                for role, text in CHAT
            ]
        },
    ],
)
@pytest.mark.parametrize(("id", "expected"), [(7, "7"), (7.0, "7"), ("x", "x")])
def test_chats_are_read_as_files_are(
    client: FlaskClient, item: dict[str, Any], id: Any, expected: str
) -> None:
    answer = post(client, "/v1/profiles", items=[{"id": id, **item}])
    assert answer.status_code == 200, answer.json
    assert [(row["id"], row["speaker"]) for row in answer.json["items"]] == [
        (expected, "user"),
        (expected, "assistant"),
    ]


def test_a_chat_that_cannot_be_read_names_the_field(client: FlaskClient) -> None:
    answer = post(client, "/v1/profiles", items=[{"text": LOUD}, {"messages": [{"content": "x"}]}])
    assert answer.status_code == 422
    (error,) = answer.json["errors"]
    assert error["pointer"] == "/items/1/messages"
    assert "message 1 has no 'role'" in error["detail"]


@pytest.mark.parametrize("id", [True, 1.5, [1]])
def test_other_ids_are_refused(client: FlaskClient, id: Any) -> None:
    answer = post(client, "/v1/profiles", items=[{"id": id, "text": LOUD}])
    assert answer.status_code == 422


def test_what_a_model_thinks_is_not_what_it_says(client: FlaskClient) -> None:
    def turns(text: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": QUIET}, {"role": "assistant", "content": text}]

    asked = [{"messages": turns(LOUD)}, {"messages": turns(f"<think>{QUIET}</think>\n{LOUD}")}]
    answer = post(client, "/v1/profiles", items=asked)
    plain, thought = (row for row in answer.json["items"] if row["speaker"] == "assistant")
    assert plain["word_count"] == thought["word_count"]
    assert plain["traits"] == thought["traits"]
