"""Keys, headers, hosts, and servers that may be asked."""

from __future__ import annotations

from hmac import compare_digest as hmac_compare
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from persona_lab.errors import InputError
from service import Config
from service.keys import KeyRing, new_key
from service.llm import canonical
from tests.service.conftest import MakeApp, items

ASK = {"items": items("hello")}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Basic wrong", "Bearer \udcff", "bearer a b"],
)
def test_without_a_valid_key_nothing_is_told(make_app: MakeApp, header: str) -> None:
    _, line = new_key("alice")
    client = make_app(keys=(line,)).test_client()
    for path in ("/v1/models", "/v1/jobs", "/metrics", "/v1/nothing"):
        answer = client.get(path, headers={"Authorization": header})
        assert (answer.status_code, answer.json["type"]) == (401, "/docs#unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for path in ("/", "/docs", "/openapi.json", "/health/live"):
        assert client.get(path).status_code == 200


def test_several_keys_are_valid_and_the_scheme_is_read_in_any_case(make_app: MakeApp) -> None:
    (old, old_line), (new, new_line) = new_key("alice"), new_key("alice")
    client = make_app(keys=(old_line, new_line)).test_client()
    for header in (f"Bearer {old}", f"bearer {new}"):
        answer = client.post("/v1/profiles", json=ASK, headers={"Authorization": header})
        assert answer.status_code == 200


def test_a_key_that_is_taken_out_of_the_file_is_refused_at_once(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (alice, alice_line), (bob, bob_line) = new_key("alice"), new_key("bob")
    file = tmp_path / "keys"
    file.write_text(f"# ours\n{alice_line}\n\n{bob_line}\n", encoding="utf-8")
    client = make_app(keys_file=str(file)).test_client()
    assert client.get("/v1/models", headers=bearer(alice)).status_code == 200
    file.write_text(f"{bob_line}\n", encoding="utf-8")
    assert client.get("/v1/models", headers=bearer(alice)).status_code == 401
    assert client.get("/v1/models", headers=bearer(bob)).status_code == 200
    file.unlink()
    assert client.get("/v1/models", headers=bearer(bob)).status_code == 401


def test_every_hash_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [new_key(name) for name in ("a", "b", "c")]
    ring = KeyRing(tuple(line for _, line in pairs))
    compared: list[str] = []

    def compare(known: str, given: str) -> bool:
        compared.append(known)
        return hmac_compare(known, given)

    monkeypatch.setattr("service.keys.hmac.compare_digest", compare)
    assert [ring.owner(key) for key, _ in pairs] == ["a", "b", "c"]
    assert ring.owner("nonsense") is None
    # the first match does not end the comparing: four questions, three hashes each
    assert len(compared) == 12


def test_keys_are_hashes_only_and_a_bad_line_is_not_repeated(tmp_path: Path) -> None:
    key, line = new_key("alice")
    assert key not in line
    assert len(line.partition(":")[2]) == 64
    with pytest.raises(InputError) as error:
        KeyRing((key,))
    assert key not in str(error.value)
    with pytest.raises(InputError, match="cannot read the keys"):
        KeyRing(file=str(tmp_path / "missing"))
    with pytest.raises(InputError, match="no NAME:HASH line"):
        new_key("two words")


def test_a_key_is_in_no_log_and_no_setting_that_is_shown(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    key, line = new_key("alice")
    app = make_app(keys=(line,), queue_url="", database_url="")
    with caplog.at_level("DEBUG"):
        app.test_client().get("/v1/models", headers=bearer(key))
        app.test_client().get("/v1/models", headers=bearer(key + "x"))
    told = caplog.text + "".join(capfd.readouterr()) + str(app.extensions["config"].settings())
    assert '"key": "alice"' in caplog.text
    assert key not in told
    assert line.partition(":")[2] not in told


def test_passwords_in_urls_are_not_shown() -> None:
    config = Config(database_url="postgresql://u:hunter2@db/x", queue_url="redis://:hunter2@q:1/0")
    shown = str(config.settings())
    assert "hunter2" not in shown
    assert "postgresql://db/x" in shown


def test_other_addresses_than_this_machine_need_keys() -> None:
    with pytest.raises(InputError, match="--new-key NAME"):
        Config(host="0.0.0.0")
    _, line = new_key("alice")
    assert Config(host="0.0.0.0", keys=(line,)).has_keys
    for host in ("127.0.0.1", "::1", "localhost"):
        assert not Config(host=host).has_keys


def test_without_keys_a_page_with_another_name_gets_nothing(client: FlaskClient) -> None:
    answer = client.get("/v1/models", headers={"Host": "attacker.example"})
    assert (answer.status_code, answer.json["type"]) == (400, "/docs#bad-host")


def test_every_answer_has_an_id_and_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", "/v1/models", "/nothing", "/static/app.js"):
        answer = client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert len(answer.headers["X-Request-ID"]) == 32
    assert client.get("/v1/models").headers["Cache-Control"] == "no-store"
    given = client.get("/nothing", headers={"X-Request-ID": "my-id.1"})
    assert given.headers["X-Request-ID"] == given.json["request_id"] == "my-id.1"
    odd = client.get("/", headers={"X-Request-ID": "x" * 65})
    assert len(odd.headers["X-Request-ID"]) == 32


def test_other_origins_are_not_let_in_unless_they_are_listed(make_app: MakeApp) -> None:
    origin = "https://app.example"
    plain = make_app().test_client()
    assert (
        "Access-Control-Allow-Origin"
        not in plain.get("/v1/models", headers={"Origin": origin}).headers
    )
    client = make_app(cors_origins=(origin,)).test_client()
    answer = client.options("/v1/profiles", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    other = client.options("/v1/profiles", headers={"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


LISTED = ("http://localhost:8080/v1", "https://llm.example")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",  # metadata of a cloud
        "http://metadata.google.internal/",
        "http://10.0.0.1/v1",
        "http://127.0.0.1:8080/v1",  # the same machine, but not as it is listed
        "http://2130706433:8080/v1",
        "http://[::1]:8080/v1",
        "http://[::ffff:127.0.0.1]:8080/v1",
        "http://localhost:8081/v1",
        "http://localhost:8080/v1/../admin",
        "http://localhost:8080/v1%2f..%2fadmin",
        "http://localhost:8080/v1?x=http://10.0.0.1",
        "http://localhost:8080@10.0.0.1/v1",
        "http://localhost:8080\\@10.0.0.1/v1",
        "http://localhost:8080#@10.0.0.1/v1",
        "https://localhost:8080/v1",
        "https://llm.example.evil.example/v1",
        "https://llm.example:8443/v1",
        "https://llm.ex\u0430mple/v1",
        "file:///etc/passwd",
        "gopher://localhost:8080/v1",
        "openai",
        "callable:os:system",
        "http://localhost:99999/v1",
        " http://localhost:8080/v1",
    ],
)
def test_only_listed_servers_are_asked(make_app: MakeApp, url: str) -> None:
    client = make_app(llm_urls=LISTED).test_client()
    for path, body in (
        ("/v1/psycot", {**ASK, "llm": {"url": url}}),
        ("/v1/interviews", {"bot": {"url": url}}),
    ):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json["type"]) == (422, "/docs#url-refused")
        assert answer.json["errors"][0]["pointer"] in ("/llm/url", "/bot/url")
    assert client.get("/v1/jobs").json["items"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080/v1",
        "http://LOCALHOST:8080/v1/",
        "http://localhost:8080",
        "http://localhost:8080/v1/chat/completions",
        "https://llm.example/v1",
        "https://llm.example:443",
    ],
)
def test_a_listed_server_may_be_spelled_in_usual_ways(make_app: MakeApp, url: str) -> None:
    client = make_app(llm_urls=LISTED).test_client()
    assert client.post("/v1/psycot", json={**ASK, "llm": {"url": url}}).status_code == 202


def test_nothing_is_listed_at_first(client: FlaskClient) -> None:
    answer = client.post("/v1/psycot", json={**ASK, "llm": {"url": "http://localhost:8080/v1"}})
    assert answer.json["type"] == "/docs#url-refused"


def test_what_is_asked_is_the_listed_form() -> None:
    assert canonical("HTTP://Host.Example/v1/") == "http://host.example:80/v1"
    assert canonical("https://[2001:DB8::1]/api") == "https://[2001:db8::1]:443/api"


SECRET = "XYLOPHONE-MARKER-4711"


def test_what_was_sent_is_in_no_log_metric_or_error(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    app = make_app(max_item_characters=500)
    client = app.test_client()
    bad: list[tuple[str, Any]] = [
        ("/v1/profiles", {"items": [{"id": [5], "text": SECRET}]}),
        ("/v1/profiles", {"items": items(SECRET), "framework": SECRET}),
        ("/v1/profiles", {"items": items(SECRET * 100)}),
        ("/v1/profiles", {"items": [{"text": SECRET, "more": SECRET}]}),
        ("/v1/consistency", {"items": items(SECRET), "target": SECRET}),
        ("/v1/rank", {"items": [{"text": SECRET, "id": ""}], "target": "E+"}),
        ("/v1/dialogues", {"content": SECRET, "format": "openai"}),
        ("/v1/dialogues", {"content": f'{{"id": "x", "turns": [{{"speaker": "{SECRET}"'}),
        ("/v1/psycot", {"items": items(SECRET), "llm": {"url": "http://x/" + SECRET}}),
    ]
    said = []
    with caplog.at_level("DEBUG"):
        assert client.post("/v1/profiles", json={"items": items(SECRET)}).status_code == 200
        for path, body in bad:
            answer = client.post(path, json=body)
            assert answer.status_code == 422 or answer.json["items"] == [], (path, body)
            said.append(answer.text)
        raw = client.post(
            "/v1/profiles", data=f'{{"items": "{SECRET}', content_type="application/json"
        )
        said.append(raw.text)
        detector = app.extensions["engine"].batched(None)._detector

        def broken(*_: Any, **__: Any) -> Any:
            raise ValueError(f"cannot read {SECRET}")

        detector.profiles = broken
        answer = client.post("/v1/profiles", json={"items": items(SECRET)})
        assert (answer.status_code, answer.json["type"]) == (500, "/docs#internal")
        said.append(answer.text)
    assert "unexpected ValueError" in caplog.text
    assert "/v1/profiles" in caplog.text
    assert client.get("/metrics").status_code == 200
    for text in (caplog.text, *capfd.readouterr(), client.get("/metrics").text, *said):
        assert SECRET not in text
