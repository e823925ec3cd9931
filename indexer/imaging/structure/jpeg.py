"""JPEG: markers, the frame header, scans, EXIF orientation (ITU-T T.81 annex B)."""

import re

from indexer.errors import ImageRejectedError
from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated
from indexer.imaging.structure.tiff import exif_orientation
from indexer.imaging.structure.walking import END_OF_IMAGE, MAX_JUNK, START_OF_SCAN, jpeg_segment

MAX_SEGMENTS = 10_000
MOST_PICTURES = 8
"""How many pictures of a multi-picture file (MPO) are tried while those before are blank."""
MAX_SCANS = 100
"""A progressive file has about ten scans. Every one costs a pass over all coefficients, however few bytes it takes."""

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_AFTER_A_SCAN = frozenset({0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})


def read(data: bytes, limits: ImageLimits, pictures: int = MOST_PICTURES) -> Declared:
    """Walks all markers to the end of the image; application segments that do not change pixels are left out.

    Of a file that ends early, or goes on with something else, everything up to its last scan is there.
    """
    kept = [data[:2]]
    size: tuple[int, int] | None = None
    orientation = 1
    segments = scans = 0
    at = 2
    sound, cut, whole_in_one, several = 0, False, b"", False
    while True:
        segment = jpeg_segment(data, at)
        if segment is None:
            if not scans:
                raise truncated("the end of the picture")
            cut = True
            break
        if scans and not _follows_a_scan(data, segment.marker, at, whole_in_one):
            cut = True
            break
        if segment.marker - at > MAX_JUNK:
            raise damaged("garbage between its segments")
        code, start, end = segment.code, segment.start, segment.end
        if code == END_OF_IMAGE:
            at = start
            break
        segments += 1
        if segments > MAX_SEGMENTS:
            raise damaged("it is cut into too many segments")
        if segment.stands_alone:
            at = start
            continue
        if end > len(data) or start + 2 > len(data):
            raise truncated("a segment")
        if end < start + 2:
            raise damaged("a segment of impossible length")
        if code in _FRAME_HEADERS:
            size = _frame_size(data[start:end])
            limits.check_size(*size)
            whole_in_one = data[start + 7 : start + 8] if code in _SEQUENTIAL else b""
        elif code == START_OF_SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise ImageRejectedError("unreadable", f"the picture is coded in more than {MAX_SCANS} scans")
            whole_in_one = whole_in_one if data[start + 2 : start + 3] == whole_in_one else b""
            following = _AFTER_SCAN.search(data, end)
            end = len(data) if following is None else following.start()
            sound = len(kept) + 1
        elif code == 0xE1 and data[start + 2 : start + 8] == b"Exif\x00\x00":
            orientation = exif_orientation(data[start + 8 : end]) or orientation
        several |= code == 0xE2 and data[start + 2 : start + 6] == b"MPF\x00"
        if _changes_pixels(code, data[start + 2 : start + 14]):
            kept.append(data[segment.marker : end])
        at = end
    if size is None or scans == 0:
        raise damaged("there is no picture in it")
    if cut:
        kept = kept[:sound]
        kept[-1] = kept[-1].rstrip(b"\0")
    kept.append(b"\xff\xd9")
    other = _following(data, at, limits, pictures - 1) if several and not cut else None
    return Declared(size, b"".join(kept), orientation=orientation, cut=cut, following=other)


def _following(data: bytes, at: int, limits: ImageLimits, pictures: int) -> Declared | None:
    """The next picture of a multi-picture file, None if it cannot be read."""
    start = data.find(b"\xff\xd8\xff", at, at + MAX_JUNK)
    if start < 0 or pictures < 1:
        return None
    try:
        declared = read(data[start:], limits, pictures)
    except ImageRejectedError:
        return None
    return None if declared.cut else declared


def _follows_a_scan(data: bytes, marker: int, at: int, whole_in_one: bytes) -> bool:
    """Whether a marker found after a scan belongs to this picture, not to data behind an unfinished picture."""
    code = data[marker + 1]
    if code == END_OF_IMAGE:
        return True
    if whole_in_one or marker - at > MAX_JUNK or code not in _AFTER_A_SCAN:
        return False
    end = marker + 2 + int.from_bytes(data[marker + 2 : marker + 4], "big")
    return marker + 4 <= end <= len(data)


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
