"""Local features as bytes: small, near to what was packed, and hostile ones refused."""

import struct
from pathlib import Path

import numpy as np
import pytest

from indexer.copies.features import FEATURES_AN_IMAGE, LocalFeatures, codebook, pack, unpack
from indexer.copies.features.sift import features_of
from indexer.errors import UsageError, WeightsRefusedError
from tests.made_pictures import scene


@pytest.fixture(scope="module")
def features() -> LocalFeatures:
    return features_of(scene(1), 200)


def test_packed_features_take_at_most_a_kilobyte_and_a_half(features: LocalFeatures) -> None:
    assert len(features) > FEATURES_AN_IMAGE
    assert len(pack(features)) <= 1_536
    assert len(unpack(pack(features))) == FEATURES_AN_IMAGE
    assert pack(features) == pack(features)


def test_unpacked_features_are_near_those_that_were_packed(features: LocalFeatures) -> None:
    kept = features.rows(np.arange(FEATURES_AN_IMAGE))
    found = unpack(pack(features))
    assert found.size == kept.size
    assert np.abs(found.points - kept.points).max() <= 1
    assert np.abs(np.log2(found.scales / kept.scales)).max() <= 0.26
    turned = np.abs((found.angles - kept.angles + np.pi) % (2 * np.pi) - np.pi)
    assert turned.max() <= np.pi / 16 + 1e-3
    lost = np.linalg.norm(found.descriptors.astype(float) - kept.descriptors.astype(float), axis=1)
    others = np.linalg.norm(
        found.descriptors.astype(float) - np.roll(kept.descriptors, 1, axis=0).astype(float), axis=1
    )
    assert np.median(lost) < 0.7 * np.median(others)


def test_no_features_are_no_bytes() -> None:
    assert pack(LocalFeatures.none((640, 480))) == b""
    assert len(unpack(b"")) == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:3],
        lambda data: struct.pack("<HHH", 0, 480, 117) + data[6:],
        lambda data: struct.pack("<HHH", 640, 480, 118) + data[6:] + bytes(13),
        lambda data: struct.pack("<HHH", 640, 480, 0),
        lambda data: data[:6] + b"\xff\xff" + data[8:],
        lambda data: b"\xff" * len(data),
        lambda data: b"\xff" * 1_000_000,
    ],
)
def test_bytes_that_are_no_features_are_refused_in_one_line(damage: object, features: LocalFeatures) -> None:
    assert callable(damage)
    with pytest.raises(UsageError, match="stored local features") as refused:
        unpack(damage(pack(features)))
    assert "\n" not in str(refused.value)


def test_a_bit_that_flips_elsewhere_gives_finite_features(features: LocalFeatures) -> None:
    data = bytearray(pack(features))
    data[240:] = bytes(255 - byte for byte in data[240:])
    found = unpack(bytes(data))
    assert all(np.isfinite(part).all() for part in (found.points, found.scales, found.angles))


def test_a_codebook_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "codebook.safetensors"
    changed.write_bytes(codebook.CODEBOOK.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(codebook, "CODEBOOK", changed)
    codebook.codebook.cache_clear()
    with pytest.raises(WeightsRefusedError, match="install dejafake again"):
        codebook.codebook()
    monkeypatch.undo()
    assert codebook.codebook().lists.shape == (codebook.LISTS, 128)
