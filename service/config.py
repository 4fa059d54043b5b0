"""Settings: one field each, read from ``PERSONA_LAB_*`` and told without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from persona_lab.errors import InputError

PREFIX = "PERSONA_LAB_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_RATE = re.compile(r"[1-9]\d*/(second|minute|hour|day)")


def _default_folder() -> str:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return str(Path(base) / "persona-lab")


def _setting(default: Any, help: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": help, "secret": secret})


@dataclass(frozen=True, slots=True)
class Config:
    """What a service needs to know; every field is also an environment variable.

    The variable's name is the field's in capitals after ``PERSONA_LAB_``; lists are
    separated by commas. :meth:`settings` tells the help of each.
    """

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8000, "port to listen on")
    workers: int = _setting(1, "web processes, each with a model of its own")
    job_workers: int = _setting(1, "processes that work on jobs; 0 where others do")
    data_dir: str = _setting("", "folder for jobs; ~/.local/share/persona-lab if empty")
    database_url: str = _setting(
        "", "SQLAlchemy URL of the jobs; sqlite in the folder if empty", secret=True
    )
    queue_url: str = _setting("", "redis:// URL of the queue; sqlite if empty", secret=True)
    keys: tuple[str, ...] = _setting(
        (), "NAME:HASH of each key, as --new-key prints them", secret=True
    )
    keys_file: str = _setting("", "file of such lines; changes count at once")
    cors_origins: tuple[str, ...] = _setting((), "web pages of other origins that may call")
    detectors: tuple[str, ...] = _setting(
        ("default",), "models to offer, by name or folder; the first is the default"
    )
    llm_urls: tuple[str, ...] = _setting((), "language model servers that jobs may ask")
    llm_concurrency: int = _setting(4, "requests of one job to a language model at once")
    rate_limit: str = _setting("600/minute", "requests of one key, per process without Redis")
    max_body_bytes: int = _setting(2_000_000, "longest body of a request")
    max_items: int = _setting(64, "most items of a request that is answered at once")
    max_item_characters: int = _setting(100_000, "longest item, all its turns together")
    max_request_characters: int = _setting(
        200_000, "all items of a request that is answered at once"
    )
    max_job_items: int = _setting(2_000, "most items of a job")
    max_open_jobs: int = _setting(20, "jobs of one key that are queued or running")
    batch_tokens: int = _setting(4_096, "tokens read at once for several requests")
    batch_wait_ms: float = _setting(2.0, "how long a batch waits for company")
    queue_requests: int = _setting(32, "requests of one process that may wait for the model")
    queue_tokens: int = _setting(65_536, "tokens of those requests together")
    max_wait_s: float = _setting(30.0, "longest wait for the model")
    job_lease_s: float = _setting(30.0, "after this silence a worker counts as dead")
    job_attempts: int = _setting(3, "workers that may die of a job before it counts as failed")
    result_hours: float = _setting(24.0, "how long results of jobs are kept")

    def __post_init__(self) -> None:
        """Check what can be checked.

        Raises:
            InputError: naming the setting and what it may be.
        """
        for one in fields(self):
            value = getattr(self, one.name)
            least = 0 if one.name in ("job_workers", "batch_wait_ms") else 1e-9
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value < least:
                raise InputError(f"{variable(one.name)} is {value}; give more than 0")
        if not _RATE.fullmatch(self.rate_limit):
            raise InputError(
                f"{variable('rate_limit')} is {self.rate_limit!r}; write it as 600/minute"
            )
        if self.queue_url and urlsplit(self.queue_url).scheme not in ("redis", "rediss"):
            raise InputError(f"{variable('queue_url')} must be a redis:// URL, or empty for sqlite")
        if not self.detectors:
            raise InputError(
                f"{variable('detectors')} names no detector; leave it out for the best"
            )
        if not self.is_local and not self.has_keys:
            raise InputError(
                f"{self.host} can be reached from other machines, so requests need a key: make "
                "one with 'persona-lab serve --new-key NAME' and put the line it prints into "
                f"{variable('keys')} or {variable('keys_file')}; or use --host 127.0.0.1"
            )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Config:
        """Read the environment.

        Args:
            environ: to read; the process' own if left out.
            given: settings that go before the environment.

        Raises:
            InputError: a value cannot be understood.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, Any] = {}
        for one in fields(cls):
            text = environ.get(variable(one.name), "").strip()
            if text:
                found[one.name] = _parse(one.name, text, type(one.default))
        return cls(**(found | given))

    def to_env(self) -> dict[str, str]:
        """The environment that :meth:`from_env` reads this from."""
        return {
            variable(one.name): ",".join(value) if isinstance(value, tuple) else str(value)
            for one in fields(self)
            for value in [getattr(self, one.name)]
        }

    def settings(self) -> list[tuple[str, str, str]]:
        """Variable, value and help of each setting; secrets are not shown."""
        told = []
        for one in fields(self):
            value = getattr(self, one.name)
            shown = ",".join(value) if isinstance(value, tuple) else str(value)
            if one.metadata["secret"] and shown:
                shown = f"({len(value)} set)" if isinstance(value, tuple) else without_login(shown)
            told.append((variable(one.name), shown, str(one.metadata["help"])))
        return told

    @property
    def is_local(self) -> bool:
        """Can only this machine reach the service?"""
        return self.host in LOOPBACK

    @property
    def has_keys(self) -> bool:
        """Are there keys? Then every request needs one."""
        return bool(self.keys or self.keys_file)

    @property
    def folder(self) -> Path:
        """Where the service keeps its files."""
        return Path(self.data_dir or _default_folder())

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the jobs."""
        return self.database_url or f"sqlite:///{self.folder / 'jobs.sqlite'}"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def without_login(url: str) -> str:
    """A URL without its user, password and query."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def _parse(name: str, text: str, kind: type) -> Any:
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    readers: dict[type, Callable[[str], Any]] = {int: int, float: float, str: str}
    try:
        return readers[kind](text)
    except ValueError:
        raise InputError(f"{variable(name)} is {text!r}; give a number") from None
