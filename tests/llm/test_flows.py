"""Many conversations at once: order, errors in their place, and clean ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.llm import (
    Budget,
    BudgetSpent,
    Cancelled,
    Cassette,
    ChatRequest,
    Client,
    LLMBadRequest,
    LLMError,
    LLMUnavailable,
    Message,
    RetryPolicy,
    run_flows,
)
from tests.llm.conftest import Connect
from tests.llm.fake_server import Answer, Serve, echo, error


def ask(client: Client, text: str, max_tokens: int = 256) -> str:
    return client.reply(ChatRequest((Message("user", text),), max_tokens=max_tokens)).text


class TestOrder:
    def test_results_come_in_the_order_of_the_input(self, connect: Connect, serve: Serve) -> None:
        client = connect(serve())

        def work(n: int) -> int:
            time.sleep(0.02 if n % 3 == 0 else 0.001)
            return n * n

        results = list(run_flows(range(40), work, concurrency=8, client=client))
        assert results == [(n, n * n) for n in range(40)]

    def test_none_is_a_result(self, connect: Connect, serve: Serve) -> None:
        results = list(run_flows("ab", lambda _: None, concurrency=2, client=connect(serve())))
        assert results == [(0, None), (1, None)]

    def test_no_flows(self, connect: Connect, serve: Serve) -> None:
        assert list(run_flows([], str, concurrency=2, client=connect(serve()))) == []

    def test_flows_of_several_turns_run_side_by_side(self, connect: Connect, serve: Serve) -> None:
        server = serve(lambda body, n: Answer(f"{len(body['messages'])}", delay=0.03))
        client = connect(server, concurrency=5)

        def talk(name: str) -> list[str]:
            messages: tuple[Message, ...] = (Message("user", name),)
            for _ in range(3):
                reply = client.reply(ChatRequest(messages)).text
                messages += (Message("assistant", reply), Message("user", f"{name} more"))
            return [m.content for m in messages if m.role == "assistant"]

        names = [f"flow {n}" for n in range(10)]
        results = list(run_flows(names, talk, concurrency=5, client=client))
        assert results == [(n, ["1", "3", "5"]) for n in range(10)]
        assert len(server.requests) == 30 and server.peak == 5

    def test_the_input_is_read_as_needed(self, connect: Connect, serve: Serve) -> None:
        read = 0

        def endless() -> Iterator[int]:
            nonlocal read
            while True:
                yield read
                read += 1

        results = run_flows(endless(), str, concurrency=3, client=connect(serve()))
        for expected in range(100):
            assert next(results) == (expected, str(expected))
            assert read <= expected + 1 + 4 * 3
        results.close()  # type: ignore[attr-defined]
        time.sleep(0.05)
        assert read <= 100 + 4 * 3

    def test_wrong_concurrency(self, connect: Connect, serve: Serve) -> None:
        with pytest.raises(LLMError, match="concurrency is 0; give 1 or more"):
            run_flows("a", str, concurrency=0, client=connect(serve()))


class TestErrors:
    def test_an_error_comes_in_its_place(self, connect: Connect, serve: Serve) -> None:
        def behave(body: dict[str, object], number: int) -> Answer:
            answer = echo(body, number)
            return error(400, "no") if answer.text == "echo: 3" else answer

        client = connect(serve(behave))
        results = dict(run_flows("012345", lambda t: ask(client, t), concurrency=3, client=client))
        assert isinstance(results.pop(3), LLMBadRequest)
        assert results == {n: f"echo: {n}" for n in (0, 1, 2, 4, 5)}

    def test_a_dead_server_is_one_error_a_flow_and_soon(
        self, connect: Connect, dead_url: str
    ) -> None:
        client = connect(dead_url, policy=RetryPolicy())
        start = time.monotonic()
        flows = map(str, range(50))
        results = list(run_flows(flows, lambda t: ask(client, t), concurrency=8, client=client))
        assert time.monotonic() - start < 20
        assert [n for n, _ in results] == list(range(50))
        assert all(isinstance(e, LLMUnavailable) for _, e in results)

    def test_a_bug_is_not_swallowed(self, connect: Connect, serve: Serve) -> None:
        results = run_flows([1, 0, 2], lambda n: 1 // n, concurrency=1, client=connect(serve()))
        assert next(results) == (0, 1)
        with pytest.raises(ZeroDivisionError):
            next(results)

    def test_an_error_of_the_input_waits_for_the_flows_before_it(
        self, connect: Connect, serve: Serve
    ) -> None:
        def broken() -> Iterator[str]:
            yield from "abc"
            raise InputError("line 4 is bad")

        def work(text: str) -> str:
            time.sleep(0.05)
            return text

        results = run_flows(broken(), work, concurrency=1, client=connect(serve()))
        assert [next(results) for _ in range(3)] == [(0, "a"), (1, "b"), (2, "c")]
        with pytest.raises(InputError, match="line 4"):
            next(results)


class TestEnds:
    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_a_spent_budget_keeps_what_was_finished(
        self, connect: Connect, serve: Serve, concurrency: int
    ) -> None:
        server = serve(Answer("fine", delay=0.01))
        client = connect(server, budget=Budget(max_calls=10), concurrency=concurrency)
        flows = (str(n) for n in range(1000))
        results = list(
            run_flows(flows, lambda t: ask(client, t), concurrency=concurrency, client=client)
        )
        finished = [n for n, r in results if r == "fine"]
        spent = [r for _, r in results if isinstance(r, BudgetSpent)]
        assert len(finished) == 10 == len(server.requests)
        assert 1 <= len(spent) <= concurrency and len(results) == len(finished) + len(spent)
        assert "the budget of 10 LLM calls is spent; raise --max-calls" in str(spent[0])

    def test_a_cancelled_client_ends_the_flows(self, connect: Connect, serve: Serve) -> None:
        client = connect(serve(Answer("fine", delay=0.05)))
        results = run_flows(
            map(str, range(1000)), lambda t: ask(client, t), concurrency=2, client=client
        )
        assert next(results) == (0, "fine")
        client.cancel()
        rest = list(results)
        assert len(rest) < 20
        assert all(r == "fine" or isinstance(r, Cancelled) for _, r in rest)

    def test_ctrl_c_while_waiting(
        self, connect: Connect, serve: Serve, request: pytest.FixtureRequest
    ) -> None:
        stopped = threading.Event()

        def behave(body: dict[str, Any], number: int) -> Answer:
            if body["messages"][0]["content"] == "1":
                stopped.wait(30)
            return Answer("fine")

        def stop() -> None:
            os.kill(os.getpid(), signal.SIGINT)
            stopped.set()

        server = serve(behave)
        client = connect(server)
        results = run_flows(
            map(str, range(100)), lambda t: ask(client, t), concurrency=2, client=client
        )
        assert next(results) == (0, "fine")
        # a program that a shell began in the background ignores Ctrl-C from its birth
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
        # the main thread now waits for flow 1, while others finish behind it
        threading.Timer(0.2, stop).start()
        came: list[tuple[int, str | PersonaLabError]] = []
        with pytest.raises(KeyboardInterrupt):
            for result in results:
                came.append(result)
        assert came[0] == (1, "fine") and len(came) < 20
        assert all(r == "fine" or isinstance(r, Cancelled) for _, r in came)
        assert sum(r == "fine" for _, r in came) >= 2


RUN = """
import sys, time
from pathlib import Path
from persona_lab.llm import ChatRequest, Message, open_chat_model, run_flows

with open_chat_model("openai:" + sys.argv[1], model="toy", cassette=Path(sys.argv[2])) as client:

    def talk(name):
        messages = (Message("user", name),)
        for _ in range(2):
            reply = client.reply(ChatRequest(messages)).text
            messages += (Message("assistant", reply), Message("user", name + " again"))
        return reply

    names = [f"flow {n}" for n in range(20)]
    for index, result in run_flows(names, talk, concurrency=4, client=client):
        print(index, result, flush=True)
    print("asked", client.usage.calls, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_resumes_from_the_cassette(serve: Serve, tmp_path: Path) -> None:
    # slow later on, so that it cannot be through before the signal comes
    server = serve(
        lambda body, n: Answer(f"{len(body['messages'])}", delay=0.05 if n < 12 else 0.8)
    )
    path = tmp_path / "c"
    command = [sys.executable, "-c", RUN, server.url, str(path)]
    first = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # some test runners ignore SIGINT, and children inherit it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert first.stdout is not None
    for line in first.stdout:
        if line.startswith("3 "):
            break
    start = time.monotonic()
    first.send_signal(signal.SIGINT)
    _, complaint = first.communicate(timeout=20)
    assert first.returncode != 0 and complaint.rstrip().endswith("KeyboardInterrupt")
    assert time.monotonic() - start < 18
    asked = len(server.requests)
    # every reply that the server gave was kept
    assert 8 <= asked < 40 and len(Cassette(path)) == asked

    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    *rows, last = second.stdout.splitlines()
    assert rows == [f"{n} 3" for n in range(20)]
    assert last == f"asked {40 - asked}"
    assert len(server.requests) == 40
    assert len({str(r.body["messages"]) for r in server.requests}) == 40
