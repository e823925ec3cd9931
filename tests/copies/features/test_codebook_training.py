"""The script that makes the codebook: which pictures it may use, and that a run can be repeated."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load

from indexer.copies.features.training import trained, training_pictures


def test_only_training_pictures_are_used(tmp_path: Path) -> None:
    plain, told = tmp_path / "plain.csv", tmp_path / "told.csv"
    plain.write_text("path,label\na.png,fake\nb.png,authentic\n")
    told.write_text("path,label,use\nc.png,fake,evaluate\nd.png,authentic,train\n")
    assert [path.name for manifest in (plain, told) for path in training_pictures(manifest)] == ["a.png", "d.png"]


def test_the_same_descriptors_give_the_same_codebook() -> None:
    descriptors = np.random.default_rng(3).integers(0, 60, (400, 128)).astype(np.uint8)
    data = trained(descriptors, lists=4)
    assert data == trained(descriptors, lists=4)
    tensors = load(data)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "rotation": (128, 128),
        "parts": (8, 256, 16),
        "lists": (4, 128),
    }
    rotation = tensors["rotation"].astype(np.float64)
    assert np.abs(rotation @ rotation.T - np.eye(128)).max() < 0.01
