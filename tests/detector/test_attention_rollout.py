"""The attention rollout of one forward pass is the one computed naively from all attention maps, and asking for it
changes nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.detector import Detector, load_detector
from indexer.detector.rollout import attention_rollout
from indexer.errors import DetectorError
from indexer.settings import Settings
from tests.detector.reference_checkpoints import make_reference


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three blocks whose heads attend to few patches, unlike those of small random weights, which attend to all."""
    folder = make_reference(tmp_path_factory.mktemp("decided") / "made", depth=3).folder
    tensors = load_file(folder / "model.safetensors")
    for name, tensor in tensors.items():
        if ".query." in name or ".key." in name:
            tensor *= 4
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.fixture
def detector(decided: Path, settings: Settings) -> Detector:
    return load_detector(settings, str(decided))


def batch_of(count: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, 3, 384, 384), dtype=np.float32)


def naive_rollout(maps: tuple[np.ndarray, ...]) -> np.ndarray:
    """As the paper has it: the whole product of the blocks' matrices, then the CLS token's row of it."""
    product = np.eye(577)
    for per_head in maps:
        product = (0.5 * per_head.astype(np.float64).mean(axis=1) + 0.5 * np.eye(577)) @ product
    patches = product[:, 0, 1:]
    return (patches / patches.sum(axis=1, keepdims=True)).reshape(-1, 24, 24)


def test_it_is_the_product_of_the_head_means_row_of_the_cls_token(detector: Detector) -> None:
    batch = batch_of(3)
    maps = detector.run(batch, attention=True).attention
    assert maps is not None
    expected = naive_rollout(maps)
    rollout = detector.run(batch, rollout=True).rollout
    assert rollout is not None
    assert (rollout.shape, rollout.dtype) == ((3, 24, 24), np.float32)
    np.testing.assert_allclose(rollout, expected, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(rollout.sum(axis=(1, 2)), 1, atol=1e-5)
    assert (expected.max(axis=(1, 2)) > 10 / 576).all(), "attention to everything alike would hide a wrong block order"
    assert np.abs(expected[0] - expected[1]).max() > 1 / 576


def test_logits_and_cls_are_those_of_a_plain_run(detector: Detector) -> None:
    batch = batch_of(2)
    plain, watched = detector.run(batch), detector.run(batch, rollout=True)
    np.testing.assert_allclose(watched.logits, plain.logits, atol=1e-5)
    np.testing.assert_allclose(watched.cls, plain.cls, atol=1e-5)
    assert plain.rollout is None
    np.testing.assert_array_equal(detector.run(batch).cls, plain.cls)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_it_comes_for_any_number_of_pictures_and_beside_everything_else(detector: Detector, count: int) -> None:
    batch = batch_of(count)
    alone = detector.run(batch, rollout=True).rollout
    output = detector.run(batch, patches=True, attention=True, rollout=True)
    assert alone is not None
    assert output.rollout is not None
    assert output.attention is not None
    assert alone.shape == output.rollout.shape == (count, 24, 24)
    np.testing.assert_allclose(alone, output.rollout, rtol=1e-3, atol=1e-7)


def test_pictures_as_files_have_one_too(detector: Detector) -> None:
    prepared = torch.from_numpy(batch_of(1))
    found, expected = detector.detect([prepared], rollout=True).rollout, detector.run(prepared, rollout=True).rollout
    assert found is not None
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("precision", "allowed"), [("bf16", 0.25), ("fp16", 0.05)])
def test_in_half_precision_it_is_nearly_the_same(
    decided: Path, make_settings: Callable[..., Settings], precision: str, allowed: float
) -> None:
    full = load_detector(make_settings(), str(decided)).run(batch_of(1), rollout=True).rollout
    half = load_detector(make_settings(precision=precision), str(decided)).run(batch_of(1), rollout=True).rollout
    assert full is not None
    assert half is not None
    assert np.abs(full - half).sum() < allowed
    assert half.sum() == pytest.approx(1, abs=1e-5)


def test_the_model_is_as_before_also_after_a_failure(detector: Detector) -> None:
    with pytest.raises(DetectorError):
        detector.run(np.full((1, 3, 384, 384), np.nan, np.float32), rollout=True)
    assert not any("forward" in vars(module) for module in detector._network._model.modules())


def test_a_picture_of_which_nothing_reached_the_cls_token_has_equal_shares() -> None:
    itself_only = torch.eye(577)[None]
    np.testing.assert_allclose(attention_rollout([itself_only, itself_only], heads=1).numpy(), 1 / 576, rtol=1e-6)
