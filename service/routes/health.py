"""Is it alive, is it ready, and what does it count?"""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from service import metrics
from service.api import described
from service.engine import Engine
from service.jobs.store import JobStore
from service.problems import Problem
from service.schemas.common import HealthAnswer

blueprint = Blueprint("health", __name__)


@blueprint.get("/health/live")
@described("service", HealthAnswer, open_to_all=True)
def live() -> dict[str, str]:
    """Does the process answer?"""
    return {"status": "alive"}


@blueprint.get("/health/ready")
@described("service", HealthAnswer, open_to_all=True, refusals=(503,))
def ready() -> dict[str, str]:
    """Are the models loaded, and can jobs be stored?"""
    engine: Engine = current_app.extensions["engine"]
    engine.start()
    if not engine.ready:
        raise Problem("not-ready", "the models are not loaded", retry_after=2)
    jobs: JobStore = current_app.extensions["jobs"]
    if not jobs.works():
        raise Problem("not-ready", "the database of jobs does not answer", retry_after=5)
    return {"status": "ready"}


@blueprint.get("/metrics")
def prometheus() -> Response:
    """Counts for Prometheus."""
    body, kind = metrics.exposition()
    return Response(body, content_type=kind)
