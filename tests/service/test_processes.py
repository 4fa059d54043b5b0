"""Real processes: workers that are killed, a server that is started anew."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.llm.fake_server import Answer, Serve
from tests.service.conftest import (
    LOUD,
    MakeApp,
    Running,
    free_port,
    items,
    wait_for,
)

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")

WORKER, WEB = "service.jobs.worker", "service.web_server"
Processes = Callable[..., Running]


def ask(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def rows_of(client: FlaskClient, job: dict[str, Any]) -> list[Any]:
    return [json.loads(line) for line in client.get(job["links"]["results"]).text.splitlines()]


def psycot(client: FlaskClient, server: Any, n: int) -> dict[str, Any]:
    body = {"items": items(*[LOUD] * n), "llm": {"url": server.url}, "variant": "standard"}
    started = client.post("/v1/psycot", json=body)
    assert started.status_code == 202, started.json
    job: dict[str, Any] = started.json
    return job


def test_a_killed_worker_loses_nothing_and_nothing_is_done_twice(
    make_app: MakeApp, serve: Serve, run_processes: Processes
) -> None:
    server = serve(Answer("A", delay=0.03))
    how = {"llm_urls": (server.url,), "llm_concurrency": 1, "job_lease_s": 1.5}
    client = make_app(**how).test_client()
    running = run_processes(**how)
    job = psycot(client, server, 12)
    first = running.start(WORKER)
    wait_for(lambda: client.get(job["links"]["self"]).json["progress"]["done"] >= 3, 30)
    running.stop(first, signal.SIGKILL)
    half = client.get(job["links"]["self"]).json
    assert half["status"] == "running"
    kept = rows_of(client, job)
    assert 3 <= len(kept) < 12
    running.start(WORKER)
    wait_for(lambda: client.get(job["links"]["self"]).json["status"] == "succeeded", 30)
    ended = client.get(job["links"]["self"]).json
    rows = rows_of(client, job)
    assert [row["id"] for row in rows] == [f"t{i}" for i in range(12)]
    assert rows[: len(kept)] == kept
    assert ended["attempts"] == 2
    assert ended["progress"]["done"] == 12


def test_a_worker_that_is_stopped_gives_its_job_back(
    make_app: MakeApp, serve: Serve, run_processes: Processes
) -> None:
    server = serve(Answer("A", delay=0.03))
    how = {"llm_urls": (server.url,), "llm_concurrency": 1}
    client = make_app(**how).test_client()
    running = run_processes(**how)
    job = psycot(client, server, 40)
    first = running.start(WORKER)
    wait_for(lambda: client.get(job["links"]["self"]).json["progress"]["done"] >= 2, 30)
    told = running.stop(first)
    back = client.get(job["links"]["self"]).json
    assert (back["status"], back["attempts"]) == ("queued", 0)
    assert first.returncode == 0
    assert LOUD not in told
    running.start(WORKER)  # no lease to wait for: it goes on at once
    wait_for(lambda: client.get(job["links"]["self"]).json["progress"]["done"] >= 6, 20)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis server of our own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    pytest.importorskip("redis")
    port = free_port()
    command = [program, "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    import redis

    def up() -> bool:
        try:
            return bool(redis.Redis.from_url(url).ping())
        except redis.ConnectionError:
            return False

    wait_for(up, 10)
    yield url
    process.kill()
    process.wait()


def test_two_workers_on_redis_one_killed_and_all_ten_jobs_end_once(
    make_app: MakeApp, serve: Serve, run_processes: Processes, redis_url: str
) -> None:
    server = serve(Answer("A", delay=0.02))
    how = {
        "llm_urls": (server.url,),
        "llm_concurrency": 1,
        "job_lease_s": 1.5,
        "queue_url": redis_url,
    }
    client = make_app(**how).test_client()
    running = run_processes(**how)
    workers = [running.start(WORKER) for _ in range(2)]
    jobs = [psycot(client, server, 3) for _ in range(10)]

    def states() -> Counter[str]:
        return Counter(job["status"] for job in client.get("/v1/jobs").json["items"])

    wait_for(lambda: states()["succeeded"] >= 2 and states()["running"] >= 1, 40)
    running.stop(workers[0], signal.SIGKILL)
    wait_for(lambda: states()["succeeded"] == 10, 60)
    for job in jobs:
        assert [row["id"] for row in rows_of(client, job)] == ["t0", "t1", "t2"]
    told = running.stop(workers[1])
    ended = [line for line in told.splitlines() if line.endswith("succeeded")]
    assert len(ended) == len(set(ended)) <= 10


def test_a_restart_of_everything_keeps_everything(
    app: Flask, client: FlaskClient, run_processes: Processes
) -> None:
    running = run_processes()
    web = running.start(WEB)
    running.wait_until_ready()
    body = {"items": items(LOUD, LOUD), "keep": "words > 1"}
    job = ask(running.url + "/v1/filters", body)
    running.stop(web, signal.SIGKILL)
    wait_for(lambda: not running.ready(), 10)
    running.start(WORKER)
    running.start(WEB)
    running.wait_until_ready()
    wait_for(lambda: ask(running.url + job["links"]["self"])["status"] == "succeeded", 30)
    assert len(rows_of(client, job)) == 2


def test_the_web_server_answers_many_at_once_and_tells_nothing_of_the_texts(
    run_processes: Processes,
) -> None:
    running = run_processes(workers=2)
    web = running.start(WEB)
    running.wait_until_ready()
    for i in range(6):
        found = ask(running.url + "/v1/profiles", {"items": items(f"MARKER{i} party party")})
        assert found["items"][0]["status"] == "scored"
    told = running.stop(web)
    assert web.returncode == 0
    assert '"route": "/v1/profiles", "status": 200' in told
    assert "MARKER" not in told


def test_the_supervisor_starts_a_killed_child_anew_and_stops_all(
    run_processes: Processes, client: FlaskClient
) -> None:
    running = run_processes()
    code = (
        "import os, sys; from service.supervisor import Supervisor; "
        "s = Supervisor(lambda m: print(m, file=sys.stderr), os.environ); "
        "s.add('the web server', 'service.web_server'); "
        "s.add('job worker 1', 'service.jobs.worker'); sys.exit(s.run())"
    )
    process = running.start_code(code)
    running.wait_until_ready()
    job = ask(running.url + "/v1/filters", {"items": items(LOUD), "keep": "words > 1"})
    wait_for(lambda: client.get(job["links"]["self"]).json["status"] == "succeeded", 30)
    web = int(
        subprocess.run(
            ["pgrep", "-P", str(process.pid), "-f", "service.web_server"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    os.kill(web, signal.SIGKILL)
    wait_for(lambda: not running.ready(), 10)
    running.wait_until_ready()
    told = running.stop(process)
    assert process.returncode == 0
    assert "the web server ended with code -9; it is started anew" in told
    assert not running.ready()
