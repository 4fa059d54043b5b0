"""Many conversations at once: each in a thread, the results in the order of the input."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

from persona_lab.errors import PersonaLabError
from persona_lab.llm.client import GRACE_S, Client
from persona_lab.llm.errors import BudgetSpent, Cancelled, LLMError

F = TypeVar("F")
R = TypeVar("R")

_LOOK_AHEAD: Final = 4
"""Flows a thread that may be started or finished while an earlier one is still going."""


class _Flow(Generic[F, R]):
    """One flow on its way."""

    def __init__(self, index: int, given: F) -> None:
        self.index = index
        self.given = given
        self.done = threading.Event()
        self.started = False
        self.results: list[R | PersonaLabError] = []  # at most one, which may be None
        self.bug: BaseException | None = None


class _Crew(Generic[F, R]):
    """Threads that work on flows until they are told to stop."""

    def __init__(self, work: Callable[[F], R], size: int) -> None:
        self._work = work
        self._size = size
        self._threads = 0
        self._todo: SimpleQueue[_Flow[F, R] | None] = SimpleQueue()
        self.stopping = threading.Event()

    def start(self, flow: _Flow[F, R]) -> None:
        """Hand a flow to the threads; there are never more of them than flows."""
        self._todo.put(flow)
        if self._threads < self._size:
            self._threads += 1
            # a thread that waits for a slow server must not keep the program from ending
            threading.Thread(target=self._run, name="persona-lab-flow", daemon=True).start()

    def stop(self) -> None:
        """Start no flow any more; those under way go on."""
        self.stopping.set()
        for _ in range(self._threads):
            self._todo.put(None)

    def _run(self) -> None:
        while (flow := self._todo.get()) is not None:
            if not self.stopping.is_set():
                self._run_one(flow)
            flow.done.set()

    def _run_one(self, flow: _Flow[F, R]) -> None:
        flow.started = True
        try:
            flow.results.append(self._work(flow.given))
        except PersonaLabError as error:
            flow.results.append(error)
            if isinstance(error, (BudgetSpent, Cancelled)):
                self.stopping.set()
        except BaseException as error:
            flow.bug = error
            self.stopping.set()


def run_flows(
    flows: Iterable[F], work: Callable[[F], R], *, concurrency: int, client: Client
) -> Iterator[tuple[int, R | PersonaLabError]]:
    """Run many multi-turn conversations side by side.

    Args:
        flows: what each works on; read as needed, a few times ``concurrency`` ahead.
        work: does one flow, calling ``client`` as often as it needs; runs in many threads.
        concurrency: flows under way at once, 1 or more. How many requests the server gets
            at once is the client's own limit.
        client: the one that ``work`` calls; cancelled on Ctrl-C.

    Yields:
        Position in ``flows`` and what ``work`` returned, in the order of ``flows``. A
        :class:`~persona_lab.errors.PersonaLabError` of one flow comes in its place and
        the others go on. After a
        :class:`~persona_lab.llm.errors.BudgetSpent` or
        :class:`~persona_lab.llm.errors.Cancelled` no new flow is started: flows under way
        still come out, flows that were never started do not.

    Raises:
        LLMError: ``concurrency`` is below 1.
        KeyboardInterrupt: after Ctrl-C, once what was finished has come out.
        Exception: what reading ``flows`` raised, once the flows before it have come out.
    """
    if concurrency < 1:
        raise LLMError(f"concurrency is {concurrency}; give 1 or more")
    return _run(iter(flows), _Crew(work, concurrency), _LOOK_AHEAD * concurrency, client)


def _run(
    flows: Iterator[F], crew: _Crew[F, R], look_ahead: int, client: Client
) -> Iterator[tuple[int, R | PersonaLabError]]:
    pending: deque[_Flow[F, R]] = deque()
    count = 0
    ending: BaseException | None = None
    deadline = float("inf")
    try:
        while True:
            try:
                while ending is None and len(pending) < look_ahead and not crew.stopping.is_set():
                    flow: _Flow[F, R] = _Flow(count, next(flows))
                    pending.append(flow)
                    crew.start(flow)
                    count += 1
                if not pending:
                    break
                _wait(pending[0], deadline)
            except StopIteration:
                look_ahead = 0
                continue
            except KeyboardInterrupt as error:
                if isinstance(ending, KeyboardInterrupt):
                    raise  # the second one does not wait
                ending, deadline = error, _cancel(client, crew)
                continue
            except Exception as error:
                ending = error  # of the input; what was read before it is still done
                continue
            flow = pending.popleft()
            if flow.bug is not None:
                raise flow.bug
            if flow.results:
                yield flow.index, flow.results[0]
            elif flow.started:
                yield flow.index, Cancelled("the run was stopped in the middle of this flow")
    finally:
        crew.stop()
    if ending is not None:
        raise ending


def _cancel(client: Client, crew: _Crew[F, R]) -> float:
    """Stop everything; returns until when to wait for flows under way."""
    crew.stopping.set()
    client.cancel()
    return time.monotonic() + GRACE_S


def _wait(flow: _Flow[F, R], deadline: float) -> None:
    """Wait for a flow, or until the deadline."""
    # with a time limit, so that Ctrl-C is noticed on every system
    while not flow.done.wait(min(1.0, max(0.0, deadline - time.monotonic()))):
        if time.monotonic() >= deadline:
            return
