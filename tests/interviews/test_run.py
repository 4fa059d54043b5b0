"""Whole runs: what a kill leaves, what a rerun does, and bots that misbehave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.instruments import load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.raters.rate import RatingSettings
from persona_lab.interviews.records import Record, RecordFile, read_transcript
from persona_lab.interviews.run import Settings, Subject, carry_out, plan, rehearse
from persona_lab.interviews.session import Session, usual_raters
from persona_lab.llm.budget import Budget
from persona_lab.llm.client import Client
from persona_lab.llm.errors import BudgetSpent
from persona_lab.llm.openai_compatible import OpenAICompatible
from persona_lab.llm.retries import RetryPolicy
from tests.interviews.acted import ActedBot
from tests.llm.fake_server import MODEL, Answer, FakeServer

MINI = load_instrument("ipip-20")
ROOT = Path(__file__).resolve().parents[2]
SUNNY = "You are open, conscientious, extraverted, agreeable and stable."
GLOOMY = "You are conventional, spontaneous, introverted, critical and neurotic."


def subjects(client: Client) -> list[Subject]:
    return [
        Subject(Bot("b", client, SUNNY), "sunny", {"extraversion": 1.0}),
        Subject(Bot("b", client, GLOOMY), "gloomy", {"extraversion": 0.0}),
    ]


def asked(path: Path, settings: Settings, model: ActedBot, **how: object) -> list[Record]:
    with Client(model, **how) as client, RecordFile(path) as file:  # type: ignore[arg-type]
        flows = plan(subjects(client), MINI, settings)
        carry_out(flows, file, client, concurrency=4)
        return file.read()


ALL = ("self-report", "interview", "situational", "story")


def test_all_protocols_and_the_forecast(tmp_path: Path) -> None:
    settings = Settings(ALL, repeats=2)
    model = ActedBot(MINI)
    records = asked(tmp_path / "t.jsonl", settings, model)
    assert Counter(r.protocol for r in records) == {
        "self-report": 80, "interview": 80, "situational": 60, "story": 4,
    }  # fmt: skip
    assert len({r.id for r in records}) == len(records) == len(model.requests)
    assert {r.status for r in records} == {"scored"}
    client = Client(ActedBot(MINI))
    forecast, _ = rehearse(subjects(client), MINI, settings, {})
    assert forecast.calls == len(records) and client.usage.calls == 0
    done = {r.id: r for r in records[:100]}
    assert rehearse(subjects(client), MINI, settings, done)[0].calls == len(records) - 100


@pytest.mark.parametrize("one", [False, True])
def test_a_run_that_ends_early_goes_on(tmp_path: Path, one: bool) -> None:
    settings = Settings(ALL, one_conversation=one)
    whole = asked(tmp_path / "whole.jsonl", settings, ActedBot(MINI))
    path = tmp_path / "stopped.jsonl"
    asked_before = 0
    for _ in range(8):
        model = ActedBot(MINI)
        try:
            again = asked(path, settings, model, budget=Budget(max_calls=25))
            break
        except BudgetSpent:
            asked_before += len(model.requests)
    assert sorted(again, key=lambda r: r.id) == sorted(whole, key=lambda r: r.id)
    assert asked_before + len(model.requests) == len(whole)


def test_adaptive_length_asks_less_and_goes_on(tmp_path: Path) -> None:
    settings = Settings(precision=0.6)
    whole = asked(tmp_path / "whole.jsonl", settings, ActedBot(MINI))
    assert 24 <= len(whole) < 40
    path = tmp_path / "stopped.jsonl"
    with pytest.raises(BudgetSpent):
        asked(path, settings, ActedBot(MINI), budget=Budget(max_calls=9))
    again = asked(path, settings, ActedBot(MINI))
    assert sorted(r.id for r in again) == sorted(r.id for r in whole)


COMMAND = """
import sys
from persona_lab.cli.interview import command
import typer
app = typer.Typer()
app.command()(command)
app()
"""


def command(out: Path, roles: Path, seconds: str) -> subprocess.Popen[bytes]:
    bot = "callable:tests.interviews.acted:answer"
    given = ["--bot", bot, "--judge", bot, "--personas", str(roles), "--instrument", "ipip-20",
             "--protocol", "self-report", "--protocol", "interview", "--one-conversation",
             "--rater", "closed", "--rater", "llm", "--out", str(out)]  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *given],
        cwd=ROOT, env=os.environ | {"ACTED_SECONDS": seconds, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_killed_run_ends_with_the_same_records(tmp_path: Path) -> None:
    roles = tmp_path / "roles.jsonl"
    rows = [{"id": "sunny", "system": SUNNY}, {"id": "gloomy", "system": GLOOMY}]
    roles.write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    _, errors = (uninterrupted := command(whole, roles, "0")).communicate(timeout=60)
    assert uninterrupted.returncode == 0, errors.decode()
    for after in (("transcript.jsonl", 13), ("transcript.jsonl", 55), ("ratings.jsonl", 5)):
        process = command(killed, roles, "0.1")
        deadline = time.monotonic() + 60
        while lines_of(killed / after[0]) < after[1] and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (killed / "profile.json").exists()
    # a kill in the middle of a line
    with (killed / "transcript.jsonl").open("ab") as file:
        file.write(b'{"id": "torn')
    _, errors = (last := command(killed, roles, "0")).communicate(timeout=60)
    assert last.returncode == 0, errors.decode()

    def by_id(folder: Path) -> list[Record]:
        return sorted(read_transcript(folder / "transcript.jsonl"), key=lambda r: r.id)

    assert by_id(killed) == by_id(whole)
    assert len(by_id(whole)) == 80 == lines_of(killed / "transcript.jsonl")
    first, second = (
        json.loads((folder / "profile.json").read_text()) for folder in (whole, killed)
    )
    for profile in (first, second):
        del profile["cost"]
    assert first == second


def server(*answers: object, timeout: float = 5.0, **how: object) -> tuple[FakeServer, Client]:
    fake = FakeServer(*answers)  # type: ignore[arg-type]
    backend = OpenAICompatible(fake.url, model=MODEL, timeout=timeout)
    policy = RetryPolicy(retries=1, first_wait=0.01, longest_wait=0.02)
    return fake, Client(backend, policy=policy, **how)  # type: ignore[arg-type]


def conclude(folder: Path, client: Client, settings: Settings | None = None) -> dict:
    session = Session(MINI, folder, RatingSettings(("closed",)))
    subject = Subject(Bot("b", client, SUNNY))
    return session.interview([subject], settings or Settings(), client)


def test_a_server_that_fails_now_and_then(tmp_path: Path) -> None:
    def moody(body: dict, number: int) -> Answer:
        asked = body["messages"][-1]["content"]
        for mood, item in enumerate(MINI.items[:4]):
            if f'"{item.text}"' in asked:
                return (Answer(delay=1.5), Answer(text=""), Answer(status=500), Answer("No.",
                        hang_up=True))[mood]  # fmt: skip
        return Answer("4")

    fake, client = server(moody, timeout=0.4)
    with fake, client:
        profile = conclude(tmp_path, client)
    counts = profile["answers"]["unscored"]["self-report"]
    assert counts == {"unavailable": 3, "bad_reply": 1}
    assert profile["answers"]["scored"] == 16
    domain = profile["measurements"][0]["domains"]["extraversion"]
    assert domain["n_unscored"] == 1 and domain["worst"] < domain["score"] < domain["best"]
    # what may have passed is asked again, the rest is not
    fake, client = server(Answer("4"))
    with fake, client:
        profile = conclude(tmp_path, client)
    assert len(fake.requests) == 4 and profile["answers"]["unscored"] == {}


def test_a_server_that_is_down_is_one_clear_error(tmp_path: Path) -> None:
    fake, client = server(Answer(status=500))
    with fake, client, pytest.raises(PersonaLabError, match="none of 20 questions was answered"):
        conclude(tmp_path, client)
    assert len(read_transcript(tmp_path / "transcript.jsonl")) == 20


def test_a_bot_that_declines_everything_has_a_report_that_says_so(tmp_path: Path) -> None:
    fake, client = server(Answer("I'm sorry, but I can't answer questions about myself."))
    with fake, client:
        profile = conclude(tmp_path, client)
    assert profile["answers"]["unscored"] == {"self-report": {"refusal": 20}}
    assert {d["score"] for d in profile["measurements"][0]["domains"].values()} == {None}
    report = (tmp_path / "report.html").read_text()
    assert "the model declined to answer" in report


def test_another_run_is_not_mixed_in(tmp_path: Path) -> None:
    model = ActedBot(MINI)
    with Client(model) as client:
        conclude(tmp_path, client)
        more = conclude(tmp_path, client, Settings(("self-report", "interview"), repeats=2))
        assert more["answers"]["n"] == 80 and len(model.requests) == 80
        with pytest.raises(InputError, match="another wording"):
            conclude(tmp_path, client, Settings(wording="question"))
        session = Session(MINI, tmp_path, RatingSettings(("closed",)))
        other = Subject(Bot("b", client, GLOOMY))
        with pytest.raises(InputError, match="another system prompt"):
            session.interview([other], Settings(), client)
        with pytest.raises(InputError, match="another temperature"):
            session.interview(
                [replace(other, bot=Bot("b", client, SUNNY, temperature=1.0))], Settings(), client
            )


def test_answers_to_other_request_fields_are_not_mixed_in(tmp_path: Path) -> None:
    session = Session(MINI, tmp_path, RatingSettings(()))
    for fields, refused in (({"effort": "low"}, False), ({"effort": "high"}, True), ({}, True)):
        with Client(ActedBot(MINI), request_fields=fields) as client:
            subject = Subject(Bot("b", client, SUNNY))
            if refused:
                with pytest.raises(InputError, match="another --request"):
                    session.interview([subject], Settings(), client)
            else:
                session.interview([subject], Settings(), client)


def test_reworded_questions_are_kept(tmp_path: Path) -> None:
    settings = Settings(("interview",), reworded=True)
    with Client(ActedBot(MINI)) as client, Client(ActedBot(MINI, name="judge")) as judge:
        session = Session(MINI, tmp_path, RatingSettings(()), judges=(judge,))
        subject = Subject(Bot("b", client, SUNNY))
        session.interview([subject], settings, client)
        records = read_transcript(tmp_path / "transcript.jsonl")
        assert all(r.question.startswith("So, tell me: ") and r.wording == "llm" for r in records)
        session.interview([subject], settings, client)
        assert judge.usage.calls == 20
        with pytest.raises(InputError, match="another reworded"):
            session.interview([subject], replace(settings, reworded=False), client)
    bare = Session(MINI, tmp_path / "bare", RatingSettings(()))
    with Client(ActedBot(MINI)) as client, pytest.raises(PersonaLabError, match="--judge"):
        bare.interview([Subject(Bot("b", client))], settings, client)


def test_judges_are_asked_the_same_whichever_answer_comes_first(tmp_path: Path) -> None:
    requests = []
    for run in range(3):
        # answers overtake each other
        wait = Random(run)
        bot = ActedBot(MINI, slip=lambda _, said, wait=wait: time.sleep(wait.random() / 99) or said)
        judge = ActedBot(MINI, name="judge")
        with Client(bot) as client, Client(judge) as judging:
            settings = RatingSettings(("llm",), 2)
            session = Session(MINI, tmp_path / str(run), settings, judges=(judging,))
            session.interview(subjects(client), Settings(("interview", "situational")), client)
        requests.append({r.key("judge") for r in judge.requests})
    assert requests[0] == requests[1] == requests[2]


def test_say_versus_do_and_targets(tmp_path: Path) -> None:
    with Client(ActedBot(MINI)) as client, Client(ActedBot(MINI, name="judge")) as judge:
        session = Session(MINI, tmp_path, RatingSettings(("closed", "llm")), judges=(judge,))
        settings = Settings(("interview", "self-report"), repeats=2)
        profile = session.interview(subjects(client), settings, client)
    sunny = next(t for t in profile["say_versus_do"] if t["persona"] == "sunny")
    assert [c["protocol"] for c in sunny["columns"]] == ["self-report", "interview"]
    row = next(r for r in sunny["rows"] if r["domain"] == "neuroticism")
    assert row["scores"][1] == 0.0 and row["gaps"] == [0.0, pytest.approx(-row["scores"][0])]
    met = {(m["protocol"], m["rater"]): m["positions"] for m in profile["targets_met"]}
    assert met["self-report", "closed"]["dimension_accuracy"]["correct"] == 2
    assert {m["reliability"]["retest"]["estimate"] for m in profile["measurements"]} == {1.0}
    assert {e["protocol"] for e in profile["effects"]} == {"self-report", "interview"}
    # requests that are alike and under way together are asked once and counted as replayed
    asked = [(c["role"], c["calls"] + c["replayed"]) for c in profile["cost"]]
    assert asked == [("bot", 160), ("judge", 20)]


def test_usual_raters() -> None:
    assert usual_raters(("self-report",), MINI, has_judge=True) == ("closed",)
    assert usual_raters(ALL, MINI, has_judge=True) == ("closed", "detector", "llm")
    assert usual_raters(("story",), MINI, has_judge=False) == ("detector",)


def test_settings_that_cannot_be() -> None:
    with pytest.raises(InputError, match="no protocol 'chat'"):
        Settings(("chat",))
    with pytest.raises(InputError, match="--repeats"):
        Settings(repeats=0)
