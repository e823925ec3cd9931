"""Whatever the bytes are: a picture, or one clear refusal with a reason, before memory or time is spent."""

import contextlib
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits

Encode = Callable[..., bytes]

KINDS = [
    "jpeg",
    "jpeg-progressive",
    "png",
    "webp",
    "webp-lossless",
    "bmp",
    "gif",
    "tiff",
    "tiff-lzw",
    "tiff-jpeg",
    "avif",
]
ANIMATIONS = ["gif-animation", "apng", "webp-animation", "tiff-pages", "avif-sequence"]


def refusal(data: bytes, limits: ImageLimits) -> str:
    """The reason `data` is refused for."""
    with pytest.raises(ImageRejectedError) as refused:
        decode(data, limits)
    message = str(refused.value)
    assert message
    assert "\n" not in message
    assert len(message) < 300
    return refused.value.reason


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def inflate_bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def test_no_bytes_are_empty(limits: ImageLimits) -> None:
    assert refusal(b"", limits) == "empty"


@pytest.mark.parametrize(
    "data",
    [b"hello, I am a text named photo.jpg\n" * 9, b"\0" * 500, b"\xff\xd8", b"<html><img></html>", b"BM is a word"],
)
def test_what_is_no_picture_is_called_so(data: bytes, limits: ImageLimits) -> None:
    assert refusal(data, limits) == "not_an_image"


@pytest.mark.parametrize("name", ["JPEG2000", "ICO", "PPM", "PDF", "EPS", "DDS", "QOI"])
def test_pictures_of_other_formats_are_unsupported(
    name: str, picture: Image.Image, encode: Encode, limits: ImageLimits
) -> None:
    assert refusal(encode(picture, name), limits) == "unsupported"


@pytest.mark.parametrize(
    "head", [b"8BPS\0\1", b'<?xml version="1.0"?><svg xmlns="x">', b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", b"\xff\x0a"]
)
def test_other_known_files_are_unsupported(head: bytes, limits: ImageLimits) -> None:
    assert refusal(head + bytes(200), limits) == "unsupported"


@pytest.mark.parametrize("kind", KINDS)
def test_limits_on_pixels_and_size_hold_for_every_format(
    kind: str, files: dict[str, bytes], draw: Callable[..., Image.Image], encode: Encode
) -> None:
    exact = ImageLimits(max_bytes=len(files[kind]), max_pixels=96 * 64, max_frames=1)
    assert decode(files[kind], exact).width == 96
    assert refusal(files[kind], ImageLimits(2**20, 96 * 64 - 1, 1)) == "too_many_pixels"
    assert refusal(files[kind], ImageLimits(len(files[kind]) - 1, 2**20, 1)) == "too_many_bytes"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_pictures_without_content_are_too_small(
    name: str, draw: Callable[..., Image.Image], encode: Encode, limits: ImageLimits
) -> None:
    assert refusal(encode(draw((200, 15)), name), limits) == "too_small"
    assert decode(encode(draw((200, 16)), name), limits).height == 16


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_frames_are_limited(kind: str, files: dict[str, bytes]) -> None:
    assert decode(files[kind], ImageLimits(2**20, 2**20, 5)).frames == 5
    assert refusal(files[kind], ImageLimits(2**20, 2**20, 4)) == "too_many_frames"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_files_that_end_early_are_truncated_where_limits_are_strict(
    kind: str, share: float, files: dict[str, bytes], limits: ImageLimits
) -> None:
    assert refusal(files[kind][: int(len(files[kind]) * share)], replace(limits, strict=True)) == "truncated"


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_the_last_byte_matters_where_limits_are_strict(kind: str, files: dict[str, bytes], limits: ImageLimits) -> None:
    assert refusal(files[kind][:-1], replace(limits, strict=True)) == "truncated"


def test_an_animation_cut_after_its_first_frame_is_read_and_noted(files: dict[str, bytes], limits: ImageLimits) -> None:
    data = files["gif-animation"]
    assert "the file ends early, after its first frame" in decode(data[: int(len(data) * 0.7)], limits).notes


def test_a_png_bomb_is_refused_in_little_memory(tmp_path: Path) -> None:
    side = 50_000
    packer = zlib.compressobj(1)
    row = bytes(1 + side // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    grown, outcome = decode_alone(bomb, tmp_path)
    assert outcome.startswith("too_many_pixels: the picture is 50,000 x 50,000 pixels")
    assert "bomb" not in outcome.lower()
    assert grown < 20


def test_bombs_in_text_and_profile_chunks_are_never_unpacked(files: dict[str, bytes], tmp_path: Path) -> None:
    packed = inflate_bomb(120)
    data = files["png"]
    bombs = (
        chunk(b"zTXt", b"Comment\0\0" + packed)
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed)
        + chunk(b"iCCP", b"ICC\0\0" + packed)
    )
    grown, outcome = decode_alone(data[:33] + bombs + data[33:], tmp_path)
    assert outcome == "decoded: embedded colour profile is damaged or too large, ignored"
    assert grown < 40


def decode_alone(data: bytes, folder: Path) -> tuple[float, str]:
    """How many MiB decoding `data` adds to the peak memory of a process of its own, and what came out."""
    (folder / "bomb").write_bytes(data)
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from indexer.errors import ImageRejectedError\n"
        "from indexer.imaging.decoding import decode; from indexer.imaging.limits import ImageLimits\n"
        "data = Path(sys.argv[1]).read_bytes()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: outcome = 'decoded: ' + ', '.join(decode(data, ImageLimits(2**26, 10**8, 2000)).notes)\n"
        "except ImageRejectedError as error: outcome = f'{error.reason}: {error}'\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before); print(outcome)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder / "bomb")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.stderr == ""
    grown, outcome = done.stdout.splitlines()
    return int(grown) / (1024 if sys.platform != "darwin" else 2**20), outcome


def test_a_jpeg_with_endless_scans_is_refused(files: dict[str, bytes], limits: ImageLimits) -> None:
    data = files["jpeg-progressive"]
    start = data.rindex(b"\xff\xda")
    assert refusal(data[:start] + data[start:-2] * 200 + data[-2:], limits) == "unreadable"


def test_a_jpeg_padded_with_megabytes_is_refused(files: dict[str, bytes], limits: ImageLimits) -> None:
    data = files["jpeg"]
    assert refusal(data[:2] + b"\xff" * 2**22 + data[2:], limits) == "unreadable"
    assert refusal(data[:2] + b"\xff\xfe\0\2" * 2**18 + data[2:], limits) == "unreadable"


def test_a_gif_of_crumbs_is_refused(files: dict[str, bytes], limits: ImageLimits) -> None:
    data = files["gif"]
    comments = b"!\xfe" + b"\1x" * 2**21 + b"\0"
    start = 13 + (3 << (data[10] & 7) + 1)
    assert refusal(data[:start] + comments + data[start:], limits) == "unreadable"


def test_a_gif_frame_larger_than_its_screen_counts(files: dict[str, bytes], limits: ImageLimits) -> None:
    data = bytearray(files["gif"])
    at = data.index(b",", 13 + (3 << (data[10] & 7) + 1))
    data[at + 5 : at + 9] = struct.pack("<HH", 65_535, 65_535)
    assert refusal(bytes(data), limits) == "too_many_pixels"


def test_a_png_of_crumbs_is_refused(files: dict[str, bytes], limits: ImageLimits) -> None:
    data = files["png"]
    assert refusal(data[:33] + chunk(b"IDAT", b"") * 300_000 + data[33:], limits) == "unreadable"


def tiff(entries: list[tuple[int, int, int, int]], tail: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF of one directory of (tag, type, count, value or offset)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + struct.pack("<I", following) + tail


def test_hostile_tiff_directories_are_refused(files: dict[str, bytes], limits: ImageLimits) -> None:
    size = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    assert refusal(tiff([(256, 4, 1, 60_000), (257, 4, 1, 60_000)]), limits) == "too_many_pixels"
    assert refusal(tiff([*size, (273, 4, 5_000_000, 8), (279, 4, 5_000_000, 8)], bytes(2**21)), limits) == "unreadable"
    tiles = [(322, 4, 1, 2**20), (323, 4, 1, 2**20), (324, 4, 1, 8), (325, 4, 1, 16)]
    assert refusal(tiff(size + tiles), limits) == "unreadable"
    assert refusal(tiff([*size, (273, 4, 1, 8), (279, 4, 1, 4096)]), limits) == "truncated"
    packed = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1)]
    assert refusal(tiff([*packed, (273, 4, 1, 200), (279, 4, 1, 4096)], bytes(2048)), limits) == "truncated"
    assert refusal(tiff(size, following=2**31), limits) == "truncated"
    assert refusal(b"II*\0" + struct.pack("<I", 2**31), limits) == "truncated"


def test_a_tiff_chain_that_bites_its_tail_ends_there(limits: ImageLimits) -> None:
    size = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (278, 3, 1, 64)]
    entries = [*size, (273, 4, 1, 200), (279, 4, 1, 4096)]
    assert decode(tiff(entries, bytes(8192), following=8), limits).frames == 1


def test_a_flipped_bit_in_a_png_is_noticed(files: dict[str, bytes], limits: ImageLimits) -> None:
    data = bytearray(files["png"])
    data[data.index(b"IDAT") + 40] ^= 4
    assert refusal(bytes(data), limits) == "unreadable"


SMALL = ImageLimits(max_bytes=2**20, max_pixels=200_000, max_frames=50)


@settings(
    max_examples=500,
    derandomize=True,
    deadline=None,
    database=None,
)
@given(draws=st.data())
def test_no_mutation_of_a_real_file_escapes(draws: st.DataObject, files: dict[str, bytes]) -> None:
    original = files[draws.draw(st.sampled_from(sorted(files)))]
    mutated = bytearray(original)
    for _ in range(draws.draw(st.integers(1, 6))):
        at = draws.draw(st.integers(0, min(len(mutated) - 1, 400)) | st.integers(0, len(mutated) - 1))
        what = draws.draw(st.sampled_from(["set", "cut", "insert", "repeat", "swap"]))
        if what == "set":
            mutated[at] = draws.draw(st.integers(0, 255))
        elif what == "insert":
            mutated[at:at] = draws.draw(st.binary(max_size=16))
        elif what == "cut":
            del mutated[at : at + draws.draw(st.integers(1, 64))]
        elif what == "repeat":
            mutated[at:at] = mutated[at : at + 64] * draws.draw(st.integers(1, 8))
        else:
            mutated[at : at + 4] = draws.draw(st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"]))
        if len(mutated) < 8:
            break
    with contextlib.suppress(ImageRejectedError):
        decoded = decode(bytes(mutated), SMALL)
        assert decoded.rgb.mode == "RGB"
        assert decoded.width * decoded.height <= SMALL.max_pixels


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0+", b"BM"]), st.binary())
def test_no_bytes_behind_a_known_beginning_escape(head: bytes, tail: bytes) -> None:
    with pytest.raises(ImageRejectedError):
        decode(head + tail, SMALL)
