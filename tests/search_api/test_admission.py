"""Every route that takes pictures, decodes them or runs the model is admitted, before its body is read."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest
from fastapi.routing import APIRoute

from search_api.layers.admission import Lane
from search_api.web.site import page_modules
from tests.made_pictures import png
from tests.search_api.served import Api, problem_of

SEARCHING = {("POST", "/v1/search"), ("POST", "/ask")}
HEAVY = {
    ("POST", "/v1/search/region"),
    ("POST", "/v1/compare"),
    ("GET", "/v1/compare"),
    ("GET", "/v1/accounts/links"),
    ("GET", "/accounts"),
    ("POST", "/v1/images"),
    ("POST", "/v1/enrich"),
    ("POST", "/v1/watches"),
    ("POST", "/v1/hash-lists"),
    ("GET", "/v1/images/{sha256}/heatmap"),
    ("GET", "/v1/images/{sha256}/picture"),
    ("GET", "/v1/campaigns/{campaign_id}/report"),
    ("POST", "/ask/region"),
    ("GET", "/compare"),
    ("POST", "/compare"),
    ("POST", "/ask/add"),
    ("GET", "/campaigns/{campaign_id}/report"),
}
LIGHT = {
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/v1/status"),
    ("GET", "/status"),
    ("GET", "/v1/images"),
    ("GET", "/v1/images/facets"),
    ("POST", "/v1/images/changes"),
    ("POST", "/v1/images/export"),
    ("POST", "/images/chosen/label"),
    ("POST", "/images/chosen/collect"),
    ("POST", "/images/chosen/uncollect"),
    ("POST", "/images/chosen/export"),
    ("GET", "/v1/images/{sha256}"),
    ("PATCH", "/v1/images/{sha256}"),
    ("DELETE", "/v1/images/{sha256}"),
    ("GET", "/v1/images/{sha256}/thumbnail"),
    ("GET", "/v1/images/{sha256}/similar"),
    ("GET", "/v1/images/{sha256}/history"),
    ("GET", "/v1/images/{sha256}/sightings"),
    ("POST", "/v1/images/{sha256}/sightings"),
    ("GET", "/ask"),
    ("GET", "/ask/region"),
    ("GET", "/find"),
    ("GET", "/images"),
    ("GET", "/images/{sha256}"),
    ("GET", "/images/{sha256}/similar"),
    ("GET", "/images/{sha256}/delete"),
    ("POST", "/images/{sha256}/delete"),
    ("POST", "/images/{sha256}/labels"),
    ("POST", "/images/{sha256}/sightings"),
    ("POST", "/images/{sha256}/collections"),
    ("GET", "/review"),
    ("POST", "/review/{item}/decision"),
    ("POST", "/review/{item}/assignment"),
    ("POST", "/review/decisions/{number}/undo"),
    ("GET", "/campaigns"),
    ("GET", "/campaigns/{campaign_id}"),
    ("POST", "/campaigns/{campaign_id}/decisions"),
    ("POST", "/campaigns/decisions/{number}/undo"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("POST", "/preferences"),
}
"""Neither decode a picture nor run the model nor take files. A route that is in none of these lists fails a test."""
LIGHT_ROOMS = ("/v1/enrich/", "/v1/watches", "/v1/campaigns", "/v1/novelties", "/v1/collections", "/v1/detectors")
LIGHT_ROOMS += ("/v1/review", "/v1/descriptors", "/v1/calibrations", "/v1/hash-lists", "/v1/hashes")
FORM = b"Host: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"


def routes(own: Api) -> set[tuple[str, str]]:
    """Method and path of every route, those of the pages included."""
    described = own.client.get("/openapi.json").json()["paths"]
    found = {(method.upper(), path) for path, operations in described.items() for method in operations}
    pages = [route for module in page_modules() for route in module.router.routes if isinstance(route, APIRoute)]
    return found | {(method, route.path) for route in pages for method in route.methods - {"HEAD"}}


def test_every_route_says_whether_it_is_admitted(api: Api) -> None:
    told = SEARCHING | HEAVY | LIGHT
    unsaid = {(method, path) for method, path in routes(api) - told if not path.startswith(LIGHT_ROOMS)}
    assert not unsaid, "are these admitted?"
    assert routes(api) >= told


def test_every_route_that_takes_files_is_among_the_admitted(api: Api) -> None:
    described = api.client.get("/openapi.json").json()["paths"]
    for path, operations in described.items():
        for method, operation in operations.items():
            if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
                assert (method.upper(), path) in SEARCHING | HEAVY


@pytest.mark.parametrize(("method", "path"), sorted(SEARCHING | HEAVY))
def test_one_too_many_is_refused_before_its_body_is_read(
    scratch: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    service = scratch.app.state.service
    lane: Lane = service.searching if (method, path) in SEARCHING else service.heavy
    scratch.client.post("/v1/images", files={"files": ("a.png", png(90))})
    sha256 = scratch.client.get("/v1/images").json()["items"][0]["sha256"]
    address = path.format(sha256=sha256, campaign_id="cmp_x")
    if method == "GET" and path.endswith("/compare"):
        address += f"?a={sha256}&b={sha256}"
    monkeypatch.setattr(lane, "taken", 10_000)
    with socket.create_connection(("127.0.0.1", int(scratch.url.rsplit(":", 1)[1])), timeout=60) as asking:
        asking.sendall(
            f"{method} {address} HTTP/1.1\r\n".encode() + (FORM if method == "POST" else FORM[:17] + b"\r\n")
        )
        told = asking.recv(65_536)
    assert told.startswith(b"HTTP/1.1 503 "), told
    assert b"retry-after: " in told.lower()


def test_heavy_work_leaves_searches_their_threads(start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    own = start(threads=2, heavy_requests_max=3)
    held, entered = Event(), Event()

    def slow(*_given: object) -> None:
        entered.set()
        assert held.wait(60)
        raise MemoryError

    monkeypatch.setattr("search_api.routes.compare.compare_pictures", slow)
    two = {"a": ("a.png", png(1)), "b": ("b.png", png(2))}
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(httpx.post, f"{own.url}/v1/compare", files=two, timeout=60) for _ in range(3)]
        try:
            assert entered.wait(60)
            while own.app.state.service.heavy.taken < 3:
                assert own.client.get("/healthz").status_code == 200
            assert own.client.post("/v1/search", files={"image": ("a.png", png(3))}).status_code == 200
            problem_of(own.client.post("/v1/compare", files=two), 503, "service-unavailable")
        finally:
            held.set()
        assert [one.result().status_code for one in waiting] == [500] * 3
    monkeypatch.undo()
    assert own.app.state.service.heavy.taken == 0
    assert own.client.post("/v1/compare", files=two).status_code == 200


def test_those_who_send_slowly_take_no_place(start: Callable[..., Api]) -> None:
    own = start(waiting_pictures_max=1)
    with socket.create_connection(("127.0.0.1", int(own.url.rsplit(":", 1)[1]))) as slow:
        slow.sendall(b"POST /v1/search HTTP/1.1\r\n" + FORM + b"--b\r\n")
        assert own.client.get("/healthz").status_code == 200
        assert own.client.post("/v1/search", files={"image": ("a.png", png(1))}).status_code == 200
