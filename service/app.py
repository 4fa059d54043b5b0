"""The app: everything is put together here."""

from __future__ import annotations

from flask import Flask

from service import guard, observing, problems
from service.config import Config
from service.engine import Engine
from service.jobs.queue import Queue
from service.jobs.store import JobStore
from service.routes import catalogue, consistency, health, jobs, page, profiles, rank


def create_app(config: Config | None = None) -> Flask:
    """Make the WSGI app.

    Args:
        config: settings; those of the environment if left out.

    Returns:
        The app. Models are loaded in the background on the first request that needs them,
        or at once by ``app.extensions["engine"].start()``: in the process that answers, after
        a server's fork.

    Raises:
        InputError: a setting cannot be used.
    """
    config = config or Config.from_env()
    app = Flask("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["config"] = config
    app.extensions["engine"] = Engine(config)
    app.extensions["jobs"] = JobStore.open(config)
    app.extensions["queue"] = Queue(config)
    observing.register(app, config)
    problems.register(app)
    guard.register(app, config)
    for area in (page, health, catalogue, profiles, consistency, rank, jobs):
        app.register_blueprint(area.blueprint)
    return app
