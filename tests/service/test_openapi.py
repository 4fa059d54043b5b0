"""The description of the API holds: every answer fits it, and its examples work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

# loaded here and not in the middle of a test: CPython 3.11 may fail to compile a module
# deep inside a stack that greenlets have switched
import schemathesis.specs.openapi.schemas
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from service import problems
from service.keys import new_key
from tests.service.conftest import ROOT, MakeApp, Running

LISTED = "http://localhost:8080/v1"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(llm_urls=(LISTED,))


def test_every_answer_is_as_described(make_app: MakeApp) -> None:
    key, line = new_key("tester")
    app = make_app(
        llm_urls=(LISTED,), keys=(line,), rate_limit="1000000/minute", max_open_jobs=1_000_000
    )
    app.extensions["engine"].detector(None)  # from here on it is ready
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:

        @settings(
            max_examples=8,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            # a schema cannot say which expressions, targets or addresses are understood
            case.call_and_validate(
                headers={"Authorization": f"Bearer {key}"},
                excluded_checks=[positive_data_acceptance],
            )

        check()
    assert len(operations) == 18


def test_every_route_is_described(app: Flask, client: FlaskClient) -> None:
    described = set(client.get("/openapi.json").json["paths"])
    routes = {rule.rule.replace("<", "{").replace(">", "}") for rule in app.url_map.iter_rules()}
    assert described == {route for route in routes if route.startswith(("/v1/", "/health/"))}


def test_every_body_has_an_example_that_is_accepted(client: FlaskClient) -> None:
    described = client.get("/openapi.json").json
    tried = 0
    for path, operations in described["paths"].items():
        if "post" not in operations:
            continue
        content = operations["post"]["requestBody"]["content"]["application/json"]
        name = content["schema"]["$ref"].rpartition("/")[2]
        (example,) = described["components"]["schemas"][name]["examples"]
        answer = client.post(path, json=example)
        assert answer.status_code in (200, 202), (path, answer.json)
        tried += 1
    assert tried == 7


def test_kinds_of_problems_are_listed_with_their_status(client: FlaskClient) -> None:
    listed = client.get("/openapi.json").json["x-problems"]
    assert {p["kind"]: p["status"] for p in listed} == {
        kind: status for kind, (status, _) in problems.KINDS.items()
    }


@pytest.fixture
def running(run_processes: Callable[..., Running]) -> Iterator[Running]:
    """A web server with its models loaded."""
    found = run_processes(llm_urls=(LISTED,))
    found.start("service.web_server")
    found.wait_until_ready()
    yield found


def test_the_snippets_of_the_documentation_work_when_pasted(
    running: Running, tmp_path: Path
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; the browser test reads a snippet, too")
    script = tmp_path / "print.mjs"
    script.write_text(
        f'import {{ pythonFor }} from "file://{ROOT}/service/web/static/snippet.js";\n'
        f"console.log(pythonFor({json.dumps(running.url)}, 'get', '/v1/models'));\n",
        encoding="utf-8",
    )
    code = subprocess.run([node, str(script)], capture_output=True, text=True, check=True).stdout
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout)["items"][0]["name"] == "toy"
