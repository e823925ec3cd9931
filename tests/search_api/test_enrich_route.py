"""/v1/enrich: many rows at once, answered in the background, across restarts, with a signed word at the end."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import update

from indexer.catalog import jobs
from indexer.catalog.records.jobs import NewJobItem
from indexer.catalog.tables.jobs import JobRow
from indexer.catalog.tables.types import utc_now
from indexer.delivery import sending
from indexer.detector import Detector
from tests.made_pictures import png
from tests.receivers import HOST, is_signed, receiver
from tests.search_api.served import Api, Loaded, fill, problem_of, running


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


def told(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    for _ in range(100_000):
        status: dict[str, Any] = api.client.get(job["links"]["self"]).json()
        if status["callback"] in ("delivered", "given_up"):
            return status
    raise AssertionError(f"the end is never told: {status}")


def test_the_end_of_a_job_is_told_signed_and_tried_again(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PAUSES", (timedelta(0),) * 2)
    with receiver(503, 302, 204) as (url, heard):
        server = start(callback_secret="a secret", callback_hosts=(HOST,))
        job = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}], "callback_url": url}).json()
        assert told(server, job)["callback"] == "delivered"
    assert len(heard) == 3, "neither an error nor a redirect counts as delivered, and none is followed"
    headers, body = heard[-1]
    assert json.loads(body)["state"] == "done"
    assert headers["webhook-id"] == job["id"]
    assert is_signed(headers, body, b"a secret")


def test_what_is_never_told_is_given_up(start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSES", (timedelta(0),))
    with receiver(500, 500, 200) as (url, heard):
        server = start(callback_secret="a secret", callback_hosts=(HOST,))
        job = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}], "callback_url": url}).json()
        assert told(server, job)["callback"] == "given_up"
    assert len(heard) == 2


def test_a_callback_address_that_is_none_is_one_clear_line(start: Callable[..., Api]) -> None:
    server = start(callback_secret="a secret")
    for url in ("https://xn--a/", "https://h:0/", "https://2130706433/", "https://[::127.0.0.1]/"):
        answer = server.client.post("/v1/enrich", json={"rows": [{"pdq": "5a" * 32}], "callback_url": url})
        assert "callback" in str(problem_of(answer, 422, "usage")["detail"])


def test_callbacks_to_places_of_the_house_are_refused(start: Callable[..., Api]) -> None:
    server = start(callback_secret="a secret")
    for url in ("https://169.254.169.254/latest", "https://localhost/", "https://foo.internal/", "https://desk/"):
        refused = server.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}], "callback_url": url})
        assert "public" in str(problem_of(refused, 422, "usage")["detail"])


def test_without_a_key_to_sign_with_there_are_no_callbacks(api: Api) -> None:
    body = {"rows": [{"pdq": "0" * 64}], "callback_url": "https://example.org/told"}
    detail = problem_of(api.client.post("/v1/enrich", json=body), 422, "usage")["detail"]
    assert "DEJAFAKE_CALLBACK_SECRET" in str(detail)


def test_pictures_that_no_room_is_for_are_never_written(start: Callable[..., Api]) -> None:
    server = start(job_queue_rows=1)
    server.settings.jobs_dir.write_text("a file where the folder of pictures would be: nothing can be written there")
    refused = server.client.post("/v1/enrich", files=[("files", ("one.png", png(1))), ("files", ("two.png", png(2)))])
    problem_of(refused, 503, "service-unavailable")


def test_a_job_that_ended_long_ago_is_forgotten_and_its_address_says_so(
    start: Callable[..., Api], detector: Detector
) -> None:
    first = start()
    job = first.client.post("/v1/enrich", json={"rows": [{"pdq": "0" * 64}]}).json()
    finished(first, job)
    with first.app.state.service.workspace.catalog.writing() as session:
        session.execute(update(JobRow).values(finished_at=utc_now() - timedelta(days=8)))
    with running(first.settings, Loaded(first.settings, detector)) as second:
        gone = next(
            answer for _ in range(100_000) if (answer := second.client.get(job["links"]["results"])).status_code != 200
        )
        assert "DEJAFAKE_JOB_KEEP_DAYS" in str(problem_of(gone, 404, "not-found")["detail"])


def reviews(number: int, known: str) -> list[dict[str, Any]]:
    """A review of a known digest, one of nothing known, one of an address, and one without a picture."""
    context = {"@context": "https://schema.org"}
    snapshot = {"@type": "ImageObjectSnapshot"}
    item = {
        "@type": "MediaReviewItem",
        "mediaItemAppearance": [snapshot | {"sha256": "ab" * 32}, snapshot | {"sha256": known}],
    }
    seen = {"@type": "ImageObject", "url": f"http://social.example/post/{number}/?utm_source=x"}
    return [
        context | {"@type": "MediaReview", "url": "https://fc.example/1", "itemReviewed": item},
        context | {"@type": "MediaReview", "itemReviewed": snapshot | {"sha256": "cd" * 32}},
        context | {"@type": "ClaimReview", "url": "https://fc.example/3", "itemReviewed": {"appearance": [seen]}},
        context | {"@type": "ClaimReview", "url": "https://fc.example/4", "claimReviewed": "c"},
    ]


def test_fact_checks_are_answered_as_the_command_answers_them(start: Callable[..., Api]) -> None:
    server = start()
    said = {"label": "fake", "stated_by": "desk", "url": "https://www.social.example/post/7"}
    added = server.client.post("/v1/images", files={"files": ("a.png", png(1))}, data=said).json()
    known = added["files"][0]["sha256"]
    listed = reviews(7, known)
    forms: list[tuple[str, Any]] = [
        ("application/ld+json", listed),
        ("application/json", {"@context": "https://schema.org", "@graph": listed}),
        ("application/ld+json; charset=utf-8", {"@type": "DataFeed", "dataFeedElement": [{"item": listed}]}),
    ]
    for kind, document in forms:
        headers = {"Content-Type": kind, "Idempotency-Key": kind}
        posted = [
            server.client.post("/v1/enrich", content=json.dumps(document), headers=headers).json() for _ in range(2)
        ]
        assert posted[0]["id"] == posted[1]["id"]
        job = finished(server, posted[0])
        rows = server.client.get(job["links"]["results"]).json()["items"]
        assert [row["name"] for row in rows] == [
            "https://fc.example/1",
            "review 2",
            *(f"https://fc.example/{n}" for n in (3, 4)),
        ]
        assert [row["cells"]["outcome"] for row in rows] == [
            "known_fake_match",
            "not_assessable",
            "known_fake_match",
            None,
        ]
        assert [row["cells"]["match_relation"] for row in rows] == ["same_file", None, "same_address", None]
        assert rows[3]["reason"] == "nothing_to_search"


def test_json_that_holds_neither_rows_nor_reviews_is_refused_in_one_line(start: Callable[..., Api]) -> None:
    server = start(job_rows_max=3)
    for content in (
        "{",
        '{"@type": "NewsArticle"}',
        "[]",
        "<html></html>",
        "[" * 200,
        json.dumps(reviews(1, "ab" * 32)),
    ):
        answer = server.client.post("/v1/enrich", content=content, headers={"Content-Type": "application/ld+json"})
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"]


def test_a_job_may_be_as_large_as_its_most_rows(start: Callable[..., Api]) -> None:
    server = start(job_rows_max=20_000, job_queue_rows=50_000)
    rows = [{"name": f"case {number}", "sha256": f"{number:064x}"} for number in range(12_000)]
    assert len(json.dumps(rows)) > 1_048_576
    answer = server.client.post("/v1/enrich", json={"rows": rows})
    assert answer.status_code == 202, answer.text
    assert server.client.delete(answer.json()["links"]["self"]).status_code == 204
    problem_of(server.client.post("/v1/search", content=b" " * 1_100_000), 413, "body-too-large")


def test_a_request_from_before_an_upgrade_is_known_by_its_key(start: Callable[..., Api]) -> None:
    server = start()
    items = [NewJobItem("a", sha256="ab" * 32)]
    before = sha256(
        b"([NewJobItem(name='a', sha256='" + b"ab" * 32 + b"', pdq=None, uploaded=False)], None)"
    ).hexdigest()
    job_id = jobs.new_id()
    with server.app.state.service.workspace.catalog.writing() as session:
        jobs.add(session, items, job_id=job_id, digest=before, idempotency_key="mine")
    body = {"rows": [{"name": "a", "sha256": "ab" * 32}]}
    again = server.client.post("/v1/enrich", json=body, headers={"Idempotency-Key": "mine"})
    assert again.json()["id"] == job_id
    other = server.client.post("/v1/enrich", json={"rows": [{"pdq": "5a" * 32}]}, headers={"Idempotency-Key": "mine"})
    problem_of(other, 422, "usage")
