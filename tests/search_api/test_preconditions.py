"""ETag, If-Match and If-None-Match: whoever changes what somebody else changed meanwhile is told, and loses nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
import pytest

from indexer.campaigns import cluster
from indexer.detector import Detector
from indexer.settings import Settings
from tests.made_pictures import encoded, png, scene
from tests.search_api.served import Api, Loaded, problem_of, running
from tests.search_api.test_admission import routes

CONDITIONAL = {
    ("PATCH", "/v1/images/{sha256}"),
    ("DELETE", "/v1/images/{sha256}"),
    ("POST", "/v1/images/{sha256}/sightings"),
    ("PATCH", "/v1/campaigns/{campaign_id}"),
    ("POST", "/v1/campaigns/{campaign_id}/decisions"),
    ("POST", "/v1/campaigns/decisions/{number}/undo"),
    ("POST", "/v1/collections/{name}/images"),
    ("DELETE", "/v1/collections/{name}/images/{sha256}"),
    ("DELETE", "/v1/collections/{name}"),
    ("DELETE", "/v1/collections"),
    ("PATCH", "/v1/watches/{watch}"),
    ("DELETE", "/v1/watches/{watch}"),
    ("DELETE", "/v1/hash-lists"),
    ("DELETE", "/v1/hash-lists/{name}"),
    ("DELETE", "/v1/enrich/{job}"),
    ("PUT", "/v1/review/{item}/assignment"),
}
"""These change something that can be read before, and take If-Match."""
CHANGES_NOTHING = {
    ("POST", "/v1/search"),
    ("POST", "/v1/search/region"),
    ("POST", "/v1/compare"),
    ("POST", "/v1/images/export"),
    ("POST", "/ask"),
    ("POST", "/ask/region"),
    ("POST", "/compare"),
    ("POST", "/images/chosen/export"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("POST", "/preferences"),
}
"""These ask, or concern this browser only."""
MAKES_OR_ADDS = {
    ("POST", "/v1/images"),
    ("POST", "/v1/enrich"),
    ("POST", "/v1/watches"),
    ("POST", "/v1/collections"),
    ("POST", "/v1/hash-lists"),
    ("POST", "/ask/add"),
}
"""These make something new, or add to it what overwrites nothing, in many transactions."""
OF_MANY = {
    ("POST", "/v1/images/changes"),
    ("POST", "/images/chosen/label"),
    ("POST", "/images/chosen/collect"),
    ("POST", "/images/chosen/uncollect"),
}
"""These add to many images at once: no single version could say what they depend on. They overwrite nothing."""
FORMS = {
    ("POST", "/images/{sha256}/labels"),
    ("POST", "/images/{sha256}/sightings"),
    ("POST", "/images/{sha256}/collections"),
    ("POST", "/images/{sha256}/delete"),
    ("POST", "/campaigns/{campaign_id}/decisions"),
}
"""These carry the version that their page was rendered with."""
ONCE = {
    ("POST", "/campaigns/decisions/{number}/undo"),
    ("POST", "/v1/review/{item}/decision"),
    ("POST", "/v1/review/decisions/{number}/undo"),
    ("POST", "/review/{item}/decision"),
    ("POST", "/review/decisions/{number}/undo"),
}
"""These happen once: the second one is refused with 409 and the name of who was first, whatever was read before."""
LAST_ONE_COUNTS = {("POST", "/review/{item}/assignment")}
"""Names one person; the page shows who it is before."""

Edit = Callable[[httpx.Client, dict[str, str]], httpx.Response]


@pytest.fixture(scope="module")
def own(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with a campaign of five copies, and one other image (`fakes[9]`)."""
    settings = Settings.load(home=tmp_path_factory.mktemp("versions"), **common)
    files = [
        ("files", (f"{quality}.jpg", encoded(scene(1), "JPEG", quality=quality))) for quality in range(95, 45, -10)
    ]
    workspace = Loaded(settings, detector)
    with running(settings, workspace) as server:
        said = {"label": "fake", "stated_by": "desk"}
        server.client.post("/v1/images", files=files, data=said).raise_for_status()
        cluster(workspace.catalog, workspace.index, settings)
        server.client.post("/v1/images", files={"files": ("9.png", png(9))}).raise_for_status()
        server.fakes[9] = server.client.get("/v1/images").json()["items"][0]["sha256"]
        yield server


def label(value: str, by: str) -> dict[str, object]:
    return {"label": {"value": value, "stated_by": by}}


def test_every_route_that_edits_says_whether_it_takes_if_match(api: Api) -> None:
    told = CONDITIONAL | CHANGES_NOTHING | MAKES_OR_ADDS | OF_MANY | FORMS | ONCE | LAST_ONE_COUNTS
    editing = {(method, path) for method, path in routes(api) if method not in ("GET", "HEAD")}
    assert editing - told == set(), "do these change what somebody may have read before?"
    assert told - editing == set()
    described = api.client.get("/openapi.json").json()["paths"]
    taking = {
        (method.upper(), path)
        for path, operations in described.items()
        for method, operation in operations.items()
        if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ()))
    }
    assert taking == CONDITIONAL
    assert all("412" in described[path][method.lower()]["responses"] for method, path in CONDITIONAL)


def test_a_change_goes_through_with_the_present_etag_and_not_with_an_older_one(own: Api) -> None:
    address = f"/v1/images/{own.fakes[9]}"
    read = own.client.get(address).headers["ETag"]
    assert own.client.get(address, headers={"If-None-Match": f'"other", W/{read}'}).status_code == 304
    first = own.client.patch(address, json=label("fake", "Nadia"), headers={"If-Match": read})
    assert first.status_code == 200
    assert first.headers["ETag"] == own.client.get(address).headers["ETag"] != read
    refused = own.client.patch(address, json=label("authentic", "Omar"), headers={"If-Match": read})
    problem = problem_of(refused, 412, "precondition-failed")
    (change,) = problem["changes"]  # type: ignore[misc]
    assert (change["what"], change["value"], change["by"]) == ("label", "fake", "Nadia")
    assert "Nadia" in str(problem["detail"])
    assert refused.headers["ETag"] == first.headers["ETag"]
    assert [said["source"] for said in own.client.get(address).json()["labels"]] == ["Nadia"]
    assert own.client.get(address, headers={"If-None-Match": read}).status_code == 200
    sighting = own.client.post(f"{address}/sightings", json={"account": "@a"}, headers={"If-Match": read})
    problem_of(sighting, 412, "precondition-failed")
    problem_of(own.client.delete(address, headers={"If-Match": read}), 412, "precondition-failed")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{}", 200),
        ('"a" , {}', 200),
        ('"a",,{},', 200),
        ("*", 200),
        ("W/{}", 412),
        ('"a"', 412),
        ('"a,b"', 412),
        ("abc", 400),
        ("*, {}", 400),
        ('"a" "b"', 400),
        ("", 400),
    ],
)
def test_if_match_is_read_as_rfc_9110_says(own: Api, form: str, status: int) -> None:
    address = f"/v1/images/{own.fakes[9]}"
    given = form.format(own.client.get(address).headers["ETag"])
    body = {"add_to_collections": ["same"]}
    assert own.client.patch(address, json=body, headers={"If-Match": given}).status_code == status


def test_what_does_not_exist_is_missing_whatever_the_condition(own: Api) -> None:
    lost = own.client.patch(f"/v1/images/{'0' * 64}", json=label("fake", "a"), headers={"If-Match": '"a"'})
    problem_of(lost, 404, "not-found")
    problem_of(own.client.delete(f"/v1/images/{'0' * 64}", headers={"If-Match": '"a"'}), 404, "not-found")


def test_campaigns_their_decisions_and_undos(own: Api) -> None:
    campaign = own.client.get("/v1/campaigns").json()["items"][0]["id"]
    address = f"/v1/campaigns/{campaign}"
    member = own.client.get(f"{address}/members").json()["items"][0]["sha256"]
    read = {"If-Match": own.client.get(address).headers["ETag"]}
    confirm = {"kind": "confirm_member", "by": "Nadia", "images": [member]}
    decided = own.client.post(f"{address}/decisions", json=confirm, headers=read)
    assert decided.status_code == 201
    note = {"kind": "annotate", "by": "Omar", "note": "n"}
    refused = problem_of(own.client.post(f"{address}/decisions", json=note, headers=read), 412, "precondition-failed")
    assert [(change["value"], change["by"]) for change in refused["changes"]] == [("confirm_member", "Nadia")]  # type: ignore[attr-defined]
    rename = {"name": "Harbour", "by": "Omar"}
    problem_of(own.client.patch(address, json=rename, headers=read), 412, "precondition-failed")
    now = {"If-Match": own.client.get(address).headers["ETag"]}
    renamed = own.client.patch(address, json=rename, headers=now)
    assert renamed.headers["ETag"] == own.client.get(address).headers["ETag"]
    decision = f"/v1/campaigns/decisions/{decided.json()['id']}"
    read = {"If-Match": own.client.get(decision).headers["ETag"]}
    assert own.client.post(f"{decision}/undo", json={"by": "Nadia"}, headers=read).status_code == 201
    problem_of(own.client.post(f"{decision}/undo", json={"by": "Omar"}, headers=read), 412, "precondition-failed")


def test_who_is_to_look_at_an_item(own: Api) -> None:
    address = f"/v1/review/{own.client.get('/v1/review').json()['items'][0]['id']}/assignment"
    read = own.client.get(address).headers["ETag"]
    first = own.client.put(address, json={"person": "Nadia", "by": "Lead"}, headers={"If-Match": read})
    assert first.headers["ETag"] == own.client.get(address).headers["ETag"]
    second = own.client.put(address, json={"person": "Omar", "by": "Lead"}, headers={"If-Match": read})
    problem_of(second, 412, "precondition-failed")
    assert own.client.get(address).json() == {"person": "Nadia"}


def test_collections_watches_hash_lists_and_jobs(own: Api) -> None:
    client, image = own.client, own.fakes[9]
    watch = client.post("/v1/watches", json={"name": "w", "image_id": image}).json()["id"]
    client.post("/v1/hash-lists", files={"file": ("l", f"sha256 {'1' * 64}\n")}, data={"source": "a/b"})
    client.post("/v1/hash-lists", files={"file": ("l", f"sha256 {'1' * 64}\n")}, data={"source": "c"})
    job = client.post("/v1/enrich", json={"rows": [{"sha256": image}]}).json()["links"]["self"]
    for name in ("team", "d"):
        client.post("/v1/collections", json={"name": name}).raise_for_status()
    edits: list[tuple[str, Edit]] = [
        (
            "/v1/collections/team",
            lambda c, h: c.post("/v1/collections/team/images", json={"sha256": [image]}, headers=h),
        ),
        ("/v1/collections/team", lambda c, h: c.delete(f"/v1/collections/team/images/{image}", headers=h)),
        ("/v1/collections/team", lambda c, h: c.delete("/v1/collections/team", headers=h)),
        ("/v1/collections/d", lambda c, h: c.delete("/v1/collections", params={"name": "d"}, headers=h)),
        (f"/v1/watches/{watch}", lambda c, h: c.patch(f"/v1/watches/{watch}", json={"paused": True}, headers=h)),
        (f"/v1/watches/{watch}", lambda c, h: c.delete(f"/v1/watches/{watch}", headers=h)),
        ("/v1/hash-lists/a/b", lambda c, h: c.delete("/v1/hash-lists/a/b", headers=h)),
        ("/v1/hash-lists/c", lambda c, h: c.delete("/v1/hash-lists", params={"name": "c"}, headers=h)),
        (job, lambda c, h: c.delete(job, headers=h)),
    ]
    for address, edit in edits:
        before = client.get(address)
        problem_of(edit(client, {"If-Match": '"older"'}), 412, "precondition-failed")
        assert client.get(address).status_code == 200, address
        tag = client.get(address).headers["ETag"] if address == job else before.headers["ETag"]
        assert edit(client, {"If-Match": tag}).is_success, address
        after = client.get(address)
        assert after.status_code == 404 or after.headers["ETag"] != tag


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_two_writers_at_two_servers_one_passes(
    common: dict[str, object],
    detector: Detector,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    database: str,
) -> None:
    url = {"database_url": request.getfixturevalue("postgresql_url")} if database == "postgresql" else {}
    settings = Settings.load(**{"home": tmp_path / "home", **common, **url})
    with running(settings, Loaded(settings, detector)) as one, running(settings, Loaded(settings, detector)) as two:
        one.client.post("/v1/images", files={"files": ("a.png", png(1))}).raise_for_status()
        address = f"/v1/images/{one.client.get('/v1/images').json()['items'][0]['sha256']}"
        for attempt in range(5):
            tag = one.client.get(address).headers["ETag"]
            assert two.client.get(address).headers["ETag"] == tag
            together = Barrier(2)

            def state(server: Api, tag: str = tag, attempt: int = attempt, together: Barrier = together) -> int:
                together.wait()
                body = label("fake", f"{server.url} {attempt}")
                return server.client.patch(address, json=body, headers={"If-Match": tag}).status_code

            with ThreadPoolExecutor(2) as pool:
                assert sorted(pool.map(state, (one, two))) == [200, 412]
        assert len(one.client.get(address).json()["labels"]) == 5
