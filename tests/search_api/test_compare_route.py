"""POST /v1/compare: how two pictures relate and where they differ, known or not."""

import io
from collections.abc import Callable

from PIL import Image, ImageDraw

from tests.made_pictures import encoded, generated_png, png, recompressed, scene
from tests.search_api.served import Api, problem_of


def compare(api: Api, a: bytes, b: bytes) -> dict[str, dict[str, object]]:
    answer = api.client.post("/v1/compare", files={"a": ("a.png", a), "b": ("b.png", b)})
    assert answer.status_code == 200, answer.text
    return {score["relation"]: score for score in reversed(answer.json()["scores"])}  # the surest of a relation


def test_a_picture_and_itself_are_the_same_file(api: Api) -> None:
    scores = compare(api, png(50), png(50))
    assert {*scores} == {"same_file", "same_picture", "same_origin"}
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


def painted(seed: int) -> bytes:
    """The scene of this seed with a sign painted into it."""
    picture = scene(seed)
    ImageDraw.Draw(picture).rectangle((200, 100, 290, 180), fill="white", outline="black", width=5)
    return encoded(picture, "JPEG", quality=85)


def test_where_they_differ_comes_as_numbers_or_as_a_picture(api: Api) -> None:
    files = {"a": ("a.png", png(50)), "b": ("b.jpg", painted(50))}
    difference = api.client.post("/v1/compare", files=files).json()["difference"]
    assert difference["registered"]
    assert len(difference["regions"]) == 1
    assert difference["statements"][0].startswith("They differ in 1 region")
    drawn = api.client.post("/v1/compare", files=files, params={"format": "png"})
    assert drawn.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(drawn.content)).format == "PNG"
    problem_of(api.client.post("/v1/compare", files=files, params={"format": "gif"}), 422, "validation")


def test_each_file_tells_its_origin_with_what_that_is_worth(api: Api) -> None:
    files = {"a": ("a.png", png(50)), "b": ("b.png", generated_png(50))}
    silent, (told,) = api.client.post("/v1/compare", files=files).json()["provenance"]
    assert silent == []
    assert (told["worth"], told["technique"], told["made_with"]) == ("self_declared", "inpainting", "AUTOMATIC1111")


def test_two_different_pictures_are_not_laid_over_each_other(api: Api) -> None:
    files = {"a": ("a.png", png(50)), "b": ("b.png", png(51))}
    difference = api.client.post("/v1/compare", files=files).json()["difference"]
    assert not difference["registered"]
    assert difference["reason"]
    assert difference["share"] is None


def test_a_known_image_stands_in_for_the_second_picture(api: Api) -> None:
    known = {"image_id": api.fakes[1]}
    answer = api.client.post("/v1/compare", files={"a": ("a.jpg", painted(1))}, data=known).json()
    assert answer["b"]["sha256"] == api.fakes[1]
    assert len(answer["difference"]["regions"]) == 1
    both = {"a": ("a.png", png(1)), "b": ("b.png", png(1))}
    problem_of(api.client.post("/v1/compare", files=both, data=known), 422, "validation")
    for wrong, status, code in (("0" * 64, 404, "not-found"), ("abc", 422, "validation")):
        refused = api.client.post("/v1/compare", files={"a": ("a.png", png(1))}, data={"image_id": wrong})
        problem_of(refused, status, code)


def test_without_kept_originals_the_thumbnail_is_compared_and_that_is_said(start: Callable[..., Api]) -> None:
    lean = start(keep_originals=False)
    added = lean.client.post("/v1/images", files={"files": ("a.png", png(1))}).json()["files"][0]["sha256"]
    answer = lean.client.post("/v1/compare", files={"a": ("a.jpg", painted(1))}, data={"image_id": added}).json()
    assert "its thumbnail of 320 x 240 pixels was compared" in answer["difference"]["statements"][0]


def test_a_missing_or_bad_picture_is_explained(api: Api) -> None:
    problem_of(api.client.post("/v1/compare", files={"a": ("a.png", png(50))}), 422, "validation")
    broken = api.client.post("/v1/compare", files={"a": ("a.png", png(50)), "b": ("b.png", b"text")})
    assert problem_of(broken, 422, "image-rejected")["reason"] == "not_an_image"
    extra = api.client.post("/v1/compare", files={"a": ("a", png(50)), "b": ("b", png(50))}, data={"limit": "1"})
    problem_of(extra, 422, "validation")
    problem_of(api.client.post("/v1/compare", json={}), 415, "unsupported-media-type")
