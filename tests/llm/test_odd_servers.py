"""Reasoning models, and servers that do things in another way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from persona_lab.llm import (
    Budget,
    BudgetSpent,
    ChatRequest,
    Client,
    LLMBadReply,
    LLMBadRequest,
    LLMError,
    LLMRateLimited,
    Message,
    ThoughtCutOff,
)
from persona_lab.llm.asking import Conversation, Expected
from persona_lab.llm.openai_compatible import OpenAICompatible
from tests.llm.conftest import Connect
from tests.llm.fake_server import MODEL, Answer, Serve, echo, error


def ask(text: str = "Do you like fairs?", **how: Any) -> ChatRequest:
    return ChatRequest((Message("user", text),), **how)


def failure(client: Client, request: ChatRequest | None = None) -> LLMError:
    with pytest.raises(LLMError) as caught:
        client.reply(request or ask())
    return caught.value


def completion(message: Mapping[str, Any], finish_reason: str = "stop") -> Answer:
    choice = {"message": message, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 7, "completion_tokens": 5}
    return Answer(body={"choices": [choice], "usage": usage})


class TestThoughts:
    @pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
    def test_a_field_of_its_own(self, serve: Serve, connect: Connect, field: str) -> None:
        server = serve(completion({"content": "Yes.", field: "Say yes."}))
        reply = connect(server).reply(ask())
        assert (reply.text, reply.thought) == ("Yes.", "Say yes.")

    def test_no_history_repeats_it(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("<think>I hate it.</think>\nYes!"))
        talk = Conversation(connect(server), ())
        form = Expected(lambda reply: reply.text, example="Yes!", remedy="?", max_tokens=32)
        assert talk.ask("Fairs?", form).value == "Yes!"
        talk.ask("Why?", form)
        sent = [m["content"] for m in server.requests[1].body["messages"]]
        assert sent == ["Fairs?", "Yes!", "Why?"]

    @pytest.mark.parametrize(
        "cut",
        [
            completion({"content": "<think>Well, "}, "length"),
            completion({"content": None, "reasoning_content": "Well, "}, "length"),
            completion({"content": ""}, "length"),
        ],
    )
    def test_more_room_where_it_was_used_up(
        self, serve: Serve, connect: Connect, cut: Answer
    ) -> None:
        server = serve(lambda body, _: cut if body["max_tokens"] < 1000 else Answer("4"))
        client = connect(server)
        assert client.reply(ask("one", max_tokens=32)).text == "4"
        assert client.reply(ask("two", max_tokens=32)).text == "4"
        assert [r.body["max_tokens"] for r in server.requests] == [32, 1024, 1024]
        assert "replies of up to 1,024 tokens" in client.warnings[-1]
        assert client.usage.sent == 3 and client.usage.tokens_out >= 5

    def test_a_thought_without_end(self, serve: Serve, connect: Connect) -> None:
        server = serve(completion({"content": "<think>Well, 2 or"}, "length"))
        client = connect(server)
        caught = failure(client, ask(max_tokens=32))
        assert isinstance(caught, ThoughtCutOff) and caught.code == "thought_cut_off"
        assert "--reply-room" in str(caught) and "--request" in str(caught)
        assert caught.thought == "Well, 2 or" and "2 or" not in str(caught)
        assert [r.body["max_tokens"] for r in server.requests] == [32, 1024, 4096]
        assert client.usage.failures == {"thought_cut_off": 1}
        assert client.usage.summary().startswith("3 LLM calls; 21 tokens in")

    def test_where_the_context_has_no_more_room(self, serve: Serve, connect: Connect) -> None:
        cut = completion({"content": "<think>Well"}, "length")
        full = error(400, "maximum context length is 500 tokens")
        server = serve(lambda body, _: cut if body["max_tokens"] < 500 else full)
        assert isinstance(failure(connect(server)), ThoughtCutOff)

    def test_more_room_is_held_against_the_budget(self, serve: Serve, connect: Connect) -> None:
        server = serve(completion({"content": "<think>Well"}, "length"))
        caught = failure(connect(server, budget=Budget(max_tokens=600)), ask(max_tokens=32))
        assert isinstance(caught, BudgetSpent) and len(server.requests) == 1

    def test_room_that_is_given_at_once(self, serve: Serve, connect: Connect) -> None:
        server = serve()
        connect(server, reply_room=500).reply(ask(max_tokens=32))
        assert server.requests[0].body["max_tokens"] == 532

    def test_one_that_ends_by_itself_is_not_asked_again(
        self, serve: Serve, connect: Connect
    ) -> None:
        server = serve(completion({"content": "<think>Well"}))
        assert "ended its reply inside a thought" in str(failure(connect(server)))
        assert len(server.requests) == 1

    def test_all_of_it_in_the_field_for_thoughts(self, serve: Serve, connect: Connect) -> None:
        server = serve(completion({"content": "", "reasoning_content": "I would say 4."}))
        caught = failure(connect(server))
        assert isinstance(caught, LLMBadReply) and "'reasoning_content'" in str(caught)
        assert "4" not in str(caught).replace(str(server.url.split(":")[-1][:-3]), "")
        assert len(server.requests) == 1


class TestSystemPrompts:
    REJECTIONS = (
        Answer(status=400, body={"object": "error", "message": "System role not supported"}),
        error(400, "Conversation roles must alternate user/assistant/user/assistant/..."),
        error(500, "jinja2.exceptions.TemplateError: System role not supported"),
        error(400, "Developer instruction is not enabled for models/toy"),
        error(422, "this model does not support the role 'system'"),
        Answer(body={"error": {"message": "system messages are not allowed", "code": 400}}),
    )

    @pytest.mark.parametrize("rejection", REJECTIONS)
    def test_go_in_front_of_the_first_turn(
        self, serve: Serve, connect: Connect, rejection: Answer
    ) -> None:
        def behave(body: Mapping[str, Any], number: int) -> Answer:
            return rejection if body["messages"][0]["role"] == "system" else Answer("Ahoy!")

        server = serve(behave)
        client = connect(server)
        for text in ("Who are you?", "And where?"):
            request = ChatRequest((Message("system", "You sail."), Message("user", text)))
            assert client.reply(request).text == "Ahoy!"
        assert [r.body["messages"] for r in server.requests[1:]] == [
            [{"role": "user", "content": "You sail.\n\nWho are you?"}],
            [{"role": "user", "content": "You sail.\n\nAnd where?"}],
        ]
        (warning,) = client.warnings
        assert "does not support system prompts" in warning

    def test_before_a_history_that_the_bot_begins(self, serve: Serve, connect: Connect) -> None:
        server = serve(error(400, "System role not supported"), echo)
        messages = (Message("system", "You sail."), Message("assistant", "Ahoy!"))
        connect(server).reply(ChatRequest((*messages, Message("user", "Hi"))))
        roles = [m["role"] for m in server.requests[1].body["messages"]]
        assert roles == ["user", "assistant", "user"]

    def test_another_error_stays_one(self, serve: Serve, connect: Connect) -> None:
        server = serve(error(400, "the system is upgraded"))
        request = ChatRequest((Message("system", "You sail."), Message("user", "Hi")))
        assert isinstance(failure(connect(server), request), LLMBadRequest)
        assert len(server.requests) == 1


def stream(*pieces: Mapping[str, Any], finish_reason: str = "stop") -> str:
    events: list[dict[str, Any]] = [{"choices": [{"delta": piece}]} for piece in pieces]
    events.append({"choices": [{"delta": {}, "finish_reason": finish_reason}]})
    events.append({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


class TestStreams:
    SSE = {"Content-Type": "text/event-stream"}  # noqa: RUF012

    @pytest.mark.parametrize(
        "rejection",
        [
            error(400, "This model only support stream mode, please enable the stream parameter"),
            error(400, "Non-streaming calls are not supported"),
            error(422, "stream must be set to true"),
        ],
    )
    def test_a_server_that_only_streams(
        self, serve: Serve, connect: Connect, rejection: Answer
    ) -> None:
        body = stream({"role": "assistant"}, {"content": "Ye"}, {"content": "s."})
        server = serve(
            lambda asked, _: (
                Answer(body=body, headers=self.SSE) if asked.get("stream") else rejection
            )
        )
        client = connect(server)
        reply = client.reply(ask("one"))
        assert (reply.text, reply.finish_reason, reply.tokens_in) == ("Yes.", "stop", 3)
        client.reply(ask("two"))
        assert [bool(r.body.get("stream")) for r in server.requests] == [False, True, True]
        assert "they are streamed" in client.warnings[0]

    def test_one_that_streams_unasked(self, serve: Serve, connect: Connect) -> None:
        body = stream({"reasoning_content": "Say "}, {"reasoning_content": "no."}, {"content": "N"})
        reply = connect(serve(Answer(body=body, headers=self.SSE))).reply(ask())
        assert (reply.text, reply.thought) == ("N", "Say no.")

    def test_an_error_in_the_stream(self, serve: Serve, connect: Connect) -> None:
        body = 'data: {"error": {"message": "overloaded", "code": 400}}\n\n'
        caught = failure(connect(serve(Answer(body=body, headers=self.SSE))))
        assert "(HTTP 400): overloaded" in str(caught)


class TestErrorsInside:
    @pytest.mark.parametrize(
        ("body", "kind", "words", "n"),
        [
            (
                {"choices": None, "error": {"message": "Rate limit exceeded", "code": 429}},
                LLMRateLimited, "(HTTP 429): Rate limit exceeded", 6,
            ),
            (
                {"error": {"message": "Insufficient credits", "code": "402"}},
                LLMBadRequest, "(HTTP 402): Insufficient credits", 1,
            ),
            ({"error": "model not loaded"}, LLMBadReply, "an error: model not loaded", 3),
            ({"object": "error", "message": "no", "code": 400}, LLMBadRequest, "400): no", 1),
            ({"detail": "Not authenticated"}, LLMBadReply, "error: Not authenticated", 3),
            (
                {"choices": [{"error": {"message": "upstream broke", "code": 400}}]},
                LLMBadRequest, "(HTTP 400): upstream broke", 1,
            ),
        ],
    )  # fmt: skip
    def test_are_told_and_handled_as_their_status(
        self,
        serve: Serve,
        connect: Connect,
        body: dict[str, Any],
        kind: type[LLMError],
        words: str,
        n: int,
    ) -> None:
        server = serve(Answer(body=body))
        client = connect(server)
        caught = failure(client)
        assert type(caught) is kind and words in str(caught)
        assert len(server.requests) == n == client.usage.sent

    def test_a_page_under_another_address(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer(status=404, body="<!DOCTYPE html><html>Gone</html>"))
        assert "not an OpenAI-compatible server" in str(failure(connect(server)))

    def test_a_page_in_place_of_the_models(self, serve: Serve, monkeypatch: Any) -> None:
        server, html = serve(), {"Content-Type": "text/html"}
        page = Answer(body="<html>Hello</html>", headers=html)
        monkeypatch.setattr(server, "get", lambda path: page)
        with pytest.raises(LLMBadReply, match="not an OpenAI-compatible server"):
            OpenAICompatible(server.url)


class TestFurtherFields:
    FIELDS = {"chat_template_kwargs": {"enable_thinking": False}, "top_p": 0.5}  # noqa: RUF012

    def test_are_sent_and_part_of_the_key(self, serve: Serve, connect: Connect) -> None:
        server = serve()
        connect(server, request_fields=self.FIELDS).reply(ask())
        assert server.requests[0].body.items() >= self.FIELDS.items()
        plain, more = ask(), ask(extra=self.FIELDS)
        assert plain.key(MODEL) != more.key(MODEL) and "extra" not in plain.to_record()
