"""POST /v1/compare: how two pictures relate, known or not."""

from made_pictures import png, recompressed
from served import Api, problem_of


def compare(api: Api, a: bytes, b: bytes) -> dict[str, dict[str, object]]:
    answer = api.client.post("/v1/compare", files={"a": ("a.png", a), "b": ("b.png", b)})
    assert answer.status_code == 200, answer.text
    return {score["relation"]: score for score in answer.json()["scores"]}


def test_a_picture_and_itself_are_the_same_file(api: Api) -> None:
    scores = compare(api, png(50), png(50))
    assert list(scores) == ["same_file", "same_picture", "same_origin"]
    assert scores["same_file"]["holds"]
    assert scores["same_picture"]["value"] == 0


def test_a_picture_and_its_recompressed_copy_are_the_same_picture(api: Api) -> None:
    scores = compare(api, png(50), recompressed(50))
    assert not scores["same_file"]["holds"]
    assert scores["same_picture"]["holds"]


def test_two_different_pictures_are_neither(api: Api) -> None:
    scores = compare(api, png(50), png(51))
    assert not scores["same_file"]["holds"]
    assert not scores["same_picture"]["holds"]


def test_a_missing_or_bad_picture_is_explained(api: Api) -> None:
    problem_of(api.client.post("/v1/compare", files={"a": ("a.png", png(50))}), 422, "validation")
    broken = api.client.post("/v1/compare", files={"a": ("a.png", png(50)), "b": ("b.png", b"text")})
    assert problem_of(broken, 422, "image-rejected")["reason"] == "not_an_image"
    extra = api.client.post("/v1/compare", files={"a": ("a", png(50)), "b": ("b", png(50))}, data={"limit": "1"})
    problem_of(extra, 422, "validation")
    problem_of(api.client.post("/v1/compare", json={}), 415, "unsupported-media-type")
