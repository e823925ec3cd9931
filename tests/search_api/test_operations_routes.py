"""/healthz, /readyz, /metrics and /v1/detectors: what operators ask."""

import asyncio
from collections.abc import Callable
from threading import Event, Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event
from starlette.types import Message, Receive, Scope, Send

from indexer.detector import Detector
from indexer.errors import WeightsRefusedError
from indexer.index.vectors.snapshots import IDS
from indexer.workspace import Workspace
from search_api.layers.metrics import Metrics, RequestMetrics
from tests.made_pictures import png
from tests.search_api.served import Api, Loaded, fill, problem_of


def test_alive_answers_at_once_while_the_detector_still_loads(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = Event()
    load = Loaded.detector

    def slow(workspace: Workspace) -> Detector:
        let_go.wait(30)
        return load(workspace)

    monkeypatch.setattr(Loaded, "detector", slow)
    own = start()
    try:
        assert own.client.get("/healthz").json()["status"] == "alive"
        detail = problem_of(own.client.get("/readyz"), 503, "not-ready")["detail"]
        assert "still loading" in str(detail)
    finally:
        let_go.set()


def test_a_detector_that_cannot_be_used_is_told_by_readiness_only(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_workspace: Workspace) -> Detector:
        raise WeightsRefusedError("the weights of /srv/secret are not what the spec says")

    monkeypatch.setattr(Loaded, "detector", refused)
    own = start()
    service = own.client.get("/healthz")
    assert service.status_code == 200
    own.app.state.service._warming.join()
    answer = own.client.get("/readyz")
    assert "cannot be used" in str(problem_of(answer, 503, "not-ready")["detail"])
    assert "secret" not in answer.text
    problem_of(own.client.post("/v1/search", files={"image": ("a.png", png(1))}), 503, "weights-refused")
    assert own.client.get("/v1/images").status_code == 200


def test_ready_tells_the_index_once_all_is_there(api: Api) -> None:
    api.app.state.service._warming.join()
    api.client.post("/v1/search", files={"image": ("a.png", png(1))})
    api.app.state.service.workspace.index.settle()
    document = api.client.get("/readyz").json()
    assert document["status"] == "ready"
    assert (document["index"]["count"], document["index"]["state"]) == (9, "ready")


def test_readiness_fails_without_an_index_and_asking_builds_it(start: Callable[..., Api]) -> None:
    own = start()
    service = own.app.state.service
    service._warming.join()
    fill(own, own.fakes, range(1, 4), label="fake", stated_by="desk one")
    detail = problem_of(own.client.get("/readyz"), 503, "not-ready")["detail"]
    assert "index is missing" in str(detail)
    service.workspace.index.settle()
    assert own.client.get("/readyz").json()["index"]["state"] == "ready"


def test_readiness_fails_with_a_damaged_index_and_asking_mends_it(start: Callable[..., Api]) -> None:
    first = start()
    fill(first, first.fakes, range(1, 4), label="fake", stated_by="desk one")
    first.app.state.service.workspace.index.bring_up_to_date()
    (ids,) = first.settings.index_dir.glob(f"*/*/{IDS}")  # the detector's, not the copy index
    data = bytearray(ids.read_bytes())
    data[-1] ^= 1
    ids.write_bytes(data)
    second = start()
    service = second.app.state.service
    service._warming.join()
    detail = problem_of(second.client.get("/readyz"), 503, "not-ready")["detail"]
    assert "index is damaged" in str(detail)
    service.workspace.index.settle()
    assert second.client.get("/readyz").json()["index"]["state"] == "ready"


def test_metrics_count_requests_by_route_and_status_never_by_address(api: Api) -> None:
    api.client.get(f"/v1/images/{'0' * 64}")
    api.client.get("/some/address/of/a/scanner")
    samples = scraped(api)
    assert ("GET", "/v1/images/{sha256}", "404") in requests(samples)
    assert ("GET", "none", "404") in requests(samples)
    assert not any("0" * 64 in str(labels) or "scanner" in str(labels) for _, labels, _ in samples)


def test_metrics_tell_search_steps_and_sizes(api: Api) -> None:
    api.client.post("/v1/search", files={"image": ("a.png", png(1))})
    samples = scraped(api)
    steps = {labels["step"] for name, labels, _ in samples if name == "dejafake_search_step_seconds_count"}
    told = {"decode", "prepare", "hash", "provenance", "queue", "model", "index", "catalogue", "verdict"}
    assert told <= steps
    sizes = {name: value for name, labels, value in samples if not labels}
    assert sizes["dejafake_index_embeddings"] == 9
    assert 0 < sizes["dejafake_feature_index_images"] <= 9
    images = {labels["label"]: value for name, labels, value in samples if name == "dejafake_images"}
    assert images["fake"] == 6


def test_metrics_of_two_servers_do_not_mix(start: Callable[..., Api], api: Api) -> None:
    assert not requests(scraped(start())) & {("POST", "/v1/search", "200")}


def test_refused_requests_are_counted(api: Api) -> None:
    api.client.get("/v1/images", headers={"Host": "evil.example"})
    assert ("GET", "none", "421") in requests(scraped(api))


def test_an_index_that_is_gone_is_told_by_readiness_and_healed(start: Callable[..., Api]) -> None:
    own = start()
    fill(own, own.fakes, range(1, 3), label="fake", stated_by="desk")
    answer = own.client.get("/readyz")
    assert answer.status_code in (200, 503)
    own.client.post("/v1/search", files={"image": ("a.png", png(1))})
    own.app.state.service._warming.join()
    assert own.client.get("/v1/images").status_code == 200


def test_detectors_are_listed_with_the_one_in_use(api: Api) -> None:
    document = api.client.get("/v1/detectors").json()
    used = [listing for listing in document["known"] if listing["in_use"]]
    assert [listing["fingerprint"] for listing in used] == [document["in_use"]]
    assert "community-forensics-384" in {listing["spec"]["name"] for listing in document["known"]}
    counted = {entry["fingerprint"]: entry["embeddings"] for entry in document["in_catalogue"]}
    assert counted[document["in_use"]] == 9


def test_copy_descriptors_are_listed_with_the_one_in_use(api: Api) -> None:
    document = api.client.get("/v1/descriptors").json()
    assert document["problem"] is None
    used = [listing for listing in document["known"] if listing["in_use"]]
    assert [listing["fingerprint"] for listing in used] == [document["in_use"]]
    assert {"dejafake-copies", "sscd"} <= {listing["name"] for listing in document["known"]}


def scraped(api: Api) -> list[tuple[str, dict[str, str], float]]:
    answer = api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    ]


def requests(samples: list[tuple[str, dict[str, str], float]]) -> set[tuple[str, str, str]]:
    return {
        (labels["method"], labels["route"], labels["status"])
        for name, labels, _ in samples
        if name == "dejafake_http_requests_total"
    }


def test_readiness_and_metrics_count_nothing_and_wait_for_no_search(api: Api) -> None:
    scraped(api)  # the first one counts the catalogue, beside itself
    index = api.app.state.service.workspace.index
    index.refresh()
    index.settle()
    holding, done = Event(), Event()

    def hold() -> None:
        with index._live.catch_up():
            holding.set()
            done.wait(30)

    holder = Thread(target=hold)
    holder.start()
    made: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        made.append(" ".join(statement.lower().split()))

    assert holding.wait(30)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        ready = api.client.get("/readyz", timeout=20)
        told = {name for name, labels, _ in scraped(api) if not labels}
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        done.set()
        holder.join()
    assert ready.status_code == 200
    assert ready.json()["index"]["count"] == 9
    assert {"dejafake_index_embeddings", "dejafake_sightings"} <= told
    assert not [statement for statement in made if "count(" in statement or "sum(" in statement]


def test_a_request_is_counted_before_the_end_of_its_answer_is_sent() -> None:
    metrics = Metrics()
    counted: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    async def send(message: Message) -> None:
        counted.append(b'dejafake_http_requests_total{method="GET",route="none",status="200"} 1.0' in metrics.text())

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/"}
    asyncio.run(RequestMetrics(app, metrics)(scope, receive, send))
    assert counted == [False, False, True]
