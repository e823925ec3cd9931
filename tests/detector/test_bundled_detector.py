"""The bundled detector is what its spec says, and does not fall below what it could do when it was shipped."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from indexer.detector import Detector, bundled, list_detectors, load_detector, pull, registry, resolve
from indexer.errors import WeightsRefusedError
from indexer.imaging.alterations import apply
from indexer.settings import Settings
from tests.made_pictures import scene

SHARED_COPIES = ("crop10", "jpeg50", "caption_bar", "screenshot_border", "mirror")


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the bundled detector's folder that is used in its place, to be changed."""
    folder = Path(shutil.copytree(bundled.FOLDER, tmp_path / "bundled"))
    monkeypatch.setattr(bundled, "FOLDER", folder)
    return folder


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return load_detector(Settings.load(home=tmp_path_factory.mktemp("home"), device="cpu", precision="fp32"))


def test_it_is_ready_without_a_network_and_writes_nothing(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(offline=True)
    listed = {one.spec.name: one for one in list_detectors(settings)}["dejafake-small"]
    assert (listed.state, listed.in_use) == ("ready", True)
    assert listed.proved == "golden outputs shipped with dejafake"
    assert resolve("dejafake-small", settings).fingerprint == listed.fingerprint
    assert not settings.weights_dir.exists()


def test_its_files_are_its_spec_and_small(settings: Settings) -> None:
    resolved = resolve("dejafake-small", settings)
    assert resolved.spec == bundled.SPEC
    assert resolved.checkpoint.trained is bundled.SPEC.trained
    assert resolved.checkpoint.weights.stat().st_size == bundled.SPEC.byte_size <= 12_000_000


def test_what_it_says_of_itself_stays_with_its_folder_when_that_is_copied(settings: Settings, tmp_path: Path) -> None:
    resolved = resolve("dejafake-small", settings)
    copy = str(shutil.copytree(resolved.folder, tmp_path / "renamed"))
    assert resolve(copy, settings).spec.trained is resolved.spec.trained
    assert resolve(copy, settings).fingerprint == resolved.fingerprint


def test_a_changed_byte_is_refused_and_installing_again_is_named(damaged: Path, settings: Settings) -> None:
    path = damaged / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for find in (resolve, pull):
        with pytest.raises(
            WeightsRefusedError, match=r"not \w{64} as pinned for dejafake-small.*install dejafake again"
        ):
            find("dejafake-small", settings)
    listed = {one.spec.name: one for one in list_detectors(settings)}["dejafake-small"]
    assert listed.state == "refused"
    assert "changed or damaged" in str(listed.reason)
    assert path.read_bytes() == data


def test_a_changed_configuration_is_refused(damaged: Path, settings: Settings) -> None:
    config = json.loads((damaged / "config.json").read_text())
    config["model_args"]["depth"] -= 1
    (damaged / "config.json").write_text(json.dumps(config))
    depth = bundled.SPEC.architecture.depth
    with pytest.raises(WeightsRefusedError, match=f"says depth {depth - 1}, the registry {depth}"):
        resolve("dejafake-small", settings)


def test_an_installation_without_its_files_says_so(damaged: Path, settings: Settings) -> None:
    shutil.rmtree(damaged)
    with pytest.raises(WeightsRefusedError, match="cannot be read: No such file"):
        resolve("dejafake-small", settings)


def test_altered_copies_come_first_among_other_pictures(detector: Detector) -> None:
    """A floor on pictures made by code: shapes and colours, unlike anything it was trained on."""
    pictures = [scene(seed) for seed in range(24)]
    known = detector.detect(pictures).embeddings
    first = [
        detector.detect([apply(name, picture, seed) for seed, picture in enumerate(pictures)]).embeddings @ known.T
        for name in SHARED_COPIES
    ]
    found = [float((cosines.argmax(axis=1) == np.arange(len(pictures))).mean()) for cosines in first]
    assert min(found) >= 0.9, dict(zip(SHARED_COPIES, found, strict=True))


def test_an_untrained_one_gives_unlike_pictures_unlike_embeddings_and_copies_alike_ones(
    settings: Settings, untrained_detector: Path
) -> None:
    rng = np.random.default_rng(0)
    pictures = [
        Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((512, 384), Image.Resampling.BICUBIC)
        for _ in range(6)
    ]
    copies = [ImageOps.mirror(one).resize((300, 225)) for one in pictures]
    found = load_detector(settings, str(untrained_detector)).detect([*pictures, *copies]).embeddings
    cosines = found @ found.T
    unlike = cosines[:6, :6][np.triu_indices(6, 1)]
    alike = cosines[range(6), range(6, 12)]
    assert np.abs(unlike.mean()) < 0.4
    assert alike.min() > unlike.max()


def test_each_revision_has_a_folder_of_its_own(settings: Settings) -> None:
    folder = registry.weights_folder(registry.COMMUNITY_FORENSICS, settings)
    assert folder.relative_to(settings.weights_dir).parts == ("community-forensics-384", "ac6ee457bea9")
