"""Who may ask, and how often."""

from __future__ import annotations

import logging
import math
import time

from flask import Flask, Response, g, request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from service.config import LOOPBACK, Config
from service.keys import ANONYMOUS, KeyRing
from service.problems import Problem

logger = logging.getLogger("persona_lab.service")

_OPEN = frozenset(
    {"health.live", "health.ready", "page.index", "page.file", "page.docs", "page.openapi"}
)
"""Endpoints that tell nothing about anybody."""

_UNCOUNTED = frozenset({*_OPEN, "health.prometheus"})


def register(app: Flask, config: Config) -> None:
    """Ask for keys and count requests.

    Raises:
        InputError: a key in the settings cannot be read.
    """
    ring = KeyRing(config.keys, config.keys_file)
    counter = RequestCounter(config.rate_limit, config.queue_url)
    if not config.has_keys:
        # a page that resolves its own name to this machine must not get in
        app.config["TRUSTED_HOSTS"] = [*LOOPBACK, "[::1]"]

    @app.before_request
    def _check() -> None:
        if request.method == "OPTIONS" or request.endpoint in _OPEN:
            return
        g.owner = _owner(ring) if config.has_keys else ANONYMOUS
        if request.endpoint not in _UNCOUNTED:
            counter.count(g.owner)

    @app.after_request
    def _tell(response: Response) -> Response:
        left = g.get("rate_left")
        if left is not None:
            response.headers["RateLimit-Policy"] = counter.policy
            response.headers["RateLimit"] = f'"default";r={left[0]};t={left[1]}'
        return response


def _owner(ring: KeyRing) -> str:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    owner = ring.owner(key.strip()) if kind.lower() == "bearer" and key.strip() else None
    if owner is None:
        raise Problem("unauthorized", "send a valid key as 'Authorization: Bearer KEY'")
    return owner


class RequestCounter:
    """Counts requests per owner, in this process or, with Redis, over all of them.

    Attributes:
        policy: the limit as the header ``RateLimit-Policy`` tells it.
    """

    def __init__(self, limit: str, redis_url: str) -> None:
        """Prepare.

        Args:
            limit: as in ``600/minute``.
            redis_url: where processes count together; empty for each on its own.
        """
        self._item: RateLimitItem = parse(limit)
        self._said = limit
        self._own: RateLimiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: RateLimiter | None = None
        if redis_url:
            storage = storage_from_string(redis_url, wrap_exceptions=True)
            self._shared = SlidingWindowCounterRateLimiter(storage)
        self.policy = f'"default";q={self._item.amount};w={self._item.get_expiry()}'

    def count(self, owner: str) -> None:
        """Count one request.

        Raises:
            Problem: ``too-many-requests``.
        """
        try:
            allowed, stats = self._hit(self._shared or self._own, owner)
        except StorageError:
            logger.warning("Redis cannot be reached; each process counts requests on its own")
            allowed, stats = self._hit(self._own, owner)
        seconds = max(1, math.ceil(stats[1] - time.time()))
        g.rate_left = (stats[0], seconds)
        if not allowed:
            raise Problem(
                "too-many-requests",
                f"the limit is {self._said} (rate_limit); try again later",
                retry_after=seconds,
            )

    def _hit(self, limiter: RateLimiter, owner: str) -> tuple[bool, tuple[int, float]]:
        allowed = limiter.hit(self._item, owner)
        stats = limiter.get_window_stats(self._item, owner)
        return allowed, (stats.remaining, stats.reset_time)
