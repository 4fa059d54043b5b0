"""The web processes: gunicorn's threads where there is a fork, waitress elsewhere.

Run by ``persona-lab serve`` as ``python -m service.web_server``; settings come from the
environment.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

from flask import Flask

from service import metrics
from service.app import create_app
from service.config import Config
from service.observing import log_to_stderr

_THREADS = 4
"""Threads for each request that may wait for the model: the others refuse at once."""


def main() -> None:
    """Serve until told to stop."""
    config = Config.from_env()
    log_to_stderr()
    if hasattr(os, "fork") and importlib.util.find_spec("gunicorn"):
        _gunicorn(config)
    else:
        _waitress(config)


def load_app(config: Config) -> Flask:
    """The app with its models on the way; called in the process that answers."""
    app = create_app(config)
    app.extensions["engine"].start()
    return app


def _gunicorn(config: Config) -> None:
    from gunicorn.app.base import BaseApplication

    settings: dict[str, Any] = {
        "bind": f"[{config.host}]:{config.port}" if ":" in config.host else _address(config),
        "workers": config.workers,
        "worker_class": "gthread",
        "threads": _THREADS * config.queue_requests,
        "timeout": 120,
        "graceful_timeout": 30,
        "keepalive": 5,
        "loglevel": "warning",
        "proc_name": "persona-lab",
        "control_socket_disable": True,
        "child_exit": lambda arbiter, worker: metrics.forget_process(worker.pid),
        "worker_exit": lambda arbiter, worker: worker.wsgi.extensions["engine"].close(),
    }

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in settings.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            # in the worker, after the fork: a session of ONNX Runtime does not survive one
            return load_app(config)

    Application().run()


def _waitress(config: Config) -> None:
    from waitress import serve

    print(f"Serving on http://{_address(config)}", file=sys.stderr)
    serve(
        load_app(config),
        host=config.host,
        port=config.port,
        threads=_THREADS * config.queue_requests,
        max_request_body_size=config.max_body_bytes,
        ident="",
    )


def _address(config: Config) -> str:
    return f"{config.host}:{config.port}"


if __name__ == "__main__":
    main()
