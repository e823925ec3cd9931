"""Thumbnails are small, keep the shape, and carry nothing but pixels."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.imaging.thumbnails import make_thumbnail


@pytest.mark.parametrize(
    ("size", "expected"), [((900, 600), (320, 213)), ((20, 4000), (2, 320)), ((100, 50), (100, 50))]
)
def test_the_longest_side_is_bounded_and_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int], draw: Callable[..., Image.Image]
) -> None:
    assert Image.open(io.BytesIO(make_thumbnail(draw(size), 320))).size == expected


def test_no_metadata_of_the_original_is_left(
    picture: Image.Image, encode: Callable[..., bytes], limits: ImageLimits
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encode(picture, "JPEG", exif=exif, icc_profile=profile, comment=b"secret comment", xmp=b"<x>secret</x>")
    assert data.count(b"secret") == 3
    thumbnail = make_thumbnail(decode(data, limits).rgb, 64)
    assert b"secret" not in thumbnail
    with Image.open(io.BytesIO(thumbnail)) as opened:
        assert set(opened.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert opened.mode == "RGB"


def test_the_same_picture_gives_the_same_bytes(picture: Image.Image) -> None:
    assert make_thumbnail(picture, 50) == make_thumbnail(picture.copy(), 50)
    assert picture.size == (96, 64)
