"""/v1/enrich: many rows at once, answered in the background, across restarts, with a signed word at the end."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from made_pictures import png
from served import Api, Loaded, fill, problem_of, running

from indexer.catalog import jobs
from indexer.catalog.job_records import NewJobItem
from indexer.detector import Detector
from indexer.errors import UsageError
from indexer.settings import Settings
from search_api import callbacks
from search_api.callbacks import Callbacks


def finished(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    """The job when it has ended; every look is a request, so there is no need to pause."""
    for _ in range(100_000):
        status: dict[str, Any] = api.client.get(job["links"]["self"]).json()
        if status["finished_at"] is not None:
            return status
    raise AssertionError(f"the job does not end: {status}")


def results(api: Api, job: dict[str, Any], limit: int = 100) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = api.client.get(job["links"]["results"], params=query).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_rows_are_answered_by_their_hashes_in_their_order(api: Api) -> None:
    rows = [{"name": f"case {seed}", "sha256": api.fakes[seed]} for seed in (3, 1, 2)]
    taken = api.client.post("/v1/enrich", json={"rows": [*rows, {"name": "new", "sha256": "f" * 64}]})
    assert taken.status_code == 202
    assert taken.headers["location"] == taken.json()["links"]["self"]
    done = finished(api, taken.json())
    assert (done["state"], done["rows"], done["answered"]) == ("done", 4, 4)
    answers = results(api, done, limit=1)
    assert [answer["name"] for answer in answers] == ["case 3", "case 1", "case 2", "new"]
    assert [answer["cells"]["match_sha256"] for answer in answers[:3]] == [row["sha256"] for row in rows]
    assert {answer["cells"]["outcome"] for answer in answers[:3]} == {"known_fake_match"}
    assert answers[3]["cells"]["outcome"] == "not_assessable"


def test_pictures_are_answered_and_not_kept(api: Api) -> None:
    files = [("files", ("one.png", png(1))), ("files", ("notes.txt", b"no picture")), ("files", ("new.png", png(77)))]
    job = api.client.post("/v1/enrich", files=files).json()
    finished(api, job)
    known, notes, new = results(api, job)
    assert (known["name"], known["cells"]["match_sha256"]) == ("one.png", api.fakes[1])
    assert (notes["reason"], notes["cells"]["outcome"]) == ("not_an_image", None)
    assert notes["cells"]["error"]
    assert api.client.get(f"/v1/images/{new['cells']['sha256']}").status_code == 404
    kept = api.settings.jobs_dir / job["id"]
    assert any(not kept.exists() for _ in range(100_000) if finished(api, job)), "deleted soon after the last answer"


def test_the_same_request_with_the_same_key_is_the_same_job(api: Api) -> None:
    body, headers = {"rows": [{"sha256": api.fakes[1]}]}, {"Idempotency-Key": "once"}
    first = api.client.post("/v1/enrich", json=body, headers=headers).json()
    assert api.client.post("/v1/enrich", json=body, headers=headers).json()["id"] == first["id"]
    other = api.client.post("/v1/enrich", json={"rows": [{"sha256": api.fakes[2]}]}, headers=headers)
    problem_of(other, 422, "usage")
    assert api.client.post("/v1/enrich", json=body).json()["id"] != first["id"]


@pytest.mark.parametrize(
    "body",
    [{"rows": []}, {"rows": [{"name": "nothing"}]}, {"rows": [{"sha256": "short"}]}, {"rows": [{"url": "https://x"}]}],
)
def test_rows_that_cannot_be_asked_with_are_refused(api: Api, body: dict[str, Any]) -> None:
    problem_of(api.client.post("/v1/enrich", json=body), 422, "validation")


def test_a_full_queue_asks_to_come_back(start: Callable[..., Api]) -> None:
    server = start(job_queue_rows=2, job_rows_max=5)
    refused = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}] * 3})
    problem_of(refused, 503, "service-unavailable")
    assert int(refused.headers["retry-after"]) > 0
    problem_of(server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}] * 6}), 422, "validation")
    taken = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}] * 2})
    assert taken.status_code == 202


def test_a_deleted_job_is_gone(api: Api) -> None:
    job = api.client.post("/v1/enrich", files=[("files", ("one.png", png(1)))]).json()
    assert api.client.delete(job["links"]["self"]).status_code == 204
    problem_of(api.client.get(job["links"]["self"]), 404, "not-found")
    problem_of(api.client.get("/v1/enrich/../../etc"), 404, "not-found")


def test_jobs_that_a_server_left_are_finished_by_the_next_one(start: Callable[..., Api], detector: Detector) -> None:
    first = start()
    fill(first, first.fakes, range(1, 3), label="fake", stated_by="desk one")
    job_id = jobs.new_id()
    first.app.state.service.jobs.close()
    job = first.client.post("/v1/enrich", files=[("files", ("one.png", png(1)))]).json()
    with first.app.state.service.workspace.catalog.writing() as session:
        jobs.add(session, [NewJobItem("row", first.fakes[2])], job_id=job_id, digest="d" * 64)
    assert first.client.get(job["links"]["self"]).json()["state"] == "queued"
    with running(first.settings, Loaded(first.settings, detector)) as second:
        finished(second, job)
        finished(second, {"links": {"self": f"/v1/enrich/{job_id}"}})
        assert results(second, job)[0]["cells"]["match_sha256"] == first.fakes[1]


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A real HTTP server that answers with these statuses in turn, and what it was sent."""
    heard: list[tuple[dict[str, str], bytes]] = []
    answers = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((dict(self.headers), body))
            self.send_response(next(answers))
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/told", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    for _ in range(100_000):
        status: dict[str, Any] = api.client.get(job["links"]["self"]).json()
        if status["callback"] in ("delivered", "given_up"):
            return status
    raise AssertionError(f"the end is never told: {status}")


def test_the_end_of_a_job_is_told_signed_and_tried_again(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "_AGAIN", tuple(pause * 0 for pause in callbacks._AGAIN))
    with receiver(503, 302, 204) as (url, heard):
        server = start(callback_secret="a secret", callback_hosts=("localhost",))
        job = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}], "callback_url": url}).json()
        assert told(server, job)["callback"] == "delivered"
    assert len(heard) == 3, "neither an error nor a redirect counts as delivered, and none is followed"
    headers, body = heard[-1]
    assert json.loads(body)["state"] == "done"
    assert headers["Dejafake-Delivery"] == job["id"]
    seconds, digest = (part.partition("=")[2] for part in headers["Dejafake-Signature"].split(","))
    assert digest == hmac.new(b"a secret", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def test_what_is_never_told_is_given_up(start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "_AGAIN", callbacks._AGAIN[:1])
    monkeypatch.setattr(callbacks, "_AGAIN", tuple(pause * 0 for pause in callbacks._AGAIN))
    with receiver(500, 500, 200) as (url, heard):
        server = start(callback_secret="a secret", callback_hosts=("localhost",))
        job = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}], "callback_url": url}).json()
        assert told(server, job)["callback"] == "given_up"
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/told", "https"),
        ("https://127.0.0.1/told", "public"),
        ("https://[::1]/told", "public"),
        ("https://[::ffff:10.0.0.1]/told", "public"),
        ("https://169.254.169.254/latest", "public"),
        ("https://10.1.2.3/", "public"),
        ("https://someone@example.org/", "user name"),
    ],
)
def test_callbacks_to_places_of_the_house_are_refused(start: Callable[..., Api], url: str, words: str) -> None:
    server = start(callback_secret="a secret")
    refused = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}], "callback_url": url})
    assert words in str(problem_of(refused, 422, "usage")["detail"])


def test_without_a_key_to_sign_with_there_are_no_callbacks(api: Api) -> None:
    body = {"rows": [{"pdq": "0" * 64}], "callback_url": "https://example.org/told"}
    detail = problem_of(api.client.post("/v1/enrich", json=body), 422, "usage")["detail"]
    assert "DEJAFAKE_CALLBACK_SECRET" in str(detail)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "fe80::1", "64:ff9b::a00:1", "2002:a00:1::", "0.0.0.0"],
)
def test_a_public_name_with_an_address_of_the_house_is_not_called(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    entry = (family, socket.SOCK_STREAM, 6, "", (address, 443))
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [public, entry])
    url = callbacks._parsed("https://example.org/told")
    with pytest.raises(OSError, match="not public"):
        callbacks._resolved(url, trusted=False)
    assert str(callbacks._resolved(url, trusted=True)[0]) == "93.184.216.34"


def test_a_host_is_trusted_by_its_whole_name(api: Api) -> None:
    settings = Settings.load(home=api.settings.home, callback_secret="a secret", callback_hosts=("desk.example",))
    check = Callbacks(api.app.state.service.workspace.catalog, settings).check
    check("http://desk.example:8080/told")
    with pytest.raises(UsageError, match="https"):
        check("http://desk.example.attacker.org/told")
