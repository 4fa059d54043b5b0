"""Cassettes: every reply of a model on disk, by the request that it answers.

A run that is repeated, resumed or checked later takes its replies from the cassette and
asks nothing. A cassette holds the conversations, so its file is readable by its owner only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from persona_lab.llm.chat import ChatReply, ChatRequest
from persona_lab.llm.errors import CassetteError, OfflineMiss

_APPLICATION: Final = 0x504C4C43
"""Marks the file as ours in SQLite's header ("PLLC")."""

SCHEMA_VERSION: Final = 1
_BUSY_S: Final = 30.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS replies (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    request TEXT NOT NULL,
    reply TEXT NOT NULL,
    created TEXT NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """One reply as the cassette holds it.

    Attributes:
        key: of the request, see :meth:`~persona_lab.llm.chat.ChatRequest.key`.
        model: the name that went into the key.
        request: see :meth:`~persona_lab.llm.chat.ChatRequest.to_record`.
        reply: with ``replayed`` set.
        created: when it was stored, ISO 8601 in UTC.
    """

    key: str
    model: str
    request: dict[str, Any]
    reply: ChatReply
    created: str


class Cassette:
    """An SQLite file of replies; safe for many threads and several processes at once.

    The file is opened when it is first needed, and made when the first reply is stored.
    Iterating gives its recordings in the order they were stored; ``len`` counts them.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the file; it need not exist."""
        self.path = Path(path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Cassette:
        """Nothing is opened yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def get(self, key: str) -> ChatReply | None:
        """The stored reply to a request, or None.

        Raises:
            CassetteError: the file is no cassette or cannot be read.
        """
        with self._open(create=False) as database:
            if database is None:
                return None
            row = database.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._reply(row[0])

    def put(self, key: str, model: str, request: ChatRequest, reply: ChatReply) -> None:
        """Store a reply; one that is there already is kept.

        Raises:
            CassetteError: the file is no cassette or cannot be written.
        """
        row = (
            key,
            model,
            json.dumps(request.to_record()),
            json.dumps(reply.to_record()),
            datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        with self._open(create=True) as database:
            assert database is not None
            database.execute(
                "INSERT OR IGNORE INTO replies (key, model, request, reply, created) "
                "VALUES (?, ?, ?, ?, ?)",
                row,
            )

    def models(self) -> tuple[str, ...]:
        """Names of the models that it holds replies of, in alphabetical order."""
        with self._open(create=False) as database:
            if database is None:
                return ()
            rows = database.execute("SELECT DISTINCT model FROM replies ORDER BY model")
            return tuple(row[0] for row in rows)

    def __len__(self) -> int:
        with self._open(create=False) as database:
            if database is None:
                return 0
            return int(database.execute("SELECT count(*) FROM replies").fetchone()[0])

    def __iter__(self) -> Iterator[Recording]:
        last = 0
        while True:
            # one row at a time: the reader may store replies while it reads
            with self._open(create=False) as database:
                row = (
                    database
                    and database.execute(
                        "SELECT number, key, model, request, reply, created FROM replies "
                        "WHERE number > ? ORDER BY number LIMIT 1",
                        (last,),
                    ).fetchone()
                )
            if not row:
                return
            last, key, model, request, reply, created = row
            yield Recording(key, model, json.loads(request), self._reply(reply), created)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if self._connection is None:
                return
            with suppress(sqlite3.Error):
                # the last one to close leaves one plain file that can be copied and committed
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.close()
            self._connection = None

    def _reply(self, text: str) -> ChatReply:
        try:
            return ChatReply.from_record(json.loads(text), replayed=True)
        except (KeyError, TypeError, ValueError):
            raise CassetteError(f"the cassette {self.path} holds a damaged reply") from None

    @contextmanager
    def _open(self, *, create: bool) -> Iterator[sqlite3.Connection | None]:
        """The connection for one statement; None where there is no file and none is wanted."""
        with self._lock:
            try:
                if self._connection is None and (create or self.path.exists()):
                    self._connection = self._connect()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                raise CassetteError(f"cannot use the cassette {self.path}: {error}") from None

    def _connect(self) -> sqlite3.Connection:
        if not self.path.exists():
            # SQLite gives its journals the permissions of the file
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._check(connection)
            if os.access(self.path, os.W_OK):
                self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        """Is it a cassette, or a file that is still empty?"""
        application, version, tables = (
            connection.execute(query).fetchone()[0]
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        if tables and application != _APPLICATION:
            raise CassetteError(
                f"{self.path} is a database of something else; name another file as the cassette"
            )
        if version > SCHEMA_VERSION:
            raise CassetteError(
                f"the cassette {self.path} has layout {version}, and this persona-lab reads up "
                f"to {SCHEMA_VERSION}; install a newer one"
            )

    @staticmethod
    def _prepare(connection: sqlite3.Connection) -> None:
        """Write-ahead log, so that readers and one writer do not wait for each other."""
        deadline = time.monotonic() + _BUSY_S
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                connection.execute(_SCHEMA)
                connection.execute("COMMIT")
                return
            except sqlite3.OperationalError as error:
                # the change of journal does not wait for other processes by itself
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


class ReplayModel:
    """A :class:`~persona_lab.llm.chat.ChatModel` that answers from a cassette only."""

    context_length: int | None = None

    def __init__(self, path: Path, model: str | None = None) -> None:
        """Open a cassette.

        Args:
            path: an existing cassette.
            model: whose replies; None where the cassette holds only one model's.

        Raises:
            CassetteError: there is no such cassette, or it holds several models.
        """
        if not path.is_file():
            raise CassetteError(f"there is no cassette {path}; record one with --cassette first")
        self._cassette = Cassette(path)
        self.name = model or self._only_model()

    def reply(self, request: ChatRequest) -> ChatReply:
        """Look a request up.

        Raises:
            OfflineMiss: it was never answered.
        """
        key = request.key(self.name)
        found = self._cassette.get(key)
        if found is None:
            raise OfflineMiss(
                f"the cassette {self._cassette.path} holds no reply of {self.name!r} to request "
                f"{key[:12]}; run without --offline to ask the model"
            )
        return found

    def close(self) -> None:
        """Close the cassette."""
        self._cassette.close()

    def _only_model(self) -> str:
        models = self._cassette.models()
        if len(models) != 1:
            what = "is empty" if not models else f"holds replies of {', '.join(models)}"
            raise CassetteError(
                f"the cassette {self._cassette.path} {what}; name the model with --model"
            )
        return models[0]
