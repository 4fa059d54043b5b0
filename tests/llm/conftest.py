"""Fixtures of the language model tests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from persona_lab.llm import ChatModel, Client, RetryPolicy
from persona_lab.llm.openai_compatible import OpenAICompatible
from persona_lab.llm.openai_errors import KEY_VARIABLES
from tests.llm.fake_server import MODEL, FakeServer

QUICK = RetryPolicy(first_wait=0.01, longest_wait=0.05)

Connect = Callable[..., Client]


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEY_VARIABLES, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Clients of servers (or URLs, or other models) with short waits; closed after the test."""
    clients: list[Client] = []

    def make(to: FakeServer | str | ChatModel, *, timeout: float = 10.0, **how: Any) -> Client:
        if isinstance(to, FakeServer):
            to = to.url
        backend = OpenAICompatible(to, model=MODEL, timeout=timeout) if isinstance(to, str) else to
        clients.append(Client(backend, **{"policy": QUICK, **how}))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def dead_url() -> str:
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
