"""Our PDQ hashes and those of other tools find each other: bit for bit up to 512 pixels, within reach above.

ThreatExchange's Python package, where it is installed, hashes and searches here as its users do; without it the hashes
are taken as it takes them, of all pixels.
"""

import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pdqhash
import pytest
from PIL import Image, ImageOps

from indexer.imaging.decoding import decode
from indexer.imaging.hashing import hamming, pdq_hash, query_hashes
from indexer.imaging.limits import ImageLimits
from tests.made_pictures import encoded, scene

LIMITS = ImageLimits(max_bytes=2**26, max_pixels=50_000_000, max_frames=10)
REACH = 31
LARGE = 100
"""Pictures of more than 512 pixels."""


def full_size(picture: Image.Image) -> bytes:
    """The hash of all pixels of a picture of mode RGB, as python-threatexchange takes it."""
    bits, _ = pdqhash.compute(np.asarray(picture))
    return np.packbits(bits.astype(np.uint8)).tobytes()


def see_through(picture: Image.Image) -> Image.Image:
    """With a transparent corner and a half transparent one."""
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (0, 0, picture.width // 3, picture.height // 3))
    alpha.paste(128, (picture.width // 2, picture.height // 2, picture.width, picture.height))
    made = picture.convert("RGB")
    made.putalpha(alpha)
    return made


def on_white(picture: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def deep(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 256 + 77)


def turned(picture: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, "JPEG", quality=95, exif=exif)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def plain(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(opened(data)).convert("RGB")


FILES: dict[str, tuple[Callable[[Image.Image], bytes], Callable[[bytes], Image.Image]]] = {
    "RGB PNG": (lambda one: encoded(one), plain),
    "RGB JPEG": (lambda one: encoded(one, "JPEG", quality=80), plain),
    "RGB WebP": (lambda one: encoded(one, "WEBP", lossless=True), plain),
    "RGB BMP": (lambda one: encoded(one, "BMP"), plain),
    "RGB TIFF": (lambda one: encoded(one, "TIFF"), plain),
    "L PNG": (lambda one: encoded(one.convert("L")), plain),
    "L JPEG": (lambda one: encoded(one.convert("L"), "JPEG"), plain),
    "1 PNG": (lambda one: encoded(one.convert("1")), plain),
    "P PNG": (lambda one: encoded(one.quantize(64)), plain),
    "P GIF": (lambda one: encoded(one.quantize(64), "GIF"), plain),
    "CMYK JPEG": (lambda one: encoded(one.convert("CMYK"), "JPEG", quality=90), plain),
    "YCbCr TIFF": (lambda one: encoded(one.convert("YCbCr"), "TIFF"), plain),
    "RGBA PNG": (lambda one: encoded(see_through(one)), lambda data: on_white(opened(data))),
    "LA PNG": (lambda one: encoded(see_through(one).convert("LA")), lambda data: on_white(opened(data))),
    "RGBA WebP": (
        lambda one: encoded(see_through(one), "WEBP", lossless=True, exact=True),
        lambda data: on_white(opened(data)),
    ),
    "16-bit PNG": (
        lambda one: encoded(deep(one)),
        lambda data: Image.fromarray((np.asarray(opened(data)) >> 8).astype(np.uint8)).convert("RGB"),
    ),
    **{
        f"EXIF {orientation}": (lambda one, orientation=orientation: turned(one, orientation), plain)
        for orientation in range(2, 9)
    },
}
"""How a picture is written, and how its pixels are read without dejafake."""


@pytest.mark.parametrize("kind", FILES)
def test_up_to_512_pixels_the_hash_of_a_file_is_that_of_all_its_pixels(kind: str) -> None:
    """23 kinds of file, five pictures each."""
    write, read = FILES[kind]
    chance = random.Random(kind)
    for seed in range(5):
        size = chance.randint(40, 512), chance.randint(40, 512)
        data = write(scene(seed, size))
        assert pdq_hash(decode(data, LIMITS).rgb).bits == full_size(read(data)), size


def large_pictures() -> list[Image.Image]:
    chance = random.Random(1)
    return [scene(seed, (chance.randint(300, 1300), chance.randint(513, 1100))) for seed in range(LARGE)]


@pytest.fixture(scope="module")
def large() -> list[tuple[bytes, list[bytes], bytes]]:
    """Of each large picture: the hash we export, the hashes we ask with, the hash of all pixels."""
    return [_hashes(picture) for picture in large_pictures()]


def _hashes(picture: Image.Image) -> tuple[bytes, list[bytes], bytes]:
    hashed = query_hashes(picture)
    return hashed.reference.bits, [one.bits for one in hashed.queries], full_size(picture)


def assert_found(large: list[tuple[bytes, list[bytes], bytes]]) -> None:
    """In 99 of 100 at least."""
    theirs_find_ours = [hamming(exported, theirs) <= REACH for exported, _, theirs in large]
    ours_find_theirs = [min(hamming(one, theirs) for one in asked) <= REACH for _, asked, theirs in large]
    assert sum(theirs_find_ours) >= 0.99 * len(large)
    assert sum(ours_find_theirs) >= 0.99 * len(large)


def test_above_512_pixels_hashes_of_all_pixels_find_ours_and_ours_find_them(
    large: list[tuple[bytes, list[bytes], bytes]],
) -> None:
    assert_found(large)


def test_different_large_pictures_are_not_found(large: list[tuple[bytes, list[bytes], bytes]]) -> None:
    for place, (_, asked, _) in enumerate(large):
        others = [theirs for other, (_, _, theirs) in enumerate(large) if other != place]
        assert min(hamming(one, theirs) for one in asked for theirs in others) > REACH


def test_threatexchange_finds_our_exports_and_we_find_its_hashes(
    large: list[tuple[bytes, list[bytes], bytes]],
) -> None:
    pytest.importorskip("threatexchange", reason="the threatexchange package is not installed")
    from threatexchange.signal_type.pdq.signal import PdqSignal

    ours = {exported.hex(): number for number, (exported, _, _) in enumerate(large)}
    index = PdqSignal.get_index_cls().build(list(ours.items()))
    found = []
    for number, picture in enumerate(large_pictures()):
        theirs = PdqSignal.hash_from_bytes(encoded(picture))
        assert bytes.fromhex(theirs) == large[number][2], "the hash of all pixels is the one this package takes"
        found.append(number in [match.metadata for match in index.query(theirs)])
    assert sum(found) >= 0.99 * LARGE


def test_real_pictures_above_512_pixels_find_each_other_too() -> None:
    """The first hundred of them that are large."""
    corpus = Path(os.environ.get("DEJAFAKE_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
    if not (corpus / "images").is_dir():
        pytest.skip("no corpus: set DEJAFAKE_CORPUS to its folder")
    found: list[tuple[bytes, list[bytes], bytes]] = []
    for path in sorted((corpus / "images").iterdir()):
        with Image.open(path) as picture:
            if max(picture.size) > 512:
                found.append(_hashes(picture.convert("RGB")))
        if len(found) == LARGE:
            break
    assert_found(found)
