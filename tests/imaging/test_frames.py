"""Of an animation the first frame with something to see is judged, of pages the first unless it is blank."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from tests.made_pictures import encoded, scene

LIMITS = ImageLimits(max_bytes=10_000_000, max_pixels=10_000_000, max_frames=100)
BLACK = Image.new("RGB", (480, 360))
FADING = [BLACK, scene(3).point(lambda value: value * 0.04), scene(3), scene(4)]
ANIMATED = {"GIF": {"duration": 100}, "PNG": {}, "WEBP": {"lossless": True}, "AVIF": {"quality": 95}}


def animation(frames: list[Image.Image], kind: str, **options: object) -> bytes:
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def near(one: Image.Image, other: Image.Image) -> bool:
    return float(np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).mean()) < 12


@pytest.mark.parametrize("kind", ANIMATED)
def test_an_animation_that_fades_in_is_judged_by_the_frame_that_shows_something(kind: str) -> None:
    found = decode(animation(FADING, kind, **ANIMATED[kind]), LIMITS)
    assert found.frame == 2
    assert near(found.rgb, scene(3))
    assert "frame 3 of 4, the first with something to see" in found.notes


@pytest.mark.parametrize("kind", ANIMATED)
def test_an_animation_that_shows_something_at_once_is_judged_by_its_first_frame(kind: str) -> None:
    found = decode(animation([scene(5), scene(3), BLACK], kind, **ANIMATED[kind]), LIMITS)
    assert found.frame == 0
    assert near(found.rgb, scene(5))
    assert "first of 3 frames" in found.notes


@pytest.mark.parametrize("kind", ANIMATED)
def test_an_animation_of_blank_frames_is_judged_by_its_first(kind: str) -> None:
    frames = [Image.new("RGB", (480, 360), (shade,) * 3) for shade in (0, 3, 6)]
    assert decode(animation(frames, kind, **ANIMATED[kind]), LIMITS).frame == 0


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_a_frame_beyond_those_looked_at_is_not_found(kind: str) -> None:
    small = [Image.new("RGB", (64, 48), (number % 6,) * 3) for number in range(70)]
    found = decode(animation([*small, scene(3).resize((64, 48))], kind, **ANIMATED[kind]), LIMITS)
    assert found.frame == 0


def test_the_still_picture_of_an_apng_that_is_not_part_of_the_animation_is_not_judged() -> None:
    data = animation([scene(6), scene(7), scene(8)], "PNG", default_image=True)
    found = decode(data, LIMITS)
    assert near(found.rgb, scene(7))
    assert "first of 2 frames" in found.notes
    fading = animation([scene(6), BLACK, scene(8)], "PNG", default_image=True)
    assert near(decode(fading, LIMITS).rgb, scene(8))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
def test_a_blank_first_page_is_turned_and_another_is_not(compression: str) -> None:
    pages = [Image.new("RGB", (480, 360), "white"), scene(9), scene(10)]
    assert near(decode(animation(pages, "TIFF", compression=compression), LIMITS).rgb, scene(9))
    assert near(decode(animation(pages[1:], "TIFF", compression=compression), LIMITS).rgb, scene(9))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_that_ends_early_is_judged_by_the_frames_that_are_there(kind: str) -> None:
    data = animation(FADING, kind, **ANIMATED[kind])
    found = decode(data[: int(len(data) * 0.9)], LIMITS)
    assert found.rgb.size == (480, 360)


def test_damage_in_a_later_frame_costs_that_frame_alone() -> None:
    data = bytearray(animation([BLACK, scene(3), scene(4)], "PNG"))
    at = data.rindex(b"fdAT")
    length = struct.unpack(">I", data[at - 4 : at])[0]
    data[at + 10 : at + length] = bytes(length - 10)
    data[at + 4 + length : at + 8 + length] = struct.pack(">I", zlib.crc32(data[at : at + 4 + length]))
    assert decode(bytes(data), LIMITS).frame == 1


def several(*pictures: Image.Image) -> bytes:
    """An MPO file, as stereo cameras and phones write them."""
    buffer = io.BytesIO()
    pictures[0].save(buffer, "MPO", save_all=True, append_images=pictures[1:], quality=92)
    return buffer.getvalue()


def test_a_blank_first_picture_of_several_in_a_jpeg_is_passed_over_and_another_is_not() -> None:
    blank, seen = Image.new("RGB", (320, 240)), scene(5)
    for pictures in ((blank, seen), (blank, blank, seen), (seen, blank), (seen, scene(6))):
        found = decode(several(*pictures), LIMITS)
        assert near(found.rgb, seen)
        assert any("of the file" in note for note in found.notes) == (pictures[0] is blank)
    whole = several(blank, seen)
    for cut in (len(whole) // 2, len(whole) - 3):
        assert not decode(whole[:cut], LIMITS).rgb.getbbox()
    assert not decode(several(blank, blank), LIMITS).rgb.getbbox()
