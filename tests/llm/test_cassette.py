"""Cassettes: what is replayed, what never gets in, and several writers at once."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from persona_lab.llm import (
    Cassette,
    CassetteError,
    ChatReply,
    ChatRequest,
    LLMBadRequest,
    LLMError,
    Message,
    OfflineMiss,
    TokenLogprobs,
    open_chat_model,
)
from tests.llm.conftest import Connect
from tests.llm.fake_server import MODEL, Answer, Serve, error

REPLY = ChatReply(
    text="Grüße, 再见 \ud83d",
    finish_reason="stop",
    tokens_in=5,
    tokens_out=3,
    tokens_cached=2,
    logprobs=(TokenLogprobs("Gr", -0.25, (("Gr", -0.25), ("Hi", -1.5))),),
    model="toy-1",
    seconds=0.5,
)


def ask(text: str = "hello", **how: object) -> ChatRequest:
    return ChatRequest((Message("user", text),), **how)  # type: ignore[arg-type]


class TestKey:
    def test_is_the_sha256_of_the_canonical_json(self) -> None:
        import hashlib

        # written out by hand: cassettes on disk depend on every byte of it
        canonical = (
            '{"json_schema":null,"max_tokens":256,"messages":[{"content":"h\\u00e9llo",'
            '"role":"user"}],"model":"toy","repeat":0,"seed":0,"stop":[],"temperature":0.0,'
            '"top_logprobs":0}'
        )
        expected = hashlib.sha256(canonical.encode()).hexdigest()
        assert ask("héllo").key("toy") == expected
        assert ask("héllo", temperature=0).key("toy") == expected

    def test_every_field_counts(self) -> None:
        base = ask()
        others = [
            replace(base, messages=(Message("system", "hello"),)),
            replace(base, messages=(*base.messages, Message("assistant", "hi"))),
            replace(base, temperature=0.5),
            replace(base, max_tokens=10),
            replace(base, seed=1),
            replace(base, seed=None),
            replace(base, repeat=1),
            replace(base, top_logprobs=5),
            replace(base, json_schema={}),
            replace(base, json_schema={"type": "object"}),
            replace(base, stop=("a",)),
        ]
        keys = {r.key("toy") for r in [base, *others]} | {base.key("other")}
        assert len(keys) == len(others) + 2

    def test_order_of_keys_in_a_schema_does_not(self) -> None:
        a = ask(json_schema={"type": "object", "required": ["x"]})
        b = ask(json_schema={"required": ["x"], "type": "object"})
        assert a.key("toy") == b.key("toy")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"messages": ()},
            {"top_logprobs": 21},
            {"max_tokens": 0},
            {"temperature": -1.0},
            {"temperature": float("nan")},
        ],
    )
    def test_settings_that_no_server_takes(self, wrong: dict[str, object]) -> None:
        with pytest.raises(LLMBadRequest):
            replace(ask(), **wrong)  # type: ignore[arg-type]


class TestFile:
    def test_a_reply_comes_back_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "replies.sqlite"
        with Cassette(path) as cassette:
            assert cassette.get("k") is None and not path.exists() and len(cassette) == 0
            cassette.put("k", "toy", ask(), REPLY)
            assert cassette.get("k") == replace(REPLY, replayed=True)
        with Cassette(path) as again:
            assert again.get("k") == replace(REPLY, replayed=True)

    def test_iterates_in_order_and_counts(self, tmp_path: Path) -> None:
        cassette = Cassette(tmp_path / "c")
        for name in ("b", "a", "c"):
            cassette.put(name, "toy", ask(name), replace(REPLY, text=name))
        cassette.put("a", "toy", ask("a"), replace(REPLY, text="a later reply"))
        recordings = list(cassette)
        assert len(cassette) == 3 and cassette.models() == ("toy",)
        assert [(r.key, r.reply.text) for r in recordings] == [("b", "b"), ("a", "a"), ("c", "c")]
        assert recordings[0].request["messages"] == [{"role": "user", "content": "b"}]
        assert recordings[0].created.endswith("+00:00")

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    def test_is_private_with_its_journals(self, tmp_path: Path) -> None:
        cassette = Cassette(tmp_path / "c")
        old = os.umask(0)
        try:
            cassette.put("k", "toy", ask(), REPLY)
        finally:
            os.umask(old)
        files = sorted(tmp_path.iterdir())
        assert [f.name for f in files] == ["c", "c-shm", "c-wal"]
        assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
        cassette.close()
        assert [f.name for f in tmp_path.iterdir()] == ["c"]

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
    def test_can_be_replayed_from_a_place_that_is_read_only(self, tmp_path: Path) -> None:
        path = tmp_path / "c"
        with Cassette(path) as cassette:
            cassette.put("k", "toy", ask(), REPLY)
        path.chmod(0o400)
        tmp_path.chmod(0o500)
        try:
            assert Cassette(path).get("k") is not None
        finally:
            tmp_path.chmod(0o700)

    def test_text_file(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("This is no database at all. " * 50)
        with pytest.raises(CassetteError, match=r"cannot use the cassette .*notes\.txt: file is"):
            Cassette(path).get("k")
        assert path.read_text().startswith("This is no database")

    def test_database_of_something_else(self, tmp_path: Path) -> None:
        path = tmp_path / "other.db"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE people (name TEXT)")
        with pytest.raises(CassetteError, match="is a database of something else"):
            Cassette(path).put("k", "toy", ask(), REPLY)

    def test_newer_layout(self, tmp_path: Path) -> None:
        path = tmp_path / "c"
        with Cassette(path) as cassette:
            cassette.put("k", "toy", ask(), REPLY)
        with sqlite3.connect(path) as later:
            later.execute("PRAGMA user_version = 2")
        with pytest.raises(CassetteError, match="has layout 2, and this persona-lab reads up to 1"):
            Cassette(path).get("k")

    def test_damaged_reply(self, tmp_path: Path) -> None:
        path = tmp_path / "c"
        with Cassette(path) as cassette:
            cassette.put("k", "toy", ask(), REPLY)
        with sqlite3.connect(path) as other:
            other.execute("UPDATE replies SET reply = '{}'")
        with pytest.raises(CassetteError, match="holds a damaged reply"):
            Cassette(path).get("k")

    def test_folder_that_does_not_exist(self, tmp_path: Path) -> None:
        with pytest.raises(CassetteError, match="cannot use the cassette"):
            Cassette(tmp_path / "no" / "c").put("k", "toy", ask(), REPLY)

    def test_many_threads(self, tmp_path: Path) -> None:
        cassette = Cassette(tmp_path / "c")

        def write(first: int) -> None:
            for i in range(first, first + 50):
                cassette.put(str(i), "toy", ask(str(i)), REPLY)

        threads = [threading.Thread(target=write, args=(n * 25,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(cassette) == 125


WRITER = """
import sys
from pathlib import Path
from persona_lab.llm import Cassette, ChatReply, ChatRequest, Message
path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for i in range(first, first + count):
    request = ChatRequest((Message("user", f"question {i}"),))
    reply = ChatReply(f"reply {i}", "stop", 1, 1, 0, None, "toy", 0.0)
    with Cassette(path) as cassette:  # opened and closed each time: the hardest case
        cassette.put(request.key("toy"), "toy", request, reply)
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(first), "30"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (0, 15)
    ]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n")
    assert [writer.returncode for writer in writers] == [0, 0]
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    recordings = list(Cassette(path))
    assert len(recordings) == 45
    for recording in recordings:
        number = recording.request["messages"][0]["content"].removeprefix("question ")
        assert recording.reply.text == f"reply {number}"
        assert recording.key == ask(f"question {number}").key("toy")


class TestReplay:
    def test_the_same_request_is_asked_once(
        self, serve: Serve, connect: Connect, tmp_path: Path
    ) -> None:
        server = serve(lambda body, number: Answer(f"reply {number}"))
        for turn in range(2):
            client = connect(server, cassette=Cassette(tmp_path / "c"))
            replies = [client.reply(ask()), client.reply(ask())]
            assert [r.text for r in replies] == ["reply 0"] * 2
            assert [r.replayed for r in replies] == [turn == 1, True]
            assert client.usage.calls == 1 - turn
            assert client.usage.tokens_in == (1 - turn) * replies[0].tokens_in
            client.close()

    def test_a_repeat_is_asked_anew_with_its_own_seed(
        self, serve: Serve, connect: Connect, tmp_path: Path
    ) -> None:
        server = serve(lambda body, number: Answer(f"reply {number}"))
        client = connect(server, cassette=Cassette(tmp_path / "c"))
        asked = [ask(temperature=1.0, seed=7, repeat=n) for n in (0, 1, 2, 0, 1)]
        texts = [client.reply(request).text for request in asked]
        assert texts == ["reply 0", "reply 1", "reply 2", "reply 0", "reply 1"]
        assert [r.body["seed"] for r in server.requests] == [7, 8, 9]

    def test_failures_are_not_stored(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        bad = [error(500, "down"), Answer(""), error(400, "no"), Answer("fine")]
        cassette = Cassette(tmp_path / "c")
        client = connect(serve(*bad), cassette=cassette)
        with pytest.raises(LLMError):
            client.reply(ask())
        assert len(cassette) == 0
        assert client.reply(ask()).text == "fine"
        assert len(cassette) == 1

    def test_offline(self, serve: Serve, tmp_path: Path) -> None:
        path = tmp_path / "c"
        with serve() as server, open_chat_model(f"openai:{server.url}", cassette=path) as client:
            client.reply(ask("one"))
        for client in (
            open_chat_model(f"openai:{server.url}", cassette=path, offline=True),
            open_chat_model(f"cassette:{path}", model=MODEL),
        ):
            with client:
                assert client.name == MODEL
                assert client.reply(ask("one")).text == "echo: one"
                with pytest.raises(
                    OfflineMiss, match=r"holds no reply of 'toy' to request [0-9a-f]"
                ):
                    client.reply(ask("two"))
                assert (client.usage.calls, client.usage.replayed) == (0, 1)
                assert client.usage.failures == {"offline": 1}

    def test_offline_asks_nothing(self, serve: Serve, tmp_path: Path) -> None:
        path = tmp_path / "c"
        with Cassette(path) as cassette:
            cassette.put("k", MODEL, ask(), REPLY)
        server = serve()
        with open_chat_model(f"openai:{server.url}", cassette=path, offline=True) as client:
            with pytest.raises(OfflineMiss):
                client.reply(ask("new"))
            assert client.context_length is None
        assert server.requests == [] and server.other_paths == []

    def test_cassette_of_several_models(self, tmp_path: Path) -> None:
        path = tmp_path / "c"
        with Cassette(path) as cassette:
            cassette.put("1", "qwen", ask(), REPLY)
            cassette.put("2", "phi", ask(), REPLY)
        with pytest.raises(CassetteError, match="holds replies of phi, qwen; name the model with"):
            open_chat_model(f"cassette:{path}")

    def test_no_cassette(self, tmp_path: Path) -> None:
        with pytest.raises(CassetteError, match="there is no cassette"):
            open_chat_model(f"cassette:{tmp_path / 'c'}")
        with pytest.raises(LLMError, match="--offline replays a cassette; name it with --cassette"):
            open_chat_model("openai:http://localhost:1/v1", offline=True)

    def test_requests_are_stored_as_json(
        self, connect: Connect, serve: Serve, tmp_path: Path
    ) -> None:
        connect(serve(), cassette=Cassette(tmp_path / "c")).reply(ask("héllo", stop=("x",)))
        with sqlite3.connect(tmp_path / "c") as database:
            key, model, request, reply = database.execute(
                "SELECT key, model, request, reply FROM replies"
            ).fetchone()
        assert key == ask("héllo", stop=("x",)).key(MODEL) and model == MODEL
        assert json.loads(request)["messages"][0]["content"] == "héllo"
        assert json.loads(reply)["text"] == "echo: héllo"
