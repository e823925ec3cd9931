"""/v1/watches: made, polled and told while pictures come in; keys go in and never come out."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from indexer.detector import Detector
from tests.made_pictures import png, recompressed
from tests.receivers import HOST, is_signed, receiver
from tests.search_api.served import Api, Loaded, fill, problem_of, running

KEY = "a key of its own, write-only"


def upload(api: Api, data: bytes, **said: str) -> str:
    answer = api.client.post("/v1/images", files={"files": ("a.png", data)}, data=said).json()
    return str(answer["files"][0]["sha256"])


def found(api: Api, watch: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The watch's events when there are this many; every look is a request, so there is no need to pause."""
    for _ in range(100_000):
        items: list[dict[str, Any]] = api.client.get(f"/v1/watches/{watch['id']}/events").json()["items"]
        if len(items) >= count:
            return items
    raise AssertionError(f"{len(items)} events, not {count}")


def settled(api: Api, watch: dict[str, Any]) -> dict[str, Any]:
    """The watch when its webhook has nothing to do."""
    for _ in range(100_000):
        state: dict[str, Any] = api.client.get(f"/v1/watches/{watch['id']}").json()
        if state["webhook"]["state"] != "pending":
            return state
    raise AssertionError(f"never told: {state}")


def test_a_picture_that_is_not_in_the_catalogue_is_watched_for_and_told(start: Callable[..., Api]) -> None:
    with receiver(204) as (url, heard):
        server = start(callback_hosts=(HOST,))
        said = {"name": "the mayor", "webhook_url": url, "secret": KEY}
        made = server.client.post("/v1/watches", files={"image": ("a.png", png(1))}, data=said)
        assert made.status_code == 201, made.text
        watch = made.json()
        assert made.headers["location"] == f"/v1/watches/{watch['id']}"
        assert watch["image"] == hashlib.sha256(png(1)).hexdigest()
        assert server.client.get(f"/v1/images/{watch['image']}").status_code == 404
        copy = upload(server, recompressed(1))
        upload(server, png(2))
        (event,) = found(server, watch, 1)
        assert (event["sha256"], event["relation"], event["in_catalogue"]) == (copy, "same_picture", True)
        after = settled(server, watch)
    assert (after["events"], after["webhook"]["state"], after["webhook"]["last_error"]) == (1, "idle", None)
    ((headers, body),) = heard
    assert is_signed(headers, body, KEY.encode())
    assert json.loads(body)["events"][0]["sha256"] == copy
    for address in ("/v1/watches", f"/v1/watches/{watch['id']}"):
        assert KEY not in server.client.get(address).text + made.text
    server.client.delete(f"/v1/images/{copy}")
    (left,) = found(server, watch, 1)
    assert (left["sha256"], left["in_catalogue"]) == (copy, False)


def test_conditions_and_known_images_are_watched_for_on_postgresql(
    start: Callable[..., Api], postgresql_url: str
) -> None:
    server = start(database_url=postgresql_url)
    fill(server, server.fakes, range(1, 2), label="fake", stated_by="desk one")
    asked = {"name": "new splices", "filter": {"technique": "splice", "label": "fake"}}
    conditions = server.client.post("/v1/watches", json=asked).json()
    image = server.client.post("/v1/watches", json={"name": "one", "image_id": server.fakes[1]}).json()
    assert conditions["filter"] | {"technique": "splice", "label": "fake"} == conditions["filter"]
    copy = upload(server, recompressed(1), label="fake", technique="splice", stated_by="desk one")
    for watch in (conditions, image):
        assert [event["sha256"] for event in found(server, watch, 1)] == [copy]
    page = server.client.get(f"/v1/watches/{image['id']}/events").json()
    again = server.client.get(f"/v1/watches/{image['id']}/events", params={"cursor": page["next_cursor"]}).json()
    assert again == {"items": [], "next_cursor": page["next_cursor"]}


def test_what_came_while_no_server_ran_or_the_watch_was_paused_is_found(
    start: Callable[..., Api], detector: Detector
) -> None:
    first = start()
    watch = first.client.post("/v1/watches", files={"image": ("a.png", png(1))}, data={"name": "one"}).json()
    address = f"/v1/watches/{watch['id']}"
    assert first.client.patch(address, json={"paused": True}).json()["paused_at"]
    first.app.state.service.watching.close()
    copy = upload(first, recompressed(1))
    with running(first.settings, Loaded(first.settings, detector)) as second:
        assert second.client.get(address).json()["events"] == 0
        assert second.client.patch(address, json={"paused": False}).json()["paused_at"] is None
        assert [event["sha256"] for event in found(second, watch, 1)] == [copy]
        assert second.client.delete(address).status_code == 204
        problem_of(second.client.get(f"{address}/events"), 404, "not-found")
        problem_of(second.client.patch(address, json={"paused": True}), 404, "not-found")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "nothing"},
        {"name": "two", "campaign": "cmp_x", "filter": {"technique": "splice"}},
        {"name": "", "filter": {"technique": "splice"}},
        {"name": "misspelt", "filter": {"tecnique": "splice"}},
        {"name": "short", "filter": {"technique": "splice"}, "webhook_url": "https://desk.example/", "secret": "short"},
        {"name": "key of nothing", "filter": {"technique": "splice"}, "secret": KEY},
    ],
)
def test_what_cannot_be_watched_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = api.client.post("/v1/watches", json=body)
    problem_of(answer, 422, "validation")
    assert KEY not in answer.text


def test_places_of_the_house_missing_things_and_too_many_watches_are_refused(start: Callable[..., Api]) -> None:
    server = start(watches_max=1)
    asked = {"name": "one", "filter": {"technique": "splice"}}
    post = server.client.post
    problem_of(post("/v1/watches", json={**asked, "webhook_url": "https://desk.example/"}), 422, "usage")
    inside = {**asked, "webhook_url": "https://10.1.2.3/", "secret": KEY}
    assert "public" in str(problem_of(post("/v1/watches", json=inside), 422, "usage")["detail"])
    problem_of(post("/v1/watches", json={"name": "all", "filter": {}}), 422, "usage")
    problem_of(post("/v1/watches", json={"name": "gone", "campaign": "cmp_gone"}), 404, "not-found")
    problem_of(post("/v1/watches", json={"name": "gone", "image_id": "f" * 64}), 404, "not-found")
    problem_of(post("/v1/watches", files={"image": ("a.txt", b"no")}, data={"name": "x"}), 422, "image-rejected")
    problem_of(post("/v1/watches", content=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported-media-type")
    assert post("/v1/watches", json=asked).status_code == 201
    problem_of(post("/v1/watches", json=asked), 409, "conflict")
    assert len(server.client.get("/v1/watches").json()["items"]) == 1


def test_watches_need_the_token(start: Callable[..., Api]) -> None:
    server = start(api_token="a long random secret")
    server.client.headers.pop("Authorization")
    problem_of(server.client.post("/v1/watches", json={"name": "one", "filter": {"technique": "splice"}}), 401, "token")
