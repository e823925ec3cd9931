"""/v1/campaigns: what the last clustering found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.campaigns import cluster
from indexer.detector import Detector
from indexer.settings import Settings
from tests.made_pictures import encoded, scene
from tests.search_api.served import Api, Loaded, problem_of, running


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


def test_a_reason_is_told_in_numbers_and_in_words(clustered: Api) -> None:
    campaign = clustered.client.get("/v1/campaigns").json()["items"][0]
    members = clustered.client.get(f"/v1/campaigns/{campaign['id']}/members").json()["items"]
    for member in members:
        for why, words in zip(member["why"], member["reasons"], strict=True):
            assert why["kind"] == "same_picture"
            assert words == f"same picture, PDQ {why['value']:.0f} (to {why['other'][:12]})"


@pytest.mark.parametrize("form", ["json", "html", "csv"])
@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("0001-01-01T00:00:00Z", 200),
        ("0001-01-01", 200),
        ("9999-12-31T23:59:59Z", 200),
        ("0001-01-01T00:00:00+14:00", 422),
        ("9999-12-31T23:59:59-14:00", 422),
        ("2026-01-01T00:00:00+14:00", 200),
    ],
)
def test_a_report_since_the_ends_of_time_is_right_or_refused(
    clustered: Api, since: str, status: int, form: str
) -> None:
    campaign = clustered.client.get("/v1/campaigns").json()["items"][0]
    address = f"/v1/campaigns/{campaign['id']}/report"
    answer = clustered.client.get(address, params={"since": since, "format": form})
    if status == 422:
        problem_of(answer, 422, "validation")
        return
    assert answer.status_code == 200
    if form == "json":
        assert answer.json()["news"]["images"] == (0 if since.startswith("9999") else 5)


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z"])
def test_every_other_time_at_the_ends_of_time_is_answered_or_refused(clustered: Api, since: str) -> None:
    for parameter in ("posted_from", "posted_to"):
        listed = clustered.client.get("/v1/images", params={parameter: since})
        searched = clustered.client.post("/v1/search", json={"pdq": "f0" * 32, "filters": {parameter: since}})
        assert listed.status_code in (200, 422)
        assert searched.status_code in (200, 422)
    image = clustered.client.get("/v1/images").json()["items"][0]["sha256"]
    seen = clustered.client.post(f"/v1/images/{image}/sightings", json={"posted_at": since, "platform": "odd"})
    assert seen.status_code in (201, 422)
    campaign = clustered.client.get("/v1/campaigns").json()["items"][0]["id"]
    assert clustered.client.get(f"/v1/campaigns/{campaign}/report", params={"format": "pdf"}).status_code == 200


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


@pytest.fixture(params=["sqlite", "postgresql"])
def deciding(
    request: pytest.FixtureRequest, common: dict[str, object], detector: Detector, tmp_path: Path
) -> Iterator[Api]:
    """A server on each kind of database with the same two campaigns, for one test that changes them."""
    given = dict(common)
    if request.param == "postgresql":
        given["database_url"] = request.getfixturevalue("postgresql_url")
    settings = Settings.load(home=tmp_path / "deciding", **given)
    workspace = Loaded(settings, detector)
    files = [
        ("files", (f"{seed}-{quality}.jpg", encoded(scene(seed), "JPEG", quality=quality)))
        for seed in (1, 2)
        for quality in (95, 85, 75)
    ]
    with running(settings, workspace) as own:
        own.client.post("/v1/images", files=files, data={"label": "fake", "stated_by": "desk"}).raise_for_status()
        cluster(workspace.catalog, workspace.index, settings)
        yield own


def test_analysts_decide_over_http_and_the_record_tells_it(deciding: Api) -> None:
    client, by = deciding.client, {"by": "ana", "note": "own eyes"}
    one, other = (campaign["id"] for campaign in client.get("/v1/campaigns").json()["items"])
    address = f"/v1/campaigns/{one}"

    upload = client.post(
        "/v1/images",
        files={"files": ("new.jpg", encoded(scene(1), "JPEG", quality=65))},
        data={"label": "fake", "stated_by": "desk"},
    ).json()
    new = upload["files"][0]["sha256"]
    (place,) = client.get(f"/v1/images/{new}").json()["campaigns"]
    assert place["state"] == "suggested"
    address = f"/v1/campaigns/{place['campaign']}"
    one, other = place["campaign"], ({one, other} - {place["campaign"]}).pop()

    def decide(status: int = 201, **body: object) -> dict[str, object]:
        answer = client.post(f"{address}/decisions", json={**by, **body})
        assert answer.status_code == status, answer.text
        found: dict[str, object] = answer.json()
        return found

    rejected = decide(kind="reject_member", images=[new])
    (listed,) = client.get(f"{address}/rejected").json()["items"]
    assert (listed["sha256"], listed["by"], listed["decision"]) == (new, "ana", rejected["id"])
    about = f"/v1/campaigns/decisions/{rejected['id']}"
    assert client.get(about).json() == rejected
    assert client.get(f"{about}/images").json()["items"] == [{"sha256": new, "was_in": one, "put_in": None}]
    contradiction = client.post(f"{address}/decisions", json={**by, "kind": "confirm_member", "images": [new]})
    assert f"by decision {rejected['id']} of ana" in str(problem_of(contradiction, 409, "conflict")["detail"])
    undone = client.post(f"/v1/campaigns/decisions/{rejected['id']}/undo", json=by)
    assert (undone.status_code, undone.json()["undoes"]) == (201, rejected["id"])
    decide(kind="confirm_member", images=[new])
    decide(kind="pin_member", images=[new])
    members = client.get(f"{address}/members").json()["items"]
    assert [member["state"] for member in members if member["sha256"] == new] == ["confirmed"]
    first = next(member["sha256"] for member in members if member["sha256"] != new)
    split = decide(kind="split", images=[first], name="A part")
    assert client.get(f"/v1/campaigns/{split['other']}").json()["name"] == "A part"
    client.post(f"/v1/campaigns/decisions/{split['id']}/undo", json=by).raise_for_status()
    decide(kind="merge", other=other)
    gone = problem_of(client.get(f"/v1/campaigns/{other}"), 410, "gone")
    assert gone["successor"] == one
    assert f"merged into {one}" in str(gone["detail"])
    problem_of(client.patch(f"/v1/campaigns/{other}", json={"name": "a"}), 410, "gone")
    assert client.get(f"/v1/campaigns/{other}/events").json()["items"][0]["kind"] == "merged"
    for kind in ("confirm", "pin", "close", "annotate"):
        decide(kind=kind)
    decide(kind="rename", name="Teapots")
    campaign = client.get(address).json()
    assert (campaign["name"], campaign["size"]) == ("Teapots", 7)
    assert (campaign["state"], campaign["confirmed"]) == ("closed", True)

    record, cursor = [], None
    while True:
        page = client.get(
            "/v1/campaigns/decisions", params={"limit": 4, **({"cursor": cursor} if cursor else {})}
        ).json()
        record += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [entry["id"] for entry in record] == list(range(12, 0, -1))
    assert {entry["by"] for entry in record} == {"ana"}
    assert record == client.get(f"{address}/decisions").json()["items"]


def test_decisions_that_make_no_sense_are_refused(clustered: Api) -> None:
    address = f"/v1/campaigns/{clustered.client.get('/v1/campaigns').json()['items'][0]['id']}/decisions"
    before = clustered.client.get(address).json()
    for body in (
        {"kind": "close"},
        {"kind": "explode", "by": "ana"},
        {"kind": "reject_member", "by": "ana", "images": []},
        {"kind": "reject_member", "by": "ana", "images": ["zzz"]},
        {"kind": "merge", "by": "ana"},
        {"kind": "close", "by": "ana", "surprise": 1},
    ):
        problem_of(clustered.client.post(address, json=body), 422, "validation")
    problem_of(clustered.client.post(address, json={"kind": "annotate", "by": "ana"}), 422, "usage")
    merge = {"kind": "merge", "by": "ana", "other": "cmp_none"}
    problem_of(clustered.client.post(address, json=merge), 404, "not-found")
    problem_of(clustered.client.get("/v1/campaigns/decisions/99"), 404, "not-found")
    problem_of(clustered.client.get("/v1/campaigns/decisions/99/images"), 404, "not-found")
    problem_of(clustered.client.post("/v1/campaigns/decisions/99/undo", json={"by": "ana"}), 404, "not-found")
    assert clustered.client.get(address).json() == before


@pytest.mark.parametrize(
    ("form", "media_type", "start"),
    [
        ("html", "text/html; charset=utf-8", b"<!doctype html>"),
        ("pdf", "application/pdf", b"%PDF-"),
        ("csv", "text/csv; charset=utf-8", b'"campaign"'),
        ("json", "application/json", b"{"),
    ],
)
def test_a_report_comes_in_the_format_asked_for_either_way(
    clustered: Api, form: str, media_type: str, start: bytes
) -> None:
    address = f"/v1/campaigns/{clustered.client.get('/v1/campaigns').json()['items'][0]['id']}/report"
    named = clustered.client.get(address, params={"format": form, "blur": True, "since": "2026-01-01"})
    accepted = clustered.client.get(address, headers={"Accept": f"{media_type.partition(';')[0]}, */*;q=0.1"})
    for answer in (named, accepted):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.content.startswith(start)
    assert "script-src" not in named.headers["content-security-policy"]
    assert "default-src 'none'" in named.headers["content-security-policy"]


def test_a_report_in_a_format_or_since_a_time_that_is_none_is_refused(clustered: Api) -> None:
    address = f"/v1/campaigns/{clustered.client.get('/v1/campaigns').json()['items'][0]['id']}/report"
    problem_of(clustered.client.get(address, params={"format": "docx"}), 422, "validation")
    problem_of(clustered.client.get(address, params={"since": "yesterday"}), 422, "validation")


def test_novelties_are_listed_by_kind(clustered: Api) -> None:
    assert clustered.client.get("/v1/novelties").json() == {"items": [], "next_cursor": None}
    problem_of(clustered.client.get("/v1/novelties", params={"kind": "odd"}), 422, "validation")
    problem_of(clustered.client.get("/v1/novelties", params={"cursor": "nonsense"}), 422, "usage")


def test_a_campaign_nobody_found_is_not_found(api: Api) -> None:
    for address in ("", "/members", "/report", "/events", "/decisions", "/rejected"):
        problem_of(api.client.get(f"/v1/campaigns/cmp_none{address}"), 404, "not-found")
    problem_of(api.client.patch("/v1/campaigns/cmp_none", json={"name": "a"}), 404, "not-found")
    problem_of(api.client.get("/v1/campaigns", params={"cursor": "nonsense"}), 422, "usage")
