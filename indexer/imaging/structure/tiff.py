"""TIFF and BigTIFF directories: size, frames, strips, and the orientation in EXIF blocks, which are TIFFs too."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.errors import ImageRejectedError
from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated

MAX_VALUES = 262_144
"""Most numbers one tag may hold (strips of the picture, say): every one becomes several Python objects in Pillow."""
_MAX_ENTRIES = 4_096
MOST_PAGES = 64
"""How many pages are tried when the first is blank."""

_NUMBERS = {3: "u2", 4: "u4", 16: "u8"}
_UNIT = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_BYTES = frozenset({1, 2, 6, 7})

_WIDTH, _HEIGHT, _DEPTH, _ORIENTATION = 256, 257, 258, 274
_OFFSETS_AND_COUNTS = ((273, 279), (324, 325))
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_TABLES = (320, 347)
"""Colour map and JPEG tables: without them there is no picture. Cut metadata, in contrast, is only metadata."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag of a directory: `count` values of the TIFF type `kind`, which begin at byte `position`."""

    kind: int
    count: int
    position: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How numbers are written: byte order (`<` or `>`), and whether it is a BigTIFF."""

    order: str
    big: bool

    def number(self, data: bytes, at: int, length: int) -> int:
        """The unsigned number of `length` bytes at `at`; ImageRejectedError when the data ends before."""
        if at + length > len(data):
            raise truncated("a directory")
        return int.from_bytes(data[at : at + length], "little" if self.order == "<" else "big")

    def first_directory(self, data: bytes) -> int:
        """Where the first directory begins; ImageRejectedError when the data ends before it says so."""
        return self.number(data, 8, 8) if self.big else self.number(data, 4, 4)


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks the chain of directories and holds the first picture's strips or tiles against the file's length."""
    layout = layout_of(data)
    if layout is None:
        raise damaged("its header makes no sense")
    first = layout.first_directory(data)
    entries, following = directory(data, layout, first)
    size = _value(data, layout, entries, _WIDTH), _value(data, layout, entries, _HEIGHT)
    limits.check_size(*size)
    tile = _value(data, layout, entries, _TILE_WIDTH) * _value(data, layout, entries, _TILE_HEIGHT)
    if tile > limits.max_pixels:
        raise damaged("a tile is larger than any picture allowed")
    cut = False
    for offsets, counts in _OFFSETS_AND_COUNTS:
        if offsets in entries and counts in entries:
            cut |= _ends_early(data, layout, entries[offsets], entries[counts])
    for tag in _TABLES:
        if tag in entries and entries[tag].position + entries[tag].count * _UNIT.get(entries[tag].kind, 1) > len(data):
            raise truncated("a table of colours")
    orientation = _value(data, layout, entries, _ORIENTATION)
    frames = _count_frames(data, layout, first, following, limits)
    return Declared(
        size,
        data,
        frames,
        max(1, _value(data, layout, entries, _DEPTH)),
        orientation if 1 <= orientation <= 8 else 1,
        cut=cut,
        whole=data if frames > 1 and _can_be_seen(data, layout, following, limits) else None,
    )


def exif_orientation(exif: bytes) -> int | None:
    """The orientation (1 to 8) in an EXIF block that starts with a TIFF header; None when there is none to be read."""
    layout = layout_of(exif)
    if layout is None or layout.big:
        return None
    start = int.from_bytes(exif[4:8], "little" if layout.order == "<" else "big")
    if start + 2 > len(exif):
        return None
    entries = min(layout.number(exif, start, 2), (len(exif) - start - 2) // 12)
    for at in range(start + 2, start + 2 + 12 * entries, 12):
        if layout.number(exif, at, 2) == _ORIENTATION:
            value = layout.number(exif, at + 8, 2)
            return value if 1 <= value <= 8 else None
    return None


def layout_of(data: bytes) -> Layout | None:
    """How a block that starts with a TIFF header is written; None when it has no such header."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return None
    version = int.from_bytes(data[2:4], "little" if order == "<" else "big")
    return Layout(order, version == 43) if version in (42, 43) else None


def directory(data: bytes, layout: Layout, at: int) -> tuple[dict[int, Entry], int]:
    """Entries by tag and the offset of the next directory, 0 at the end of the chain."""
    head, entry, word = (8, 20, 8) if layout.big else (2, 12, 4)
    count = layout.number(data, at, head)
    if count > _MAX_ENTRIES:
        raise damaged("a directory with too many entries")
    entries: dict[int, Entry] = {}
    for start in range(at + head, at + head + entry * count, entry):
        tag, kind = layout.number(data, start, 2), layout.number(data, start + 2, 2)
        values = layout.number(data, start + 4, word)
        if values > MAX_VALUES and kind not in _BYTES:
            raise damaged("a tag with too many values")
        inline = values * _UNIT.get(kind, 1) <= word
        position = start + 4 + word
        entries.setdefault(tag, Entry(kind, values, position if inline else layout.number(data, position, word)))
    return entries, layout.number(data, at + head + entry * count, word)


def content(data: bytes, entry: Entry, limit: int) -> bytes:
    """The bytes of a tag's values: at most `limit` of them, and none beyond the end of `data`."""
    return data[entry.position : entry.position + min(entry.count * _UNIT.get(entry.kind, 1), limit)]


def _numbers(data: bytes, layout: Layout, entry: Entry) -> npt.NDArray[np.uint64]:
    code = _NUMBERS.get(entry.kind)
    if code is None:
        raise damaged("a number of an impossible type")
    if entry.position + entry.count * _UNIT[entry.kind] > len(data):
        raise truncated("a list of offsets")
    return np.frombuffer(data, layout.order + code, entry.count, entry.position).astype(np.uint64)


def _value(data: bytes, layout: Layout, entries: dict[int, Entry], tag: int) -> int:
    """The first number of a tag, 0 when it is absent or no number."""
    entry = entries.get(tag)
    if entry is None or entry.count == 0 or entry.kind not in _NUMBERS:
        return 0
    return int(_numbers(data, layout, Entry(entry.kind, 1, entry.position))[0])


def _ends_early(data: bytes, layout: Layout, offsets: Entry, counts: Entry) -> bool:
    """Whether some of the picture's strips or tiles lie beyond the end; ImageRejectedError when the first does."""
    starts, lengths = _numbers(data, layout, offsets), _numbers(data, layout, counts)
    both = min(len(starts), len(lengths))
    ends = starts[:both].astype(np.float64) + lengths[:both].astype(np.float64)
    if not both or ends.max() <= len(data):
        return False
    if starts[0] >= len(data) or (both > 1 and ends[0] > len(data)):
        raise truncated("the picture data")
    return True


def _can_be_seen(data: bytes, layout: Layout, following: int, limits: ImageLimits) -> bool:
    """Whether the pages after the first are within what the decoder may be given."""
    try:
        for _ in range(MOST_PAGES):
            if not following:
                return True
            entries, following = directory(data, layout, following)
            limits.check_size(_value(data, layout, entries, _WIDTH), _value(data, layout, entries, _HEIGHT))
            tile = _value(data, layout, entries, _TILE_WIDTH) * _value(data, layout, entries, _TILE_HEIGHT)
            if tile > limits.max_pixels:
                return False
    except ImageRejectedError:
        return False
    return True


def _count_frames(data: bytes, layout: Layout, first: int, following: int, limits: ImageLimits) -> int:
    """The number of directories in the chain; a loop ends it."""
    head, entry, word = (8, 20, 8) if layout.big else (2, 12, 4)
    seen = {first}
    while following and following not in seen:
        seen.add(following)
        limits.check_frames(len(seen))
        count = layout.number(data, following, head)
        following = layout.number(data, following + head + entry * count, word)
    return len(seen)
