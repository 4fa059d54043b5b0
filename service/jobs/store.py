"""Jobs and their results in any database that SQLAlchemy knows."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    Engine,
    Row,
    and_,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, SQLAlchemyError

from persona_lab.errors import InputError
from service.config import Config, without_login
from service.jobs.tables import jobs, metadata, results

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = (
    "queued",
    "running",
    "succeeded",
    "failed",
    "cancelled",
)
OPEN = (QUEUED, RUNNING)

_BUSY_MS = 20_000


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now, without what was asked.

    Attributes:
        id: 32 hexadecimal digits.
        owner: name of the key that asked for it.
        kind: ``psycot``, ``filters``, ...
        status: ``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``.
        store: is all to be kept until the owner deletes it?
        fingerprint: of what was asked.
        done: units that are finished, of ``total``.
        unscored: result rows without a score.
        rows: result rows.
        error: code and detail, of a job that failed.
        cancel: was it asked to stop?
        attempts: workers that took it.
        created_at: seconds since 1970; so are the others.
    """

    id: str
    owner: str
    kind: str
    status: str
    store: bool
    fingerprint: str
    done: int
    total: int
    unscored: int
    rows: int
    error: tuple[str, str] | None
    cancel: bool
    attempts: int
    created_at: float
    started_at: float | None
    ended_at: float | None

    @classmethod
    def of(cls, row: Row[Any]) -> Job:
        """A row of the table."""
        found = row._mapping
        return cls(
            **{name: found[name] for name in _PLAIN},
            error=(found["error_code"], found["error_detail"]) if found["error_code"] else None,
        )

    @property
    def is_open(self) -> bool:
        """Is it waiting or being worked on?"""
        return self.status in OPEN


_PLAIN = tuple(name for name in Job.__slots__ if name != "error")
_COLUMNS = [jobs.c[name] for name in (*_PLAIN, "error_code", "error_detail")]


S = TypeVar("S", bound="JobStore")


class JobStore:
    """All that is known about jobs."""

    def __init__(self, engine: Engine, config: Config, clock: Callable[[], float]) -> None:
        """Wrap a database; :meth:`open` is the usual way."""
        self.engine, self.config, self.clock = engine, config, clock

    @classmethod
    def open(cls: type[S], config: Config, *, clock: Callable[[], float] = time.time) -> S:
        """Connect, and make the tables where there are none.

        Raises:
            InputError: the database cannot be used.
        """
        url = config.database
        shown = without_login(url)
        try:
            if url.startswith("sqlite:///"):
                config.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _prepare_sqlite)
            _create_tables(engine)
        except (ArgumentError, SQLAlchemyError, ImportError) as error:
            raise InputError(
                f"the database {shown} cannot be used ({type(error).__name__}); "
                "correct PERSONA_LAB_DATABASE_URL"
            ) from None
        except OSError as error:
            raise InputError(f"cannot make the folder {config.folder}: {error.strerror}") from None
        return cls(engine, config, clock)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def works(self) -> bool:
        """Does the database answer?"""
        try:
            with self.engine.connect() as db:
                db.execute(select(func.count()).select_from(jobs).where(jobs.c.id == ""))
        except SQLAlchemyError:
            return False
        return True

    def add(
        self,
        owner: str,
        kind: str,
        body: Mapping[str, Any],
        *,
        total: int,
        store: bool,
        idempotency_key: str | None = None,
    ) -> tuple[Job, bool]:
        """Add a job, unless this owner has used the key before.

        Returns:
            The job, and whether it is new. Where it is not, compare :attr:`Job.fingerprint`
            with :func:`fingerprint` to see whether the same was asked.
        """
        now, id = self.clock(), uuid.uuid4().hex
        values = {
            "id": id,
            "owner": owner,
            "kind": kind,
            "status": QUEUED,
            "body": json.dumps(body, ensure_ascii=False),
            "store": store,
            "idempotency_key": idempotency_key,
            "fingerprint": fingerprint(kind, body),
            "total": total,
            "created_at": now,
            "sent_at": now,
        }
        try:
            with self.engine.begin() as db:
                db.execute(insert(jobs).values(values))
        except IntegrityError:
            found = None if idempotency_key is None else self.by_key(owner, idempotency_key)
            if found is None:
                raise
            return found, False
        added = self.get(id)
        assert added is not None
        return added, True

    def get(self, id: str, owner: str | None = None) -> Job | None:
        """A job; None if there is none, or it is somebody else's."""
        mine = [] if owner is None else [jobs.c.owner == owner]
        return self._one(jobs.c.id == id, *mine)

    def by_key(self, owner: str, idempotency_key: str) -> Job | None:
        """The job that an owner started with this key."""
        return self._one(jobs.c.owner == owner, jobs.c.idempotency_key == idempotency_key)

    def of_owner(self, owner: str, *, before: float | None = None, limit: int = 50) -> list[Job]:
        """An owner's jobs, the latest first."""
        query = select(*_COLUMNS).where(jobs.c.owner == owner)
        if before is not None:
            query = query.where(jobs.c.created_at < before)
        query = query.order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
        with self.engine.connect() as db:
            return [Job.of(row) for row in db.execute(query)]

    def count_open(self, owner: str) -> int:
        """How many jobs of an owner wait or run."""
        query = select(func.count()).where(jobs.c.owner == owner, jobs.c.status.in_(OPEN))
        with self.engine.connect() as db:
            return int(db.execute(query).scalar_one())

    def cancel(self, id: str) -> None:
        """Ask a job to stop; one that waits is over at once."""
        now = self.clock()
        waiting = and_(jobs.c.id == id, jobs.c.status == QUEUED)
        with self.engine.begin() as db:
            db.execute(update(jobs).where(jobs.c.id == id).values(cancel=True))
            db.execute(
                update(jobs).where(waiting).values(status=CANCELLED, ended_at=now, body=kept_body())
            )

    def results(self, id: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, str]]:
        """Result rows as JSON texts with their numbers, which rise from 1."""
        query = (
            select(results.c.number, results.c.row)
            .where(results.c.job_id == id, results.c.number > after)
            .order_by(results.c.number)
            .limit(limit)
        )
        with self.engine.connect() as db:
            return [(int(number), str(row)) for number, row in db.execute(query)]

    def drop_results(self, id: str) -> bool:
        """Delete what an ended job was given and what came out; False if it has not ended."""
        with self.engine.begin() as db:
            ended = update(jobs).where(jobs.c.id == id, jobs.c.status.not_in(OPEN))
            if db.execute(ended.values(body="", rows=0)).rowcount != 1:
                return False
            db.execute(delete(results).where(results.c.job_id == id))
            return True

    def _one(self, *conditions: Any) -> Job | None:
        with self.engine.connect() as db:
            row = db.execute(select(*_COLUMNS).where(*conditions)).one_or_none()
        return None if row is None else Job.of(row)


def fingerprint(kind: str, body: Mapping[str, Any]) -> str:
    """Hash of what was asked."""
    text = json.dumps([kind, body], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def kept_body() -> Any:
    """What an ended job keeps of the body: all where it was to be stored, else nothing."""
    return case((jobs.c.store.is_(True), jobs.c.body), else_="")


def _create_tables(engine: Engine) -> None:
    try:
        metadata.create_all(engine)
    except DatabaseError:
        # another process made them between the look and the making
        metadata.create_all(engine)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Several processes write: wait for each other, and let readers go on."""
    del record
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
