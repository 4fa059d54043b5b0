"""Keeps the books of a client: what it has used, and whether it may use more."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from persona_lab.llm.budget import Budget, Usage, count_message_tokens
from persona_lab.llm.chat import ChatReply, ChatRequest
from persona_lab.llm.errors import BudgetSpent


class Reservation:
    """Room in the budget that is held for one request.

    Attributes:
        tokens: held.
        reply: set once it came.
        wasted: tokens in and out of a reply that was of no use.
    """

    def __init__(self, tokens: int) -> None:
        """Hold room for so many tokens."""
        self.tokens = tokens
        self.reply: ChatReply | None = None
        self.wasted = (0, 0)


class Ledger:
    """Counts usage and guards a budget; all methods may be called by many threads."""

    def __init__(self, budget: Budget) -> None:
        """Open empty books."""
        self._budget = budget
        self._changed = threading.Condition()
        self._calls = 0
        self._sent = 0
        self._replayed = 0
        self._tokens_in = 0
        self._tokens_out = 0
        self._tokens_cached = 0
        self._seconds = 0.0
        self._failures: Counter[str] = Counter()
        self._open: list[Reservation] = []

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        with self._changed:
            return Usage(
                self._calls,
                self._replayed,
                self._tokens_in,
                self._tokens_out,
                self._tokens_cached,
                self._seconds,
                dict(self._failures),
                self._sent,
            )

    def add_sent(self) -> None:
        """Count an attempt, whatever comes of it."""
        with self._changed:
            self._sent += 1

    def add_replay(self) -> None:
        """Count a reply that cost nothing."""
        with self._changed:
            self._replayed += 1

    def add_failure(self, code: str) -> None:
        """Count a request that got no reply."""
        with self._changed:
            self._failures[code] += 1

    @contextmanager
    def reserve(self, request: ChatRequest) -> Iterator[Reservation]:
        """Hold room for one request while it is asked.

        Room is held for the estimated request and the longest reply it allows, so that
        requests side by side cannot overrun the budget together. Where only what the
        others hold is in the way, waits until they need less than they hold.

        Yields:
            The reservation; the caller sets its ``reply``. Without one nothing is counted.

        Raises:
            BudgetSpent: the request does not fit into what is left.
        """
        mine = Reservation(count_message_tokens(request.messages) + request.max_tokens)
        with self._changed:
            self._check(mine.tokens)
            while not self._fits(mine.tokens):
                self._changed.wait()
                self._check(mine.tokens)
            self._open.append(mine)
        try:
            yield mine
        finally:
            with self._changed:
                self._open.remove(mine)
                self._tokens_in += mine.wasted[0]
                self._tokens_out += mine.wasted[1]
                if mine.reply is not None:
                    self._add(mine.reply)
                self._changed.notify_all()

    def _check(self, tokens: int) -> None:
        calls, limit = self._calls, self._budget.max_calls
        if limit is not None and calls >= limit:
            raise BudgetSpent(
                f"the budget of {limit:,} LLM calls is spent; raise --max-calls to go on"
            )
        used, limit = self._tokens_in + self._tokens_out, self._budget.max_tokens
        if limit is not None and used + tokens > limit:
            raise BudgetSpent(
                f"of the budget of {limit:,} tokens {used:,} are spent, and the next call may "
                f"need {tokens:,}; raise --max-tokens to go on"
            )

    def _fits(self, tokens: int) -> bool:
        max_calls, max_tokens = self._budget.max_calls, self._budget.max_tokens
        held = sum(r.tokens for r in self._open)
        used = self._tokens_in + self._tokens_out
        return (max_calls is None or self._calls + len(self._open) < max_calls) and (
            max_tokens is None or used + held + tokens <= max_tokens
        )

    def _add(self, reply: ChatReply) -> None:
        self._calls += 1
        self._tokens_in += reply.tokens_in
        self._tokens_out += reply.tokens_out
        self._tokens_cached += reply.tokens_cached
        self._seconds += reply.seconds
