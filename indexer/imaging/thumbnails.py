"""Small JPEG copies for viewing, without the original's metadata."""

import io

from PIL import Image


def make_thumbnail(rgb: Image.Image, size: int) -> bytes:
    """A JPEG of `rgb` (mode RGB, sRGB) whose longest side is at most `size` pixels; smaller pictures keep theirs.

    They contain only pixels: no EXIF, XMP, comments or colour profile. The same picture gives the same bytes.
    """
    scale = min(1.0, size / max(rgb.size))
    target = max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))
    small = Image.new("RGB", target)
    small.paste(rgb.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85, optimize=True)
    return buffer.getvalue()
