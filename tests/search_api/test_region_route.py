"""POST /v1/search/region: which known fakes contain what a box on a picture shows?"""

from collections.abc import Callable

import httpx
from made_pictures import encoded, scene
from served import Api, problem_of

from indexer.region_search import prepare_regions
from indexer.workspace import Workspace

BOX = (120, 60, 330, 260)


def suspicious(seed: int) -> bytes:
    """Another picture with a part of a known one in it, where it was."""
    picture = scene(200 + seed)
    picture.paste(scene(seed).crop(BOX), BOX[:2])
    return encoded(picture, "JPEG", quality=85)


def test_a_box_finds_what_was_prepared(start: Callable[..., Api]) -> None:
    api = start()
    known = encoded(scene(1))
    upload = {"label": "fake", "stated_by": "desk"}
    sha256 = api.client.post("/v1/images", files={"files": ("a.png", known)}, data=upload).json()["files"][0]["sha256"]
    sides = dict(zip(("left", "top", "right", "bottom"), map(str, BOX), strict=True))

    def ask(**fields: str) -> httpx.Response:
        return api.client.post("/v1/search/region", files={"image": suspicious(1)}, data=sides | fields)

    refused = problem_of(ask(), 422, "usage")
    assert str(refused["detail"]).startswith("no known fake is prepared")
    with Workspace(api.settings) as workspace:
        prepare_regions(workspace)
    answer = ask(limit="1").json()
    assert [match["image"]["image"]["sha256"] for match in answer["matches"]] == [sha256]
    assert answer["matches"][0]["firm"]
    assert "480 x 360" in str(problem_of(ask(right="9000"), 422, "usage")["detail"])
    problem_of(ask(left="here"), 422, "validation")
