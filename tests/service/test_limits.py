"""What is refused, and that the answer says why and what to do."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from persona_lab.detectors import Request
from service.batching import BatchedDetector
from tests.service.conftest import LOUD, MakeApp, items


@pytest.mark.parametrize(
    ("changes", "body", "status", "kind", "limit"),
    [
        ({"max_items": 2}, {"items": items("a", "b", "c")}, 422, "too-many-items", "max_items"),
        ({"max_item_characters": 9}, {"items": items("a", "b" * 10)}, 422, "too-long",
         "max_item_characters"),
        ({"max_request_characters": 9}, {"items": items("a" * 5, "b" * 5)}, 422, "too-long",
         "max_request_characters"),
        ({"max_body_bytes": 50}, {"items": items("a" * 50)}, 413, "body-too-large",
         "max_body_bytes"),
    ],
)  # fmt: skip
def test_a_limit_is_named(
    make_app: MakeApp, changes: Any, body: Any, status: int, kind: str, limit: str
) -> None:
    answer = make_app(**changes).test_client().post("/v1/profiles", json=body)
    assert (answer.status_code, answer.json["type"]) == (status, f"/docs#{kind}")
    assert limit in answer.json["detail"]
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        ({"items": []}, "/items"),
        ({"items": [{"id": "x"}]}, "/items/0"),
        ({"items": [{"text": "a", "turns": []}]}, "/items/0"),
        ({"items": items("a"), "framework": "hexaco"}, "/framework"),
        ({"items": items("a"), "surprise": 1}, "/surprise"),
        ({"items": [{"id": "x", "text": "a"}, {"id": "x", "text": "b"}]}, "/items/1/id"),
        ({"items": [{"turns": [{"speaker": "", "text": "a"}]}]}, "/items/0/turns/0/speaker"),
    ],
)
def test_a_wrong_field_is_pointed_at(client: FlaskClient, body: Any, pointer: str) -> None:
    answer = client.post("/v1/profiles", json=body)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json["errors"]]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_object_is_malformed(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/v1/profiles", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs#malformed")


def test_forms_are_not_taken_so_that_no_other_site_can_post_one(client: FlaskClient) -> None:
    answer = client.post("/v1/profiles", data="{}", content_type="text/plain")
    assert (answer.status_code, answer.json["type"]) == (415, "/docs#unsupported-media-type")


def test_requests_are_counted_per_minute(make_app: MakeApp) -> None:
    client = make_app(rate_limit="3/minute").test_client()
    answers = [client.get("/v1/models") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert answers[0].headers["RateLimit"].startswith('"default";r=2;t=')
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    assert "rate_limit" in answers[3].json["detail"]
    assert client.get("/health/live").status_code == 200


def test_a_full_queue_refuses_at_once_and_recovers(make_app: MakeApp) -> None:
    app = make_app(queue_requests=2, max_wait_s=20.0, batch_tokens=1)
    client = app.test_client()
    assert client.post("/v1/profiles", json={"items": items("warm up")}).status_code == 200
    batched: BatchedDetector = app.extensions["engine"].batched(None)
    gate, begun = threading.Event(), threading.Event()
    inner = batched._detector.profiles

    def slow(requests: Any, **how: Any) -> Any:
        begun.set()
        assert gate.wait(20)
        return inner(requests, **how)

    batched._detector.profiles = slow  # type: ignore[method-assign]
    statuses: list[int] = []

    def ask() -> None:
        answer = app.test_client().post("/v1/profiles", json={"items": items(LOUD)})
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    threads[0].start()
    assert begun.wait(10)  # the model is busy with the first, two more may wait
    for thread in threads[1:]:
        thread.start()
    while len(batched._queue) < 2:
        threading.Event().wait(0.01)
    refused = client.post("/v1/profiles", json={"items": items(LOUD)})
    assert (refused.status_code, refused.json["type"]) == (503, "/docs#busy")
    assert "queue_requests" in refused.json["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    gate.set()
    for thread in threads:
        thread.join(20)
    assert statuses == [200, 200, 200]
    assert client.post("/v1/profiles", json={"items": items(LOUD)}).status_code == 200


def test_who_waits_too_long_is_told_so(make_app: MakeApp) -> None:
    app = make_app(max_wait_s=0.1)
    client = app.test_client()
    client.post("/v1/profiles", json={"items": items("warm up")})
    batched: BatchedDetector = app.extensions["engine"].batched(None)
    gate = threading.Event()

    def stuck(requests: Any, **how: Any) -> Any:
        gate.wait(10)
        return iter(())

    batched._detector.profiles = stuck  # type: ignore[method-assign]
    answer = client.post("/v1/profiles", json={"items": items(LOUD)})
    gate.set()
    assert (answer.status_code, answer.json["type"]) == (503, "/docs#busy")
    assert "max_wait_s" in answer.json["detail"]


def test_one_text_that_breaks_the_model_takes_no_other_with_it(make_app: MakeApp) -> None:
    app = make_app(batch_wait_ms=300.0)
    app.test_client().post("/v1/profiles", json={"items": items("warm up")})
    batched: BatchedDetector = app.extensions["engine"].batched(None)
    inner = batched._detector.profiles

    def picky(requests: list[Request], **how: Any) -> Any:
        if any("poison" in request.text for request in requests):
            raise ValueError("poison in the text")
        return inner(requests, **how)

    batched._detector.profiles = picky  # type: ignore[method-assign]
    statuses: dict[str, int] = {}

    def ask(text: str) -> None:
        answer = app.test_client().post("/v1/profiles", json={"items": items(text)})
        statuses[text] = answer.status_code

    threads = [threading.Thread(target=ask, args=(t,)) for t in ("poison", LOUD, "party")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert statuses == {"poison": 500, LOUD: 200, "party": 200}
