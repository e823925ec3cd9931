"""/v1/collections: named sets of images."""

from collections.abc import Callable

import pytest

from tests.made_pictures import png
from tests.search_api.served import Api, fill, problem_of


@pytest.fixture
def own(start: Callable[..., Api]) -> Api:
    """A server with two images, whose catalogue a test may change."""
    server = start()
    fill(server, server.fakes, range(1, 3), label="fake", stated_by="desk")
    return server


def test_a_collection_is_made_filled_searched_emptied_and_deleted(own: Api) -> None:
    made = own.client.post("/v1/collections", json={"name": "Elections 2026", "description": "from the desk"})
    assert (made.status_code, made.json()["images"]) == (201, 0)
    address = "/v1/collections/Elections%202026"
    put = own.client.post(f"{address}/images", json={"sha256": [own.fakes[1], own.fakes[1]]})
    assert put.json() == {"changed": 1}
    assert own.client.get(address).json()["images"] == 1
    inside = own.client.post(
        "/v1/search", files={"image": ("a.png", png(2))}, data={"collections": "Elections 2026"}
    ).json()["matches"]
    assert [match["image"]["image"]["sha256"] for match in inside] == [own.fakes[1]]
    assert own.client.delete(f"{address}/images/{own.fakes[1]}").json() == {"changed": 1}
    assert own.client.delete(f"{address}/images/{own.fakes[1]}").json() == {"changed": 0}
    assert own.client.delete(address).status_code == 204
    problem_of(own.client.get(address), 404, "not-found")
    assert own.client.get(f"/v1/images/{own.fakes[1]}").status_code == 200


@pytest.mark.parametrize("slash", ["/", "%2F"])
def test_a_name_with_a_slash_is_reached_however_it_is_written(own: Api, slash: str) -> None:
    name = "2026/images/spring"
    assert own.client.post("/v1/collections", json={"name": name}).status_code == 201
    address = f"/v1/collections/{name.replace('/', slash)}"
    assert own.client.post(f"{address}/images", json={"sha256": [own.fakes[1]]}).json() == {"changed": 1}
    assert own.client.get(address).json()["images"] == 1
    assert own.client.delete(f"{address}/images/{own.fakes[1]}").json() == {"changed": 1}
    assert own.client.delete(address).status_code == 204
    problem_of(own.client.get(address), 404, "not-found")


def test_collections_are_listed_by_name_page_by_page(own: Api) -> None:
    for name in ("b", "c", "a"):
        own.client.post("/v1/collections", json={"name": name})
    first = own.client.get("/v1/collections", params={"limit": 2}).json()
    rest = own.client.get("/v1/collections", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [collection["name"] for collection in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next_cursor"] is None


def test_a_taken_name_is_a_conflict(own: Api) -> None:
    own.client.post("/v1/collections", json={"name": "a"})
    problem_of(own.client.post("/v1/collections", json={"name": "a"}), 409, "conflict")


def test_images_go_in_all_or_none(own: Api) -> None:
    own.client.post("/v1/collections", json={"name": "a"})
    answer = own.client.post("/v1/collections/a/images", json={"sha256": [own.fakes[1], "0" * 64]})
    assert "0" * 64 in str(problem_of(answer, 404, "not-found")["detail"])
    assert own.client.get("/v1/collections/a").json()["images"] == 0


def test_a_collection_nobody_made_is_not_found(api: Api) -> None:
    problem_of(api.client.get("/v1/collections/none"), 404, "not-found")
    problem_of(api.client.delete("/v1/collections/none"), 404, "not-found")
    problem_of(api.client.post("/v1/collections/none/images", json={"sha256": [api.fakes[1]]}), 404, "not-found")
    problem_of(api.client.delete(f"/v1/collections/none/images/{api.fakes[1]}"), 404, "not-found")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, 5, None])
def test_a_name_that_is_none_is_refused(api: Api, name: object) -> None:
    problem_of(api.client.post("/v1/collections", json={"name": name}), 422, "validation")


def test_a_collection_of_any_name_can_be_looked_up_and_deleted(own: Api) -> None:
    digest = own.fakes[1]
    own.client.post("/v1/collections", json={"name": "a"})
    own.client.post("/v1/collections/a/images", json={"sha256": [digest]})
    for name in (f"a/images/{digest}", f"b/images/{digest}", "..", "a/../a", "?#%2F", " / ", "a//b", "images"):
        assert own.client.post("/v1/collections", json={"name": name}).status_code == 201
        query = {"params": {"name": name}}
        (found,) = own.client.get("/v1/collections", **query).json()["items"]
        assert found["name"] == name.strip()
        assert own.client.delete("/v1/collections", **query).status_code == 204
        assert own.client.get("/v1/collections", **query).json()["items"] == []
    assert own.client.get("/v1/collections/a").json()["images"] == 1
    problem_of(own.client.delete("/v1/collections", params={"name": "none"}), 404, "not-found")
    problem_of(own.client.delete("/v1/collections"), 422, "validation")


def test_the_address_of_an_image_in_a_collection_never_means_a_collection(own: Api) -> None:
    digest = own.fakes[1]
    name = f"b/images/{digest}"
    own.client.post("/v1/collections", json={"name": name})
    answer = problem_of(own.client.delete(f"/v1/collections/{name}"), 404, "not-found")
    assert "DELETE /v1/collections?name=" in str(answer["detail"])
    assert own.client.get("/v1/collections", params={"name": name}).json()["items"]
