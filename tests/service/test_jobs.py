"""Jobs: started once, followed, stopped, deleted; and what becomes of their data."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from service.jobs.leases import LeaseLost, WorkerStore
from service.jobs.tables import jobs as table
from service.jobs.worker import Worker, folder_of
from service.keys import new_key
from tests.llm.fake_server import Answer, Serve, error
from tests.service.conftest import LOUD, QUIET, MakeApp, items

Work = Callable[[], int]

FILTER = {"items": items(LOUD, QUIET, ""), "keep": "extraversion.p_high >= 0.5"}


def rows_of(client: FlaskClient, job: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = client.get(job["links"]["results"], query_string=query)
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_filter_runs_and_its_rows_tell_every_verdict(client: FlaskClient, work: Work) -> None:
    started = client.post("/v1/filters", json=FILTER)
    assert started.status_code == 202
    assert started.json["status"] == "queued"
    assert started.headers["Location"] == f"/v1/jobs/{started.json['id']}"
    assert work() == 1
    job = client.get(started.headers["Location"]).json
    assert job["status"] == "succeeded"
    assert job["progress"] == {"done": 3, "total": 3, "unscored": 1}
    rows = rows_of(client, job)
    assert [(r["id"], r["verdict"]) for r in rows] == [
        ("t0", "kept"),
        ("t1", "dropped"),
        ("t2", "unscored"),
    ]
    assert rows[0]["speakers"][0]["extraversion.label"] == "high"
    assert rows[2]["code"] == "no_words"
    assert client.get("/v1/jobs").json["items"] == [job]


@pytest.mark.parametrize("keep", ["nonsense >= 1", "extraversion.p_high >=", "1; DROP TABLE"])
def test_a_mistake_in_the_expression_shows_before_the_job(client: FlaskClient, keep: str) -> None:
    answer = client.post("/v1/filters", json={**FILTER, "keep": keep})
    assert (answer.status_code, answer.json["type"]) == (422, "/docs#invalid")
    assert client.get("/v1/jobs").json["items"] == []


def test_rows_come_in_pages_and_the_cursor_says_when_it_is_all(
    client: FlaskClient, work: Work
) -> None:
    job = client.post("/v1/filters", json=FILTER).json
    waiting = client.get(job["links"]["results"])
    assert (waiting.text, waiting.headers["X-Next-Cursor"]) == ("", "0")
    work()
    first = client.get(job["links"]["results"], query_string={"limit": 2})
    assert len(first.text.splitlines()) == 2
    assert 'rel="next"' in first.headers["Link"]
    rest = client.get(
        job["links"]["results"], query_string={"cursor": first.headers["X-Next-Cursor"]}
    )
    assert json.loads(rest.text)["id"] == "t2"
    assert "X-Next-Cursor" not in rest.headers
    for wrong in ({"cursor": "x"}, {"limit": 0}, {"surprise": 1}):
        assert client.get(job["links"]["results"], query_string=wrong).status_code == 422


def test_the_same_key_starts_one_job_only(client: FlaskClient, work: Work) -> None:
    once = {"Idempotency-Key": "k1"}
    first = client.post("/v1/filters", json=FILTER, headers=once)
    again = client.post("/v1/filters", json=FILTER, headers=once)
    assert (again.status_code, again.json["id"]) == (202, first.json["id"])
    other = client.post("/v1/filters", json={**FILTER, "keep": "words > 1"}, headers=once)
    assert (other.status_code, other.json["type"]) == (422, "/docs#key-reused")
    assert work() == 1
    after = client.post("/v1/filters", json=FILTER, headers=once)
    assert (after.json["id"], after.json["status"]) == (first.json["id"], "succeeded")


def test_a_job_that_waits_is_cancelled_at_once_and_never_runs(
    client: FlaskClient, work: Work
) -> None:
    job = client.post("/v1/filters", json=FILTER).json
    for _ in range(2):  # asking twice changes nothing
        cancelled = client.delete(job["links"]["self"])
        assert (cancelled.status_code, cancelled.json["status"]) == (200, "cancelled")
    work()
    assert client.get(job["links"]["self"]).json["status"] == "cancelled"
    assert rows_of(client, job) == []


def test_a_running_job_stops_and_keeps_its_rows(
    make_app: MakeApp, serve: Serve, settings: dict[str, Any]
) -> None:
    stop: list[Callable[[], None]] = []

    def answer(body: dict[str, Any], number: int) -> Answer:
        if number == 8:
            stop[0]()
        return Answer('{"ratings": {}}', delay=0.05)

    server = serve(answer)
    app = make_app(llm_urls=(server.url,), llm_concurrency=1)
    client = app.test_client()
    body = {"items": items(*[LOUD] * 30), "llm": {"url": server.url}}
    job = client.post("/v1/psycot", json=body).json
    stop.append(lambda: client.delete(job["links"]["self"]) and None)
    worker = Worker(app.extensions["config"])
    worker.queue.work_on_all()
    worker.store.close()
    ended = client.get(job["links"]["self"]).json
    assert ended["status"] == "cancelled"
    assert ended["progress"]["done"] < 30
    assert len(rows_of(client, job)) == ended["progress"]["done"]
    assert len(server.requests) < 200


def test_psycot_rows_are_those_of_profiles_with_ratings(make_app: MakeApp, serve: Serve) -> None:
    server = serve(Answer("4"))
    app = make_app(llm_urls=(server.url,))
    client = app.test_client()
    body = {"items": items(LOUD, ""), "llm": {"url": server.url}, "variant": "psycot"}
    job = client.post("/v1/psycot", json=body).json
    worker = Worker(app.extensions["config"])
    worker.queue.work_on_all()
    worker.store.close()
    ended = client.get(job["links"]["self"]).json
    assert (ended["status"], ended["error"]) == ("succeeded", None)
    rows = rows_of(client, job)
    assert [(r["id"], r["framework"]) for r in rows] == [("t0", "bigfive"), ("t1", "bigfive")]
    assert len(rows[0]["items"]) == 50
    assert rows[1]["status"] == "unscored"
    assert 'personalab_llm_calls_total{outcome="answered"' in client.get("/metrics").text


def test_a_refused_key_fails_the_job_with_its_code(make_app: MakeApp, serve: Serve) -> None:
    server = serve(error(401, "no such key"))
    app = make_app(llm_urls=(server.url,))
    client = app.test_client()
    job = client.post("/v1/psycot", json={"items": items(LOUD), "llm": {"url": server.url}}).json
    worker = Worker(app.extensions["config"])
    worker.queue.work_on_all()
    worker.store.close()
    ended = client.get(job["links"]["self"]).json
    assert (ended["status"], ended["error"]["code"]) == ("failed", "key")


def test_an_interview_gives_answers_as_they_come_and_a_profile(
    make_app: MakeApp, serve: Serve
) -> None:
    server = serve(Answer("5"))
    app = make_app(llm_urls=(server.url,))
    client = app.test_client()
    body = {
        "bot": {"url": server.url},
        "instrument": "ipip-20",
        "personas": [{"id": "host", "system": "You love company.", "target": "E+"}],
    }
    started = client.post("/v1/interviews", json=body)
    assert started.status_code == 202, started.json
    worker = Worker(app.extensions["config"])
    worker.queue.work_on_all()
    worker.store.close()
    job = client.get(started.headers["Location"]).json
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert job["progress"] == {"done": 20, "total": 20, "unscored": 0}
    rows = rows_of(client, job)
    assert [row["row"] for row in rows] == ["record"] * 20 + ["profile"]
    assert {row["rating"] for row in rows[:20]} == {5.0}
    assert rows[-1]["instrument"]["name"] == "ipip-20"
    assert not folder_of(app.extensions["config"], job["id"]).exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "nothing"])
def test_instruments_are_names_and_never_files(make_app: MakeApp, name: str) -> None:
    url = "http://localhost:8080/v1"
    client = make_app(llm_urls=(url,)).test_client()
    answer = client.post("/v1/interviews", json={"bot": {"url": url}, "instrument": name})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/instrument")


def test_jobs_of_another_key_do_not_exist(make_app: MakeApp) -> None:
    (alice, alice_line), (bob, bob_line) = new_key("alice"), new_key("bob")
    client = make_app(keys=(alice_line, bob_line)).test_client()
    mine, theirs = ({"Authorization": f"Bearer {key}"} for key in (alice, bob))
    job = client.post("/v1/filters", json=FILTER, headers=mine).json
    for path in (job["links"]["self"], job["links"]["results"]):
        assert client.get(path, headers=mine).status_code == 200
        assert client.get(path, headers=theirs).status_code == 404
        assert client.delete(path, headers=theirs).status_code == 404
    assert client.get("/v1/jobs", headers=theirs).json["items"] == []


def test_open_jobs_of_a_key_are_limited(make_app: MakeApp) -> None:
    client = make_app(max_open_jobs=1, max_job_items=3).test_client()
    assert client.post("/v1/filters", json=FILTER).status_code == 202
    answer = client.post("/v1/filters", json=FILTER)
    assert (answer.status_code, answer.json["type"]) == (429, "/docs#too-many-jobs")
    assert answer.headers["Retry-After"] == "30"
    many = client.post("/v1/filters", json={**FILTER, "items": items(*"abcd")})
    assert "max_job_items" in many.json["detail"]


def bodies(app: Flask) -> list[str]:
    file = Path(app.extensions["config"].data_dir) / "jobs.sqlite"
    with sqlite3.connect(file) as db:
        return [body for (body,) in db.execute("SELECT body FROM personalab_jobs")]


def test_what_was_sent_goes_when_the_job_ends_unless_it_is_to_be_stored(
    app: Flask, client: FlaskClient, work: Work
) -> None:
    client.post("/v1/filters", json=FILTER)
    assert "party" in bodies(app)[0]
    work()
    assert bodies(app) == [""]
    client.post("/v1/filters", json={**FILTER, "store": True})
    work()
    assert "party" in bodies(app)[1]
    job = client.get("/v1/jobs").json["items"][0]
    gone = client.delete(job["links"]["results"])
    assert (gone.status_code, gone.json["rows"]) == (200, 0)
    assert bodies(app) == ["", ""]
    assert rows_of(client, job) == []


def test_rows_of_an_open_job_are_not_deleted(client: FlaskClient) -> None:
    job = client.post("/v1/filters", json=FILTER).json
    answer = client.delete(job["links"]["results"])
    assert (answer.status_code, answer.json["type"]) == (409, "/docs#conflict")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(app: Flask, clock: Clock) -> WorkerStore:
    return WorkerStore.open(app.extensions["config"], clock=clock)


def add(store: WorkerStore, **more: Any) -> str:
    job, _ = store.add("me", "filters", {"a": 1}, total=3, store=False, **more)
    return job.id


def test_a_job_is_taken_once_until_the_lease_runs_out(store: WorkerStore, clock: Clock) -> None:
    id = add(store)
    assert store.take(id, "w1") is not None
    assert store.take(id, "w2") is None
    store.write(id, "w1", [{"n": 1}], done=1)
    clock.now += 29
    assert store.take(id, "w2") is None  # writing renewed the lease
    clock.now += 2
    assert store.lost(queue_empty=False) == [id]
    taken = store.take(id, "w2")
    assert taken is not None
    assert (taken.attempts, taken.done, taken.rows) == (2, 1, 1)
    # the first worker was only slow: it can change nothing any more
    for late in (
        lambda: store.write(id, "w1", [{"n": 2}], done=2),
        lambda: store.finish(id, "w1", "succeeded"),
        lambda: store.renew(id, "w1"),
        lambda: store.release(id, "w1"),
    ):
        with pytest.raises(LeaseLost):
            late()
    store.write(id, "w2", [{"n": 2}, {"n": 3}], done=3)
    store.finish(id, "w2", "succeeded")
    assert [json.loads(row)["n"] for _, row in store.results(id)] == [1, 2, 3]
    assert [number for number, _ in store.results(id)] == [1, 2, 3]
    assert store.take(id, "w3") is None


def test_a_job_that_kills_its_workers_fails_and_keeps_its_rows(
    store: WorkerStore, clock: Clock
) -> None:
    id = add(store)
    for attempt in range(3):
        assert store.take(id, f"w{attempt}") is not None
        store.write(id, f"w{attempt}", [{"n": attempt}], done=attempt + 1)
        clock.now += 31
    assert store.take(id, "w3") is None
    job = store.get(id)
    assert job is not None
    assert (job.status, job.error and job.error[0], job.rows) == ("failed", "worker_died", 3)


def test_stopping_a_worker_costs_the_job_no_attempt(store: WorkerStore) -> None:
    id = add(store)
    for _ in range(10):
        assert store.take(id, "w") is not None
        store.release(id, "w")
    job = store.get(id)
    assert job is not None
    assert (job.status, job.attempts) == ("queued", 0)


def test_a_lost_message_is_sent_again_but_not_while_others_wait(
    store: WorkerStore, clock: Clock
) -> None:
    id = add(store)
    assert store.lost(queue_empty=True) == []
    clock.now += 11
    assert store.lost(queue_empty=False) == []
    assert store.lost(queue_empty=True) == [id]
    assert store.lost(queue_empty=True) == []


def test_results_are_dropped_when_their_time_is_over(store: WorkerStore, clock: Clock) -> None:
    ids = []
    for keep in (False, True):
        job, _ = store.add("me", "filters", {}, total=1, store=keep)
        store.take(job.id, "w")
        store.write(job.id, "w", [{"n": 1}], done=1)
        store.finish(job.id, "w", "succeeded")
        ids.append(job.id)
    clock.now += 24 * 3600 + 1
    assert store.drop_expired() == ids[:1]
    assert store.get(ids[0]) is None
    assert len(store.results(ids[1])) == 1


def test_messages_are_json_and_code_in_them_is_not_run(app: Flask) -> None:
    import pickle

    queue = app.extensions["queue"]
    queue.send("some-id")
    task = queue.huey.dequeue()
    assert task.args == ["some-id"]
    queue.huey.storage.enqueue(pickle.dumps({"id": "x"}))
    with pytest.raises(UnicodeDecodeError):
        queue.huey.dequeue()


def test_an_error_in_a_job_is_told_without_what_was_sent(
    app: Flask,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = client.post("/v1/filters", json=FILTER).json
    worker = Worker(app.extensions["config"])

    def broken(run: Any) -> None:
        raise ValueError("SEC" + "RET text")  # in pieces: the log shows this line

    kind = worker._kinds["filters"]
    monkeypatch.setitem(worker._kinds, "filters", type(kind)(kind.name, broken))
    with caplog.at_level("DEBUG"):
        worker.queue.work_on_all()
    ended = client.get(job["links"]["self"]).json
    assert (ended["status"], ended["error"]["code"]) == ("failed", "internal")
    assert "SECRET" not in caplog.text + json.dumps(ended)
    assert "ValueError" in caplog.text


def test_a_cancelled_row_wins_over_a_message(app: Flask, store: WorkerStore) -> None:
    id = add(store)
    with store.engine.begin() as db:
        db.execute(update(table).where(table.c.id == id).values(status="cancelled"))
    worker = Worker(app.extensions["config"])
    worker.work(id)
    job = store.get(id)
    assert job is not None
    assert (job.status, job.attempts) == ("cancelled", 0)
