"""How much there is in a picture: what is blank or nearly so lies below the floor, what people photograph does not."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from indexer.imaging.content import FEW_TONES, TOO_LITTLE, content_of
from indexer.imaging.decoding import decode
from indexer.imaging.degenerate import says_nothing
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits
from tests.made_pictures import encoded, scene

LIMITS = ImageLimits(max_bytes=10_000_000, max_pixels=10_000_000, max_frames=10)
SIZE = (600, 400)


def plain(*colour: int) -> Image.Image:
    return Image.new("RGB", SIZE, colour)


def drawn(ground: tuple[int, int, int], draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    picture = plain(*ground)
    draw(ImageDraw.Draw(picture))
    return picture


def gradient(low: float, high: float) -> Image.Image:
    row = np.linspace(low, high, SIZE[0])
    return Image.fromarray(np.tile(row[None, :, None], (SIZE[1], 1, 3)).round().astype(np.uint8))


def noise(deviation: float) -> Image.Image:
    values = np.random.default_rng(0).normal(128, deviation, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))


def line_drawing(seed: int) -> Image.Image:
    chance = np.random.default_rng(seed)
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    for _ in range(14):
        left, top = chance.integers(0, 400), chance.integers(0, 250)
        draw.ellipse((left, top, left + chance.integers(40, 200), top + chance.integers(40, 150)), outline=0, width=3)
    return picture


NEARLY_NOTHING = {
    "white": plain(255, 255, 255),
    "off white": plain(250, 250, 246),
    "black": plain(0, 0, 0),
    "a colour": plain(180, 40, 90),
    "a faint gradient": gradient(240, 252),
    "a gradient": gradient(40, 220),
    "faint noise": noise(3),
    "a thin line": drawn((255, 255, 255), lambda draw: draw.line((40, 60, 560, 330), fill=0, width=2)),
    "a small logo": drawn((255, 255, 255), lambda draw: draw.ellipse((30, 30, 70, 70), fill=(200, 30, 30))),
    "a faint watermark": drawn(
        (255, 255, 255), lambda draw: draw.text((200, 180), "stock", fill=(236,) * 3, font=ImageFont.load_default(50))
    ),
    "a date stamp": drawn(
        (0, 0, 0), lambda draw: draw.text((380, 370), "2026-03-01 12:00", fill=(255, 255, 0), font_size=20)
    ),
    "a page without text": drawn(
        (252, 252, 250), lambda draw: draw.rectangle((50, 30, 550, 370), outline=(90,) * 3, width=2)
    ),
    "half black": drawn((255, 255, 255), lambda draw: draw.rectangle((0, 0, 300, 400), fill=0)),
}
REAL = {
    "a scene": scene(1),
    "a pale one": scene(2).point(lambda value: 205 + value * 0.2),
    "a dark one": scene(3).point(lambda value: value * 0.12),
    "one of low contrast": scene(4).point(lambda value: 110 + value * 0.1),
    "a small one": scene(5).resize((64, 48), Image.Resampling.BOX),
    "a mostly white one": Image.new("RGB", SIZE, "white"),
    "a line drawing": line_drawing(1),
}
REAL["a mostly white one"].paste(scene(6).resize((180, 180)), (200, 100))


@pytest.mark.parametrize("what", NEARLY_NOTHING)
def test_blank_and_flat_pictures_have_too_little(what: str) -> None:
    picture = NEARLY_NOTHING[what]
    again = decode(encoded(picture, "JPEG", quality=70), LIMITS).rgb
    assert content_of(picture) < TOO_LITTLE
    assert content_of(again) < TOO_LITTLE


@pytest.mark.parametrize("what", REAL)
def test_pictures_with_something_in_them_have_enough(what: str) -> None:
    picture = REAL[what]
    again = decode(encoded(picture, "JPEG", quality=70), LIMITS).rgb
    assert content_of(picture) >= TOO_LITTLE
    assert content_of(again) >= TOO_LITTLE


@pytest.mark.parametrize("what", ["a line drawing", "a pale one", "a dark one", "one of low contrast"])
def test_drawings_and_faint_pictures_have_few_tones(what: str) -> None:
    assert content_of(REAL[what]) < FEW_TONES <= content_of(REAL["a scene"])


def test_a_thumbnail_has_the_content_of_its_picture() -> None:
    for seed in range(5):
        small = scene(seed, (1600, 1200)).resize((320, 240), Image.Resampling.LANCZOS)
        assert abs(content_of(small) - content_of(scene(seed, (1600, 1200)))) <= 3


@pytest.mark.parametrize("shade", range(0, 256, 5))
def test_the_hash_of_a_flat_picture_says_nothing(shade: int) -> None:
    for size in ((512, 512), (300, 200)):
        assert says_nothing(pdq_hash(Image.new("RGB", size, (shade, shade, 255 - shade))).bits)


@pytest.mark.parametrize(
    "digits",
    ["0" * 64, "f" * 64, "5a" * 32, "f0" * 32, "0123456789abcdef" * 4, "0" * 63 + "1", "f" * 32 + "0" * 32],
)
def test_hashes_of_failed_hashers_say_nothing(digits: str) -> None:
    bits = bytes.fromhex(digits)
    assert says_nothing(bits)
    turned = np.unpackbits(np.frombuffer(bits, np.uint8))
    turned[np.random.default_rng(1).choice(256, 12, replace=False)] ^= 1
    assert says_nothing(np.packbits(turned).tobytes())


@pytest.mark.parametrize("ones", [96, 100, 128, 150, 160])
def test_genuine_hashes_say_something_whatever_their_weight(ones: int) -> None:
    chance = np.random.default_rng(ones)
    for seed in range(20):
        bits = np.unpackbits(np.frombuffer(pdq_hash(scene(seed)).bits, np.uint8))
        which = np.flatnonzero(bits == (bits.sum() > ones))
        bits[chance.choice(which, abs(int(bits.sum()) - ones), replace=False)] ^= 1
        assert not says_nothing(np.packbits(bits).tobytes())


def checks(side: int) -> Image.Image:
    down, across = np.mgrid[: SIZE[1], : SIZE[0]]
    values = ((down // side + across // side) % 2 * 255).astype(np.uint8)
    return Image.fromarray(values).convert("RGB")


def dots(side: int) -> Image.Image:
    down, across = np.mgrid[: SIZE[1], : SIZE[0]]
    values = (np.hypot(down % side - side / 2, across % side - side / 2) > side * 0.3) * 255
    return Image.fromarray(values.astype(np.uint8)).convert("RGB")


def static(size: tuple[int, int], seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))


PATTERNS = {f"checks of {side}": checks(side) for side in (3, 8, 13, 32, 70)}
PATTERNS |= {f"dots every {side}": dots(side) for side in (8, 12, 31)}
PATTERNS |= {f"static of {size}": static(size) for size in ((64, 64), (128, 96), (300, 200), (1200, 800))}


@pytest.mark.parametrize("what", PATTERNS)
def test_noise_and_repeated_patterns_say_nothing_however_strong(what: str) -> None:
    for picture in (PATTERNS[what], decode(encoded(PATTERNS[what], "JPEG", quality=80), LIMITS).rgb):
        assert content_of(picture) < TOO_LITTLE


@pytest.mark.parametrize("blocks", [16, 24, 32, 64])
def test_a_pixelated_picture_keeps_something_to_compare(blocks: int) -> None:
    small = scene(1).resize((blocks, blocks), Image.Resampling.BOX)
    assert content_of(small.resize((768, 768), Image.Resampling.NEAREST)) >= TOO_LITTLE


@pytest.mark.parametrize("radius", [4, 8, 12])
def test_a_blurred_picture_keeps_something_to_compare(radius: int) -> None:
    large = scene(1).resize((768, 768), Image.Resampling.BICUBIC)
    assert content_of(large.filter(ImageFilter.GaussianBlur(radius))) >= TOO_LITTLE
