"""The service on the toy model, in this process and in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from persona_lab.detectors.registry import MODELS_VARIABLE
from persona_lab.llm.openai_errors import KEY_VARIABLES

pytest.importorskip("flask")
pytest.importorskip("huey")
pytest.importorskip("sqlalchemy")

from flask import Flask
from flask.testing import FlaskClient

from service import Config, create_app
from service.jobs.worker import Worker

ROOT = Path(__file__).resolve().parents[2]
FILLER = "and then we did this and that and the other thing with them. "
LOUD = "The party was a party. " + FILLER * 3
QUIET = "I was alone. " + FILLER * 3

MakeApp = Callable[..., Flask]


@pytest.fixture(autouse=True)
def _environment(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PERSONA_LAB_") and name != "PERSONA_LAB_DATA":
            monkeypatch.delenv(name)
    for name in (*KEY_VARIABLES, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """What all services here have in common."""
    return {"data_dir": str(tmp_path / "data"), "detectors": ("toy",)}


@pytest.fixture
def make_app(settings: dict[str, Any]) -> Iterator[MakeApp]:
    """Make apps; keywords are settings."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        app = create_app(Config(**(settings | changes)))
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["engine"].close()
        app.extensions["queue"].close()
        app.extensions["jobs"].close()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The service with its usual settings."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Asks :func:`app`."""
    return app.test_client()


@pytest.fixture
def work(app: Flask) -> Iterator[Callable[[], int]]:
    """Do all jobs of :func:`app` that wait, in this process."""
    worker = Worker(app.extensions["config"])
    yield worker.queue.work_on_all
    worker.queue.close()
    worker.store.close()


def items(*texts: str) -> list[dict[str, Any]]:
    """Items of plain texts, ``t0``, ``t1``, ..."""
    return [{"id": f"t{i}", "text": text} for i, text in enumerate(texts)]


class Running:
    """Processes of the service; each can be killed."""

    def __init__(self, settings: dict[str, Any], models: Path) -> None:
        self.config = Config(**settings)
        self.environ = {
            **os.environ,
            **self.config.to_env(),
            "PYTHONPATH": str(ROOT),
            MODELS_VARIABLE: str(models),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, module: str) -> subprocess.Popen[bytes]:
        """Start ``python -m module``."""
        return self._start("-m", module)

    def start_code(self, code: str) -> subprocess.Popen[bytes]:
        """Start ``python -c code``."""
        return self._start("-c", code)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        self.config.folder.mkdir(parents=True, exist_ok=True)
        with open(self._log(len(self._started)), "wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], env=self.environ, stderr=log, cwd=ROOT
            )
        self._started.append(process)
        return process

    def _log(self, number: int) -> Path:
        return self.config.folder / f"stderr-{number}"

    def stop(self, process: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> str:
        """End one; returns what it wrote to stderr."""
        with suppress(ProcessLookupError):
            process.send_signal(how)
        process.wait(timeout=40)
        return self._log(self._started.index(process)).read_text(encoding="utf-8")

    def stop_all(self) -> None:
        """End what is left."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait()

    @property
    def url(self) -> str:
        """Of the web server."""
        return f"http://{self.config.host}:{self.config.port}"

    def wait_until_ready(self) -> None:
        """Wait for the web server and its models."""
        wait_for(self.ready, 40)

    def ready(self) -> bool:
        """Does the web server answer, and are its models loaded?"""
        try:
            with urllib.request.urlopen(self.url + "/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture
def run_processes(settings: dict[str, Any], toy_model: Path) -> Iterator[Callable[..., Running]]:
    """Prepare processes with these settings; they end with the test."""
    all_running: list[Running] = []

    def prepare(**changes: Any) -> Running:
        given = {"port": free_port(), **settings, **changes}
        all_running.append(Running(given, toy_model.parent))
        return all_running[-1]

    yield prepare
    for running in all_running:
        running.stop_all()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(met: Callable[[], Any], seconds: float) -> None:
    """Wait until a condition is met; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, f"not met within {seconds} s"
        time.sleep(0.05)


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of tests that need a browser."""
    config.addinivalue_line("markers", "browser: walks the page in a real browser (Chromium)")
