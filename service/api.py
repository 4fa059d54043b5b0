"""The description of the API: spectree collects it from the routes, ``openapi`` finishes it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar

from flask import Flask
from pydantic import BaseModel
from spectree import Response, SecurityScheme, SecuritySchemeData, SpecTree
from spectree.models import SecureType

from persona_lab.version import __version__
from service.problems import KINDS
from service.schemas.common import ProblemAnswer

F = TypeVar("F", bound=Callable[..., Any])

_PROBLEM, _JSON, _NDJSON = "application/problem+json", "application/json", "application/x-ndjson"

spec = SpecTree(
    "flask",
    title="persona-lab",
    version=__version__,
    description="Which personality a text or a chatbot shows, and how sure we can be.",
    mode="strict",
    annotations=False,
    validation_error_model=ProblemAnswer,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda parent, child: child,
    security_schemes=[SecurityScheme("key", SecuritySchemeData(SecureType.HTTP, scheme="bearer"))],
    security={"key": []},
)


def described(
    tag: str,
    answer: type[BaseModel] | None,
    *,
    status: int = 200,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    refusals: tuple[int, ...] = (),
    open_to_all: bool = False,
) -> Callable[[F], F]:
    """Put a route into the description; checking what comes in is the route's own work.

    Args:
        tag: heading that it stands under.
        answer: shape of the answer; None for one that is no JSON object.
        status: of the answer.
        body: shape of the body.
        query: of the query parameters.
        refusals: further statuses of problems, beside those of every route.
        open_to_all: needs no key.
    """
    common: tuple[int, ...] = (400,) if open_to_all else (400, 401, 429)
    if body is not None:
        common += (413, 415)
    codes: dict[str, Any] = {f"HTTP_{code}": ProblemAnswer for code in (*common, *refusals)}
    decorate = spec.validate(
        json=body,
        query=query,
        resp=Response(**{f"HTTP_{status}": answer}, **codes),
        tags=(tag,),
        security={} if open_to_all else None,
        skip_validation=True,
    )
    return decorate


def openapi(app: Flask) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an app's routes."""
    spec.app = app
    document: dict[str, Any] = deepcopy(spec.spec)
    for operations in document["paths"].values():
        for operation in operations.values():
            _finish(operation)
    document["x-problems"] = [
        {"kind": kind, "status": status, "title": title} for kind, (status, title) in KINDS.items()
    ]
    return document


def _finish(operation: dict[str, Any]) -> None:
    """Say what spectree does not know: media types of errors and of lists of rows."""
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if int(status) >= 400 and _JSON in content:
            response["content"] = {_PROBLEM: content.pop(_JSON)}
    takes_input = "requestBody" in operation or any(
        p["in"] == "query" for p in operation["parameters"]
    )
    if not takes_input:
        operation["responses"].pop("422", None)
    if operation["tags"] == ["results"]:
        operation["responses"]["200"]["content"] = {_NDJSON: {"schema": {"type": "string"}}}
