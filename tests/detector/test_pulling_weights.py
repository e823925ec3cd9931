"""Pulling a detector: the pinned revision, verified, once, offline afterwards; a hub on loopback plays the real one."""

import dataclasses
import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.detector import list_detectors, load_detector, pull, registry, resolve
from indexer.detector.spec import Architecture, DetectorSpec
from indexer.errors import UsageError, WeightsRefusedError, WeightsUnavailableError
from indexer.settings import Settings
from tests.detector.loopback_hub import Hub, serving
from tests.detector.reference_checkpoints import Reference

NAME = "community-forensics-384"
FILES = ("config.json", "preprocessor_config.json", "model.safetensors")


@pytest.fixture
def spec(tiny: Reference, monkeypatch: pytest.MonkeyPatch) -> DetectorSpec:
    """The registry's entry with the digest and shape of the tiny checkpoint, the real weights being out of reach."""
    data = (tiny.folder / "model.safetensors").read_bytes()
    spec = dataclasses.replace(
        registry.COMMUNITY_FORENSICS,
        sha256=hashlib.sha256(data).hexdigest(),
        byte_size=len(data),
        architecture=Architecture("vit", depth=1, heads=6, mlp_width=64),
    )
    monkeypatch.setitem(registry.SPECS, NAME, spec)
    return spec


@pytest.fixture
def hub(spec: DetectorSpec, tiny: Reference, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {name: (tiny.folder / name).read_bytes() for name in FILES}
    with serving(Hub(str(spec.repository), str(spec.revision), files)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield hub


def state_of(settings: Settings) -> str:
    return {one.spec.name: one for one in list_detectors(settings)}[NAME].state


def test_the_registry_pins_the_published_weights() -> None:
    spec = registry.COMMUNITY_FORENSICS
    assert spec.revision == "ac6ee457bea904a373065754107451793b56db00"
    assert spec.sha256 == "275ba982236ddd6afddf7131f8133e89f537574b964cf8fa5825b4956d741692"
    assert (spec.byte_size, spec.licence, spec.trained) == (87_270_764, "MIT", True)
    assert (spec.preprocessing.resize_shortest, spec.preprocessing.crop, spec.head.kind) == (440, 384, "sigmoid")


def test_a_pull_fetches_the_pinned_revision_with_progress_and_is_offline_afterwards(
    hub: Hub, spec: DetectorSpec, tiny: Reference, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings()
    assert state_of(settings) == "not pulled"
    told: list[tuple[str, int, int | None]] = []
    pulled = pull(NAME, settings, lambda name, done, total: told.append((name, done, total)))
    assert state_of(settings) == "ready"
    assert {path for _, path, _ in hub.asked} == {
        f"/{spec.repository}/resolve/{spec.revision}/{name}" for name in FILES
    }
    assert not hub.tokens
    assert told[-1] == ("model.safetensors", spec.byte_size, spec.byte_size)
    assert sorted(path.name for path in pulled.folder.iterdir()) == sorted(FILES)

    asked = len(hub.asked)
    offline = make_settings(offline=True, detector=NAME)
    detector = load_detector(offline)
    assert pull(NAME, offline).fingerprint == detector.fingerprint == pulled.fingerprint
    assert len(hub.asked) == asked
    batch = np.random.default_rng(0).standard_normal((1, 3, 384, 384), dtype=np.float32)
    logits, _ = tiny.outputs(torch.from_numpy(batch))
    assert np.abs(detector.run(batch).logits - logits.numpy()).max() < 1e-4


def test_the_first_load_records_golden_outputs_and_later_loads_are_held_to_them(
    hub: Hub, spec: DetectorSpec, settings: Settings
) -> None:
    folder = pull(NAME, settings).folder
    assert load_detector(settings, NAME).prove().statement == "golden outputs recorded on this machine"
    golden = json.loads((folder / "golden.json").read_text())
    golden["logits"][0][0] += 0.01
    (folder / "golden.json").write_text(json.dumps(golden))
    with pytest.raises(WeightsRefusedError, match="does not reproduce"):
        load_detector(settings, NAME)


def test_a_changed_byte_from_the_hub_is_refused_and_leaves_nothing_to_load(
    hub: Hub, spec: DetectorSpec, settings: Settings
) -> None:
    data = bytearray(hub.files["model.safetensors"])
    data[-1] ^= 1
    hub.files["model.safetensors"] = bytes(data)
    with pytest.raises(WeightsRefusedError, match=f"is refused: .* expected {spec.byte_size} bytes with {spec.sha256}"):
        pull(NAME, settings)
    assert state_of(settings) == "not pulled"
    assert not list(settings.weights_dir.rglob("*.safetensors"))


def test_a_configuration_of_another_network_is_refused(hub: Hub, settings: Settings) -> None:
    config = json.loads(hub.files["config.json"])
    config["intermediate_size"] = 3072
    hub.files["config.json"] = json.dumps(config).encode()
    with pytest.raises(WeightsRefusedError, match="says mlp_width 3072, the registry 64"):
        pull(NAME, settings)
    config["intermediate_size"] = 64
    config["id2label"] = {"0": "real", "1": "fake"}
    hub.files["config.json"] = json.dumps(config).encode()
    with pytest.raises(WeightsRefusedError, match="describes 2 classes, the registry 1"):
        pull(NAME, settings)


def test_an_interrupted_download_is_taken_up_where_it_broke_off(
    hub: Hub, spec: DetectorSpec, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 65_536)
    hub.cut_once = "model.safetensors"
    pull(NAME, settings)
    ranges = [asked for command, path, asked in hub.asked if command == "GET" and path.endswith("model.safetensors")]
    assert len(ranges) == 2
    assert ranges[0] is None
    assert str(ranges[1]).startswith("bytes=")


def test_threads_that_pull_together_fetch_once(hub: Hub, settings: Settings) -> None:
    with ThreadPoolExecutor(3) as pool:
        prints = set(pool.map(lambda _: resolve(NAME, settings).fingerprint, range(3)))
    assert len(prints) == 1
    assert sum(command == "GET" and path.endswith("model.safetensors") for command, path, _ in hub.asked) == 1


def test_without_a_network_the_error_says_what_to_do(
    spec: DetectorSpec, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(WeightsUnavailableError) as error:
            load_detector(settings, NAME)
    message = str(error.value)
    assert "\n" not in message
    assert f"dejafake detector pull {NAME}" in message
    assert "DEJAFAKE_DETECTOR=dejafake-small" in message


def test_a_hub_without_the_pinned_revision_is_an_error(hub: Hub, settings: Settings) -> None:
    hub.revision = "0" * 40
    with pytest.raises(WeightsUnavailableError, match=r"config\.json of community-forensics-384 could not be fetched"):
        pull(NAME, settings)


def test_offline_means_that_the_hub_is_not_asked(hub: Hub, make_settings: Callable[..., Settings]) -> None:
    offline = make_settings(offline=True)
    with pytest.raises(WeightsUnavailableError, match="DEJAFAKE_OFFLINE is set"):
        load_detector(offline, NAME)
    with pytest.raises(WeightsUnavailableError, match="downloading was not asked for"):
        resolve(NAME, make_settings(), allow_download=False)
    assert not hub.asked


def test_a_pull_replaces_weights_that_were_damaged_on_this_machine(hub: Hub, settings: Settings) -> None:
    path = pull(NAME, settings).checkpoint.weights
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsRefusedError, match="changed or damaged"):
        load_detector(settings, NAME)
    pull(NAME, settings)
    assert load_detector(settings, NAME).spec.name == NAME


def test_the_preprocessing_beside_the_weights_wins_over_the_registry(hub: Hub, settings: Settings) -> None:
    processor = json.loads(hub.files["preprocessor_config.json"])
    processor["size"] = {"shortest_edge": 400}
    hub.files["preprocessor_config.json"] = json.dumps(processor).encode()
    assert pull(NAME, settings).spec.preprocessing.resize_shortest == 400


def test_a_place_that_cannot_be_written_is_an_error_of_one_line(
    hub: Hub, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsUnavailableError, match="cannot be written"):
        pull(NAME, make_settings(models_dir=tmp_path / "file" / "models"))


def test_only_names_of_the_registry_can_be_pulled(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the registry has dejafake-small, community-forensics-384"):
        pull(str(tmp_path), settings)
