"""What a picture's file is, apart from its pixels; declared once for decoding, the catalogue and bundles."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A picture's file. `sha256` (64 hex digits) and `byte_size` are of the untouched bytes. `format` is one of JPEG,
    PNG, GIF, WEBP, BMP, TIFF, AVIF, HEIC, `mode` Pillow's word for the stored pixels, `width` and `height` those of the
    upright picture, `frames` what the file declares (one is read), `notes` what was done to the picture, for a person.
    """

    sha256: str
    byte_size: int
    format: str
    width: int
    height: int
    mode: str
    frames: int
    notes: tuple[str, ...]


_NAMES = tuple(field.name for field in fields(FileFacts))


def file_facts(image: Any) -> dict[str, Any]:
    """The fields of `FileFacts` that a record has, by name."""
    return {name: getattr(image, name) for name in _NAMES}
