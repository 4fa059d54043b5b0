"""A worker process: takes jobs, keeps their leases, survives whatever they do.

Run by ``persona-lab serve`` as ``python -m service.jobs.worker``; settings come from the
environment.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from huey.consumer import Consumer

from persona_lab.errors import PersonaLabError
from persona_lab.llm.errors import Cancelled, LLMError
from service import metrics
from service.config import Config
from service.jobs.kinds import Kind, Stop, load_kinds
from service.jobs.leases import LeaseLost, WorkerStore
from service.jobs.queue import Queue
from service.jobs.store import CANCELLED, FAILED, SUCCEEDED, Job
from service.observing import log_to_stderr

logger = logging.getLogger("persona_lab.service.jobs")

_POLL_S = 1.0
_STOPPING_S = 30.0


class Run:
    """One attempt at one job; what :class:`~service.jobs.kinds.JobRun` describes."""

    def __init__(self, job: Job, worker: Worker) -> None:
        """Begin; a thread renews the lease until :meth:`end`."""
        self.config = worker.config
        self.body: Mapping[str, Any] = worker.store.body(job.id)
        self.stopped_by: str | None = None
        self._job, self._worker = job, worker
        self._ended = threading.Event()
        self._calls: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    @property
    def folder(self) -> Path:
        """See the protocol."""
        place = folder_of(self.config, self._job.id)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return place

    def rows(self) -> list[dict[str, Any]]:
        """See the protocol."""
        import json

        found: list[dict[str, Any]] = []
        last = 0
        while page := self._worker.store.results(self._job.id, after=last):
            found += [json.loads(row) for _, row in page]
            last = page[-1][0]
        return found

    def write(self, rows: Sequence[Mapping[str, Any]], *, done: int) -> None:
        """See the protocol."""
        self.check()
        unscored = [row for row in rows if row.get("status") == "unscored"]
        try:
            self._worker.store.write(
                self._job.id, self._worker.name, rows, done=done, unscored=len(unscored)
            )
        except LeaseLost:
            self._stop("lease")
            raise Stop from None
        for row in unscored:
            metrics.UNSCORED.labels(str(row.get("code"))).inc()

    def set_total(self, total: int) -> None:
        """See the protocol."""
        with contextlib.suppress(LeaseLost):
            self._worker.store.set_total(self._job.id, self._worker.name, total)

    def check(self) -> None:
        """See the protocol."""
        if self.stopped_by is None and self._worker.stopping.is_set():
            self._stop("worker")
        if self.stopped_by is not None:
            raise Stop

    def on_stop(self, call: Callable[[], None]) -> None:
        """See the protocol."""
        self._calls.append(call)
        if self.stopped_by is not None:
            call()

    def end(self) -> None:
        """Stop renewing."""
        self._ended.set()
        self._thread.join(timeout=5)

    def _stop(self, by: str) -> None:
        self.stopped_by = self.stopped_by or by
        for call in self._calls:
            call()

    def _renew(self) -> None:
        every = min(self.config.job_lease_s / 4, _POLL_S)
        while not self._ended.wait(every):
            if self._worker.stopping.is_set():
                self._stop("worker")
            try:
                if self._worker.store.renew(self._job.id, self._worker.name):
                    self._stop("caller")
            except LeaseLost:
                self._stop("lease")
                return
            except Exception as error:  # the database may come back before the lease runs out
                logger.warning("the lease could not be renewed: %s", type(error).__name__)


class Worker:
    """Works on jobs, one at a time.

    Attributes:
        name: unique, of this process.
        stopping: set when the process is to end.
    """

    def __init__(self, config: Config, store: WorkerStore | None = None) -> None:
        """Connect to the jobs and the queue."""
        self.config = config
        self.store = store or WorkerStore.open(config)
        self.queue = Queue(config, self.work)
        self.name = f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.stopping = threading.Event()
        self._kinds = load_kinds()

    def work(self, id: str) -> None:
        """Do a job, if it is still to be done and nobody else does it."""
        if self.stopping.is_set():
            return  # the message is lost, the row is not: the next sweep sends another
        job = self.store.take(id, self.name)
        if job is None:
            self._tidy(id)
            return
        logger.info("job %s (%s) begins, attempt %s", job.id, job.kind, job.attempts)
        run = Run(job, self)
        try:
            status, error = self._outcome(self._kinds[job.kind], run)
        finally:
            run.end()
        try:
            if status is None:
                if run.stopped_by == "worker":
                    self.store.release(job.id, self.name)
                    self.queue.send(job.id)
                return
            self.store.finish(job.id, self.name, status, error)
        except LeaseLost:
            logger.warning("job %s is another worker's now", job.id)
            return
        logger.info("job %s (%s) %s", job.id, job.kind, status)
        metrics.JOBS.labels(job.kind, status).inc()
        shutil.rmtree(folder_of(self.config, job.id), ignore_errors=True)

    def _outcome(self, kind: Kind, run: Run) -> tuple[str | None, tuple[str, str] | None]:
        """Run it: a status with the error if there is one, or None to leave it open."""
        try:
            run.check()
            kind.run(run)
            return SUCCEEDED, None
        except (Stop, Cancelled):
            return (CANCELLED if run.stopped_by == "caller" else None), None
        except PersonaLabError as error:
            if run.stopped_by is not None:
                return (CANCELLED if run.stopped_by == "caller" else None), None
            code = error.code if isinstance(error, LLMError) else "cannot_run"
            return FAILED, (code, str(error))
        except Exception as error:
            # the message may quote a text; where it happened cannot
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("unexpected %s in a job\n%s", type(error).__name__, where)
            return FAILED, ("internal", "an unexpected error; the service's log has more")

    def _tidy(self, id: str) -> None:
        """Delete the files of a job that has ended while nobody worked on it."""
        job = self.store.get(id)
        if job is None or not job.is_open:
            shutil.rmtree(folder_of(self.config, id), ignore_errors=True)

    def sweep(self) -> None:
        """Send jobs again that nobody will come to, and delete what is old."""
        for id in self.store.lost(queue_empty=self.queue.is_empty()):
            logger.info("job %s is sent again", id)
            self.queue.send(id)
        for id in self.store.drop_expired():
            shutil.rmtree(folder_of(self.config, id), ignore_errors=True)

    def run(self) -> None:
        """Work until a signal to stop."""
        consumer = Consumer(
            self.queue.huey,
            workers=1,
            periodic=False,
            max_delay=_POLL_S,
            shutdown_timeout=_STOPPING_S,
            graceful_signal="TERM",
        )
        threading.Thread(target=self._sweep_often, name="sweep", daemon=True).start()
        threading.Thread(
            target=self._follow, args=(consumer.stop_flag,), name="stop", daemon=True
        ).start()
        consumer.run()
        self.stopping.set()
        self.store.close()

    def _sweep_often(self) -> None:
        while not self.stopping.wait(max(0.2, self.config.job_lease_s / 6)):
            try:
                self.sweep()
            except Exception as error:  # the database or Redis may be away for a while
                logger.warning("jobs could not be looked after: %s", type(error).__name__)

    def _follow(self, flag: threading.Event) -> None:
        """Let a job know when the consumer is told to stop."""
        flag.wait()
        self.stopping.set()


def folder_of(config: Config, id: str) -> Path:
    """Where a job keeps its files."""
    return config.folder / "jobs" / id


def main() -> None:
    """Work until told to stop."""
    log_to_stderr()
    logging.getLogger("huey").setLevel(logging.ERROR)
    Worker(Config.from_env()).run()


if __name__ == "__main__":
    main()
