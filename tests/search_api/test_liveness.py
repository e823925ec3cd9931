"""The server's threads: none ends in silence, and what only a restart mends is told by /healthz and /metrics."""

import logging
from collections.abc import Callable
from threading import Event

import pytest

from indexer.detector import Detector
from indexer.errors import DejafakeError
from search_api.service.background import Background
from tests.gated_detectors import Gated
from tests.made_pictures import png
from tests.search_api.served import Api, Loaded, problem_of


def metrics(own: Api) -> str:
    return own.client.get("/metrics").text


def test_a_broken_count_neither_hangs_searches_nor_ends_the_passes(start: Callable[..., Api]) -> None:
    own = start()

    def broken(_pictures: int) -> None:
        raise OSError("no space left on device")

    own.app.state.service.workspace.passes.passed = broken
    for seed in (1, 2):
        assert own.client.post("/v1/search", files={"image": ("a.png", png(seed))}).status_code == 200
    assert own.client.get("/healthz").status_code == 200


def test_pictures_whose_pass_breaks_are_told_to_come_again_and_the_next_are_answered(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = start()

    def broken(*_given: object) -> None:
        monkeypatch.undo()
        raise MemoryError

    monkeypatch.setattr("indexer.detector.shared_passes._row", broken)
    problem_of(own.client.post("/v1/search", files={"image": ("a.png", png(1))}), 503, "unavailable")
    assert own.client.get("/healthz").status_code == 200
    assert own.client.post("/v1/search", files={"image": ("a.png", png(1))}).status_code == 200


def test_a_pass_that_is_stuck_fails_the_liveness_probe_until_it_ends(
    start: Callable[..., Api], detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Gated(detector)
    monkeypatch.setattr(Loaded, "detector", lambda _workspace: held)
    own = start(pass_seconds_max=1e-9)
    passes = own.app.state.service.workspace.passes
    seen = passes.submit(detector_input(own))
    assert held.entered.wait(60)
    told = problem_of(own.client.get("/healthz"), 503, "not-alive")
    assert "pass of the detector" in str(told["detail"])
    assert 'dejafake_background_up{work="detector-passes"} 0.0' in metrics(own)
    held.gate.set()
    seen.result(60)
    assert own.client.get("/healthz").status_code == 200


def detector_input(own: Api) -> object:
    return own.app.state.service.workspace.searcher.prepare(png(1)).seen_as.pixels


def test_a_thread_that_has_ended_fails_the_liveness_probe_and_is_named(start: Callable[..., Api]) -> None:
    own = start()
    service = own.app.state.service
    assert 'dejafake_background_up{work="answer-jobs"} 1.0' in metrics(own)
    for work in (*service.jobs.works, *service.watching.works):
        for thread, name in zip(work._threads, work.failures, strict=True):
            work.stopping.set()
            work.announce()
            thread.join()
            work.stopping.clear()
            assert name in str(problem_of(own.client.get("/healthz"), 503, "not-alive")["detail"])
            assert f'dejafake_background_up{{work="{name}"}} 0.0' in metrics(own)


@pytest.mark.parametrize("failure", [RuntimeError("x"), MemoryError(), SystemExit(1)])
def test_a_step_that_fails_is_counted_and_tried_again(failure: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []
    again = Event()

    def step() -> bool:
        tried.append(len(tried))
        if len(tried) == 1:
            raise failure
        again.set()
        return False

    work = Background({"a-step": step}, every=0.001)
    with caplog.at_level(logging.ERROR):
        work.start()
        assert again.wait(60)
        assert work.alive() == {"a-step": True}
        work.close()
    assert work.failures == {"a-step": 1}
    assert "a-step failed" in caplog.text


@pytest.mark.parametrize("failure", [RuntimeError("x"), SystemExit(1)])
def test_a_detector_that_cannot_be_loaded_however_is_told_by_readyz(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def broken(_workspace: Loaded) -> Detector:
        raise failure

    monkeypatch.setattr(Loaded, "detector", broken)
    own = start()
    own.app.state.service._warming.join()
    assert "detector cannot be used" in str(problem_of(own.client.get("/readyz"), 503, "not-ready")["detail"])
    assert own.client.get("/healthz").status_code == 200


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> Event:
    """The detector cannot be loaded until this is set."""
    load, set_ = Loaded.detector, Event()

    def detector(workspace: Loaded) -> Detector:
        if not set_.is_set():
            raise DejafakeError("the weights cannot be read")
        return load(workspace)

    monkeypatch.setattr(Loaded, "detector", detector)
    return set_


def test_a_detector_that_a_later_search_loads_is_ready(start: Callable[..., Api], mended: Event) -> None:
    own = start()
    own.app.state.service._warming.join()
    problem_of(own.client.get("/readyz"), 503, "not-ready")
    mended.set()
    assert own.client.post("/v1/search", files={"image": ("a.png", png(1))}).status_code == 200
    own.app.state.service.workspace.index.bring_up_to_date()
    assert own.client.get("/readyz").status_code == 200


def test_a_detector_that_failed_is_tried_again_although_nobody_searches(
    start: Callable[..., Api], mended: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = start()
    service = own.app.state.service
    service._warming.join()
    assert "cannot be used" in str(problem_of(own.client.get("/readyz"), 503, "not-ready")["detail"])
    assert not service._warming.is_alive(), "it is not tried with every question"
    service.workspace.index.bring_up_to_date()
    mended.set()
    monkeypatch.setattr("search_api.service.service._RETRY_SECONDS", 0.0)
    problem_of(own.client.get("/readyz"), 503, "not-ready")
    service._warming.join()
    assert own.client.get("/readyz").status_code == 200
