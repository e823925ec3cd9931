"""/v1/images/{sha256}/heatmap: where the embedding of an image looked."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from tests.made_pictures import png
from tests.search_api.served import Api, problem_of


def test_it_is_a_png_of_the_picture_that_caches_by_its_tag(api: Api) -> None:
    address = f"/v1/images/{api.fakes[1]}/heatmap"
    answer = api.client.get(address)
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (480, 360)
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = api.client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    numbers = api.client.get(address, params={"format": "json"}, headers={"If-None-Match": answer.headers["etag"]})
    assert numbers.status_code == 200


def test_its_numbers_say_where_they_lie_and_what_they_are_not(api: Api) -> None:
    answer = api.client.get(f"/v1/images/{api.fakes[1]}/heatmap", params={"format": "json"}).json()
    assert (answer["rows"], answer["columns"]) == (24, 24)
    assert [len(row) for row in answer["values"]] == [24] * 24
    assert sum(map(sum, answer["values"])) == pytest.approx(1, abs=1e-5)
    left, top, right, bottom = answer["box"]
    assert 0 <= left < right <= 480
    assert 0 <= top < bottom <= 360
    (detector,) = (entry for entry in api.client.get("/v1/detectors").json()["known"] if entry["in_use"])
    assert answer["fingerprint"] == detector["fingerprint"]
    assert "proves nothing" in answer["note"]


def test_without_kept_originals_it_is_a_problem_that_says_so(start: Callable[..., Api]) -> None:
    lean = start(keep_originals=False)
    added = lean.client.post("/v1/images", files={"files": ("a.png", png(401))}).json()
    answer = lean.client.get(f"/v1/images/{added['files'][0]['sha256']}/heatmap")
    assert "original" in str(problem_of(answer, 404, "not-found")["detail"])


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("0" * 64 + "/heatmap", 404, "not-found"),
        ("xyz/heatmap", 422, "validation"),
        ("0" * 64 + "/heatmap?format=gif", 422, "validation"),
    ],
)
def test_what_makes_no_sense_is_explained(api: Api, address: str, status: int, code: str) -> None:
    problem_of(api.client.get(f"/v1/images/{address}"), status, code)
