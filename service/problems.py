"""Errors as RFC 9457 problem documents: one table of kinds, one way out.

Every answer with a status of 400 or more is ``application/problem+json`` with ``type``,
``title``, ``status``, ``detail``, ``instance`` and ``request_id``, and ``errors`` with JSON
pointers where fields are to blame. No message holds text that was sent to be scored.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, json, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError

from persona_lab.errors import MissingExtraError, ModelError, PersonaLabError
from service import metrics

logger = logging.getLogger("persona_lab.service")

KINDS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "bad-host": (400, "The Host header names another machine"),
    "unauthorized": (401, "A valid key is needed"),
    "not-found": (404, "There is no such thing here"),
    "method-not-allowed": (405, "This address does not take this method"),
    "conflict": (409, "The job is not in a state for this"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body must be JSON"),
    "invalid": (422, "A field is not as it should be"),
    "too-many-items": (422, "Too many items"),
    "too-long": (422, "Too much text"),
    "url-refused": (422, "This language model server may not be asked"),
    "key-reused": (422, "This Idempotency-Key belongs to another request"),
    "model-missing": (424, "A model or package that this needs is not installed"),
    "too-many-requests": (429, "Too many requests"),
    "too-many-jobs": (429, "Too many open jobs"),
    "internal": (500, "The service made a mistake"),
    "busy": (503, "The service is busy"),
    "not-ready": (503, "The service is starting"),
}
"""Status and title by kind; the kind is the end of ``type``."""

_BY_STATUS = {
    400: "malformed",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field.

    Attributes:
        pointer: RFC 6901 JSON pointer into the body; a query parameter as ``?name``.
        detail: for people.
    """

    pointer: str
    detail: str


class Problem(Exception):
    """Raised anywhere below a route; becomes the answer."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        """Describe what is wrong.

        Args:
            kind: a key of :data:`KINDS`.
            detail: for people: what was given, what is allowed, what to do.
            errors: fields that are to blame.
            retry_after: seconds after which to try again.
        """
        super().__init__(detail)
        self.kind, self.detail = kind, detail
        self.errors, self.retry_after = tuple(errors), retry_after

    @property
    def status(self) -> int:
        """HTTP status."""
        return KINDS[self.kind][0]

    @classmethod
    def at(cls, pointer: str, detail: str, *, kind: str = "invalid") -> Problem:
        """A problem with one field."""
        return cls(kind, detail, errors=[FieldError(pointer, detail)])

    def response(self) -> Response:
        """The answer."""
        status, title = KINDS[self.kind]
        document: dict[str, Any] = {
            "type": f"/docs#{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "instance": request.path,
            "request_id": g.get("request_id"),
        }
        if self.errors:
            document["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in self.errors]
        answer = Response(
            json.dumps(document) + "\n", status=status, mimetype="application/problem+json"
        )
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        if status == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="persona-lab"'
        metrics.FAILURES.labels(self.kind).inc()
        return answer


def invalid(error: ValidationError, *, prefix: str = "/") -> Problem:
    """A pydantic error, without the values that it holds."""
    found = [
        FieldError(
            prefix + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in e["loc"]),
            e["msg"].removeprefix("Value error, "),
        )
        for e in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Problem("invalid", f"{first.pointer}: {first.detail}{more}", errors=found[:20])


def of_library(error: PersonaLabError) -> Problem:
    """An error that the library raised on purpose."""
    kind = "model-missing" if isinstance(error, (ModelError, MissingExtraError)) else "invalid"
    return Problem(kind, str(error))


def register(app: Flask) -> None:
    """Let every error of an app end as a problem document."""

    @app.errorhandler(Problem)
    def _problem(error: Problem) -> Response:
        return error.response()

    @app.errorhandler(PersonaLabError)
    def _library(error: PersonaLabError) -> Response:
        return of_library(error).response()

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        code = error.code or 500
        kind = _BY_STATUS.get(code, "internal" if code >= 500 else "malformed")
        if isinstance(error, SecurityError):
            kind = "bad-host"
        answer = Problem(kind, _detail(app, error)).response()
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return answer

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> Response:
        # the message may quote what was sent; where it happened cannot
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error(
            "unexpected %s in request %s\n%s", type(error).__name__, g.get("request_id"), where
        )
        return Problem(
            "internal", "an unexpected error; the service's log has it under the request_id"
        ).response()


def _detail(app: Flask, error: HTTPException) -> str:
    if error.code == 413:
        limit = app.config["MAX_CONTENT_LENGTH"]
        return f"a body may have {limit:,} bytes (max_body_bytes); send fewer items at a time"
    if isinstance(error, SecurityError):
        return "without keys only this machine may ask; use http://127.0.0.1 or http://localhost"
    if error.code == 404:
        return "nothing is at this address; /docs lists what there is"
    return str(error.description or error.name)
