"""Walks the chunks of PNG and WebP files and the segments of JPEG files.

Nothing is decoded or refused here: a part may end after the end of the file, and the caller decides what that means
and how many parts to walk.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_STANDALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
MAX_JUNK: Final = 65_536
"""Most bytes of garbage skipped between segments."""
START_OF_SCAN: Final = 0xDA
END_OF_IMAGE: Final = 0xD9


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of a PNG or WebP file: it begins at byte `at`, its content runs from `start` to `stop`, and the next one
    begins at `end`. `kind` is shorter than four bytes where the file ends inside it."""

    kind: bytes
    at: int
    start: int
    stop: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a JPEG file: its `marker` begins at that byte, the content runs from `start`, with its two bytes of
    length, to `end`. A marker that stands alone has none."""

    code: int
    marker: int
    start: int
    end: int

    @property
    def stands_alone(self) -> bool:
        """Whether the marker has no content."""
        return self.code in _STANDALONE


def png_chunks(data: bytes, most: int) -> Iterator[Chunk]:
    """The first `most` chunks, up to one that ends after the end of the file."""
    return islice(_png_chunks(data), most)


def _png_chunks(data: bytes) -> Iterator[Chunk]:
    at = 8
    while True:
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        yield Chunk(kind, at, at + 8, at + 8 + length, at + 12 + length)
        at += 12 + length


def webp_chunks(data: bytes, end: int, most: int) -> Iterator[Chunk]:
    """The first `most` chunks of those whose heads lie before `end`."""
    return islice(_webp_chunks(data, end), most)


def _webp_chunks(data: bytes, end: int) -> Iterator[Chunk]:
    at = 12
    while at + 8 <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        stop = at + 8 + length
        yield Chunk(kind, at, at + 8, stop, stop + (length & 1))
        at = stop + (length & 1)


def jpeg_segment(data: bytes, at: int) -> Segment | None:
    """The segment whose marker comes next, with or without garbage before it; None when there is no more. After the
    head of a scan follow its pixels."""
    marker = _MARKER.search(data, at)
    if marker is None:
        return None
    code, start = data[marker.start() + 1], marker.end()
    length = 0 if code in _STANDALONE or code == END_OF_IMAGE else int.from_bytes(data[start : start + 2], "big")
    return Segment(code, marker.start(), start, start + length)
