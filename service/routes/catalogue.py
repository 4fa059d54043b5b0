"""What there is: models, instruments, samples; and files of any layout made into items."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

from flask import Blueprint, current_app

from persona_lab.detectors.registry import find_model
from persona_lab.detectors.store import read_config
from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError
from persona_lab.formats import FORMATS, read_dialogues
from persona_lab.instruments import list_instruments
from persona_lab.samples import sample_path
from service.api import described
from service.bodies import check_count, read_body
from service.config import Config
from service.engine import Engine
from service.problems import Problem
from service.schemas.catalogue import (
    InstrumentsAnswer,
    ModelCard,
    ModelsAnswer,
    ReadAnswer,
    ReadRequest,
)

blueprint = Blueprint("catalogue", __name__)

_LIMITS = (
    "max_body_bytes",
    "max_items",
    "max_item_characters",
    "max_request_characters",
    "max_job_items",
    "max_open_jobs",
    "rate_limit",
    "result_hours",
    "llm_urls",
    "max_wait_s",
)


@blueprint.get("/v1/models")
@described("catalogue", ModelsAnswer, refusals=(424,))
def models() -> dict[str, Any]:
    """List the detectors that requests can name."""
    engine: Engine = current_app.extensions["engine"]
    return {"items": [_entry(name, engine.names[0]) for name in engine.names]}


@blueprint.get("/v1/models/<name>")
@described("catalogue", ModelCard, refusals=(404, 424))
def model(name: str) -> dict[str, Any]:
    """Show a detector's card, and the limits of requests."""
    config: Config = current_app.extensions["config"]
    engine: Engine = current_app.extensions["engine"]
    if name not in engine.names:
        known = ", ".join(engine.names)
        raise Problem("not-found", f"there is no such model here; models: {known}")
    card = find_model(name) / "README.md"
    return _entry(name, engine.names[0]) | {
        "card": card.read_text(encoding="utf-8", errors="replace") if card.is_file() else "",
        "limits": {limit: getattr(config, limit) for limit in _LIMITS},
    }


@blueprint.get("/v1/instruments")
@described("catalogue", InstrumentsAnswer)
def instruments() -> dict[str, Any]:
    """List the bundled questionnaires."""
    return {"items": [asdict(info) for info in list_instruments()]}


@blueprint.get("/v1/samples")
@described("catalogue", ReadAnswer)
def samples() -> dict[str, Any]:
    """Give the bundled sample dialogues, written for persona-lab."""
    with read_dialogues(str(sample_path())) as reader:
        found = [as_item(d) for d in reader if isinstance(d, Dialogue)]
        return {"format": reader.format, "items": found, "errors": []}


@blueprint.post("/v1/dialogues")
@described("catalogue", ReadAnswer, body=ReadRequest, refusals=(422,))
def dialogues() -> dict[str, Any]:
    """Read the content of a file of any known layout into items for the other routes."""
    config: Config = current_app.extensions["config"]
    body = read_body(ReadRequest)
    if body.format != "auto" and body.format not in FORMATS:
        known = ", ".join(FORMATS)
        raise Problem.at("/format", f"there is no such layout; use auto, {known}")
    items: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    try:
        with read_dialogues(io.StringIO(body.content), body.format) as reader:
            for found in reader:
                if isinstance(found, Dialogue):
                    items.append(as_item(found))
                else:
                    errors.append({"id": found.row_id, "detail": str(found)})
            layout = reader.format
    except InputError as error:
        raise Problem.at("/content", str(error)) from None
    check_count(len(items), config, job=True, pointer="/content")
    return {"format": layout, "items": items, "errors": errors}


def as_item(dialogue: Dialogue) -> dict[str, Any]:
    """A dialogue as the items of bodies are."""
    item: dict[str, Any] = {
        "id": dialogue.id,
        "turns": [{"id": u.id, "speaker": u.speaker, "text": u.text} for u in dialogue.utterances],
    }
    if dialogue.focus is not None:
        item["focus"] = dialogue.focus
    personas = {s.name: list(s.persona) for s in dialogue.speakers.values() if s.persona}
    return item | ({"personas": personas} if personas else {})


def _entry(name: str, default: str) -> dict[str, Any]:
    config = read_config(find_model(name))
    return {
        "name": name,
        "version": str(config.get("version", "")),
        "frameworks": list(config.get("frameworks", ())),
        "default": name == default,
        "summary": str(config.get("summary", "")),
        "sha256": config.get("sha256"),
    }
