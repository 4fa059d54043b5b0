"""The options that all commands with a model share."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from persona_lab.cli.llm_options import (
    DEFAULT_CONCURRENCY,
    DEFAULT_TIMEOUT_S,
    LLM,
    CassetteFile,
    Concurrency,
    DryRun,
    MaxCalls,
    MaxTokens,
    ModelName,
    Offline,
    PriceIn,
    PriceOut,
    Seed,
    Temperature,
    Timeout,
    announce,
    open_client,
    read_request_fields,
    report,
)
from persona_lab.cli.output import reported_errors
from persona_lab.errors import InputError
from persona_lab.llm import ChatRequest, Forecast, Message, client, opening
from tests.llm.fake_server import Serve

app = typer.Typer()


@app.command()
def talk(
    llm: LLM,
    model: ModelName = None,
    cassette: CassetteFile = None,
    offline: Offline = False,
    concurrency: Concurrency = DEFAULT_CONCURRENCY,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    dry_run: DryRun = False,
    temperature: Temperature = 0.0,
    seed: Seed = 0,
) -> None:
    """Ask two things."""
    requests = [
        ChatRequest((Message("user", text),), temperature=temperature, seed=seed, max_tokens=10)
        for text in ("one", "two")
    ]
    with (
        reported_errors(),
        open_client(
            llm,
            model=model,
            cassette=cassette,
            offline=offline,
            concurrency=concurrency,
            timeout=timeout,
            max_calls=max_calls,
            max_tokens=max_tokens,
            price_in=price_in,
            price_out=price_out,
        ) as client,
    ):
        announce(Forecast.of(requests, prices=client.prices))
        if not dry_run:
            for request in requests:
                typer.echo(client.reply(request).text)
            report(client)


def test_a_run_then_offline(serve: Serve, tmp_path: Path) -> None:
    server = serve(rejects=("seed",))
    given = ["--llm", f"openai:{server.url}", "--cassette", str(tmp_path / "c")]
    prices = ["--price-in", "1000", "--price-out", "1000"]
    first = CliRunner().invoke(app, [*given, *prices, "--temperature", "0.5", "--seed", "3"])
    assert first.exit_code == 0, first.output
    assert first.stdout == "echo: one\necho: two\n"
    assert [r.body.get("seed") for r in server.requests] == [3, None, None]
    assert server.requests[0].body["temperature"] == 0.5
    messages = first.stderr.splitlines()
    assert messages[0] == (
        "This run makes about 2 LLM calls, 16 tokens in and 20 out, price about 0.0360"
    )
    assert messages[1].endswith("does not support seeds; sampled replies cannot be repeated")
    assert messages[2] == "2 LLM calls; 2 tokens in, 4 out; price 0.0060"
    again = CliRunner().invoke(app, [*given, "--offline", "--temperature", "0.5", "--seed", "3"])
    assert again.stdout == first.stdout and len(server.requests) == 3
    assert again.stderr.splitlines()[-1] == "0 LLM calls; 2 replayed"


def test_dry_run_asks_nothing(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    path = tmp_path / "c"
    given = ["--llm", f"openai:{server.url}", "--cassette", str(path), "--dry-run"]
    assert CliRunner().invoke(app, given).stdout == ""
    assert server.requests == [] and not path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--llm", "gpt"], "cannot read --llm 'gpt'; write one of: openai:URL"),
        (["--llm", "cassette:no-such-file"], "there is no cassette no-such-file"),
        (["--llm", "openai", "--price-in", "1"], "--price-in and --price-out belong together"),
    ],
)
def test_mistakes_are_one_line(options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_defaults_are_those_of_the_library() -> None:
    assert client.DEFAULT_CONCURRENCY == DEFAULT_CONCURRENCY
    assert opening.DEFAULT_TIMEOUT_S == DEFAULT_TIMEOUT_S


def test_further_fields_of_requests() -> None:
    given = [
        "reasoning_effort=low", 'chat_template_kwargs={"enable_thinking": false}', "top_k = 5",
        "tag=a=b",
    ]  # fmt: skip
    assert read_request_fields(given) == {
        "reasoning_effort": "low",
        "chat_template_kwargs": {"enable_thinking": False},
        "top_k": 5,
        "tag": "a=b",
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("top_k", "write KEY=JSON"),
        ("=5", "write KEY=JSON"),
        ('x={"a": }', "--request x holds JSON that is none"),
        ("max_tokens=9", "is told by --reply-room"),
        ("model=toy", "is told by --model"),
    ],
)
def test_fields_that_cannot_be_sent(given: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_request_fields([given])


@pytest.mark.parametrize(
    "name", ["converse", "evaluate", "interview", "judge", "populations", "reliability", "score"]
)
def test_every_command_that_asks_a_model_has_them(name: str) -> None:
    command = import_module(f"persona_lab.cli.{name}").command
    assert {"reply_room", "request"} <= set(signature(command).parameters)
