"""What workers do with jobs: take them, write results, end them; each only its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from service.jobs.store import FAILED, OPEN, QUEUED, RUNNING, Job, JobStore, kept_body
from service.jobs.tables import jobs, results


class LeaseLost(Exception):
    """Another worker has the job now, or it has ended: whatever is still to do is not ours."""


class WorkerStore(JobStore):
    """The jobs as workers see them."""

    def take(self, id: str, worker: str) -> Job | None:
        """Take a job that waits, or whose worker is dead; None if there is nothing to take.

        A job that has worn out too many workers is marked as failed and not taken.
        """
        now = self.clock()
        dead = and_(jobs.c.status == RUNNING, jobs.c.lease_until < now)
        free = and_(jobs.c.id == id, or_(jobs.c.status == QUEUED, dead))
        worn_out = and_(free, jobs.c.attempts >= self.config.job_attempts)
        with self.engine.begin() as db:
            db.execute(
                update(jobs)
                .where(worn_out)
                .values(
                    status=FAILED,
                    ended_at=now,
                    worker=None,
                    body=kept_body(),
                    error_code="worker_died",
                    error_detail=f"{self.config.job_attempts} workers died while they worked on "
                    "this job; the results so far are kept",
                )
            )
            taken = db.execute(
                update(jobs)
                .where(free)
                .values(
                    status=RUNNING,
                    worker=worker,
                    lease_until=now + self.config.job_lease_s,
                    attempts=jobs.c.attempts + 1,
                    started_at=func.coalesce(jobs.c.started_at, now),
                )
            )
            if taken.rowcount != 1:
                return None
        return self.get(id)

    def body(self, id: str) -> dict[str, Any]:
        """What was asked."""
        query = select(jobs.c.body).where(jobs.c.id == id)
        with self.engine.connect() as db:
            text = db.execute(query).scalar_one()
        return dict(json.loads(text))

    def renew(self, id: str, worker: str) -> bool:
        """Prolong the lease; returns whether the job was asked to stop.

        Raises:
            LeaseLost: the job is not this worker's.
        """
        with self._mine(id, worker):
            pass
        found = self.get(id)
        return found is None or found.cancel

    def write(
        self,
        id: str,
        worker: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        done: int,
        unscored: int = 0,
    ) -> None:
        """Add result rows and say how far the job is: both or none.

        Args:
            id: of the job.
            worker: who writes.
            rows: of JSON types.
            done: units that are finished, all together.
            unscored: of the rows, how many have no score.

        Raises:
            LeaseLost: the job is not this worker's; nothing was written.
        """
        with self._mine(id, worker, done=done, unscored=jobs.c.unscored + unscored) as db:
            start = int(db.execute(select(jobs.c.rows).where(jobs.c.id == id)).scalar_one())
            if rows:
                texts = [json.dumps(row, ensure_ascii=False) for row in rows]
                db.execute(
                    insert(results),
                    [
                        {"job_id": id, "number": start + n, "row": text}
                        for n, text in enumerate(texts, start=1)
                    ],
                )
                db.execute(update(jobs).where(jobs.c.id == id).values(rows=start + len(rows)))

    def set_total(self, id: str, worker: str, total: int) -> None:
        """Correct the number of units.

        Raises:
            LeaseLost: the job is not this worker's.
        """
        with self._mine(id, worker, total=total):
            pass

    def finish(
        self, id: str, worker: str, status: str, error: tuple[str, str] | None = None
    ) -> None:
        """End a job.

        Raises:
            LeaseLost: the job is not this worker's.
        """
        code, detail = error or (None, None)
        ended = {"status": status, "ended_at": self.clock(), "worker": None, "body": kept_body()}
        with self._mine(id, worker, **ended, error_code=code, error_detail=detail):
            pass

    def release(self, id: str, worker: str) -> None:
        """Give a job back, to be gone on with; stopping a worker is not its fault.

        Raises:
            LeaseLost: the job is not this worker's.
        """
        back = {"status": QUEUED, "worker": None, "attempts": jobs.c.attempts - 1}
        with self._mine(id, worker, **back, sent_at=self.clock()):
            pass

    def lost(self, *, queue_empty: bool) -> list[str]:
        """Jobs that no worker will come to by itself: their worker is dead, or the message.

        Args:
            queue_empty: is there no message in the queue? Then one for a job that still
                waits was lost.
        """
        now = self.clock()
        gone = and_(jobs.c.status == RUNNING, jobs.c.lease_until < now)
        if queue_empty:
            unsent = and_(
                jobs.c.status == QUEUED, jobs.c.sent_at < now - self.config.job_lease_s / 3
            )
            gone = or_(gone, unsent)
        with self.engine.begin() as db:
            ids = [str(id) for (id,) in db.execute(select(jobs.c.id).where(gone))]
            if ids:
                db.execute(update(jobs).where(jobs.c.id.in_(ids)).values(sent_at=now))
        return ids

    def drop_expired(self) -> list[str]:
        """Delete jobs that ended long ago, unless they were to be stored; returns their ids."""
        limit = self.clock() - 3600 * self.config.result_hours
        old = and_(jobs.c.status.not_in(OPEN), jobs.c.ended_at < limit, jobs.c.store.is_(False))
        with self.engine.begin() as db:
            ids = [str(id) for (id,) in db.execute(select(jobs.c.id).where(old))]
            if ids:
                db.execute(delete(results).where(results.c.job_id.in_(ids)))
                db.execute(delete(jobs).where(jobs.c.id.in_(ids)))
        return ids

    @contextmanager
    def _mine(self, id: str, worker: str, /, **values: Any) -> Iterator[Connection]:
        """A transaction that only the worker who holds the job gets; renews the lease."""
        until = self.clock() + self.config.job_lease_s
        mine = and_(jobs.c.id == id, jobs.c.worker == worker, jobs.c.status == RUNNING)
        with self.engine.begin() as db:
            changed = db.execute(update(jobs).where(mine).values(lease_until=until, **values))
            if changed.rowcount != 1:
                raise LeaseLost(id)
            yield db
