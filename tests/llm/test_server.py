"""A real HTTP server that misbehaves: what is asked how often, and what people are told."""

from __future__ import annotations

import email.utils
import math
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from persona_lab.llm import (
    ChatRequest,
    Client,
    ContextOverflow,
    LLMBadReply,
    LLMBadRequest,
    LLMError,
    LLMRateLimited,
    LLMRefusedKey,
    LLMUnavailable,
    Message,
    RetryPolicy,
)
from persona_lab.llm.openai_compatible import OpenAICompatible
from tests.llm.conftest import QUICK, Connect
from tests.llm.fake_server import MODEL, Answer, Behaviour, Serve, echo, error

SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}


def ask(text: str = "Do you like parties?", **how: Any) -> ChatRequest:
    return ChatRequest((Message("user", text),), **how)


def failure(client: Client, request: ChatRequest | None = None) -> LLMError:
    with pytest.raises(LLMError) as caught:
        client.reply(request or ask())
    assert "\n" not in str(caught.value)
    return caught.value


class TestOneReply:
    def test_what_is_sent_and_what_comes_back(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("I do so"))
        request = ChatRequest(
            (
                Message("system", "You are shy."),
                Message("user", "one two three"),
                Message("assistant", "four"),
                Message("user", "five"),
            ),
            temperature=0.7,
            max_tokens=40,
            seed=10,
            repeat=3,
            stop=("END", "\n"),
        )
        reply = connect(server).reply(request)
        (recorded,) = server.requests
        assert recorded.body == {
            "model": MODEL,
            "messages": [
                {"role": "system", "content": "You are shy."},
                {"role": "user", "content": "one two three"},
                {"role": "assistant", "content": "four"},
                {"role": "user", "content": "five"},
            ],
            "temperature": 0.7,
            "max_tokens": 40,
            "seed": 13,
            "stop": ["END", "\n"],
        }
        assert (reply.text, reply.finish_reason, reply.model) == ("I do so", "stop", MODEL)
        assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (8, 3, 4)
        assert reply.logprobs is None and not reply.replayed and 0 < reply.seconds < 5

    def test_temperature_zero_is_sent_and_a_seed_of_none_is_not(
        self, serve: Serve, connect: Connect
    ) -> None:
        server = serve()
        connect(server).reply(ask(seed=None))
        body = server.requests[0].body
        assert body["temperature"] == 0.0 and "seed" not in body and "logprobs" not in body

    def test_no_key_sends_no_authorization(self, serve: Serve, connect: Connect) -> None:
        server = serve()
        connect(server).reply(ask())
        assert "authorization" not in server.requests[0].headers

    def test_the_own_variable_comes_before_openai(
        self, serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
        monkeypatch.setenv("PERSONA_LAB_LLM_KEY", " sk-mine\n")
        server = serve(key="sk-mine")
        assert connect(server).reply(ask()).text.startswith("echo")

    def test_logprobs(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("4", alternatives={"3": 0.2, "4": 0.7, "5": 0.1}))
        reply = connect(server).reply(ask(top_logprobs=3))
        assert server.requests[0].body["logprobs"] is True
        assert server.requests[0].body["top_logprobs"] == 3
        assert reply.logprobs is not None
        (token,) = reply.logprobs
        assert (token.token, round(math.exp(token.logprob), 6)) == ("4", 0.7)
        assert [a for a, _ in token.alternatives] == ["4", "3", "5"]
        assert sum(math.exp(p) for _, p in token.alternatives) == pytest.approx(1.0)

    def test_json_schema(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer('{"score": 4}'))
        connect(server).reply(ask(json_schema=SCHEMA))
        sent = server.requests[0].body["response_format"]
        assert sent["type"] == "json_schema" and sent["json_schema"]["schema"] == SCHEMA

    def test_tokens_are_estimated_where_the_server_tells_none(
        self, serve: Serve, connect: Connect
    ) -> None:
        reply = connect(serve(Answer("a b c", usage=False))).reply(ask("one two three"))
        assert (reply.tokens_in, reply.tokens_out) == (3 + 4 + 3, 3 + 1)

    def test_half_a_surrogate_pair_can_be_sent(self, serve: Serve, connect: Connect) -> None:
        assert connect(serve()).reply(ask("ha\ud83d!")).text == "echo: ha\ufffd!"

    def test_text_in_parts(self, serve: Serve, connect: Connect) -> None:
        parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
        body = {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
        assert connect(serve(Answer(body=body))).reply(ask()).text == "one two"

    def test_reply_in_another_language_comes_back_as_it_is(
        self, serve: Serve, connect: Connect
    ) -> None:
        assert connect(serve(Answer("我喜欢聚会。"))).reply(ask()).text == "我喜欢聚会。"

    @pytest.mark.parametrize("content", [None, ""])
    def test_refusal_field(self, serve: Serve, connect: Connect, content: str | None) -> None:
        server = serve(Answer(content, refusal="I'm sorry, I can't help with that."))
        assert connect(server).reply(ask()).text == "I'm sorry, I can't help with that."


class TestServerDown:
    def test_one_call(self, connect: Connect, dead_url: str) -> None:
        error = failure(connect(dead_url))
        assert isinstance(error, LLMUnavailable) and error.code == "unavailable"
        address = dead_url.removeprefix("http://").removesuffix("/v1")
        assert str(error).startswith(f"cannot reach {address}: Connection refused")

    def test_unknown_host(self, connect: Connect) -> None:
        client = connect("http://no-such-host.invalid/v1", policy=RetryPolicy(retries=0))
        assert str(failure(client)).startswith("cannot reach no-such-host.invalid: ")

    def test_fifty_threads_end_fast(self, connect: Connect, dead_url: str) -> None:
        client = connect(dead_url, policy=RetryPolicy(), concurrency=8)
        start = time.monotonic()
        with ThreadPoolExecutor(50) as threads:
            errors = list(threads.map(lambda i: failure(client, ask(str(i))), range(50)))
        assert time.monotonic() - start < 20
        assert all(isinstance(e, LLMUnavailable) for e in errors)
        assert sum("not asked again after 3 failures in a row" in str(e) for e in errors) == 50
        assert client.usage.failures == {"unavailable": 50}

    def test_hanging_up(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer(hang_up=True), echo)
        assert connect(server).reply(ask("hi")).text == "echo: hi"
        assert len(server.requests) == 2

    def test_a_server_that_comes_back_is_asked_again(self, serve: Serve, connect: Connect) -> None:
        from persona_lab.llm import Circuit

        server = serve(*[Answer(hang_up=True)] * 3, echo)
        now = [0.0]
        circuit = Circuit(failures=3, rest=30.0, clock=lambda: now[0])
        client = connect(server, policy=RetryPolicy(retries=0), circuit=circuit)
        for _ in range(5):
            failure(client)
        assert len(server.requests) == 3
        now[0] = 31.0
        assert client.reply(ask("back")).text == "echo: back"
        assert client.reply(ask("again")).text == "echo: again"

    def test_a_server_that_answered_before_gets_patience(
        self, serve: Serve, connect: Connect
    ) -> None:
        from persona_lab.llm import Circuit

        server = serve(echo, *[Answer(hang_up=True)] * 4, echo)
        circuit = Circuit(failures=3, patience=20.0)
        client = connect(server, circuit=circuit)
        client.reply(ask("one"))
        assert client.reply(ask("two")).text == "echo: two"
        assert len(server.requests) == 6


class TestKey:
    def test_wrong_key_is_one_request_for_a_hundred_calls(
        self, serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
        server = serve(key="sk-right")
        client = connect(server, concurrency=16)
        with ThreadPoolExecutor(100) as threads:
            errors = list(threads.map(lambda i: failure(client, ask(str(i))), range(100)))
        assert len(server.requests) == 1
        assert {type(e) for e in errors} == {LLMRefusedKey}
        (message,) = {str(e) for e in errors}
        assert "refuses the key in the environment variable OPENAI_API_KEY (HTTP 401)" in message
        assert client.usage.failures == {"key": 100}

    def test_missing_key(self, serve: Serve, connect: Connect) -> None:
        message = str(failure(connect(serve(key="sk-right"))))
        assert "wants a key (HTTP 401); put it into the environment variable PERSONA" in message

    def test_key_that_cannot_be_a_header(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PERSONA_LAB_LLM_KEY", "sk-\u2013dash")
        with pytest.raises(LLMRefusedKey, match="PERSONA_LAB_LLM_KEY holds characters") as caught:
            connect("http://127.0.0.1:1/v1")
        assert "dash" not in str(caught.value)


class TestRetries:
    def test_retry_after_is_honoured(self, serve: Serve, connect: Connect) -> None:
        limited = Answer(status=429, body={}, headers={"Retry-After": "0.6"})
        server = serve(limited, echo)
        assert connect(server).reply(ask("hi")).text == "echo: hi"
        first, second = (r.at for r in server.requests)
        assert second - first >= 0.6

    def test_retry_after_as_a_date(self, serve: Serve, connect: Connect) -> None:
        at = email.utils.formatdate(time.time() + 2, usegmt=True)
        server = serve(Answer(status=503, body={}, headers={"Retry-After": at}), echo)
        connect(server).reply(ask())
        first, second = (r.at for r in server.requests)
        assert second - first >= 0.9

    def test_one_limited_request_slows_all(self, serve: Serve, connect: Connect) -> None:
        def behave(body: Mapping[str, Any], number: int) -> Answer:
            if number == 1:
                return Answer(status=429, body={}, headers={"Retry-After": "0.8"})
            # the one beside it ends when the client has heard that it should wait
            deadline = time.monotonic() + 30
            while number == 2 and client._not_before == 0 and time.monotonic() < deadline:
                time.sleep(0.01)
            return Answer("fine")

        server = serve(behave)
        client = connect(server, concurrency=2)
        client.reply(ask("first"))
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda i: client.reply(ask(str(i))), range(8)))
        limited = server.requests[1].at
        early = [r for r in server.requests[2:] if r.at < limited + 0.79]
        assert len(early) <= 1  # the one that was under way
        assert len(server.requests) == 1 + 8 + 1

    def test_limited_for_ever(self, serve: Serve, connect: Connect) -> None:
        server = serve(error(429, "slow down"))
        caught = failure(connect(server))
        assert isinstance(caught, LLMRateLimited) and len(server.requests) == 6
        assert str(caught).endswith("(HTTP 429): slow down; gave up after 6 attempts")

    @pytest.mark.parametrize(
        "answer",
        [
            error(429, "You exceeded your quota", code="insufficient_quota"),
            Answer(status=429, body={}, headers={"Retry-After": "86400"}),
        ],
    )
    def test_limits_that_waiting_does_not_lift(
        self, serve: Serve, connect: Connect, answer: Answer
    ) -> None:
        server = serve(answer)
        caught = failure(connect(server))
        assert isinstance(caught, LLMRateLimited) and len(server.requests) == 1
        assert re.search(r"no quota left|asks to wait 86400 s", str(caught))

    @pytest.mark.parametrize("status", [500, 502, 503, 529, 408])
    def test_failure_then_fine(self, serve: Serve, connect: Connect, status: int) -> None:
        server = serve(Answer(status=status, body="<html>Bad gateway</html>"), echo)
        assert connect(server).reply(ask("hi")).text == "echo: hi"

    def test_500_for_ever(self, serve: Serve, connect: Connect) -> None:
        server = serve(error(500, "CUDA error"))
        caught = failure(connect(server, policy=RetryPolicy(retries=2, first_wait=0.01)))
        assert isinstance(caught, LLMUnavailable) and len(server.requests) == 3
        assert "failed with HTTP 500: CUDA error; gave up after 3 attempts" in str(caught)

    def test_timeout_then_fine(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("late", delay=5.0), Answer("in time"))
        assert connect(server, timeout=0.3).reply(ask()).text == "in time"

    def test_timeout_for_ever(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("late", delay=5.0))
        client = connect(server, timeout=0.1, policy=RetryPolicy(retries=1, first_wait=0.01))
        caught = failure(client)
        assert isinstance(caught, LLMUnavailable)
        assert "did not answer within 0.1 s; raise --timeout" in str(caught)

    def test_waits_grow_and_are_drawn(self) -> None:
        policy, error = RetryPolicy(first_wait=1.0, longest_wait=4.0), LLMUnavailable("down")
        for attempt, longest in enumerate([1.0, 2.0, 4.0, 4.0, 4.0]):
            waits = [policy.wait(error, attempt) for _ in range(300)]
            assert all(w is not None and 0 <= w <= longest for w in waits)
            assert max(w or 0 for w in waits) > 0.9 * longest
            assert min(w or 0 for w in waits) < 0.1 * longest
        assert policy.wait(error, 5) is None
        assert policy.wait(LLMBadReply("odd"), 1) is not None
        assert policy.wait(LLMBadReply("odd"), 2) is None


class TestBadReplies:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer(body='{"choices": [{"mess'), "no JSON"),
            (
                Answer(body="<html>Welcome</html>", headers={"Content-Type": "text/html"}),
                "not an OpenAI-compatible server",
            ),
            (Answer(body=""), "no JSON"),
            (Answer(body={"object": "chat.completion", "choices": []}), "without any choice"),
            (Answer(body={"error": {"message": "upstream"}}), "answered with an error: upstream"),
            (Answer(body="[1, 2]"), "without any choice"),
            (Answer(body={"choices": [None]}), "an empty text"),
            (Answer(""), "an empty text"),
            (Answer(" \n"), "an empty text"),
            (Answer(None), "an empty text"),
        ],
    )
    def test_tried_again_and_told(
        self, serve: Serve, connect: Connect, answer: Answer, reason: str
    ) -> None:
        server = serve(answer)
        caught = failure(connect(server))
        assert isinstance(caught, LLMBadReply) and reason in str(caught)
        assert len(server.requests) == 3
        server = serve(answer, echo)
        assert connect(server).reply(ask("hi")).text == "echo: hi"

    def test_a_filtered_reply_is_not_tried_again(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("", finish_reason="content_filter"))
        assert "content filter of" in str(failure(connect(server)))
        assert len(server.requests) == 1


OVERFLOWS = {
    "OpenAI": error(
        400,
        "This model's maximum context length is 4097 tokens. However, your messages resulted in "
        "5012 tokens. Please reduce the length of the messages.",
        type="invalid_request_error",
        param="messages",
        code="context_length_exceeded",
    ),
    "vLLM": Answer(
        status=400,
        body={
            "object": "error",
            "message": "This model's maximum context length is 2048 tokens. However, you requested "
            "2300 tokens (2044 in the messages, 256 in the completion). Please reduce the length "
            "of the messages or completion.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    "vLLM, max_tokens": error(
        400,
        "'max_tokens' or 'max_completion_tokens' is too large: 256. This model's maximum context "
        "length is 200 tokens and your request has 180 input tokens.",
        code=400,
    ),
    "vLLM, prompt": error(
        400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."
    ),
    "llama.cpp": Answer(
        status=400,
        body={
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 5000,
                "n_ctx": 4096,
            }
        },
    ),
    "llama.cpp, while generating": error(500, "Context size has been exceeded.", code=500),
}


class TestBadRequests:
    @pytest.mark.parametrize("server_kind", OVERFLOWS)
    def test_context_overflow(self, serve: Serve, connect: Connect, server_kind: str) -> None:
        server = serve(OVERFLOWS[server_kind])
        caught = failure(connect(server), ask(json_schema=SCHEMA))
        assert isinstance(caught, ContextOverflow) and caught.code == "context"
        assert "do not fit the context" in str(caught)
        assert len(server.requests) == 1

    def test_unknown_model(self, serve: Serve, connect: Connect) -> None:
        server = serve(error(404, "The model `toy` does not exist"))
        caught = failure(connect(server))
        assert type(caught) is LLMBadRequest and len(server.requests) == 1
        assert "(HTTP 404): The model `toy` does not exist; check the URL and --model" in str(
            caught
        )

    def test_others_go_on(self, serve: Serve, connect: Connect) -> None:
        client = connect(serve(error(422, "bad role"), echo))
        assert failure(client).code == "bad_request"
        assert client.reply(ask("hi")).text == "echo: hi"


class TestServersThatLackSomething:
    @pytest.mark.parametrize(
        "rejection",
        [
            error(400, "'response_format' of type 'json_schema' is not supported"),
            error(400, "Bad Request"),
            error(422, "Input should be 'text' or 'json_object'"),
        ],
    )
    def test_json_schema_is_dropped_once_for_all(
        self, serve: Serve, connect: Connect, rejection: Answer
    ) -> None:
        server = serve(
            lambda body, _: rejection if "response_format" in body else Answer('{"score": 4}')
        )
        client = connect(server)
        assert client.reply(ask("one", json_schema=SCHEMA)).text == '{"score": 4}'
        assert client.reply(ask("two", json_schema=SCHEMA)).text == '{"score": 4}'
        assert ["response_format" in r.body for r in server.requests] == [True, False, False]
        (warning,) = client.warnings
        assert "does not support JSON replies" in warning

    def test_a_bad_request_is_not_blamed_on_the_schema(
        self, serve: Serve, connect: Connect
    ) -> None:
        server = serve(error(400, "the schema has no type"), error(400, "the schema has no type"))
        client = connect(server)
        assert "has no type" in str(failure(client, ask(json_schema=SCHEMA)))
        assert len(server.requests) == 2 and client.warnings == ()

    def test_logprobs_rejected(self, serve: Serve, connect: Connect) -> None:
        server = serve(rejects=("logprobs",))
        client = connect(server)
        assert client.reply(ask("one", top_logprobs=5)).logprobs is None
        client.reply(ask("two", top_logprobs=5))
        assert ["top_logprobs" in r.body for r in server.requests] == [True, False, False]
        assert "does not support token probabilities" in client.warnings[0]

    def test_logprobs_ignored(self, serve: Serve, connect: Connect) -> None:
        body = {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}
        reply = connect(serve(Answer(body=body))).reply(ask(top_logprobs=5))
        assert reply.text == "4" and reply.logprobs is None

    def test_several_at_once(self, serve: Serve, connect: Connect) -> None:
        server = serve(rejects=("seed", "max_tokens", "temperature"))
        client = connect(server)
        client.reply(ask("one", max_tokens=33))
        client.reply(ask("two", max_tokens=33))
        assert len(server.requests) == 5
        body = server.requests[-1].body
        assert body.keys() == {"model", "messages", "max_completion_tokens"}
        assert body["max_completion_tokens"] == 33
        assert len(client.warnings) == 3


class _Meeting(dict[str, Any]):
    """The requests under way of a client, which knows when so many have looked for theirs."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size
        self._all_here = threading.Event()

    def get(self, key: str, default: Any = None) -> Any:
        self._left -= 1
        if self._left <= 0:
            self._all_here.set()
        return super().get(key, default)

    def then(self, answer: Answer) -> Behaviour:
        """An answer that comes when all are there."""

        def behave(body: Mapping[str, Any], number: int) -> Answer:
            self._all_here.wait(30)
            return answer

        return behave


class TestConcurrency:
    def test_the_limit_holds_and_is_reached(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("fine", delay=0.05))
        client = connect(server, concurrency=3)
        with ThreadPoolExecutor(24) as threads:
            list(threads.map(lambda i: client.reply(ask(str(i))), range(24)))
        assert server.peak == 3
        assert client.usage.calls == 24

    def test_identical_requests_are_asked_once(self, serve: Serve, connect: Connect) -> None:
        meeting = _Meeting(10)
        server = serve(meeting.then(Answer("fine")))
        client = connect(server)
        client._under_way = meeting
        with ThreadPoolExecutor(10) as threads:
            replies = list(threads.map(lambda _: client.reply(ask()), range(10)))
        assert len(server.requests) == 1
        assert sorted(r.replayed for r in replies) == [False] + [True] * 9
        assert (client.usage.calls, client.usage.replayed) == (1, 9)

    def test_identical_requests_fail_together(self, serve: Serve, connect: Connect) -> None:
        meeting = _Meeting(5)
        server = serve(meeting.then(error(400, "no")))
        client = connect(server)
        client._under_way = meeting
        with ThreadPoolExecutor(5) as threads:
            codes = list(threads.map(lambda _: failure(client).code, range(5)))
        assert codes == ["bad_request"] * 5 and len(server.requests) == 1

    def test_usage(self, serve: Serve, connect: Connect) -> None:
        client = connect(serve(Answer("one two"), error(400, "no")))
        client.reply(ask("a b c d"))
        failure(client)
        usage = client.usage
        assert (usage.calls, usage.tokens_in, usage.tokens_out, usage.tokens_cached) == (1, 4, 2, 2)
        assert usage.failures == {"bad_request": 1} and 0 < usage.seconds < 5
        assert usage.summary() == (
            "2 LLM calls; 4 tokens in (2 cached), 2 out; 1 without a reply (1 bad_request)"
        )


class TestCancel:
    def test_waiting_calls_end_and_one_under_way_is_kept(
        self, serve: Serve, connect: Connect
    ) -> None:
        server = serve(Answer("fine"), Answer("fine", delay=0.4))
        client = connect(server, concurrency=1)
        client.reply(ask("first"))
        with ThreadPoolExecutor(5) as threads:
            calls = [threads.submit(client.reply, ask(str(i))) for i in range(5)]
            while len(server.requests) < 2:
                time.sleep(0.01)
            client.cancel()
            errors = [call.exception() for call in calls]
        assert sum(e is None for e in errors) == 1
        assert [getattr(e, "code", None) for e in errors if e is not None] == ["cancelled"] * 4
        assert len(server.requests) == 2

    def test_a_wait_for_a_retry_ends(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer(status=429, body={}, headers={"Retry-After": "60"}))
        client = connect(server)
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(client.reply, ask())
            while not server.requests:
                time.sleep(0.01)
            start = time.monotonic()
            client.cancel()
            caught = call.exception()
        assert isinstance(caught, LLMError) and caught.code == "cancelled"
        assert time.monotonic() - start < 30


class TestModelsAndContext:
    def test_the_only_model_needs_no_name(self, serve: Serve) -> None:
        assert OpenAICompatible(serve(models=["qwen"]).url).name == "qwen"

    def test_several_models_are_listed(self, serve: Serve) -> None:
        with pytest.raises(LLMError, match=r"name the model with --model; .* has: qwen, phi$"):
            OpenAICompatible(serve(models=["qwen", "phi"]).url)

    @pytest.mark.parametrize(
        ("told", "length"), [({"max_model_len": 2048}, 2048), ({"n_ctx": 4096}, 4096), ({}, None)]
    )
    def test_context_length(
        self, serve: Serve, connect: Connect, told: dict[str, int], length: int | None
    ) -> None:
        server = serve(**told)
        client = connect(server)
        assert client.context_length == length == client.context_length
        assert len(server.other_paths) <= 2

    def test_context_length_of_a_dead_server(self, connect: Connect, dead_url: str) -> None:
        assert connect(dead_url).context_length is None

    @pytest.mark.parametrize("url", ["localhost:8080", "ftp://host/v1", "http://", "/v1"])
    def test_address_that_is_none(self, url: str) -> None:
        with pytest.raises(LLMError, match="cannot use the address"):
            OpenAICompatible(url, model=MODEL)

    def test_key_in_the_address(self) -> None:
        with pytest.raises(LLMError, match="would end up in logs") as caught:
            OpenAICompatible("https://me:sk-secret@host/v1", model=MODEL)
        assert "sk-secret" not in str(caught.value)

    def test_v1_is_added_and_kept(self, serve: Serve, connect: Connect) -> None:
        server = serve()
        for url in (server.url, server.url.removesuffix("/v1"), server.url + "/chat/completions"):
            assert connect(url).reply(ask("hi")).text == "echo: hi"


def test_the_first_request_goes_alone(serve: Serve, connect: Connect) -> None:
    """So that what a server lacks is learned once, not by every thread."""
    server = serve(rejects=("seed",))
    client = connect(server, concurrency=8, policy=QUICK)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: client.reply(ask(str(i))), range(8)))
    assert sum("seed" in r.body for r in server.requests) == 1
