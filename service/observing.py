"""What happens around every request: its id, headers, one line of log, and counts.

The log line is JSON and holds the route's pattern, not the address: neither what was sent
nor who was meant can be in it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid

from flask import Flask, Response, g, request

from service import metrics
from service.config import Config

logger = logging.getLogger("persona_lab.service.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
"""On every answer."""


def register(app: Flask, config: Config) -> None:
    """Put ids, headers, log and counts around an app's requests."""

    @app.before_request
    def _begin() -> None:
        g.start = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

    @app.after_request
    def _end(response: Response) -> Response:
        elapsed = time.perf_counter() - g.get("start", time.perf_counter())
        response.headers["X-Request-ID"] = g.get("request_id", "")
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith("/v1/"):
            response.headers["Cache-Control"] = "no-store"
        timing = [*g.get("timing", ()), f"total;dur={1e3 * elapsed:.1f}"]
        response.headers["Server-Timing"] = ", ".join(timing)
        _allow_origin(response, config)
        _count(response, elapsed)
        return response


def _allow_origin(response: Response, config: Config) -> None:
    """Let pages of listed origins read the answer; without a list, none may."""
    origin = request.headers.get("Origin", "")
    if origin not in config.cors_origins:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Expose-Headers"] = (
        "Location, Retry-After, X-Next-Cursor, X-Request-ID"
    )
    response.vary.add("Origin")
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
        response.headers["Access-Control-Allow-Headers"] = (
            "Authorization, Content-Type, Idempotency-Key, X-Request-ID"
        )
        response.headers["Access-Control-Max-Age"] = "600"


def _count(response: Response, elapsed: float) -> None:
    route = request.url_rule.rule if request.url_rule else "(none)"
    # a made-up method must not make a new series
    method = request.method if request.method in ("GET", "POST", "DELETE") else "OTHER"
    metrics.REQUESTS.labels(route, method, str(response.status_code)).inc()
    metrics.DURATION.labels(route).observe(elapsed)
    if route in _QUIET and response.status_code < 400:
        return
    logger.info(
        json.dumps(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "request_id": g.get("request_id"),
                "key": g.get("owner"),
                "method": method,
                "route": route,
                "status": response.status_code,
                "ms": round(1e3 * elapsed, 1),
            }
        )
    )


def log_to_stderr() -> None:
    """Write the service's log lines to stderr, as they are."""
    root = logging.getLogger("persona_lab.service")
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        root.propagate = False
