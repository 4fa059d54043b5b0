"""``POST /v1/profiles``: the rows of ``persona-lab score``."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, current_app, g

from persona_lab.scoring import Scoring
from persona_lab.traits import FRAMEWORKS
from service import metrics
from service.api import described
from service.bodies import read_body, to_dialogues
from service.config import Config
from service.engine import Engine
from service.schemas.scoring import ProfilesAnswer, ProfilesRequest

blueprint = Blueprint("profiles", __name__)


def frameworks_of(choice: str) -> tuple[str, ...]:
    """Names of the frameworks that a body asks for."""
    return tuple(FRAMEWORKS) if choice == "both" else (choice,)


@blueprint.post("/v1/profiles")
@described("scoring", ProfilesAnswer, body=ProfilesRequest, refusals=(422, 424, 503))
def profiles() -> dict[str, Any]:
    """Score the personality that texts and dialogues show.

    Every speaker gets a calibrated probability per trait with a 90 % interval. Rows come in
    the order of the items; what cannot be scored has a reason, and the others go on.
    """
    config: Config = current_app.extensions["config"]
    engine: Engine = current_app.extensions["engine"]
    body = read_body(ProfilesRequest)
    dialogues = to_dialogues(body.items, config)
    detector = engine.batched(body.model)
    names = frameworks_of(body.framework)
    start = time.perf_counter()
    scoring = Scoring(detector, frameworks=names, speaker=body.speaker, explain=body.explain)
    rows = [result.to_row(explain=body.explain) for _, result in scoring.results(dialogues)]
    g.timing = [f"infer;dur={1e3 * (time.perf_counter() - start):.1f}"]
    for row in rows:
        if row["status"] == "unscored":
            metrics.UNSCORED.labels(row["code"]).inc()
    return {"items": rows}
