"""`/v1/review`: every kind of thing that waits, decided over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from indexer.campaigns import cluster
from indexer.detector import Detector
from indexer.imaging.hashing import pdq_hash
from indexer.settings import Settings
from indexer.watching import Lookout
from tests.made_pictures import encoded, scene
from tests.search_api.served import Api, Loaded, problem_of, running


@pytest.fixture(scope="module")
def desk(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A campaign of three copies of scene 1; then scene 1 again without a label, scene 2, about which two desks
    disagree, scene 3, which a hash list has, and a watch that saw scene 4."""
    settings = Settings.load(home=tmp_path_factory.mktemp("review"), **common)
    workspace = Loaded(settings, detector)

    def upload(name: str, seed: int, quality: int, **said: str) -> None:
        file = (name, encoded(scene(seed), "JPEG", quality=quality))
        server.client.post("/v1/images", files={"files": file}, data=said).raise_for_status()

    with running(settings, workspace) as server:
        for quality in (95, 85, 75):
            upload(f"{quality}.jpg", 1, quality, label="fake", stated_by="desk")
        cluster(workspace.catalog, workspace.index, settings)
        upload("again.jpg", 1, 65)
        for desk_name, value in (("a", "fake"), ("b", "authentic")):
            upload("2.jpg", 2, 90, label=value, stated_by=desk_name)
        line = f"pdq {pdq_hash(scene(3)).hex}\n".encode()
        server.client.post("/v1/hash-lists", files={"file": ("l", line)}, data={"source": "Exchange"})
        server.client.post("/v1/watches", files={"image": ("4.png", encoded(scene(4)))}, data={"name": "four"})
        upload("3.jpg", 3, 90)
        upload("4.jpg", 4, 90)
        server.app.state.service.workspace.index.refresh()
        look(server)
        yield server


def look(server: Api) -> None:
    Lookout.of(server.app.state.service.workspace).look(datetime.now(UTC))


def items(server: Api, **asked: object) -> list[dict[str, object]]:
    """All that waits, three to a page."""
    found, cursor = [], None
    while True:
        page = server.client.get(
            "/v1/review", params={"limit": 3, "cursor": cursor, **asked} if cursor else {"limit": 3, **asked}
        )
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            return found


def test_everything_that_waits_is_in_one_queue_with_a_question_and_why(desk: Api) -> None:
    waiting = items(desk)
    kinds = [item["kind"] for item in waiting]
    assert list(dict.fromkeys(kinds)) == [
        "campaign_member", "watch_event", "disputed_label", "known_copy", "listed_hash",
    ]  # fmt: skip
    assert kinds.count("campaign_member") == 3
    assert all(item["question"].endswith("?") and item["why"] for item in waiting)
    by_kind = {item["kind"]: item for item in waiting}
    assert by_kind["known_copy"]["beside"]["label"]["value"] == "fake"
    assert by_kind["disputed_label"]["why"] == ["a says fake.", "b says authentic."]
    assert "Exchange" in by_kind["listed_hash"]["why"][0]
    assert by_kind["watch_event"]["watch_name"] == "four"
    assert items(desk, kind=["listed_hash"]) == [by_kind["listed_hash"]]
    counts = desk.client.get("/v1/review/counts").json()["waiting"]
    assert counts == {"campaign_member": 3, "watch_event": 1, "disputed_label": 1}


@pytest.mark.parametrize(
    ("kind", "choice", "label"),
    [
        ("known_copy", "yes", "fake"),
        ("listed_hash", "yes", "fake"),
        ("watch_event", "no", "unknown"),
        ("known_copy", "no", "unknown"),
    ],
)
def test_an_answer_labels_the_image_or_only_stays(desk: Api, kind: str, choice: str, label: str) -> None:
    (item,) = items(desk, kind=[kind])
    done = desk.client.post(f"/v1/review/{item['id']}/decision", json={"choice": choice, "by": "Nadia"})
    assert done.status_code == 201, done.text
    sha256 = item["image"]["sha256"]
    assert desk.client.get(f"/v1/images/{sha256}").json()["image"]["label"]["value"] == label
    assert items(desk, kind=[kind]) == []
    again = desk.client.post(f"/v1/review/{item['id']}/decision", json={"choice": "no", "by": "Omar"})
    assert "Nadia decided about this already" in str(problem_of(again, 409, "conflict")["detail"])
    number = done.json()["number"]
    assert desk.client.post(f"/v1/review/decisions/{number}/undo", json={"by": "Omar"}).status_code == 201
    assert [each["id"] for each in items(desk, kind=[kind])] == [item["id"]]
    assert desk.client.get("/v1/review/decisions").json()["items"][0]["undone_by"] == "Omar"


def test_what_is_for_one_person_is_listed_alone(desk: Api) -> None:
    item = items(desk)[0]
    address = f"/v1/review/{item['id']}/assignment"
    assert desk.client.put(address, json={"person": "Omar", "by": "Lead"}).json()["person"] == "Omar"
    assert [each["id"] for each in items(desk, assigned_to="Omar")] == [item["id"]]
    desk.client.put(address, json={"person": None, "by": "Lead"})
    assert items(desk, assigned_to="Omar") == []


def test_bad_ids_and_cursors_are_told(desk: Api) -> None:
    problem_of(desk.client.post("/v1/review/nothing/decision", json={"choice": "yes", "by": "x"}), 422, "usage")
    problem_of(desk.client.get("/v1/review", params={"cursor": "nothing"}), 422, "usage")
    problem_of(desk.client.post("/v1/review/decisions/999999/undo", json={"by": "x"}), 404, "not-found")
