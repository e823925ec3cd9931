"""PDQ finds re-shared copies, turned ones too, and says how it was taken."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from indexer.imaging.hashing import PDQ_METHOD, PdqHash, hamming, pdq_dihedrals, pdq_hash

TURNS = {
    "rotated_90": Image.Transpose.ROTATE_90,
    "rotated_180": Image.Transpose.ROTATE_180,
    "rotated_270": Image.Transpose.ROTATE_270,
    "flipped": Image.Transpose.FLIP_TOP_BOTTOM,
    "mirrored": Image.Transpose.FLIP_LEFT_RIGHT,
    "transposed": Image.Transpose.TRANSPOSE,
    "transversed": Image.Transpose.TRANSVERSE,
}


@pytest.fixture(scope="module")
def photo(draw: Callable[..., Image.Image]) -> Image.Image:
    return draw((400, 300), seed=3)


def test_a_recompressed_smaller_copy_matches_and_another_picture_does_not(
    photo: Image.Image, draw: Callable[..., Image.Image]
) -> None:
    buffer = io.BytesIO()
    photo.resize((240, 180)).save(buffer, "JPEG", quality=50)
    original = pdq_hash(photo)
    assert original.quality >= 50
    assert hamming(original.bits, pdq_hash(Image.open(buffer).convert("RGB")).bits) <= 31
    assert hamming(original.bits, pdq_hash(draw((400, 300), seed=4)).bits) > 60


def test_large_and_small_versions_hash_nearly_the_same(draw: Callable[..., Image.Image]) -> None:
    large = draw((1500, 1000), seed=5)
    small = large.resize((150, 100), Image.Resampling.LANCZOS)
    assert hamming(pdq_hash(large).bits, pdq_hash(small).bits) <= 12


def test_every_turned_copy_is_found_by_the_hash_of_that_name(photo: Image.Image) -> None:
    hashes = dict(pdq_dihedrals(photo))
    assert next(iter(hashes)) == "original"
    assert hashes["original"] == pdq_hash(photo)
    assert set(hashes) == {"original", *TURNS}
    for name, turn in TURNS.items():
        turned = pdq_hash(photo.transpose(turn))
        assert hamming(hashes[name].bits, turned.bits) <= 31
        assert min(hashes, key=lambda other: hamming(hashes[other].bits, turned.bits)) == name
    assert hamming(hashes["mirrored"].bits, pdq_hash(photo.transpose(TURNS["mirrored"])).bits) <= 4


def test_a_flat_picture_has_no_quality() -> None:
    assert pdq_hash(Image.new("RGB", (300, 200), "grey")).quality == 0


def test_hex_goes_both_ways_and_takes_lost_zeros_back(photo: Image.Image) -> None:
    taken = pdq_hash(photo)
    assert PdqHash.from_hex(taken.hex, taken.quality) == taken
    assert PdqHash.from_hex("ff").bits == bytes(31) + b"\xff"
    for wrong in ("", "xyz", "0" * 65):
        with pytest.raises(ValueError, match=r"hex|fromhex"):
            PdqHash.from_hex(wrong)


def test_hamming_counts_bits() -> None:
    assert hamming(bytes(32), b"\xff" * 32) == 256
    assert hamming(b"\x03" + bytes(31), b"\x01" + bytes(31)) == 1
    with pytest.raises(ValueError, match="different lengths"):
        hamming(bytes(32), bytes(31))


def test_the_method_names_library_version_and_shrink() -> None:
    assert PDQ_METHOD.startswith("pdqhash 0.")
    assert "512x512" in PDQ_METHOD
