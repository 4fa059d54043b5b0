"""A real HTTP server that speaks the OpenAI chat protocol and misbehaves as it is told.

    with FakeServer(Answer("first"), Answer(status=500), Answer("then this for ever")) as server:
        client = open_chat_model(f"openai:{server.url}", model="toy")

Without answers it echoes the last message. An answer may also be a function of the decoded
request and its number from 0. It uses the standard library only, so any room can use it.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "toy"


@dataclass(frozen=True)
class Answer:
    """One answer of the server."""

    text: str | None = "fine"
    status: int = 200
    body: str | Mapping[str, Any] | None = None  # instead of a completion
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    finish_reason: str = "stop"
    refusal: str | None = None
    alternatives: Mapping[str, float] | None = None  # of every token: probability by token
    usage: bool = True
    hang_up: bool = False  # close the connection without a word


Behaviour = Callable[[dict[str, Any], int], Answer]


@dataclass(frozen=True)
class Recorded:
    """One request to /chat/completions."""

    body: dict[str, Any]
    headers: dict[str, str]
    at: float

    @property
    def last(self) -> str:
        return str(self.body["messages"][-1]["content"])


def error(status: int, message: str, **more: Any) -> Answer:
    """An error as OpenAI words it."""
    return Answer(status=status, body={"error": {"message": message, **more}})


def echo(body: dict[str, Any], number: int) -> Answer:
    return Answer(f"echo: {body['messages'][-1]['content']}")


class FakeServer:
    """Runs in threads of this process; a context manager."""

    def __init__(
        self,
        *answers: Answer | Behaviour,
        models: Sequence[str] = (MODEL,),
        max_model_len: int | None = None,
        n_ctx: int | None = None,
        rejects: Sequence[str] = (),
        key: str | None = None,
    ) -> None:
        """Start it.

        Args:
            answers: one after the other; the last one for ever.
            models: that /v1/models lists.
            max_model_len: told by /v1/models, as vLLM does.
            n_ctx: told by /props, as llama.cpp does.
            rejects: parameters that get a 400.
            key: the only one that is let in; None lets everybody in.
        """
        self.requests: list[Recorded] = []
        self.other_paths: list[str] = []
        self.peak = 0
        self._answers = answers or (echo,)
        self._models, self._max_model_len, self._n_ctx = models, max_model_len, n_ctx
        self._rejects, self._key = rejects, key
        self._lock = threading.Lock()
        self._busy = 0
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def texts(self) -> list[str]:
        """The last message of each request, in the order they came."""
        return [recorded.last for recorded in self.requests]

    def __enter__(self) -> FakeServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def get(self, path: str) -> Answer:
        with self._lock:
            self.other_paths.append(path)
        if path == "/v1/models":
            more = {} if self._max_model_len is None else {"max_model_len": self._max_model_len}
            return Answer(body={"data": [{"id": name, **more} for name in self._models]})
        if path == "/props" and self._n_ctx is not None:
            return Answer(body={"default_generation_settings": {"n_ctx": self._n_ctx}})
        return error(404, "no such page")

    def post(self, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        with self._lock:
            number = len(self.requests)
            self.requests.append(Recorded(body, headers, time.monotonic()))
            self._busy += 1
            self.peak = max(self.peak, self._busy)
        try:
            answer = self._choose(body, headers, number)
            self._closing.wait(answer.delay)
            return answer
        finally:
            with self._lock:
                self._busy -= 1

    def _choose(self, body: dict[str, Any], headers: dict[str, str], number: int) -> Answer:
        if self._key is not None and headers.get("authorization") != f"Bearer {self._key}":
            return error(401, f"Incorrect API key provided: {headers.get('authorization')}")
        for name in self._rejects:
            if name in body:
                return error(400, f"Unsupported parameter: '{name}'", param=name)
        chosen = self._answers[min(number, len(self._answers) - 1)]
        return chosen if isinstance(chosen, Answer) else chosen(body, number)


def completion(answer: Answer, asked: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as a chat completion; a token is a word."""
    tokens = (answer.text or "").split()
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.refusal is not None:
        message["refusal"] = answer.refusal
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "finish_reason": answer.finish_reason,
        "logprobs": None,
    }
    if asked.get("logprobs"):
        choice["logprobs"] = {
            "content": [_token(t, answer.alternatives, asked["top_logprobs"]) for t in tokens]
        }
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": asked["model"],
        "choices": [choice],
    }
    if answer.usage:
        words = sum(len(m["content"].split()) for m in asked["messages"])
        body["usage"] = {
            "prompt_tokens": words,
            "completion_tokens": len(tokens),
            "total_tokens": words + len(tokens),
            "prompt_tokens_details": {"cached_tokens": words // 2},
        }
    return body


def _token(token: str, alternatives: Mapping[str, float] | None, top: int) -> dict[str, Any]:
    spread = alternatives or {token: 0.75, "other": 0.25}
    listed = [{"token": t, "logprob": math.log(p)} for t, p in list(spread.items())[:top]]
    return {"token": token, "logprob": math.log(spread.get(token, 1.0)), "top_logprobs": listed}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is part of the tests."""


def _handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # header and body in one packet: no 40 ms wait for the client's ACK

        def do_GET(self) -> None:
            self._send(fake.get(self.path), {})

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            asked = json.loads(self.rfile.read(size))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if self.path != "/v1/chat/completions":
                self._send(error(404, "no such page"), asked)
                return
            self._send(fake.post(asked, headers), asked)

        def _send(self, answer: Answer, asked: Mapping[str, Any]) -> None:
            if answer.hang_up:
                self.close_connection = True
                return
            body = completion(answer, asked) if answer.body is None else answer.body
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    return Handler


Serve = Callable[..., FakeServer]
"""Starts one; see the fixture ``serve``."""
