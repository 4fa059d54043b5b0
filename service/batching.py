"""Requests that arrive together are read together: micro-batches by token budget.

One thread per model takes speakers from the waiting requests in turn, a few each, until the
budget is full, so a request with many texts does not keep the small ones waiting. The queue
is bounded; what does not fit is refused at once with a time to come back.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from persona_lab.detectors import Detector, Request, Result
from persona_lab.detectors.base import OneAtATime, choose_frameworks
from persona_lab.traits import FRAMEWORKS
from service import metrics
from service.problems import Problem

_CHARACTERS_PER_TOKEN = 4
_LEAST_WAIT_S, _MOST_WAIT_S = 1, 60


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Bounds of one model's queue.

    Attributes:
        batch_tokens: read at once, estimated; one speaker may have more.
        batch_wait_s: how long a batch waits for company.
        requests: that may wait.
        tokens: of those together; one request alone may have more.
        wait_s: longest wait of a request.
    """

    batch_tokens: int
    batch_wait_s: float
    requests: int
    tokens: int
    wait_s: float


@dataclass(slots=True, eq=False)
class _Waiting:
    """One request to the queue: some speakers, and their results as they come."""

    todo: deque[tuple[int, Request]]
    frameworks: tuple[str, ...]
    explain: bool
    tokens: int
    since: float
    results: list[list[Result]]
    left: int
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """One speaker in a batch."""

    waiting: _Waiting
    place: int
    request: Request
    tokens: int


def tokens_of(request: Request) -> int:
    """Estimate the tokens of a speaker's text."""
    return 1 + sum(len(u.text) for u in request.utterances) // _CHARACTERS_PER_TOKEN


class BatchedDetector(OneAtATime):
    """A :class:`~persona_lab.detectors.base.Detector` for many threads: calls share batches."""

    def __init__(
        self,
        detector: Detector,
        limits: QueueLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the thread.

        Args:
            detector: reads; only this thread calls it.
            limits: of the queue.
            clock: seconds.
        """
        self._detector, self._limits, self._clock = detector, limits, clock
        self.info, self.frameworks = detector.info, detector.frameworks
        self._queue: deque[_Waiting] = deque()
        self._queued_tokens = 0
        self._tokens_per_s = 2_000.0
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="persona-lab-batches", daemon=True)
        self._thread.start()

    def profiles(
        self,
        requests: Iterable[Request],
        *,
        frameworks: tuple[str, ...] | None = None,
        explain: bool = False,
    ) -> Iterator[Result]:
        """See :class:`~persona_lab.detectors.base.Detector`; waits until all are scored.

        Raises:
            Problem: ``busy``: the queue is full, or the wait became too long.
        """
        chosen = choose_frameworks(self._detector, frameworks)
        given = list(requests)
        if not given:
            return
        waiting = _Waiting(
            todo=deque(enumerate(given)),
            frameworks=tuple(f.name for f in chosen),
            explain=explain,
            tokens=sum(map(tokens_of, given)),
            since=self._clock(),
            results=[[] for _ in given],
            left=len(given),
        )
        self._enqueue(waiting)
        if not waiting.done.wait(self._limits.wait_s):
            self._drop(waiting)
            raise self._busy(f"no answer within {self._limits.wait_s:g} s (max_wait_s)")
        if waiting.error is not None:
            raise waiting.error
        for rows in waiting.results:
            yield from rows

    def close(self) -> None:
        """Stop the thread; requests that wait are told so."""
        with self._changed:
            self._stopped = True
            for waiting in self._queue:
                waiting.error = Problem("not-ready", "the service is stopping", retry_after=5)
                waiting.done.set()
            self._queue.clear()
            self._changed.notify_all()
        self._thread.join(timeout=5)

    def _enqueue(self, waiting: _Waiting) -> None:
        limits = self._limits
        with self._changed:
            if self._stopped:
                raise Problem("not-ready", "the service is stopping", retry_after=5)
            if len(self._queue) >= limits.requests:
                raise self._busy(f"{limits.requests} requests are waiting (queue_requests)")
            if self._queue and self._queued_tokens + waiting.tokens > limits.tokens:
                raise self._busy(f"{limits.tokens:,} tokens are waiting (queue_tokens)")
            self._queue.append(waiting)
            self._queued_tokens += waiting.tokens
            metrics.QUEUE_SIZE.set(len(self._queue))
            self._changed.notify()

    def _busy(self, why: str) -> Problem:
        seconds = math.ceil(self._queued_tokens / self._tokens_per_s)
        return Problem(
            "busy",
            f"{why}; try again later",
            retry_after=min(max(seconds, _LEAST_WAIT_S), _MOST_WAIT_S),
        )

    def _drop(self, waiting: _Waiting) -> None:
        with self._changed:
            waiting.dropped = True
            if waiting in self._queue:
                self._queue.remove(waiting)
                self._queued_tokens -= sum(tokens_of(r) for _, r in waiting.todo)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopped)
                if self._stopped:
                    return
                self._changed.wait_for(
                    lambda: self._stopped or self._queued_tokens >= self._limits.batch_tokens,
                    timeout=self._limits.batch_wait_s,
                )
                batch = self._take()
            if batch:
                self._read(batch)

    def _take(self) -> list[_Entry]:
        """Speakers of the waiting requests in turn, until the budget is full."""
        batch: list[_Entry] = []
        room = self._limits.batch_tokens
        while self._queue and (not batch or room > 0):
            waiting = self._queue.popleft()
            place, request = waiting.todo.popleft()
            tokens = tokens_of(request)
            if not waiting.results[place] and place == 0:
                metrics.INFERENCE.labels(self.info.name, "queue").observe(
                    self._clock() - waiting.since
                )
            batch.append(_Entry(waiting, place, request, tokens))
            self._queued_tokens -= tokens
            room -= tokens
            if waiting.todo:
                self._queue.append(waiting)
        metrics.QUEUE_SIZE.set(len(self._queue))
        return batch

    def _read(self, batch: Sequence[_Entry]) -> None:
        start = self._clock()
        for explain in (False, True):
            group = [e for e in batch if e.waiting.explain is explain and not e.waiting.dropped]
            if not group:
                continue
            try:
                self._read_group(group, explain=explain)
            except Exception as error:
                self._read_apart(group, error, explain=explain)
        elapsed = max(self._clock() - start, 1e-6)
        tokens = sum(entry.tokens for entry in batch)
        self._tokens_per_s += 0.2 * (tokens / elapsed - self._tokens_per_s)
        metrics.BATCH_SIZE.observe(len(batch))
        metrics.BATCH_TOKENS.observe(tokens)
        metrics.INFERENCE.labels(self.info.name, "infer").observe(elapsed)

    def _read_group(self, group: Sequence[_Entry], *, explain: bool) -> None:
        # a text is read once for all frameworks, so asking for all that anybody wants is cheap
        wanted = {name for entry in group for name in entry.waiting.frameworks}
        names = tuple(name for name in FRAMEWORKS if name in wanted)
        results = self._detector.profiles(
            [entry.request for entry in group], frameworks=names, explain=explain
        )
        found = [{name: next(results) for name in names} for _ in group]
        for entry, rows in zip(group, found, strict=True):
            entry.waiting.results[entry.place] = [rows[n] for n in entry.waiting.frameworks]
            self._finish(entry.waiting)

    def _read_apart(self, group: Sequence[_Entry], error: Exception, *, explain: bool) -> None:
        """One text that breaks the model must not take the others with it."""
        for entry in group:
            try:
                if len(group) == 1:
                    raise error
                self._read_group([entry], explain=explain)
            except Exception as own:
                entry.waiting.error = own
                self._finish(entry.waiting)

    @staticmethod
    def _finish(waiting: _Waiting) -> None:
        waiting.left -= 1
        if waiting.left == 0 or waiting.error is not None:
            waiting.done.set()
