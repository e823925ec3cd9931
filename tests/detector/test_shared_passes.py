"""Pictures share passes: nobody waits for company, singles before batches, errors and cancellations stay alone."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from indexer.detector import Detector, DetectorOutput, load_detector
from indexer.detector.shared_passes import OVERTAKEN_AT_MOST, Floats, Seen, SharedPasses
from indexer.errors import DejafakeError, DetectorError, UnavailableError
from indexer.settings import Settings
from tests.gated_detectors import Gated
from tests.tiny_detectors import tiny_detector


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    folder = tiny_detector(tmp_path_factory.mktemp("tiny") / "detector", seed=1)
    return load_detector(Settings.load(home=tmp_path_factory.mktemp("home"), detector=str(folder), precision="fp32"))


@pytest.fixture(scope="module")
def pictures() -> Floats:
    return np.random.default_rng(1).standard_normal((12, 3, 384, 384)).astype(np.float32)


@contextmanager
def busy(detector: Detector, pixels: Floats, batch_size: int = 8) -> Iterator[tuple[SharedPasses, Gated, Future[Seen]]]:
    """Passes while the model is busy with a first picture, until the gate is opened."""
    gated = Gated(detector)
    passes = SharedPasses(lambda: gated, batch_size)  # type: ignore[arg-type, return-value]
    first = passes.submit(pixels)
    assert gated.entered.wait(60)
    try:
        yield passes, gated, first
    finally:
        gated.gate.set()
        passes.close()


def test_what_waits_when_the_model_is_free_goes_together_up_to_a_batch(detector: Detector, pictures: Floats) -> None:
    told: list[int] = []
    with busy(detector, pictures[0], batch_size=4) as (passes, gated, first):
        passes.passed = told.append
        others = [passes.submit(one) for one in pictures[1:8]]
        assert passes.waiting == 7
        gated.gate.set()
        seen = [one.result(60) for one in (first, *others)]
    assert gated.sizes == [1, 4, 3]
    alone = detector.run(pictures[:8])
    np.testing.assert_allclose([one.embedding for one in seen], alone.embeddings, atol=1e-5)
    np.testing.assert_allclose([one.logits for one in seen], alone.logits, atol=1e-4)
    np.testing.assert_allclose([one.p_fake for one in seen], alone.p_fake, atol=1e-5)
    assert (told, passes.waiting) == (gated.sizes, 0)


def test_a_cancelled_picture_costs_no_pass(detector: Detector, pictures: Floats) -> None:
    with busy(detector, pictures[0]) as (passes, gated, first):
        left, stayed = passes.submit(pictures[1]), passes.submit(pictures[2])
        assert left.cancel()
        gated.gate.set()
        assert stayed.result(60).waited >= 0
        assert first.done()
    assert gated.sizes == [1, 1]


def test_an_error_of_one_picture_is_not_the_others(detector: Detector, pictures: Floats) -> None:
    with busy(detector, pictures[0]) as (passes, gated, _):
        bad = passes.submit(np.full_like(pictures[0], np.nan))
        good = passes.submit(pictures[1])
        gated.gate.set()
        with pytest.raises(DetectorError, match="not finite"):
            bad.result(60)
        assert np.isfinite(good.result(60).embedding).all()


def test_a_batch_comes_after_single_pictures_but_not_for_ever(detector: Detector, pictures: Floats) -> None:
    with busy(detector, pictures[0], batch_size=1) as (passes, gated, _):
        batch: list[DetectorOutput] = []
        asking = Thread(target=lambda: batch.append(passes.run(pictures[:3])))
        asking.start()
        while not passes._batches:
            asking.join(0.001)
        singles = [passes.submit(one) for one in pictures[1:8]]
        gated.gate.set()
        for single in singles:
            single.result(60)
        asking.join()
    assert gated.sizes == [1, *[1] * OVERTAKEN_AT_MOST, 3, *[1] * (7 - OVERTAKEN_AT_MOST)]
    assert batch[0].embeddings.shape == (3, 384)


def test_closing_makes_the_passes_that_are_waited_for_and_no_more(detector: Detector, pictures: Floats) -> None:
    with busy(detector, pictures[0]) as (passes, _, first):
        waiting = passes.submit(pictures[1])
    assert first.done()
    assert waiting.result(0).embedding.shape == (384,)
    with pytest.raises(DejafakeError, match="closed"):
        passes.submit(pictures[0])


def test_a_detector_that_cannot_be_loaded_is_told_to_everyone_who_asks(tmp_path: Path, pictures: Floats) -> None:
    def refuse() -> Detector:
        raise DetectorError("no such device")

    passes = SharedPasses(refuse, 8)
    for _ in range(2):
        with pytest.raises(DetectorError, match="no such device"):
            passes.submit(pictures[0]).result(60)
    with pytest.raises(DetectorError, match="no such device"):
        passes.run(pictures[:2])
    passes.close()


def test_a_count_that_fails_costs_nobody_an_answer(
    detector: Detector, pictures: Floats, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_pictures: int) -> None:
        raise RuntimeError("no space left on device")

    with busy(detector, pictures[0]) as (passes, gated, first):
        passes.passed = broken
        gated.gate.set()
        assert np.isfinite(first.result(60).embedding).all()
        assert np.isfinite(passes.submit(pictures[1]).result(60).embedding).all()
        assert passes.trouble(60) is None
    assert "could not be counted" in caplog.text


def test_what_breaks_the_passes_fails_those_who_wait_and_the_next_are_answered(
    detector: Detector, pictures: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object) -> Seen:
        monkeypatch.undo()
        raise MemoryError

    with busy(detector, pictures[0]) as (passes, gated, first):
        waiting = [passes.submit(pictures[1]), passes.submit(pictures[2])]
        assert waiting[1].cancel()
        batch: list[BaseException] = []

        def ask() -> None:
            try:
                passes.run(pictures[3:5])
            except DejafakeError as error:
                batch.append(error)

        asking = Thread(target=ask)
        asking.start()
        while not passes._batches:
            asking.join(0.001)
        monkeypatch.setattr("indexer.detector.shared_passes._row", broken)
        gated.gate.set()
        for one in (first, waiting[0]):
            with pytest.raises(UnavailableError, match="ask again"):
                one.result(60)
        asking.join(60)
        assert [type(error) for error in batch] == [UnavailableError]
        assert np.isfinite(passes.submit(pictures[5]).result(60).embedding).all()
        assert passes.run(pictures[:2]).embeddings.shape == (2, 384)
        assert passes.trouble(60) is None


def test_a_pass_that_takes_too_long_and_a_thread_that_is_gone_are_told(detector: Detector, pictures: Floats) -> None:
    with busy(detector, pictures[0]) as (passes, _, _):
        assert passes.trouble(60) is None
        assert "longer than 0 seconds" in (passes.trouble(0) or "")
        at_work, passes._thread = passes._thread, None
        assert "has ended" in (passes.trouble(60) or "")
        passes._thread = at_work
    assert passes.trouble(0) is None
