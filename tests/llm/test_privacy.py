"""Neither the key nor the conversation shows up where it should not."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from pathlib import Path

import pytest

from persona_lab.llm import Cassette, ChatRequest, LLMError, Message, open_chat_model
from persona_lab.llm.openai_compatible import OpenAICompatible
from tests.llm.conftest import Connect
from tests.llm.fake_server import MODEL, Answer, Serve, error

KEY = "sk-4242-very-secret-key"
TALK = "My grandmother lives in Rotterdam and keeps bees."


def ask(text: str = TALK) -> ChatRequest:
    return ChatRequest((Message("user", text),))


def whole(error: BaseException) -> str:
    """An error with everything that hangs on it."""
    chain = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        chain += repr(vars(link)) + repr(link.args)
        request = getattr(link, "request", None)
        chain += repr(getattr(request, "headers", "")) + repr(getattr(request, "content", ""))
        link = link.__cause__ or link.__context__
    return chain


@pytest.mark.parametrize(
    "answer",
    [
        error(401, f"Incorrect API key provided: {KEY}"),
        error(400, f"cannot parse message: {TALK}"),
        error(400, "at position 3: 'grandmother lives in Rotterd...' is not allowed"),
        error(400, "Rotterdam"),
        error(500, f"crashed on {TALK[:30]}"),
        Answer(status=429, body=f"<p>{TALK} {KEY}</p>"),
        Answer(body=f"{TALK} is no JSON"),
        Answer(hang_up=True),
        Answer(text="", delay=0.5),
        Answer(status=302, body="", headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_errors_and_logs(
    serve: Serve,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PERSONA_LAB_LLM_KEY", KEY)
    client = connect(serve(answer), timeout=0.3)
    with pytest.raises(LLMError) as caught:
        client.reply(ask())
    said = whole(caught.value) + caplog.text + repr(client) + repr(client.usage)
    assert KEY not in said and KEY not in "".join(client.warnings)
    shown = str(caught.value) + caplog.text
    for part in ("grandmother", "Rotterdam", "bees"):
        assert part not in shown


def test_a_harmless_message_is_shown(serve: Serve, connect: Connect) -> None:
    with pytest.raises(LLMError, match="the tokenizer is missing"):
        connect(serve(error(400, "the tokenizer is missing"))).reply(ask())


def test_cassette_and_objects(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = serve(key=KEY)
    path = tmp_path / "c"
    with open_chat_model(f"openai:{server.url}", model=MODEL, cassette=path) as client:
        assert client.reply(ask()).text == f"echo: {TALK}"
        with Cassette(path) as cassette:
            assert len(list(cassette)) == 1
        for file in tmp_path.iterdir():
            assert KEY.encode() not in file.read_bytes()
        assert KEY not in repr(client)
    data = path.read_bytes()
    assert KEY.encode() not in data and TALK.encode() in data
    model = OpenAICompatible(server.url, model=MODEL)
    assert KEY not in repr(model) and KEY not in repr(vars(model))


def test_the_key_does_not_follow_to_another_host(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    other = serve()
    away = Answer(status=307, body="", headers={"Location": f"{other.url}/chat/completions"})
    with suppress(LLMError):
        connect(serve(away)).reply(ask())
    assert all("authorization" not in r.headers for r in other.requests)
