"""JPEG: markers, the frame header, scans, EXIF orientation (ITU-T T.81 annex B)."""

import re

from indexer.errors import ImageRejectedError
from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated
from indexer.imaging.structure.tiff import exif_orientation

MAX_SEGMENTS = 10_000
MAX_SCANS = 100
"""A progressive file has about ten scans. Every one costs a pass over all coefficients, however few bytes it takes."""
_MAX_JUNK = 65_536

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_START_OF_SCAN, _END = 0xDA, 0xD9


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks all markers to the end of the image; application segments that do not change pixels are left out."""
    kept = [data[:2]]
    size: tuple[int, int] | None = None
    orientation = 1
    segments = scans = 0
    at = 2
    while True:
        marker = _MARKER.search(data, at)
        if marker is None:
            raise truncated("the end of the picture")
        if marker.start() - at > _MAX_JUNK:
            raise damaged("garbage between its segments")
        code, start = marker.group()[1], marker.end()
        if code == _END:
            break
        segments += 1
        if segments > MAX_SEGMENTS:
            raise damaged("it is cut into too many segments")
        if code in _STANDALONE:
            at = start
            continue
        end = start + int.from_bytes(data[start : start + 2], "big")
        if end > len(data) or start + 2 > len(data):
            raise truncated("a segment")
        if end < start + 2:
            raise damaged("a segment of impossible length")
        if code in _FRAME_HEADERS:
            size = _frame_size(data[start:end])
            limits.check_size(*size)
        elif code == _START_OF_SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise ImageRejectedError("unreadable", f"the picture is coded in more than {MAX_SCANS} scans")
            following = _AFTER_SCAN.search(data, end)
            if following is None:
                raise truncated("the picture data")
            end = following.start()
        elif code == 0xE1 and data[start + 2 : start + 8] == b"Exif\x00\x00":
            orientation = exif_orientation(data[start + 8 : end]) or orientation
        if _changes_pixels(code, data[start + 2 : start + 14]):
            kept.append(data[marker.start() : end])
        at = end
    if size is None or scans == 0:
        raise damaged("there is no picture in it")
    kept.append(b"\xff\xd9")
    return Declared(size, b"".join(kept), orientation=orientation)


def _frame_size(segment: bytes) -> tuple[int, int]:
    if len(segment) < 8:
        raise damaged("its frame header is too short")
    height, width = int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[5:7], "big")
    if height == 0:
        raise ImageRejectedError("unsupported", "a JPEG that declares its height after its pixels is not read")
    return width, height


def _changes_pixels(code: int, head: bytes) -> bool:
    """JFIF and Adobe say which colours are meant, APP2 may carry the ICC profile; the rest is metadata."""
    if 0xE0 <= code <= 0xEF:
        return head.startswith((b"JFIF\x00", b"Adobe", b"ICC_PROFILE\x00"))
    return code != 0xFE
