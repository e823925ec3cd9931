"""The API over a PostgreSQL catalogue says what it says over SQLite."""

from collections.abc import Callable

from tests.made_pictures import png, recompressed
from tests.search_api.served import Api, fill


def test_upload_search_label_and_delete_on_postgresql(start: Callable[..., Api], postgresql_url: str) -> None:
    own = start(database_url=postgresql_url)
    fill(own, own.fakes, range(1, 4), label="fake", stated_by="desk one", platform="example-social")
    answer = own.client.post("/v1/search", files={"image": ("a.jpg", recompressed(2))}).json()
    assert answer["verdict"]["outcome"] == "known_fake_match"
    assert answer["matches"][0]["image"]["image"]["sha256"] == own.fakes[2]
    listed = own.client.get("/v1/images", params={"platform": "example-social", "limit": 2}).json()
    assert len(listed["items"]) == 2
    assert listed["next_cursor"]
    assert own.client.delete(f"/v1/images/{own.fakes[2]}").status_code == 204
    after = own.client.post("/v1/search", files={"image": ("a.png", png(2))}).json()
    assert own.fakes[2] not in {match["image"]["image"]["sha256"] for match in after["matches"]}
