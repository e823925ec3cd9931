"""PDQ hashes are those of the reference implementations, and a query asks with hashes that find copies of any size."""

import io
from collections.abc import Callable

import numpy as np
import pdqhash
import pytest
from PIL import Image

from indexer.imaging.hashing import PdqHash, QueryHash, hamming, pdq_hash, query_hashes
from tests.made_pictures import scene

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


def full_size(picture: Image.Image) -> bytes:
    """The hash as the library takes it of all pixels."""
    bits, _ = pdqhash.compute(np.asarray(picture))
    return np.packbits(bits.astype(np.uint8)).tobytes()


def nearest(picture: Image.Image, stored: PdqHash) -> tuple[int, QueryHash]:
    """The hash asked with that is nearest to a stored one, and how far it is."""
    queries = query_hashes(picture).queries
    distances = [hamming(query.bits, stored.bits) for query in queries]
    return min(distances), queries[distances.index(min(distances))]


@pytest.mark.parametrize("size", [(512, 512), (512, 7), (5, 512), (333, 511), (256, 256), (64, 64), (6, 5)])
def test_up_to_512_pixels_the_picture_is_hashed_as_it_is(size: tuple[int, int]) -> None:
    picture = scene(1, size)
    assert pdq_hash(picture).bits == full_size(picture)


@pytest.mark.parametrize("size", [(513, 512), (512, 513), (1024, 768), (900, 60), (60, 900), (1999, 1333), (2601, 3)])
def test_a_larger_picture_is_brought_to_512_x_512_as_the_reference_does(size: tuple[int, int]) -> None:
    """CImg's nearest neighbour: place x of 512 takes column floor(x W / 512), also where a side grows."""
    wide, high = size
    pixels = np.random.default_rng(wide).integers(0, 256, (high, wide, 3), np.uint8)
    picked = pixels[np.arange(512) * high // 512][:, np.arange(512) * wide // 512]
    assert pdq_hash(Image.fromarray(pixels)).bits == full_size(Image.fromarray(picked))


def test_a_picture_of_less_than_five_pixels_a_side_has_no_quality_and_a_flat_one_neither() -> None:
    assert pdq_hash(scene(1, (4, 300))) == PdqHash(bytes(32), 0)
    assert pdq_hash(Image.new("RGB", (300, 200), "grey")).quality == 0


def test_a_recompressed_smaller_copy_matches_and_another_picture_does_not(
    photo: Image.Image, draw: Callable[..., Image.Image]
) -> None:
    buffer = io.BytesIO()
    photo.resize((240, 180)).save(buffer, "JPEG", quality=50)
    original = pdq_hash(photo)
    assert original.quality >= 50
    distance, query = nearest(Image.open(buffer).convert("RGB"), original)
    assert distance <= 31
    assert query.orientation == "original"
    assert nearest(draw((400, 300), seed=4), original)[0] > 60


@pytest.mark.parametrize("known", [(256, 256), (250, 250), (384, 288), (512, 512), (640, 480), (1200, 900)])
@pytest.mark.parametrize("share", [0.3, 0.6, 1.5, 2.5])
def test_copies_of_another_size_are_found(known: tuple[int, int], share: float) -> None:
    for seed in range(3):
        picture = scene(seed, known)
        copy = picture.resize((round(known[0] * share), round(known[1] * share)), Image.Resampling.LANCZOS)
        assert nearest(copy, pdq_hash(picture))[0] <= 24


@pytest.mark.parametrize("size", [(256, 256), (400, 300), (900, 700)])
@pytest.mark.parametrize("turn", TURNS)
def test_every_turned_copy_is_found_by_a_hash_of_that_orientation(turn: str, size: tuple[int, int]) -> None:
    picture = scene(3, size)
    distance, query = nearest(picture, pdq_hash(picture.transpose(TURNS[turn])))
    assert distance <= 16
    assert query.orientation == turn


def test_the_reference_hash_is_asked_with_first_and_each_size_in_every_orientation(photo: Image.Image) -> None:
    hashed = query_hashes(photo)
    assert hashed.reference == pdq_hash(photo)
    assert hashed.queries[0] == QueryHash("original", hashed.reference.bits, None)
    for side in (256, 384):
        assert {one.orientation for one in hashed.queries if one.resized_to == side} == {"original", *TURNS}


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
