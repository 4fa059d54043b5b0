"""When to ask again: exponential backoff with full jitter, and a circuit that ends storms."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from persona_lab.llm.errors import LLMBadReply, LLMError, LLMUnavailable


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to ask again and how long to wait before.

    The wait before retry ``n`` (from 0) is drawn evenly from 0 to
    ``min(longest_wait, first_wait * 2**n)`` seconds: "full jitter" of M. Brooker,
    Exponential Backoff and Jitter, AWS Architecture Blog, 2015.

    Attributes:
        retries: further attempts after the first.
        bad_reply_retries: the same where the server answers and the answer is of no use;
            fewer, since a model at temperature 0 mostly says the same again.
        first_wait: seconds.
        longest_wait: seconds.
        longest_retry_after: a server that asks for a longer pause is not waited for.
    """

    retries: int = 5
    bad_reply_retries: int = 2
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 120.0

    def wait(self, error: LLMError, attempt: int) -> float | None:
        """Seconds to wait after a failure.

        Args:
            error: why the attempt failed.
            attempt: its number, from 0.

        Returns:
            Seconds, at least what the server asked for; None to give up.
        """
        retries = self.retries
        if isinstance(error, LLMBadReply):
            retries = min(retries, self.bad_reply_retries)
        asked = error.retry_after or 0.0
        if not error.retryable or attempt >= retries or asked > self.longest_retry_after:
            return None
        return asked + random.uniform(0.0, min(self.longest_wait, self.first_wait * 2.0**attempt))


class Circuit:
    """Stops asking a server that does not answer at all.

    It opens after ``failures`` attempts in a row that got no answer; if the server has
    answered before, only when that has also gone on for ``patience`` seconds, so that a
    restart in the middle of a run is survived. While it is open, calls fail at once; every
    ``rest`` seconds one is let through to see whether the server is back.
    """

    def __init__(
        self,
        *,
        failures: int = 3,
        patience: float = 20.0,
        rest: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start closed.

        Args:
            failures: attempts in a row.
            patience: seconds.
            rest: seconds.
            clock: seconds from any fixed moment.
        """
        self._failures, self._patience, self._rest = failures, patience, rest
        self._clock = clock
        self._lock = threading.Lock()
        self._answered = False
        self._in_a_row = 0
        self._since = 0.0
        self._next_trial: float | None = None
        self._last_message = ""

    def check(self) -> None:
        """Let one attempt through, or not.

        Raises:
            LLMUnavailable: the circuit is open; not to be retried.
        """
        with self._lock:
            if self._next_trial is None:
                return
            now = self._clock()
            if now < self._next_trial:
                raise LLMUnavailable(
                    f"{self._last_message}; not asked again after {self._in_a_row} failures "
                    "in a row",
                    retryable=False,
                )
            self._next_trial = now + self._rest

    def answered(self) -> None:
        """The server answered something: close."""
        with self._lock:
            self._answered = True
            self._in_a_row = 0
            self._next_trial = None

    def failed(self, error: LLMUnavailable) -> None:
        """An attempt got no answer."""
        with self._lock:
            now = self._clock()
            if self._in_a_row == 0:
                self._since = now
            self._in_a_row += 1
            self._last_message = str(error)
            patience = self._patience if self._answered else 0.0
            if self._in_a_row >= self._failures and now - self._since >= patience:
                self._next_trial = now + self._rest
