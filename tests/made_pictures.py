"""Pictures made on the fly for the tests: different enough for PDQ, the same on every run."""

import io
import random
import struct
import zlib

from PIL import Image, ImageDraw, PngImagePlugin


def scene(seed: int, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """A picture of overlapping shapes; every seed gives another one."""
    rng = random.Random(seed)

    def colour() -> tuple[int, int, int]:
        return rng.randrange(256), rng.randrange(256), rng.randrange(256)

    picture = Image.new("RGB", size, colour())
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        left, top = rng.randrange(-80, size[0]), rng.randrange(-80, size[1])
        box = (left, top, left + rng.randrange(20, 200), top + rng.randrange(20, 200))
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(box, fill=colour())
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png(seed: int) -> bytes:
    """The scene of this seed as a PNG file."""
    return encoded(scene(seed))


def recompressed(seed: int) -> bytes:
    """The scene of this seed as somebody else re-shared it: smaller and as a JPEG."""
    return encoded(scene(seed).resize((360, 270)), "JPEG", quality=60)


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG file whose header claims this size."""
    data = png(0)
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def generated_png(seed: int, *, model_hash: str = "6CE0161689") -> bytes:
    """The scene of this seed as AUTOMATIC1111 would have written it, inpainted."""
    info = PngImagePlugin.PngInfo()
    settings = f"Steps: 20, Sampler: Euler a, Seed: 5, Model hash: {model_hash}, Model: v1-5, Mask blur: 4"
    info.add_text("parameters", f"a mayor\n{settings}")
    return encoded(scene(seed), pnginfo=info)
