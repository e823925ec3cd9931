"""Searching and ingesting at the same time, by several clients."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.made_pictures import png
from tests.search_api.served import Api, fill


def test_searches_stay_right_while_pictures_come_in(start: Callable[..., Api]) -> None:
    own = start(batch_size=2)
    fill(own, own.fakes, range(1, 4), label="fake", stated_by="desk")

    def ingest(first: int) -> int:
        files = [("files", (f"{seed}.png", png(seed))) for seed in range(first, first + 4)]
        with httpx.Client(base_url=own.url, timeout=120) as client:
            return int(client.post("/v1/images", files=files).json()["added"])

    def search(turn: int) -> bool:
        seed = 1 + turn % 3
        with httpx.Client(base_url=own.url, timeout=120) as client:
            answer = client.post("/v1/search", files={"image": ("a.png", png(seed))}).json()
        return bool(answer["matches"][0]["image"]["image"]["sha256"] == own.fakes[seed])

    def alive(_turn: int) -> bool:
        return httpx.get(f"{own.url}/healthz", timeout=60).status_code == 200

    with ThreadPoolExecutor(8) as pool:
        ingests = [pool.submit(ingest, first) for first in (20, 24)]
        searches = [pool.submit(search, turn) for turn in range(6)]
        pings = [pool.submit(alive, turn) for turn in range(6)]
        assert sum(future.result() for future in ingests) == 8
        assert all(future.result() for future in searches)
        assert all(future.result() for future in pings)
    page = own.client.get("/v1/images", params={"limit": 100}).json()
    assert len(page["items"]) == 11


def test_deleting_while_searching_never_breaks_an_answer(start: Callable[..., Api]) -> None:
    own = start()
    fill(own, own.fakes, range(1, 5), label="fake", stated_by="desk")

    def search(_turn: int) -> int:
        with httpx.Client(base_url=own.url, timeout=120) as client:
            return client.post("/v1/search", files={"image": ("a.png", png(1))}).status_code

    with ThreadPoolExecutor(4) as pool:
        searches = [pool.submit(search, turn) for turn in range(5)]
        for seed in (2, 3, 4):
            assert own.client.delete(f"/v1/images/{own.fakes[seed]}").status_code == 204
        assert {future.result() for future in searches} == {200}
    answer = own.client.post("/v1/search", files={"image": ("a.png", png(1))}, data={"limit": "50"}).json()
    assert [match["image"]["image"]["sha256"] for match in answer["matches"]] == [own.fakes[1]]
