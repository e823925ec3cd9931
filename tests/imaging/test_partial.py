"""Files that end early: what is there of the picture is judged, and how much is missing is said."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import hamming, pdq_hash
from indexer.imaging.limits import ImageLimits
from tests.made_pictures import encoded, scene

LIMITS = ImageLimits(max_bytes=10_000_000, max_pixels=10_000_000, max_frames=10)
GRAIN = np.random.default_rng(0).normal(0, 6, (360, 480, 3))
PICTURE = Image.fromarray((np.asarray(scene(1)) + GRAIN).clip(0, 255).astype(np.uint8))
FILES = {
    "jpeg": encoded(PICTURE, "JPEG", quality=90),
    "png": encoded(PICTURE, "PNG"),
    "webp": encoded(PICTURE, "WEBP", quality=80),
    "webp lossless": encoded(PICTURE, "WEBP", lossless=True),
    "gif": encoded(PICTURE.quantize(200), "GIF", interlace=0),
    "bmp": encoded(PICTURE, "BMP"),
    "tiff": encoded(PICTURE, "TIFF", strip_size=8_000),
}
BEHIND = b"MotionPhoto_Data" + np.random.default_rng(1).bytes(50_000)


def printed(**options: object) -> bytes:
    """A JPEG for print: what is missing of it is not grey, when it is shown on a screen."""
    buffer = io.BytesIO()
    PICTURE.convert("CMYK").save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["CMYK", "RGB", "L"])
def test_of_a_jpeg_of_other_colours_the_part_that_is_there_is_judged_too(kind: str) -> None:
    data = printed() if kind == "CMYK" else encoded(PICTURE.convert(kind), "JPEG", quality=90)
    for share in (0.5, 0.8):
        found = decode(data[: int(len(data) * share)], LIMITS)
        assert found.missing == pytest.approx(1 - share, abs=0.2)
        assert unlike(found.rgb, decode(data, LIMITS).rgb.crop((0, 0, 480, found.height))) < 9
    assert decode(data[:-2], LIMITS).missing == 0


def unlike(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).mean())


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_the_part_that_is_there_is_the_part_of_the_picture(kind: str, share: float) -> None:
    data = FILES[kind][: int(len(FILES[kind]) * share)]
    found = decode(data, LIMITS)
    assert found.missing is not None
    assert found.missing == pytest.approx(1 - share, abs=0.2)
    assert found.height < PICTURE.height
    assert any("file ends early" in note for note in found.notes)
    top = PICTURE.height - found.height if kind == "bmp" else 0
    assert unlike(found.rgb, PICTURE.crop((0, top, 480, top + found.height))) < 9
    assert found.byte_size == len(data)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_a_file_without_its_last_bytes_is_the_same_picture(kind: str) -> None:
    found = decode(FILES[kind][:-2], LIMITS)
    assert found.missing is not None
    assert found.missing <= 0.05
    assert found.rgb.size == PICTURE.size
    assert hamming(pdq_hash(found.rgb).bits, pdq_hash(PICTURE).bits) <= 16


@pytest.mark.parametrize("behind", [b"", BEHIND, bytes(5_000), b"\xff\xd8\xff\xe0" + BEHIND], ids=len)
def test_a_jpeg_without_its_end_marker_is_complete_whatever_lies_behind(behind: bytes) -> None:
    for data in (FILES["jpeg"], encoded(PICTURE, "JPEG", quality=90, progressive=True)):
        found = decode(data[:-2] + behind, LIMITS)
        assert found.missing == 0
        assert unlike(found.rgb, decode(data, LIMITS).rgb) < 0.5


def test_a_progressive_jpeg_that_ends_early_is_whole_and_less_sharp() -> None:
    data = encoded(PICTURE, "JPEG", quality=90, progressive=True)
    found = decode(data[: len(data) // 2], LIMITS)
    assert found.missing == 0
    assert found.rgb.size == PICTURE.size
    assert hamming(pdq_hash(found.rgb).bits, pdq_hash(PICTURE).bits) <= 31


@pytest.mark.parametrize("kind", FILES)
def test_hardly_anything_of_a_picture_is_refused_and_so_is_any_part_when_limits_are_strict(kind: str) -> None:
    for share, limits in ((0.04, LIMITS), (0.8, replace(LIMITS, strict=True))):
        with pytest.raises(ImageRejectedError) as refused:
            decode(FILES[kind][: int(len(FILES[kind]) * share)], limits)
        assert refused.value.reason in ("truncated", "unreadable")
        assert "fetch it again" in str(refused.value)


@pytest.mark.parametrize("kind", FILES)
def test_no_cut_of_a_file_makes_decoding_fail_in_another_way(kind: str) -> None:
    for length in range(20, len(FILES[kind]), len(FILES[kind]) // 23):
        try:
            found = decode(FILES[kind][:length], LIMITS)
        except ImageRejectedError:
            continue
        assert found.missing is not None


def test_an_interlaced_gif_that_ends_early_is_whole_and_less_sharp() -> None:
    data = encoded(PICTURE, "GIF")
    found = decode(data[: int(len(data) * 0.6)], LIMITS)
    assert found.missing == 0
    assert hamming(pdq_hash(found.rgb).bits, pdq_hash(PICTURE).bits) <= 31


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_white_lower_half_is_not_taken_for_a_missing_one(kind: str) -> None:
    picture = PICTURE.copy()
    picture.paste("white", (0, 180, 480, 360))
    assert decode(encoded(picture, kind)[:-2], LIMITS).missing == 0


def test_complete_files_miss_nothing() -> None:
    assert all(decode(data, LIMITS).missing is None for data in FILES.values())
