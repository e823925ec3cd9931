"""Every accepted kind of picture becomes the same upright 8-bit RGB picture, and says what was done to it."""

import hashlib
import os
import struct
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode, read_bytes
from indexer.imaging.limits import ImageLimits

Encode = Callable[..., bytes]

TOLERANCE = {"gif": 12.0, "gif-animation": 12.0}
FORMATS = {
    "jpeg": "JPEG",
    "jpeg-progressive": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "webp-lossless": "WEBP",
    "bmp": "BMP",
    "gif": "GIF",
    "tiff": "TIFF",
    "tiff-lzw": "TIFF",
    "tiff-jpeg": "TIFF",
    "avif": "AVIF",
}
ANIMATIONS = ["gif-animation", "apng", "webp-animation", "tiff-pages", "avif-sequence"]


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size, in grey levels."""
    assert a.size == b.size
    return float(np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16)).mean())


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG written by hand; `extra` are whole chunks put before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_accepted_format_decodes_to_the_same_picture(
    kind: str, files: dict[str, bytes], picture: Image.Image, limits: ImageLimits
) -> None:
    decoded = decode(files[kind], limits)
    assert decoded.format == FORMATS[kind]
    assert decoded.rgb.mode == "RGB"
    assert (decoded.width, decoded.height) == decoded.rgb.size == picture.size
    assert difference(decoded.rgb, picture) < TOLERANCE.get(kind, 4.0)
    assert decoded.sha256 == hashlib.sha256(files[kind]).hexdigest()
    assert decoded.byte_size == len(files[kind])
    assert decoded.frames == 1
    assert decoded.notes == ()
    assert decoded.rgb.info == {}


def test_heic_decodes_when_its_reader_is_installed(
    heif: Any, picture: Image.Image, encode: Encode, limits: ImageLimits
) -> None:
    decoded = decode(encode(picture, "HEIF", quality=95), limits)
    assert decoded.format == "HEIC"
    assert difference(decoded.rgb, picture) < 4


def test_heic_without_its_reader_says_what_to_install(
    heif: Any, picture: Image.Image, encode: Encode, limits: ImageLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(picture, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageRejectedError, match=r"dejafake\[heic\]") as refused:
        decode(data, limits)
    assert refused.value.reason == "unsupported"


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_the_first_frame_of_many_is_read_and_said_so(
    kind: str, files: dict[str, bytes], picture: Image.Image, limits: ImageLimits
) -> None:
    decoded = decode(files[kind], limits)
    assert decoded.frames == 5
    assert "first of 5 frames" in decoded.notes
    assert difference(decoded.rgb, picture) < TOLERANCE.get(kind, 4.0)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_upright(
    name: str, orientation: int, picture: Image.Image, encode: Encode, limits: ImageLimits
) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = picture.transpose(undo[orientation]) if orientation > 1 else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encode(stored, name, exif=exif, quality=92), limits)
    assert difference(decoded.rgb, picture) < 4
    noted = f"turned upright by EXIF orientation {orientation}" in decoded.notes
    assert noted == (orientation > 1)


def test_cmyk_is_converted_from_adobes_inverted_jpeg_and_from_tiff(
    picture: Image.Image, encode: Encode, limits: ImageLimits
) -> None:
    for name in ("JPEG", "TIFF"):
        decoded = decode(encode(picture.convert("CMYK"), name, quality=95), limits)
        assert decoded.mode == "CMYK"
        assert difference(decoded.rgb, picture) < 4


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_grey_palette_and_opaque_alpha_keep_their_look(
    mode: str, picture: Image.Image, encode: Encode, limits: ImageLimits
) -> None:
    stored = picture.convert(mode)
    decoded = decode(encode(stored, "PNG"), limits)
    assert decoded.mode == mode
    assert difference(decoded.rgb, stored.convert("RGB")) < 1
    assert decoded.notes == ()


def test_transparency_of_every_kind_is_laid_on_white(picture: Image.Image, encode: Encode, limits: ImageLimits) -> None:
    half = Image.new("L", picture.size, 255)
    half.paste(0, (0, 0, picture.width // 2, picture.height))
    rgba = picture.copy()
    rgba.putalpha(half)
    grey = picture.convert("LA")
    grey.putalpha(half)
    palette = picture.quantize(64)
    index = palette.getpixel((0, 0))
    key = picture.copy()
    key.paste((1, 2, 3), (0, 0, 10, 10))
    for data in (
        encode(rgba, "PNG"),
        encode(rgba, "WEBP", lossless=True),
        encode(rgba, "TIFF"),
        encode(rgba, "AVIF", quality=100),
        encode(grey, "PNG"),
        encode(palette, "PNG", transparency=index),
        encode(palette, "GIF", transparency=index),
        encode(key, "PNG", transparency=(1, 2, 3)),
    ):
        decoded = decode(data, limits)
        assert decoded.rgb.getpixel((0, 0)) == (255, 255, 255)
        assert "transparency laid on white" in decoded.notes
        assert decoded.rgb.getpixel((95, 60)) != (255, 255, 255)


def test_sixteen_bit_pictures_keep_their_look(picture: Image.Image, encode: Encode, limits: ImageLimits) -> None:
    grey = np.asarray(picture.convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    colours = np.asarray(picture)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours.astype(np.uint16) * 257)
    by_hand = png(*picture.size, 16, 2, rows)
    for data, expected in (
        (encode(deep, "PNG"), grey),
        (encode(deep, "TIFF"), grey),
        (encode(Image.fromarray(grey.astype(np.int32) * 257), "TIFF"), grey),
        (by_hand, colours),
    ):
        decoded = decode(data, limits)
        assert difference(decoded.rgb, Image.fromarray(expected).convert("RGB")) <= 1
        assert "16-bit reduced to 8-bit" in decoded.notes


def test_floats_are_scaled_whatever_their_range(picture: Image.Image, encode: Encode, limits: ImageLimits) -> None:
    grey = np.asarray(picture.convert("L"))
    expected = Image.fromarray(grey).convert("RGB")
    unit = (grey / 255).astype(np.float32)
    assert difference(decode(encode(Image.fromarray(unit), "TIFF"), limits).rgb, expected) <= 1
    assert difference(decode(encode(Image.fromarray(grey.astype(np.float32)), "TIFF"), limits).rgb, expected) == 0
    wide = unit * 9_000 - 4_000
    wide[0, 0] = np.nan
    stretched = decode(encode(Image.fromarray(wide), "TIFF"), limits)
    low, high = int(grey.min()), int(grey.max())
    span = expected.point(lambda value: (value - low) * 255 / (high - low))
    assert difference(stretched.rgb, span) <= 2
    assert "32-bit float reduced to 8-bit" in stretched.notes


def swapped_profile() -> bytes:
    """sRGB with the red and green primaries exchanged, so that applying it is plain to see."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "tRGB".encode("utf-16-be"))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_embedded_profile_is_applied(name: str, encode: Encode, limits: ImageLimits) -> None:
    red = Image.new("RGB", (64, 64), (250, 10, 10))
    decoded = decode(encode(red, name, icc_profile=swapped_profile(), quality=95), limits)
    r, g, _ = decoded.rgb.getpixel((32, 32))
    assert g > 200 > r
    assert "colours converted to sRGB from the embedded profile" in decoded.notes


def test_srgb_itself_changes_nothing_and_a_broken_profile_is_noted(
    picture: Image.Image, encode: Encode, limits: ImageLimits
) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    untouched = decode(encode(picture, "PNG", icc_profile=srgb), limits)
    assert difference(untouched.rgb, picture) == 0
    assert untouched.notes == ()
    for data in (
        encode(picture, "PNG", icc_profile=b"no profile"),
        encode(picture, "JPEG", icc_profile=b"no profile"),
        encode(picture.convert("L"), "PNG", icc_profile=swapped_profile()),
    ):
        assert "embedded colour profile is damaged or does not fit, ignored" in decode(data, limits).notes


def test_a_wrong_exif_block_does_not_cost_the_picture(
    picture: Image.Image, encode: Encode, limits: ImageLimits
) -> None:
    for exif in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\1" * 40):
        for name in ("JPEG", "WEBP"):
            assert difference(decode(encode(picture, name, exif=exif, quality=92), limits).rgb, picture) < 4


def test_decoding_changes_no_setting_of_pillow_and_needs_none(
    files: dict[str, bytes], limits: ImageLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for kind in ("jpeg", "png", "bmp", "avif"):
        assert decode(files[kind], limits).width == 96
    with pytest.raises(ImageRejectedError) as refused:
        decode(files["tiff"], limits)
    assert refused.value.reason == "too_many_pixels"
    assert Image.MAX_IMAGE_PIXELS == 100
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_threads_decode_the_same(files: dict[str, bytes], limits: ImageLimits) -> None:
    alone = {kind: decode(data, limits).rgb.tobytes() for kind, data in files.items()}
    together: list[bool] = []

    def work() -> None:
        together.extend(decode(data, limits).rgb.tobytes() == alone[kind] for kind, data in files.items())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [True] * 4 * len(files)


def test_reading_a_file_is_bounded_and_clear(tmp_path: Path) -> None:
    small = ImageLimits(max_bytes=10, max_pixels=100, max_frames=1)
    for name, content in (("full", b"0123456789"), ("over", b"0123456789a"), ("none", b"")):
        (tmp_path / name).write_bytes(content)
    assert read_bytes(tmp_path / "full", small) == b"0123456789"
    with (tmp_path / "terabyte").open("wb") as sparse:
        sparse.truncate(2**40)
    reasons = {}
    for name in ("over", "none", "missing", ".", "terabyte"):
        with pytest.raises(ImageRejectedError) as refused:
            read_bytes(tmp_path / name, small)
        reasons[name] = refused.value.reason
        assert "\n" not in str(refused.value)
    assert reasons == {
        "over": "too_many_bytes",
        "none": "empty",
        "missing": "unreadable",
        ".": "unreadable",
        "terabyte": "too_many_bytes",
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path, limits: ImageLimits) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageRejectedError, match="not a regular file"):
        read_bytes(tmp_path / "pipe.jpg", limits)
