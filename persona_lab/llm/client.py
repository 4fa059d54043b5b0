"""The client that all calls go through: cassette, budget, concurrency, retries, counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from persona_lab.llm.budget import Budget, Prices, Usage
from persona_lab.llm.cassette import Cassette
from persona_lab.llm.chat import ChatModel, ChatReply, ChatRequest
from persona_lab.llm.errors import (
    Cancelled,
    CassetteError,
    LLMBadRequest,
    LLMError,
    LLMRefusedKey,
    LLMUnavailable,
    OfflineMiss,
    ThoughtCutOff,
)
from persona_lab.llm.ledger import Ledger
from persona_lab.llm.retries import Circuit, RetryPolicy

DEFAULT_CONCURRENCY: Final = 4
GRACE_S: Final = 5.0
"""How long a stopped run waits for replies that are on their way (and will be charged)."""

_ROOMS: Final = (1024, 4096)
"""Tokens that a reply is given when a thought has used up those that were asked for."""


class Client:
    """A :class:`~persona_lab.llm.chat.ChatModel` that makes another one dependable.

    A request is looked up in the cassette; if it is not there, it waits for its turn, is
    held against the budget, asked with retries, and its reply stored. Requests of the same
    key that are under way at once are asked once.

    Until the model has answered for the first time, requests go one by one: a wrong key, a
    wrong address or a setting that the server does not know costs one request, not as many
    as there are threads.

    A model that thinks first may use up the tokens of a reply before it says anything. It is then
    asked again with more room, and from then on gets as much at once.

    Use it as a context manager, or call :meth:`close`.

    Attributes:
        prices: for summaries; None where they are not known.
        request_fields: sent with each request.
    """

    def __init__(
        self,
        backend: ChatModel,
        *,
        cassette: Cassette | None = None,
        concurrency: int = DEFAULT_CONCURRENCY,
        policy: RetryPolicy | None = None,
        circuit: Circuit | None = None,
        budget: Budget | None = None,
        prices: Prices | None = None,
        reply_room: int = 0,
        request_fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Wrap a backend; :func:`~persona_lab.llm.opening.open_chat_model` is the usual way.

        Args:
            backend: asks the model once a request.
            cassette: where replies are kept; closed with the client.
            concurrency: requests under way at once, 1 or more.
            policy: of retries.
            circuit: when to stop asking.
            budget: what the run may use.
            prices: what tokens cost.
            reply_room: tokens that each reply may have beyond what is asked for.
            request_fields: sent with each request; part of its key.

        Raises:
            LLMError: the concurrency is below 1, or the room below 0.
        """
        if reply_room < 0:
            raise LLMError(f"the room for replies is {reply_room} tokens; give 0 or more")
        if concurrency < 1:
            raise LLMError(f"concurrency is {concurrency}; give 1 or more")
        self.prices = prices
        self._backend = backend
        self._cassette = cassette
        self._reply_room, self._least_room = reply_room, 0
        self.request_fields = dict(request_fields or {})
        self._policy = policy or RetryPolicy()
        self._circuit = circuit or Circuit()
        self._ledger = Ledger(budget or Budget())
        self._slots = threading.BoundedSemaphore(concurrency)
        self._pilot = threading.Lock()
        self._answered = False
        self._stopped = threading.Event()
        self._refused: LLMRefusedKey | None = None
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[ChatReply]] = {}

    def __repr__(self) -> str:
        return f"Client({self.name!r})"

    def __enter__(self) -> Client:
        """Nothing is asked yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._backend.name

    @property
    def context_length(self) -> int | None:
        """Tokens that request and reply may have together, where known."""
        return self._backend.context_length

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        return self._ledger.usage

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the server turned out not to support, in the order it showed."""
        found: tuple[str, ...] = tuple(getattr(self._backend, "warnings", ()))
        if self._least_room:
            found += (
                f"{self.name} thinks before it answers, and needed more room: replies of up to "
                f"{self._least_room:,} tokens were allowed (--reply-room N gives it at once)",
            )
        return found

    def reply(self, request: ChatRequest) -> ChatReply:
        """Answer one request; may be called by many threads at once.

        Raises:
            LLMError: there is no reply; see :mod:`persona_lab.llm.errors`.
        """
        if self.request_fields:
            request = replace(request, extra={**request.extra, **self.request_fields})
        key = request.key(self.name)
        with self._lock:
            other = self._under_way.get(key)
            mine: Future[ChatReply] = Future()
            if other is None:
                self._under_way[key] = mine
        if other is not None:
            reply = replace(other.result(), replayed=True)
            self._ledger.add_replay()
            return reply
        try:
            reply = self._look_up(key) or self._ask(key, request)
        except BaseException as error:
            if isinstance(error, LLMError):
                self._ledger.add_failure(error.code)
            mine.set_exception(error if isinstance(error, Exception) else _cancelled())
            raise
        else:
            mine.set_result(reply)
            return reply
        finally:
            with self._lock:
                del self._under_way[key]

    def cancel(self) -> None:
        """Make all further calls raise :class:`~persona_lab.llm.errors.Cancelled`.

        Calls that wait for their turn or for a retry do so, too. Requests that the server
        is working on are not torn away; their replies are stored. Replies that are in the
        cassette are still given.
        """
        self._stopped.set()

    def close(self) -> None:
        """Cancel, wait a few seconds for replies on their way, and let go of everything."""
        self.cancel()
        deadline = time.monotonic() + GRACE_S
        while self._under_way and time.monotonic() < deadline:
            time.sleep(0.01)
        self._backend.close()
        if self._cassette is not None:
            self._cassette.close()

    def _look_up(self, key: str) -> ChatReply | None:
        reply = None if self._cassette is None else self._cassette.get(key)
        if reply is not None:
            self._ledger.add_replay()
        return reply

    def _ask(self, key: str, request: ChatRequest) -> ChatReply:
        with self._turn():
            reply = self._ask_with_room(request)
            if reply.replayed:
                self._ledger.add_replay()
            elif self._cassette is not None:
                self._cassette.put(key, self.name, request, reply)
            return reply

    def _ask_with_room(self, request: ChatRequest) -> ChatReply:
        """Ask, and again with more room where a thought has used up what there was."""
        cut_off: ThoughtCutOff | None = None
        asked = request.max_tokens + self._reply_room
        while True:
            sent = replace(request, max_tokens=max(asked, self._least_room))
            with self._ledger.reserve(sent) as reservation:
                try:
                    reply = self._ask_until_answered(sent)
                    reservation.reply = None if reply.replayed else reply
                    return reply
                except ThoughtCutOff as error:
                    reservation.wasted = error.tokens
                    cut_off = error
                except LLMBadRequest:
                    if cut_off is not None:
                        raise cut_off from None  # the context does not hold so long a reply
                    raise
            wider = next((room for room in _ROOMS if room > sent.max_tokens), None)
            if wider is None or not cut_off.out_of_room:
                raise cut_off
            self._least_room = max(self._least_room, wider)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One of the slots; the only one until the model has answered."""
        with self._slots:
            if not self._answered:
                with self._pilot:
                    if not self._answered:
                        yield
                        return
            yield

    def _check(self) -> None:
        """May a request be sent now?"""
        if self._stopped.is_set():
            raise _cancelled()
        if self._refused is not None:
            raise LLMRefusedKey(str(self._refused), status=self._refused.status)
        self._circuit.check()

    def _ask_until_answered(self, request: ChatRequest) -> ChatReply:
        attempt = 0
        while True:
            self._wait_for_others()
            self._check()
            try:
                reply = self._backend.reply(request)
            except LLMError as error:
                if not isinstance(error, (OfflineMiss, CassetteError)):
                    self._ledger.add_sent()
                self._learn(error)
                wait = self._policy.wait(error, attempt)
                if wait is None:
                    if attempt:
                        error.args = (f"{error}; gave up after {attempt + 1} attempts",)
                    raise
            else:
                self._learn(None)
                if not reply.replayed:
                    self._ledger.add_sent()
                return reply
            attempt += 1
            self._stopped.wait(wait)

    def _learn(self, error: LLMError | None) -> None:
        """What an attempt tells about the ones to come."""
        if isinstance(error, LLMRefusedKey):
            self._refused = error
        elif isinstance(error, LLMUnavailable) and error.status is None:
            self._circuit.failed(error)
        else:
            self._answered = True
            self._circuit.answered()
        pause = error.retry_after if error is not None else None
        if pause is not None and pause <= self._policy.longest_retry_after:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + pause)

    def _wait_for_others(self) -> None:
        """A server that told one request to wait means all of them."""
        while not self._stopped.is_set():
            pause = self._not_before - time.monotonic()
            if pause <= 0:
                return
            self._stopped.wait(pause)


def _cancelled() -> Cancelled:
    return Cancelled("the run was stopped before this call was made")
