"""``POST /v1/rank``: the rows of ``persona-lab rank``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app

from service.api import described
from service.bodies import check_count, check_lengths, read_body, read_target
from service.config import Config
from service.engine import Engine
from service.problems import Problem
from service.schemas.scoring import RankAnswer, RankRequest

blueprint = Blueprint("rank", __name__)


@blueprint.post("/v1/rank")
@described("scoring", RankAnswer, body=RankRequest, refusals=(422, 424, 503))
def rank() -> dict[str, Any]:
    """Order candidate replies by how well they fit a personality, the best first.

    With a persona, the probability that a candidate contradicts no statement counts, too.
    """
    from persona_lab.consistency.parts import NotScored
    from persona_lab.consistency.ranking import Candidate, by_context
    from persona_lab.consistency.ranking import rank as put_in_order
    from persona_lab.consistency.turns import TurnReader

    config: Config = current_app.extensions["config"]
    engine: Engine = current_app.extensions["engine"]
    body = read_body(RankRequest)
    check_count(len(body.items), config)
    check_lengths([len(item.text) for item in body.items], config)
    target = read_target(body.target)
    assert target is not None
    detector = engine.detector(body.model)
    if target.framework not in detector.frameworks:
        raise Problem.at("/target", f"this model does not score {target.framework.title}")
    candidates = [
        Candidate(item.id or f"item-{i}", item.text, item.context)
        for i, item in enumerate(body.items, start=1)
    ]
    persona = tuple(body.persona or ())
    warnings: list[dict[str, str]] = []
    with engine.turn():
        nli = engine.nli() if persona else None
        if isinstance(nli, NotScored):
            message = f"the persona is left out: {nli.reason}"
            warnings.append({"code": nli.code, "message": message})
            nli = None
        reader = TurnReader(detector)
        rows = [
            ranked.to_row()
            for group in by_context(candidates)
            for ranked in put_in_order(group, target, reader, persona=persona, nli=nli)
        ]
    return {"items": rows, "warnings": warnings}
