"""PNG and APNG: chunks up to IEND, handed on without text, animation and oversized profiles (PNG third edition)."""

import zlib

from indexer.errors import ImageRejectedError
from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated
from indexer.imaging.structure.tiff import exif_orientation

MAX_CHUNKS = 250_000
MAX_PROFILE_BYTES = 1_000_000
"""Largest embedded colour profile read, unpacked. Real ones are below 600,000 bytes."""

_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks all chunks; the picture handed on is the default image, which is the first frame of most APNGs."""
    kept = [data[:8]]
    notes: list[str] = []
    size: tuple[int, int] | None = None
    depth, frames, orientation = 8, 1, 1
    at = 8
    for _ in range(MAX_CHUNKS):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        start, end = at + 8, at + 12 + length
        if end > len(data):
            raise truncated("a chunk" if len(kind) == 4 else "the end of the picture")
        if size is None:
            if kind == b"CgBI":
                raise ImageRejectedError("unsupported", "Apple's private PNG variant is not read; convert it to PNG")
            if kind != b"IHDR" or length < 13:
                raise damaged("its header is missing")
            size = int.from_bytes(data[start : start + 4], "big"), int.from_bytes(data[start + 4 : start + 8], "big")
            depth = data[start + 8]
            limits.check_size(*size)
        if kind in _NEEDED:
            kept.append(data[at:end])
        elif kind == b"acTL" and length >= 4:
            frames = max(1, int.from_bytes(data[start : start + 4], "big"))
            limits.check_frames(frames)
        elif kind == b"eXIf":
            orientation = exif_orientation(data[start : start + length]) or orientation
        elif kind == b"iCCP":
            if _profile_fits(data[start : start + length]):
                kept.append(data[at:end])
            else:
                notes.append("embedded colour profile is damaged or too large, ignored")
        if kind == b"IEND":
            return Declared(size, b"".join(kept), frames, depth, orientation, tuple(notes))
        at = end
    raise damaged("it is cut into too many chunks")


def _profile_fits(chunk: bytes) -> bool:
    _, separator, packed = chunk[:81].partition(b"\x00")
    if not separator or packed[:1] != b"\x00":
        return False
    stream = zlib.decompressobj()
    try:
        stream.decompress(chunk[chunk.index(b"\x00") + 2 :], MAX_PROFILE_BYTES)
    except zlib.error:
        return False
    return stream.eof
