"""The bundled detector is made here, the same everywhere, and is what its spec says."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from safetensors.numpy import load

from indexer.detector import bundled, list_detectors, load_detector, pull, registry, resolve
from indexer.detector.weights import model_shapes
from indexer.errors import WeightsRefusedError, WeightsUnavailableError
from indexer.settings import Settings


def test_it_is_made_at_first_use_without_a_network_and_found_afterwards(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings(offline=True)
    listed = {one.spec.name: one for one in list_detectors(settings)}["dejafake-small"]
    assert (listed.state, listed.fingerprint) == ("made at first use", None)
    resolved = resolve("dejafake-small", settings)
    stamp = (resolved.folder / "model.safetensors").stat().st_mtime_ns
    assert resolve("dejafake-small", settings).fingerprint == resolved.fingerprint
    assert (resolved.folder / "model.safetensors").stat().st_mtime_ns == stamp
    listed = {one.spec.name: one for one in list_detectors(settings)}["dejafake-small"]
    assert (listed.state, listed.fingerprint, listed.in_use) == ("ready", resolved.fingerprint, True)
    assert listed.proved == "golden outputs shipped with dejafake"


def test_what_it_says_of_itself_stays_with_its_folder_when_that_is_copied(
    bundled_settings: Settings, tmp_path: Path
) -> None:
    resolved = resolve("dejafake-small", bundled_settings)
    copy = tmp_path / "renamed"
    copy.mkdir()
    for name in ("config.json", "model.safetensors"):
        (copy / name).write_bytes((resolved.folder / name).read_bytes())
    assert resolve(str(copy), bundled_settings).spec.trained is resolved.spec.trained
    assert resolve(str(copy), bundled_settings).fingerprint == resolved.fingerprint


def test_its_description_on_disk_is_its_spec(bundled_settings: Settings) -> None:
    resolved = resolve("dejafake-small", bundled_settings)
    assert resolved.spec == bundled.SPEC
    assert resolved.checkpoint.weights.stat().st_size == bundled.SPEC.byte_size


def test_its_weights_have_every_tensor_and_are_the_same_each_time() -> None:
    data = bundled.weights_bytes()
    tensors = load(data)
    assert {name: array.shape for name, array in tensors.items()} == model_shapes(bundled.SPEC.architecture, 1)
    assert all(np.isfinite(array).all() for array in tensors.values())
    assert bundled.weights_bytes() == data


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


def test_processes_that_start_together_make_it_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    really_make = bundled._make
    monkeypatch.setattr(bundled, "_make", lambda folder: (made.append(folder), really_make(folder)))
    with ThreadPoolExecutor(4) as pool:
        prints = set(pool.map(lambda _: resolve("dejafake-small", settings).fingerprint, range(4)))
    assert (len(prints), len(made)) == (1, 1)


def test_arithmetic_that_gives_other_bytes_is_refused_and_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = bundled.weights_bytes()
    monkeypatch.setattr(bundled, "weights_bytes", lambda: right[:-1] + bytes([right[-1] ^ 1]))
    with pytest.raises(WeightsRefusedError, match="this machine makes weights with SHA-256"):
        resolve("dejafake-small", settings)
    assert not [path for path in settings.weights_dir.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_changed_byte_is_refused_and_pull_makes_it_whole(settings: Settings) -> None:
    path = resolve("dejafake-small", settings).checkpoint.weights
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsRefusedError, match=r"has SHA-256 \w{64}, not \w{64} as pinned for dejafake-small"):
        resolve("dejafake-small", settings)
    listed = {one.spec.name: one for one in list_detectors(settings)}["dejafake-small"]
    assert listed.state == "refused"
    assert "changed or damaged" in str(listed.reason)
    assert pull("dejafake-small", settings).spec.sha256 == bundled.SPEC.sha256


def test_a_changed_configuration_is_refused(settings: Settings) -> None:
    resolved = resolve("dejafake-small", settings)
    config = json.loads((resolved.folder / "config.json").read_text())
    config["model_args"]["depth"] = resolved.spec.architecture.depth - 1
    (resolved.folder / "config.json").write_text(json.dumps(config))
    depth = resolved.spec.architecture.depth
    with pytest.raises(WeightsRefusedError, match=f"says depth {depth - 1}, the registry {depth}"):
        resolve("dejafake-small", settings)


def test_a_place_that_cannot_be_written_is_named_with_what_to_do(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsUnavailableError, match="DEJAFAKE_MODELS_DIR"):
        resolve("dejafake-small", make_settings(models_dir=tmp_path / "file" / "models"))


def test_each_revision_has_a_folder_of_its_own(settings: Settings) -> None:
    folder = registry.weights_folder(registry.COMMUNITY_FORENSICS, settings)
    assert folder.relative_to(settings.weights_dir).parts == ("community-forensics-384", "ac6ee457bea9")
