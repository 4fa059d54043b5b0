"""The page, its files, the documentation and the description of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, send_from_directory

from service.api import openapi as describe

blueprint = Blueprint("page", __name__)

_WEB = Path(__file__).resolve().parent.parent / "web"


@blueprint.get("/")
def index() -> Response:
    """The page."""
    return send_from_directory(_WEB, "index.html", max_age=0)


@blueprint.get("/docs")
def docs() -> Response:
    """The documentation of the API."""
    return send_from_directory(_WEB, "docs.html", max_age=0)


@blueprint.get("/static/<path:name>")
def file(name: str) -> Response:
    """A file of the page."""
    return send_from_directory(_WEB / "static", name, max_age=0)


@blueprint.get("/openapi.json")
def openapi() -> dict[str, Any]:
    """The description of the API (OpenAPI 3.1)."""
    known: dict[str, Any] | None = current_app.extensions.get("openapi")
    if known is None:
        known = current_app.extensions["openapi"] = describe(current_app)
    return known
