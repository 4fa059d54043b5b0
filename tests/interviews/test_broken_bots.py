"""Bots that do not work: what they say is told apart from answers, and not scored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from persona_lab.errors import PersonaLabError
from persona_lab.instruments import load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.flags import broken, echoes, own_turn, with_sameness
from persona_lab.interviews.raters.rate import RatingSettings
from persona_lab.interviews.records import Record, read_transcript
from persona_lab.interviews.run import Settings, Subject
from persona_lab.interviews.session import Session
from persona_lab.llm.chat import ChatRequest, Message
from persona_lab.llm.client import Client
from persona_lab.llm.openai_compatible import OpenAICompatible
from tests.cli.test_interview import app
from tests.interviews.acted import ActedBot
from tests.llm.fake_server import MODEL, Answer, FakeServer

MINI = load_instrument("ipip-20")
SUNNY = "You are open, conscientious, extraverted, agreeable and stable."
FINE = "I talk with everybody at the fair, and that took all day."


def asked(
    folder: Path, protocol: str, slip: Callable[[str, str], str], *, one: bool = False
) -> tuple[list[Record], list[ChatRequest]]:
    bot = ActedBot(MINI, slip=slip)
    with Client(bot) as client:
        session = Session(MINI, folder, RatingSettings(()))
        settings = Settings((protocol,), one_conversation=one)
        session.interview([Subject(Bot("b", client, SUNNY))], settings, client)
    return read_transcript(folder / "transcript.jsonl"), bot.requests


@pytest.mark.parametrize(
    "said",
    [
        "Traceback (most recent call last):\n  File",
        "Error: rate limit reached for this key",
        "openai.RateLimitError: Error code: 429 - {'error': 'slow'}",
        "ValueError: bad",
        "Sorry, an internal error has occurred. Try later.",
        "502 Bad Gateway",
        "HTTP 500",
        "Internal Server Error",
        '{"error": {"message": "no"}}',
    ],
)
def test_texts_of_errors(said: str) -> None:
    assert broken(said) == "error_text"


@pytest.mark.parametrize(
    "said",
    [
        "<bound method Bot.reply of <__main__.Bot object at 0x7f0a>>",
        "<function reply at 0x7f0a>",
        "<coroutine object reply at 0x7f0a>",
        "<!DOCTYPE html><html></html>",
        "[object Object]",
        "None",
    ],
)
def test_no_texts(said: str) -> None:
    assert broken(said) == "not_text"


@pytest.mark.parametrize(
    "said",
    [
        FINE,
        "Errors are how I learn: I make many.",
        "An error of mine cost us the fair, once.",
        "None of my friends would say so.",
        "500 people came, and I spoke with all of them.",
        "<sighs> The object of my envy is my brother.",
    ],
)
def test_answers_are_none_of_these(said: str) -> None:
    assert broken(said) is None and own_turn(said) == said


@pytest.mark.parametrize(
    "more",
    [
        "\nUser: Do you like crowds?\nIda: No.",
        "\n\n**User:** And then?",
        "\nHuman: ok",
        "\n### Human: ok",
        "\n### Instruction:\nGo on",
        "<|im_end|>\n<|im_start|>user\nok",
        "<|eot_id|><|start_header_id|>user<|end_header_id|>ok",
        "</s>[INST] ok [/INST]",
        "<end_of_turn>\n<start_of_turn>user",
    ],
)
def test_turns_of_the_other_side(more: str) -> None:
    assert own_turn(FINE + more) == FINE


def test_turns_of_a_partner_who_has_a_name() -> None:
    assert own_turn(f"{FINE}\nMax: And you, Max: see?\nIda: Yes.", ["Max"]) == FINE
    assert own_turn(f"{FINE} I told Max: come!", ["Max"]) == f"{FINE} I told Max: come!"


@pytest.mark.parametrize(
    ("said", "is_so"),
    [
        ("Do you like loud evenings at home?", True),
        ("You asked: do you like loud evenings at home?", True),
        ("like loud evenings at home", True),
        ("evenings at home", False),
        ("Do you like loud evenings at home? I do, more than anything.", False),
        ("I do like loud evenings at home.", False),
    ],
)
def test_echoes(said: str, is_so: bool) -> None:
    assert echoes(said, "Do you like loud evenings at home?") is is_so


SLIPS: dict[str, Callable[[str, str], str]] = {
    "error_text": lambda asked, said: "Error: 429 Too Many Requests",
    "not_text": lambda asked, said: "<bound method Bot.reply of <Bot object at 0x7f0a1>>",
    "both_sides": lambda asked, said: "User: What?\nBot: 4",
}


@pytest.mark.parametrize("code", SLIPS)
@pytest.mark.parametrize("protocol", ["self-report", "interview"])
def test_are_unscored(tmp_path: Path, protocol: str, code: str) -> None:
    records, _ = asked(tmp_path, protocol, SLIPS[code])
    assert {(r.status, r.code, r.rating) for r in records} == {("unscored", code, None)}
    assert all(code in r.flags and "asked_again" in r.flags for r in records)


def test_an_echo_is_unscored(tmp_path: Path) -> None:
    records, _ = asked(tmp_path, "interview", lambda asked, said: asked)
    assert {(r.status, r.code) for r in records} == {("unscored", "echo")}


@pytest.mark.parametrize("protocol", ["self-report", "interview"])
def test_made_up_turns_are_cut_off_and_kept_apart(tmp_path: Path, protocol: str) -> None:
    more = "User: I see, and 2?\nBot: I hate it."
    records, requests = asked(tmp_path, protocol, lambda asked, said: f"{said}\n{more}", one=True)
    assert {(r.status, r.invented) for r in records} == {("scored", more)}
    assert all("both_sides" in r.flags and "hate" not in (r.answer or "") for r in records)
    assert not any("hate" in m.content for request in requests for m in request.messages)


def test_the_mark_of_an_end_is_no_turn(tmp_path: Path) -> None:
    records, _ = asked(tmp_path, "interview", lambda asked, said: said + "<|im_end|>")
    assert {(r.flags, r.invented) for r in records} == {((), None)}


def record(number: int, answer: str, **other: Any) -> Record:
    plain = Record(
        f"b/{number}", "b", None, "mini", "interview", "rule", "", 0.0, 0, f"i{number}", "openness",
        None, "?", answer,
    )  # fmt: skip
    return replace(plain, **other)


LONG = "I do as I like, and I like to walk by the sea on most days of the year."


@pytest.mark.parametrize(
    ("answers", "flagged", "void"),
    [
        (["I'm fine."] * 3, 3, 3),
        (["I'm fine.", "I'm FINE"] * 2, 4, 4),
        (["I'm fine."] * 2, 0, 0),
        ([LONG] * 5, 5, 0),
        ([LONG] * 6, 6, 6),
        ([LONG] * 6 + ["No."], 0, 0),
    ],
)
def test_one_answer_to_everything(answers: list[str], flagged: int, void: int) -> None:
    found = with_sameness([record(n, answer) for n, answer in enumerate(answers)])
    assert sum("same_answer" in r.flags for r in found) == flagged
    assert sum((r.status, r.code) == ("unscored", "same_answer") for r in found) == void


def test_closed_answers_and_other_sittings_are_no_repetitions() -> None:
    closed = [record(n, "4", protocol="self-report", rating=4.0) for n in range(9)]
    apart = [record(n, "I'm fine.", repeat=n) for n in range(10, 19)]
    assert with_sameness(closed + apart) == closed + apart


def test_a_run_of_which_nothing_can_be_used_fails_and_keeps_its_report(tmp_path: Path) -> None:
    answers = tmp_path / "a.jsonl"
    rows = [{"bot": "b", "question": "?", "answer": "Hm.", "domain": "openness", "id": n}
            for n in range(4)]  # fmt: skip
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app,
        ["interview", "--answers", str(answers), "--instrument", "ipip-20", "--rater", "detector",
         "--detector", "lexical", "--out", str(out)],
    )  # fmt: skip
    assert result.exit_code == 2 and "nothing could be scored" in result.stderr
    assert (out / "report.html").exists()
    profile = json.loads((out / "profile.json").read_text())
    assert profile["answers"]["unscored"] == {"interview": {"same_answer": 4}}


THINKS = "<think>\nI am a nervous wreck. 2?\n</think>\n\n"


@pytest.mark.parametrize("protocol", ["self-report", "interview"])
def test_thoughts_are_kept_apart(tmp_path: Path, protocol: str) -> None:
    bot = ActedBot(MINI)
    plain = {r.id: r for r in asked(tmp_path / "plain", protocol, lambda _, said: said)[0]}

    def think_first(body: dict[str, Any], number: int) -> Answer:
        messages = tuple(Message(m["role"], m["content"]) for m in body["messages"])
        return Answer(THINKS + bot.reply(ChatRequest(messages)).text)

    with FakeServer(think_first) as server:
        with Client(OpenAICompatible(server.url, model=MODEL)) as client:
            session = Session(MINI, tmp_path / "deep", RatingSettings(()))
            subject = Subject(Bot("b", client, SUNNY))
            session.interview([subject], Settings((protocol,)), client)
        sent = Counter(m["content"] for r in server.requests for m in r.body["messages"])
    found = read_transcript(tmp_path / "deep" / "transcript.jsonl")
    assert {r.id: (r.answer, r.rating) for r in found} == {
        id: (r.answer, r.rating) for id, r in plain.items()
    }
    assert {r.thought for r in found} == {"I am a nervous wreck. 2?"}
    assert not any("wreck" in content for content in sent)


def test_a_thought_that_is_cut_off_is_no_answer(tmp_path: Path) -> None:
    with (
        FakeServer(Answer("<think>Something like 2 would fit, but")) as server,
        Client(OpenAICompatible(server.url, model=MODEL)) as client,
    ):
        session = Session(MINI, tmp_path, RatingSettings(()))
        with pytest.raises(PersonaLabError, match="none of 20 questions was answered"):
            session.interview([Subject(Bot("b", client, SUNNY))], Settings(), client)
        records = read_transcript(tmp_path / "transcript.jsonl")
    assert {(r.status, r.code, r.rating, r.answer) for r in records} == {
        ("unscored", "thought_cut_off", None, None)
    }
    assert {r.thought for r in records} == {"Something like 2 would fit, but"}
