"""Facts about a picture's file: size, compression, format. If they separate the classes, a detector may have learned
only that."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.errors import ImageRejectedError
from indexer.imaging.sniffing import sniff

FORMATS = ("JPEG", "PNG", "WEBP")
"""Formats with a column of their own; the others share one."""
FEATURES = ("width", "height", "bytes_per_pixel", "jpeg_quality", *(name.lower() for name in FORMATS), "other_format")
"""Columns of `FileFacts.row`."""

_LUMINANCE = np.array(
    [
        [16, 11, 12, 14, 12, 10, 16, 14],
        [13, 14, 18, 17, 16, 19, 24, 40],
        [26, 24, 22, 22, 24, 49, 35, 37],
        [29, 40, 58, 51, 61, 60, 57, 51],
        [56, 55, 64, 72, 92, 78, 64, 68],
        [87, 69, 55, 56, 80, 109, 81, 87],
        [95, 98, 103, 104, 103, 62, 77, 113],
        [121, 112, 100, 120, 92, 101, 103, 99],
    ]
).ravel()
"""ITU-T T.81 table K.1 in zigzag order."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """`bytes_per_pixel` of the file; `jpeg_quality` 1 to 100, None for other formats and unreadable tables."""

    width: int
    height: int
    bytes_per_pixel: float
    jpeg_quality: int | None
    format: str

    def row(self) -> list[float]:
        """The facts as numbers, in the order of FEATURES."""
        known = [float(self.format == name) for name in FORMATS]
        return [self.width, self.height, self.bytes_per_pixel, self.jpeg_quality or 0, *known, float(not any(known))]


def file_facts(data: bytes, width: int, height: int) -> FileFacts:
    """The facts on a picture file of this upright size."""
    try:
        kind = sniff(data)
    except ImageRejectedError:
        kind = "unknown"
    quality = jpeg_quality(data) if kind == "JPEG" else None
    return FileFacts(width, height, len(data) / (width * height), quality, kind)


def jpeg_quality(data: bytes) -> int | None:
    """The quality, 1 to 100, at which libjpeg's luminance table comes closest to a JPEG's first table; None when it has
    none before its pixels."""
    table = _first_table(data)
    return None if table is None else int(np.abs(_TABLES - table).sum(axis=1).argmin()) + 1


def _first_table(data: bytes) -> npt.NDArray[np.int64] | None:
    """The first quantisation table [64] in zigzag order."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        code, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if code == 0xFF:
            at += 1
            continue
        if code == 0xDA or length < 2:
            return None
        if code == 0xDB:
            wide = data[at + 4] >> 4 if at + 4 < len(data) else 0
            values = np.frombuffer(data[at + 5 : at + 5 + 64 * (2 if wide else 1)], ">u2" if wide else np.uint8)
            return values.astype(np.int64) if len(values) == 64 else None
        at += 2 + length
    return None


def _tables() -> npt.NDArray[np.int64]:
    """[100, 64] libjpeg's luminance tables of quality 1 to 100."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.asarray(np.clip((_LUMINANCE * scale + 50) // 100, 1, 255), np.int64)


_TABLES = _tables()
