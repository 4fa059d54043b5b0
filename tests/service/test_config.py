"""Settings, and the command that starts everything."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from persona_lab.cli import serve as module
from persona_lab.errors import InputError
from service import Config
from service.keys import KeyRing
from tests.service.conftest import ROOT

APP = typer.Typer(add_completion=False)
APP.command()(module.command)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(APP, arguments)


def test_the_environment_is_read_and_written_alike() -> None:
    given = Config(
        port=9000,
        detectors=("default", "lexical"),
        batch_wait_ms=0.5,
        llm_urls=("http://localhost:1/v1", "https://x.example"),
        data_dir="/srv/data",
    )
    environ = given.to_env()
    assert environ["PERSONA_LAB_DETECTORS"] == "default,lexical"
    assert Config.from_env(environ) == given
    assert Config.from_env({}) == Config()
    assert Config.from_env(environ, port=1).port == 1


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "eighty", "give a number"),
        ("MAX_ITEMS", "0", "give more than 0"),
        ("BATCH_TOKENS", "-5", "give more than 0"),
        ("RATE_LIMIT", "often", "write it as 600/minute"),
        ("QUEUE_URL", "amqp://x", "must be a redis:// URL"),
        ("HOST", "0.0.0.0", "requests need a key"),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_the_remedy(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(InputError, match=says) as error:
        Config.from_env({f"PERSONA_LAB_{name}": value})
    if name != "HOST":
        assert f"PERSONA_LAB_{name}" in str(error.value)


def test_a_taken_port_is_one_line_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is taken") as error:
            module.check_address("127.0.0.1", port)
    assert "--port" in str(error.value)
    module.check_address("127.0.0.1", port)
    with pytest.raises(InputError, match="--host"):
        module.check_address("not a name", port)


def test_no_setting_has_the_name_of_a_variable_of_the_library() -> None:
    taken: set[str] = set()
    for file in (ROOT / "persona_lab").rglob("*.py"):
        if file.name != "serve.py":
            found = re.findall(r"\"(PERSONA_LAB_[A-Z_]+)\"", file.read_text(encoding="utf-8"))
            taken |= set(found)
    assert "PERSONA_LAB_MODELS" in taken
    assert taken.isdisjoint(Config().to_env())


def test_the_documentation_tells_every_setting_with_its_default() -> None:
    text = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    for name, value, help in Config().settings():
        assert f"| `{name}` | {f'`{value}`' if value else ''} | {help} |" in text


def test_new_key_prints_what_client_and_service_need() -> None:
    told = json.loads(run("--new-key", "alice", "--json").stdout)
    assert KeyRing((told["line"],)).owner(told["key"]) == "alice"
    assert told["key"] not in told["line"]


def test_settings_are_told_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_LAB_DATABASE_URL", "postgresql://u:hunter2@db/x")
    monkeypatch.setenv("PERSONA_LAB_PORT", "9001")
    told = json.loads(run("--settings", "--json").stdout)
    assert told["PERSONA_LAB_PORT"] == "9001"
    assert "hunter2" not in str(told)


def test_a_database_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERSONA_LAB_DATABASE_URL", "nonsense://u:hunter2@db/x")
    monkeypatch.setenv("PERSONA_LAB_DATA_DIR", str(tmp_path))
    result = run()
    assert isinstance(result.exception, InputError)
    assert "PERSONA_LAB_DATABASE_URL" in str(result.exception)
    assert "hunter2" not in str(result.exception)
