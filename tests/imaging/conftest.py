"""Real pictures of every kind, made on the fly."""

import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFilter

from indexer.imaging.limits import ImageLimits


def draw_picture(size: tuple[int, int] = (96, 64), seed: int = 0) -> Image.Image:
    """A smooth colourful picture without any symmetry."""
    chance = random.Random(seed)
    picture = Image.new("RGB", size)
    width, height = size
    ramp = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", (ramp, ramp.rotate(180), Image.new("L", size, 90)))
    draw = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y = chance.randrange(width), chance.randrange(height)
        reach = chance.randint(min(size) // 12 + 1, min(size) // 4 + 1)
        colour = tuple(chance.randrange(256) for _ in range(3))
        draw.ellipse((x, y, x + reach, y + reach * 0.7), fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(min(size) / 60))


def encode_picture(picture: Image.Image, name: str, **options: Any) -> bytes:
    """`picture` as a file of Pillow's format `name`."""
    buffer = io.BytesIO()
    picture.save(buffer, name, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def draw() -> Callable[..., Image.Image]:
    return draw_picture


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    return encode_picture


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    return draw_picture()


@pytest.fixture(scope="session")
def limits() -> ImageLimits:
    return ImageLimits(max_bytes=64 * 2**20, max_pixels=100_000_000, max_frames=2_000)


@pytest.fixture(scope="session")
def heif() -> Any:
    """The optional HEIC reader, also an encoder here."""
    module = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    module.register_heif_opener()
    return module


@pytest.fixture(scope="session")
def files(picture: Image.Image) -> dict[str, bytes]:
    """One file of every format Pillow writes, by a short name."""
    frames = [draw_picture(seed=seed) for seed in range(1, 5)]
    return {
        "jpeg": encode_picture(picture, "JPEG", quality=92),
        "jpeg-progressive": encode_picture(picture, "JPEG", quality=92, progressive=True),
        "png": encode_picture(picture, "PNG"),
        "webp": encode_picture(picture, "WEBP", quality=92),
        "webp-lossless": encode_picture(picture, "WEBP", lossless=True),
        "bmp": encode_picture(picture, "BMP"),
        "gif": encode_picture(picture, "GIF"),
        "tiff": encode_picture(picture, "TIFF"),
        "tiff-lzw": encode_picture(picture, "TIFF", compression="tiff_lzw"),
        "tiff-jpeg": encode_picture(picture, "TIFF", compression="jpeg", quality=92),
        "avif": encode_picture(picture, "AVIF", quality=90),
        "gif-animation": encode_picture(picture, "GIF", save_all=True, append_images=frames),
        "apng": encode_picture(picture, "PNG", save_all=True, append_images=frames),
        "webp-animation": encode_picture(picture, "WEBP", save_all=True, append_images=frames, quality=92),
        "tiff-pages": encode_picture(picture, "TIFF", save_all=True, append_images=frames),
        "avif-sequence": encode_picture(picture, "AVIF", save_all=True, append_images=frames, quality=90),
    }
