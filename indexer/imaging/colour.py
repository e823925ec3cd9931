"""Converts any decoded picture to 8-bit sRGB: bit depth, palettes, alpha on white, colour profiles."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from indexer.imaging.structure.png import MAX_PROFILE_BYTES

_WHITE = 255
_ROWS = 256
"""Rows converted at a time, so that no second full copy of a picture is in memory."""

_PROFILE_SPACE = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}


@dataclass(frozen=True, slots=True)
class Converted:
    """An 8-bit RGB picture without metadata, notes on what was changed, and the alpha channel that was composited on
    white (mode L; None if there was none, or it was fully opaque)."""

    rgb: Image.Image
    notes: tuple[str, ...]
    alpha: Image.Image | None


def to_srgb(image: Image.Image, *, taken_over: bool = False) -> Converted:
    """A new 8-bit RGB picture of the same size, reusing the pixels of `image` if they are `taken_over`, that is, no
    longer used by the decoder.

    Integers and floats of more than 8 bits: values up to 255 are kept, 16-bit integers lose their low byte, floats in
    [0, 1] are scaled by 255, anything else is stretched from its minimum to its maximum. Alpha is composited on white.
    An embedded ICC profile is applied when it fits the picture (perceptual intent); else it is ignored and noted.

    Raises:
        OSError, ValueError and whatever else Pillow raises on pixels that cannot be decoded.
    """
    profile = image.info.get("icc_profile")
    notes: list[str] = []
    flat = _reduce_depth(image, notes)
    flat = _resolve_palette(flat)
    flat, alpha = _lay_on_white(flat, notes)
    if isinstance(profile, bytes) and profile:
        flat = _apply_profile(flat, profile, notes)
    rgb = _plain_rgb(flat)
    if rgb is image:
        rgb = image._new(image.im) if taken_over else image.copy()
    rgb.info = {}
    return Converted(rgb, tuple(notes), alpha)


def _reduce_depth(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16"):
        notes.append("16-bit reduced to 8-bit")
        return _by_rows(image, 0.0, 1 / 256)
    if image.mode in ("I", "F"):
        low, high = _range(image)
        if image.mode == "F" and low >= 0 and high <= 1:
            low, high = 0.0, 1.0
        elif low >= 0 and high <= 255:
            return _by_rows(image, 0.0, 1.0)
        elif image.mode == "I" and low >= 0 and high <= 65_535:
            notes.append("16-bit reduced to 8-bit")
            return _by_rows(image, 0.0, 1 / 256)
        notes.append(f"32-bit {'float' if image.mode == 'F' else 'integer'} reduced to 8-bit")
        return _by_rows(image, low, 255 / (high - low) if high > low else 0.0)
    return image


def _blocks(image: Image.Image) -> "list[tuple[int, int, int, int]]":
    return [(0, top, image.width, min(top + _ROWS, image.height)) for top in range(0, image.height, _ROWS)]


def _values(image: Image.Image, box: tuple[int, int, int, int]) -> npt.NDArray[np.float64]:
    return np.nan_to_num(np.asarray(image.crop(box)).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _range(image: Image.Image) -> tuple[float, float]:
    ends = [(values.min(), values.max()) for values in (_values(image, box) for box in _blocks(image))]
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


def _by_rows(image: Image.Image, low: float, scale: float) -> Image.Image:
    grey = Image.new("L", image.size)
    for box in _blocks(image):
        values = np.clip((_values(image, box) - low) * scale, 0, 255).astype(np.uint8)
        grey.paste(Image.fromarray(values), box)
    return grey


def _resolve_palette(image: Image.Image) -> Image.Image:
    """Palettes become colours; every kind of transparency becomes a plain alpha band."""
    if image.mode in ("La", "RGBa"):
        return image.convert(image.mode.upper())
    if image.mode == "PA" or (image.mode in ("P", "RGB", "L") and "transparency" in image.info):
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def _lay_on_white(image: Image.Image, notes: list[str]) -> tuple[Image.Image, Image.Image | None]:
    if image.mode not in ("RGBA", "LA"):
        return image, None
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == _WHITE:
        return image.convert(image.mode[:-1]), None
    notes.append("transparency laid on white")
    ground = Image.new(image.mode[:-1], image.size, "white")
    for box in _blocks(image):
        ground.paste(image.crop(box).convert(ground.mode), box, alpha.crop(box))
    return ground, alpha


def _apply_profile(image: Image.Image, data: bytes, notes: list[str]) -> Image.Image:
    try:
        if len(data) > MAX_PROFILE_BYTES:
            raise ValueError("too large")
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        if profile.profile.xcolor_space != _PROFILE_SPACE.get(image.mode):
            raise ValueError("of another colour space")
        if (profile.profile.profile_description or "").startswith("sRGB"):
            return image
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        notes.append("embedded colour profile is damaged or does not fit, ignored")
        return image
    if converted is None:
        return image
    notes.append("colours converted to sRGB from the embedded profile")
    return converted


def _plain_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        lab = ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        return lab if lab is not None else image.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
