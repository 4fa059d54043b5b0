"""The models of one process: loaded once, after the fork, in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from persona_lab.detectors.registry import LoadedDetector
from persona_lab.errors import PersonaLabError
from service import metrics
from service.batching import BatchedDetector, QueueLimits
from service.config import Config
from service.problems import Problem

if TYPE_CHECKING:
    from persona_lab.consistency.entailment import NliModel
    from persona_lab.consistency.parts import NotScored

logger = logging.getLogger("persona_lab.service")

_LOADING_S = 20.0
_LONG_AT_ONCE = 1
"""Consistency runs that compute at once; more would only slow each other down."""


class Engine:
    """Detectors by name, and the gate to the measures that cannot be batched."""

    def __init__(self, config: Config) -> None:
        """Remember what to load; :meth:`start` loads it."""
        self._config = config
        self._ready = threading.Event()
        self._started = threading.Lock()
        self._failure: PersonaLabError | None = None
        self._detectors: dict[str, LoadedDetector] = {}
        self._batched: dict[str, BatchedDetector] = {}
        self._nli: NliModel | NotScored | None = None
        self._nli_lock = threading.Lock()
        self._long = threading.BoundedSemaphore(_LONG_AT_ONCE)
        self._long_waiting = 0
        self._long_lock = threading.Lock()

    def start(self) -> None:
        """Load in the background; more calls do nothing."""
        if self._started.acquire(blocking=False):
            threading.Thread(target=self._load, name="persona-lab-load", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Are the models loaded?"""
        return self._ready.is_set() and self._failure is None

    @property
    def names(self) -> tuple[str, ...]:
        """Names that requests may give."""
        return self._config.detectors

    def detector(self, name: str | None) -> LoadedDetector:
        """A model as the library has it.

        Raises:
            Problem: there is none of this name, or it is not loaded.
        """
        return self._detectors[self._loaded(name)]

    def batched(self, name: str | None) -> BatchedDetector:
        """A model whose calls share batches.

        Raises:
            Problem: as :meth:`detector`.
        """
        return self._batched[self._loaded(name)]

    def nli(self) -> NliModel | NotScored:
        """The contradiction model, or why there is none."""
        from persona_lab.consistency.judge import load_nli

        with self._nli_lock:
            if self._nli is None:
                self._nli = load_nli()
            return self._nli

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn to compute at length.

        Raises:
            Problem: ``busy``: too many wait, or the wait became too long.
        """
        config = self._config
        with self._long_lock:
            if self._long_waiting >= config.queue_requests:
                raise Problem(
                    "busy",
                    f"{config.queue_requests} requests are waiting (queue_requests); "
                    "try again later",
                    retry_after=10,
                )
            self._long_waiting += 1
        try:
            free = self._long.acquire(timeout=config.max_wait_s)
        finally:
            with self._long_lock:
                self._long_waiting -= 1
        if not free:
            raise Problem(
                "busy",
                f"no turn within {config.max_wait_s:g} s (max_wait_s); try again later",
                retry_after=10,
            )
        try:
            yield
        finally:
            self._long.release()

    def close(self) -> None:
        """Stop the threads."""
        for batched in self._batched.values():
            batched.close()

    def _loaded(self, name: str | None) -> str:
        name = name or self._config.detectors[0]
        if name not in self._config.detectors:
            known = ", ".join(self._config.detectors)
            raise Problem.at("/model", f"there is no such model here; models: {known}")
        self.start()
        if not self._ready.wait(_LOADING_S):
            raise Problem("not-ready", "the models are being loaded", retry_after=5)
        if self._failure is not None:
            raise Problem("model-missing", str(self._failure))
        return name

    def _load(self) -> None:
        from persona_lab.detectors.registry import load_detector

        config = self._config
        limits = QueueLimits(
            config.batch_tokens,
            config.batch_wait_ms / 1e3,
            config.queue_requests,
            config.queue_tokens,
            config.max_wait_s,
        )
        try:
            for name in config.detectors:
                detector = load_detector(name)
                # the first text is slow: what it needs is built then
                detector.profile("A first sentence, so that everything is in place.")
                self._detectors[name] = detector
                self._batched[name] = BatchedDetector(detector, limits)
                metrics.MODEL_INFO.labels(detector.info.name, detector.info.version).set(1)
        except PersonaLabError as error:
            logger.error("a model cannot be loaded: %s", error)
            self._failure = error
        finally:
            self._ready.set()
