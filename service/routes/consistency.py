"""``POST /v1/consistency``: the rows of ``persona-lab consistency``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, current_app, g

from persona_lab.dialogue import Dialogue
from persona_lab.errors import SpeakerError
from service import metrics
from service.api import described
from service.bodies import read_body, read_target, to_dialogues
from service.config import Config
from service.engine import Engine
from service.schemas.scoring import ConsistencyAnswer, ConsistencyRequest

blueprint = Blueprint("consistency", __name__)


@blueprint.post("/v1/consistency")
@described("scoring", ConsistencyAnswer, body=ConsistencyRequest, refusals=(422, 424, 503))
def consistency() -> dict[str, Any]:
    """Measure how consistent the speakers of dialogues are.

    One score from 0 to 1 a speaker, made of parts: steadiness of what is shown, drift, match
    with a target, contradictions, and fit to the partner. A part without a score has a
    reason.
    """
    from persona_lab.consistency.judge import ConsistencyJudge
    from persona_lab.consistency.personas import AUTO, PersonaFile

    config: Config = current_app.extensions["config"]
    engine: Engine = current_app.extensions["engine"]
    body = read_body(ConsistencyRequest)
    dialogues = to_dialogues(body.items, config)
    target = read_target(body.target)
    persona: PersonaFile | str | None = None
    if body.auto_persona:
        persona = AUTO
    elif body.persona is not None:
        persona = PersonaFile(tuple(body.persona))
    detector = engine.detector(body.model)
    start = time.perf_counter()
    with engine.turn():
        waited = time.perf_counter() - start
        judge = ConsistencyJudge(
            detector, nli=engine.nli(), target=target, persona=persona, window=body.window
        )
        rows = [row for d in dialogues for row in _rows(judge, d, body.speaker)]
    infer = time.perf_counter() - start - waited
    metrics.INFERENCE.labels(detector.info.name, "consistency").observe(infer)
    g.timing = [f"queue;dur={1e3 * waited:.1f}", f"infer;dur={1e3 * infer:.1f}"]
    for row in rows:
        if row["status"] == "unscored":
            metrics.UNSCORED.labels(row["code"]).inc()
    return {"items": rows}


def _rows(judge: Any, dialogue: Dialogue, speaker: str | None) -> Iterator[dict[str, Any]]:
    from persona_lab.consistency.parts import NotScored
    from persona_lab.consistency.report import Unread

    try:
        for report in judge.reports(dialogue, speaker):
            yield report.to_row()
    except SpeakerError as error:
        yield Unread(dialogue.id, speaker, NotScored(str(error), "no_speaker")).to_row()
