"""Pictures that arrive while the model is busy share the next pass; neither the rest nor each other suffer."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

import httpx
import pytest

from indexer.detector import Detector
from indexer.detector.shared_passes import SharedPasses
from tests.gated_detectors import Gated
from tests.made_pictures import png
from tests.search_api.served import Api, Loaded, problem_of


@pytest.fixture
def gated(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gated]:
    held = Gated(detector)
    monkeypatch.setattr(Loaded, "detector", lambda _workspace: held)
    yield held
    held.gate.set()


def ask(own: Api, picture: bytes) -> httpx.Response:
    return httpx.post(f"{own.url}/v1/search", files={"image": ("asked.png", picture)}, timeout=60)


def passes_of(own: Api) -> SharedPasses:
    passes: SharedPasses = own.app.state.service.workspace.passes
    return passes


def until(holds: Callable[[], bool], asked: list[Future[httpx.Response]], own: Api) -> None:
    """Until it holds; meanwhile the server answers others, which would wait for ever were its event loop blocked."""
    give_up = monotonic() + 60
    while not holds():
        assert monotonic() < give_up
        assert not any(one.done() for one in asked), [one.result().text for one in asked if one.done()]
        assert own.client.get("/healthz").status_code == 200


def test_pictures_that_arrive_together_share_a_pass_while_others_are_answered(
    start: Callable[..., Api], gated: Gated
) -> None:
    own = start(batch_size=4)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask, own, png(1))]
        until(gated.entered.is_set, asked, own)
        asked += [pool.submit(ask, own, png(seed)) for seed in range(2, 7)]
        until(lambda: passes_of(own).waiting == 5, asked, own)
        assert own.client.get("/v1/images").status_code == 200
        assert "dejafake_model_waiting 5.0" in own.client.get("/metrics").text
        gated.gate.set()
        answers = [one.result() for one in asked]
    assert [answer.status_code for answer in answers] == [200] * 6
    assert gated.sizes == [1, 4, 1]
    assert len({answer.json()["query"]["sha256"] for answer in answers}) == 6
    told = own.client.get("/metrics").text
    assert "dejafake_model_passes_total 3.0" in told
    assert "dejafake_model_pictures_total 6.0" in told


def test_one_picture_too_many_is_told_when_to_come_back_and_the_others_are_answered(
    start: Callable[..., Api], gated: Gated
) -> None:
    own = start(waiting_pictures_max=2)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, own, png(seed)) for seed in (1, 2)]
        until(lambda: own.app.state.service.pictures == 2, asked, own)
        refused = ask(own, png(3))
        problem_of(refused, 503, "service-unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert own.client.post("/v1/search", json={"pdq": "0" * 64}).status_code == 200
        gated.gate.set()
        assert [one.result().status_code for one in asked] == [200, 200]
    assert ask(own, png(3)).status_code == 200


def test_a_file_that_is_no_picture_fails_alone_and_gives_its_place_back(
    start: Callable[..., Api], gated: Gated
) -> None:
    own = start()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, own, png(1))]
        until(gated.entered.is_set, asked, own)
        asked.append(pool.submit(ask, own, png(2)))
        until(lambda: passes_of(own).waiting == 1, asked, own)
        problem_of(ask(own, b"no picture"), 422, "image-rejected")
        problem_of(ask(own, png(3)[:60]), 422, "image-rejected")
        gated.gate.set()
        assert [one.result().status_code for one in asked] == [200, 200]
    assert gated.sizes == [1, 1]
    assert own.app.state.service.pictures == 0


def test_a_client_that_leaves_while_its_picture_waits_costs_no_pass(start: Callable[..., Api], gated: Gated) -> None:
    own = start()
    with ThreadPoolExecutor(1) as pool:
        asked = [pool.submit(ask, own, png(1))]
        until(gated.entered.is_set, asked, own)
        request = httpx.Request("POST", f"{own.url}/v1/search", files={"image": ("asked.png", png(2))})
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        with socket.create_connection(("127.0.0.1", int(own.url.rsplit(":", 1)[1]))) as leaving:
            leaving.sendall(f"POST /v1/search HTTP/1.1\r\n{head}\r\n".encode() + request.read())
            until(lambda: passes_of(own).waiting == 1, asked, own)
        until(lambda: own.app.state.service.pictures == 1, asked, own)
        gated.gate.set()
        assert asked[0].result().status_code == 200
    assert ask(own, png(3)).status_code == 200
    assert gated.sizes == [1, 1]
