"""/v1/campaigns: what the last clustering found."""

from collections.abc import Iterator

import pytest
from made_pictures import encoded, scene
from served import Api, Loaded, problem_of, running

from indexer.campaigns import cluster
from indexer.detector import Detector
from indexer.settings import Settings


@pytest.fixture(scope="module")
def clustered(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server whose catalogue has two campaigns: five and three copies of one picture each."""
    settings = Settings.load(home=tmp_path_factory.mktemp("clustered"), **common)
    said = {"label": "fake", "stated_by": "desk", "platform": "Somegram", "posted_at": "2026-03-01"}
    files = [
        ("files", (f"{seed}-{quality}.jpg", encoded(scene(seed), "JPEG", quality=quality)))
        for seed, copies in ((1, 5), (2, 3))
        for quality in (95, 85, 75, 65, 55)[:copies]
    ]
    workspace = Loaded(settings, detector)
    with running(settings, workspace) as own:
        own.client.post("/v1/images", files=files, data=said).raise_for_status()
        cluster(workspace.catalog, workspace.index, settings)
        yield own


def test_campaigns_are_listed_largest_first_page_by_page(clustered: Api) -> None:
    first = clustered.client.get("/v1/campaigns", params={"limit": 1}).json()
    second = clustered.client.get("/v1/campaigns", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [page["items"][0]["size"] for page in (first, second)] == [5, 3]
    assert second["next_cursor"] is None
    assert first["items"][0]["id"].startswith("cmp_")
    assert first["items"][0]["platforms"] == ["Somegram"]


def test_members_come_with_their_reasons_and_lead_back_to_the_campaign(clustered: Api) -> None:
    campaign = clustered.client.get("/v1/campaigns").json()["items"][0]
    members = clustered.client.get(f"/v1/campaigns/{campaign['id']}/members").json()["items"]
    assert len(members) == 5
    assert members[0]["exemplar"]
    assert all(member["reasons"] for member in members if not member["exemplar"])
    found = clustered.client.post("/v1/search", json={"image_id": members[0]["sha256"]}).json()["matches"][0]
    assert found["campaign_links"] == [f"/v1/campaigns/{campaign['id']}"]
    assert clustered.client.get(found["campaign_links"][0]).json() == campaign


def test_a_new_name_leaves_the_id(clustered: Api) -> None:
    campaign = clustered.client.get("/v1/campaigns").json()["items"][0]
    address = f"/v1/campaigns/{campaign['id']}"
    renamed = clustered.client.patch(address, json={"name": "Two suns <b>"}).json()
    assert (renamed["id"], renamed["name"]) == (campaign["id"], "Two suns <b>")
    assert clustered.client.get(address).json()["name"] == "Two suns <b>"
    problem_of(clustered.client.patch(address, json={"name": " "}), 422, "validation")


def test_the_report_tells_members_sightings_and_limits(clustered: Api) -> None:
    campaign = clustered.client.get("/v1/campaigns").json()["items"][0]
    report = clustered.client.get(f"/v1/campaigns/{campaign['id']}/report").json()
    assert report["campaign"] == campaign
    assert len(report["members"]) == report["sightings"] == 5
    assert report["platforms"] == [{"value": "Somegram", "count": 5}]
    assert report["limits"]


def test_a_campaign_nobody_found_is_not_found(api: Api) -> None:
    for address in ("", "/members", "/report"):
        problem_of(api.client.get(f"/v1/campaigns/cmp_none{address}"), 404, "not-found")
    problem_of(api.client.patch("/v1/campaigns/cmp_none", json={"name": "a"}), 404, "not-found")
    problem_of(api.client.get("/v1/campaigns", params={"cursor": "nonsense"}), 422, "usage")
