"""Budgets hold with many threads, and estimates are near what tokenizers say."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from persona_lab.formats import read_dialogues
from persona_lab.llm import (
    Budget,
    BudgetSpent,
    Cassette,
    ChatRequest,
    Forecast,
    LLMError,
    Message,
    Prices,
    Usage,
    count_tokens,
)
from persona_lab.samples import sample_path
from tests.llm.conftest import Connect
from tests.llm.fake_server import Answer, Serve, error

MODELS = Path(__file__).resolve().parents[2] / "models"
CORPORA = ("essays/essays.csv", "msc/session_1_valid.jsonl", "kaggle_mbti/mbti_1.csv")


def ask(text: str, max_tokens: int = 10) -> ChatRequest:
    return ChatRequest((Message("user", text),), max_tokens=max_tokens)


def wordpiece(text: str) -> int:
    """Tokens by the tokenizer of a bundled model."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODELS / "pooled" / "tokenizer.json"))
    tokenizer.no_truncation()
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def read(path: Path) -> str:
    """The first dialogues of a file, 200,000 characters or so."""
    text = ""
    with read_dialogues(path) as reader:
        for dialogue in reader:
            text += "\n".join(u.text for u in getattr(dialogue, "utterances", ()))
            if len(text) > 200_000:
                break
    return text


class TestCountTokens:
    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("", 0),
            (" \n ", 0),
            ("hello", 1),
            ("hello, world!", 4),
            ("internationalisation", 3),  # 20 letters, 9 a token
            ("2024", 4),
            ("wait......", 3),
            ("我喜欢聚会", 5),
            ("вечеринка", 5),  # 18 bytes, 4 a token
        ],
    )
    def test_rule(self, text: str, tokens: int) -> None:
        assert count_tokens(text) == tokens

    def test_against_a_tokenizer(self) -> None:
        text = read(sample_path())
        told = wordpiece(text)
        assert told > 1000
        assert count_tokens(text) == pytest.approx(told, rel=0.10)

    @pytest.mark.data
    @pytest.mark.parametrize("corpus", CORPORA)
    def test_against_a_tokenizer_on_english(self, data_dir: Path, corpus: str) -> None:
        text = read(data_dir / corpus)
        assert count_tokens(text) == pytest.approx(wordpiece(text), rel=0.10)


class TestForecast:
    def test_by_hand(self) -> None:
        requests = [ask("one two three", 100), ask("four", 20)]
        forecast = Forecast.of(iter(requests), prices=Prices(3.0, 15.0))
        assert (forecast.calls, forecast.tokens_in, forecast.tokens_out) == (
            2,
            3 + 1 + 2 * (4 + 3),
            120,
        )
        assert forecast.price == pytest.approx((18 * 3 + 120 * 15) / 1e6)
        assert forecast.summary() == (
            "about 2 LLM calls, 18 tokens in and 120 out, price about 0.0019"
        )

    def test_mean_reply_never_exceeds_what_is_allowed(self) -> None:
        requests = [ask("one", 100), ask("two", 20)]
        assert Forecast.of(requests, mean_reply=50).tokens_out == 70
        assert Forecast.of(requests).price is None

    def test_usage_with_a_price(self) -> None:
        usage = Usage(calls=1, replayed=3, tokens_in=1000, tokens_out=500)
        assert usage.summary(Prices(1.0, 2.0)) == (
            "1 LLM call; 3 replayed; 1,000 tokens in, 500 out; price 0.0020"
        )


class TestBudget:
    @pytest.mark.parametrize("wrong", [{"max_calls": 0}, {"max_tokens": -5}])
    def test_nothing_is_no_budget(self, wrong: Mapping[str, int]) -> None:
        with pytest.raises(LLMError, match="lets nothing through"):
            Budget(**wrong)

    def test_calls_with_many_threads(self, serve: Serve, connect: Connect) -> None:
        server = serve(Answer("fine", delay=0.01))
        client = connect(server, budget=Budget(max_calls=7), concurrency=8)

        def attempt(n: int) -> str:
            try:
                return client.reply(ask(str(n))).text
            except BudgetSpent:
                return "spent"

        with ThreadPoolExecutor(30) as threads:
            results = list(threads.map(attempt, range(30)))
        assert sorted(results) == ["fine"] * 7 + ["spent"] * 23
        assert len(server.requests) == 7 == client.usage.calls

    def test_tokens_are_never_overrun(self, serve: Serve, connect: Connect) -> None:
        # the fake server counts words: 3 in and 2 out a call; the estimate is 3 + 4 + 3 + 10
        server = serve(Answer("one two", delay=0.01))
        client = connect(server, budget=Budget(max_tokens=50), concurrency=8)

        def attempt(n: int) -> bool:
            try:
                client.reply(ask(f"say number {n}"))
            except BudgetSpent:
                return False
            return True

        with ThreadPoolExecutor(20) as threads:
            done = sum(threads.map(attempt, range(20)))
        used = client.usage.tokens_in + client.usage.tokens_out
        # 7 calls leave 15, too little for one that may need 20
        assert (done, used) == (7, 35) and len(server.requests) == 7

    def test_message_names_what_is_left(self, serve: Serve, connect: Connect) -> None:
        client = connect(serve(), budget=Budget(max_tokens=12))
        with pytest.raises(BudgetSpent, match=r"of 12 tokens 0 are spent, .* may need 18; raise"):
            client.reply(ask("hello"))

    def test_failures_cost_no_call(self, serve: Serve, connect: Connect) -> None:
        client = connect(serve(error(400, "no"), Answer("fine")), budget=Budget(max_calls=1))
        with pytest.raises(LLMError):
            client.reply(ask("one"))
        assert client.reply(ask("two")).text == "fine"
        with pytest.raises(BudgetSpent):
            client.reply(ask("three"))

    def test_replays_are_free(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        client = connect(serve(), budget=Budget(max_calls=1), cassette=Cassette(tmp_path / "c"))
        for _ in range(5):
            client.reply(ask("one"))
        with pytest.raises(BudgetSpent):
            client.reply(ask("two"))
        assert client.reply(ask("one")).replayed

    def test_a_call_that_fails_makes_room_for_one_that_waits(
        self, serve: Serve, connect: Connect
    ) -> None:
        def behave(body: dict[str, Any], number: int) -> Answer:
            if body["messages"][0]["content"] == "bad":
                return Answer(status=400, body={}, delay=0.3)
            return Answer("fine")

        server = serve(behave)
        client = connect(server, budget=Budget(max_calls=2), concurrency=4)
        client.reply(ask("first"))
        with ThreadPoolExecutor(1) as threads:
            bad = threads.submit(client.reply, ask("bad"))
            while len(server.requests) < 2:
                time.sleep(0.01)
            assert client.reply(ask("second")).text == "fine"
        assert isinstance(bad.exception(), LLMError)
