"""A detector whose files are changed while dejafake works: two detectors' vectors never meet in one index."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import indexer.detector.loading as loading
from indexer.catalog.detections import coverage
from indexer.detector import load_detector
from indexer.detector.checkpoint import Checkpoint
from indexer.detector.model import VisionTransformer, load_model
from indexer.errors import FingerprintMismatchError, WeightsRefusedError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.workspace import Workspace
from tests.made_pictures import png
from tests.tiny_detectors import tiny_detector


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tiny_detector(tmp_path / "tiny", seed=1)
    return Settings.load(home=tmp_path / "home", detector=str(folder), runtime="eager", threads=1)


@pytest.fixture
def swap(tmp_path: Path) -> Callable[[], None]:
    """Puts other weights in the place of the detector's."""
    other = tiny_detector(tmp_path / "other", seed=2)

    def swapped() -> None:
        shutil.copyfile(other / "model.safetensors", tmp_path / "tiny" / "model.safetensors")

    return swapped


def test_weights_that_changed_since_the_installation_was_opened_are_not_used(
    settings: Settings, swap: Callable[[], None], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    with Workspace(settings) as workspace:
        swap()
        with pytest.raises(FingerprintMismatchError, match=r"changed while dejafake was open.*start again"):
            workspace.ingest().run(open_source(tmp_path / "a.png", ImageLimits.from_settings(settings)))
        with pytest.raises(FingerprintMismatchError):
            workspace.searcher.by_bytes(png(1))
        with workspace.catalog.reading() as session:
            assert coverage.count_lacking(session, workspace.resolved.fingerprint) == 0
    with Workspace(settings) as again:
        report = again.ingest().run(open_source(tmp_path / "a.png", ImageLimits.from_settings(settings)))
    assert report.added == 1


def test_weights_that_change_between_their_digest_and_their_reading_are_refused(
    settings: Settings, swap: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(checkpoint: Checkpoint) -> VisionTransformer:
        swap()
        return load_model(checkpoint)

    monkeypatch.setattr(loading, "load_model", late)
    with pytest.raises(WeightsRefusedError, match="was changed while it was read"):
        load_detector(settings)
    monkeypatch.undo()
    assert load_detector(settings).fingerprint


def test_a_detector_that_stays_is_loaded_once(settings: Settings) -> None:
    with Workspace(settings) as workspace:
        assert workspace.detector() is workspace.detector()
        assert workspace.detector().fingerprint == workspace.resolved.fingerprint
