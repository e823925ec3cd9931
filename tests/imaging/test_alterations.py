"""Altered copies do what their name says, the same way every time."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from indexer.errors import NotFoundError
from indexer.imaging.alterations import ALTERATIONS, apply
from indexer.imaging.hashing import hamming, pdq_hash, query_hashes

NAMES = ["jpeg50", "downscale60", "crop5", "crop10", "mirror", "caption_bar", "screenshot_border", "colour_shift"]


@pytest.fixture(scope="module")
def photo(draw: Callable[..., Image.Image]) -> Image.Image:
    return draw((400, 300), seed=3)


def altered(name: str, photo: Image.Image, seed: int = 0) -> Image.Image:
    return Image.open(io.BytesIO(apply(name, photo, seed))).convert("RGB")


def difference(a: Image.Image, b: Image.Image) -> float:
    return float(np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16)).mean())


def test_the_promised_alterations_are_there() -> None:
    assert list(ALTERATIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bytes_and_the_source_stays(name: str, photo: Image.Image) -> None:
    before = photo.tobytes()
    assert apply(name, photo, 7) == apply(name, photo, 7)
    assert photo.tobytes() == before


@pytest.mark.parametrize("name", ["crop5", "crop10", "caption_bar", "screenshot_border", "colour_shift"])
def test_seeds_vary_what_is_left_to_chance(name: str, photo: Image.Image) -> None:
    assert len({apply(name, photo, seed) for seed in range(6)}) > 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(16, 16), (1000, 20), (20, 1000)])
def test_every_shape_can_be_altered(name: str, size: tuple[int, int], draw: Callable[..., Image.Image]) -> None:
    assert altered(name, draw(size)).mode == "RGB"


def test_each_does_what_it_says(photo: Image.Image) -> None:
    assert len(apply("jpeg50", photo)) < len(apply("mirror", photo)) * 0.7
    assert difference(altered("jpeg50", photo), photo) < 4
    assert altered("downscale60", photo).size == (240, 180)
    assert altered("crop5", photo).size == (380, 285)
    assert altered("crop10", photo).size == (360, 270)
    assert difference(altered("mirror", photo), ImageOps.mirror(photo)) < 3
    shifted = altered("colour_shift", photo)
    assert shifted.size == photo.size
    assert 4 < difference(shifted, photo) < 60


def test_the_picture_stays_whole_inside_bars_and_screenshots(photo: Image.Image) -> None:
    captioned = altered("caption_bar", photo)
    bar = captioned.height - photo.height
    assert 30 <= bar <= 60
    assert difference(captioned.crop((0, bar, 400, bar + 300)), photo) < 3
    words = np.asarray(captioned.crop((0, 0, 400, bar)).convert("L"))
    assert (words < 100).sum() > 50
    assert (words > 240).mean() > 0.7
    shot = altered("screenshot_border", photo)
    assert shot.width > photo.width
    assert shot.height > photo.height + 80


def test_plain_re_sharing_stays_within_reach_of_pdq(photo: Image.Image) -> None:
    original = pdq_hash(photo).bits
    for name in ("jpeg50", "downscale60", "colour_shift"):
        assert min(hamming(original, one.bits) for one in query_hashes(altered(name, photo)).queries) <= 31
    turned = [one for one in query_hashes(altered("mirror", photo)).queries if one.orientation == "mirrored"]
    assert min(hamming(original, one.bits) for one in turned) <= 31


def test_an_unknown_alteration_is_refused_with_the_list(photo: Image.Image) -> None:
    with pytest.raises(NotFoundError, match="jpeg50"):
        apply("rotate", photo)
