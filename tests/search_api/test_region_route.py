"""POST /v1/search/region: which known fakes contain what a box on a picture shows?"""

from collections.abc import Callable

import httpx

from tests.made_pictures import encoded, scene
from tests.search_api.served import Api, problem_of

BOX = (120, 60, 330, 260)


def suspicious(seed: int) -> bytes:
    """Another picture with a part of a known one in it, where it was."""
    picture = scene(200 + seed)
    picture.paste(scene(seed).crop(BOX), BOX[:2])
    return encoded(picture, "JPEG", quality=85)


def test_a_box_finds_the_known_fake_it_came_from(start: Callable[..., Api]) -> None:
    api = start()
    sides = dict(zip(("left", "top", "right", "bottom"), map(str, BOX), strict=True))

    def ask(**fields: str) -> httpx.Response:
        return api.client.post("/v1/search/region", files={"image": suspicious(1)}, data=sides | fields)

    refused = problem_of(ask(), 422, "usage")
    assert str(refused["detail"]).startswith("no known fake is prepared")
    upload = {"label": "fake", "stated_by": "desk"}
    known = {"files": ("a.png", encoded(scene(1)))}
    sha256 = api.client.post("/v1/images", files=known, data=upload).json()["files"][0]["sha256"]
    answer = ask(limit="1").json()
    assert [match["image"]["image"]["sha256"] for match in answer["matches"]] == [sha256]
    assert answer["matches"][0]["inliers"] >= 5
    assert "480 x 360" in str(problem_of(ask(right="9000"), 422, "usage")["detail"])
    problem_of(ask(left="here"), 422, "validation")
    most = api.settings.search_limit_max
    assert len(ask(limit=str(most)).json()["matches"]) == 1
    assert f"limit is 1 to {most}" in str(problem_of(ask(limit=str(most + 1)), 422, "usage")["detail"])
    service = api.app.state.service
    assert service.regions is service.regions
