"""PNG and APNG: chunks up to IEND, handed on without text, animation and oversized profiles (PNG third edition)."""

import struct
import zlib

from indexer.errors import ImageRejectedError
from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated
from indexer.imaging.structure.tiff import exif_orientation
from indexer.imaging.structure.walking import png_chunks

MAX_CHUNKS = 250_000
MAX_PROFILE_BYTES = 1_000_000
"""Largest embedded colour profile read, unpacked. Real ones are below 600,000 bytes."""

_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of a pixel, by the kind of colours the header names."""
_AT_ONCE = 1_048_576
_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks all chunks; the picture handed on is the default image, which is the first frame of most APNGs.

    Of a file that ends early the rows that are there are handed on.
    """
    kept, animated = [data[:8]], [data[:8]]
    notes: list[str] = []
    size: tuple[int, int] | None = None
    depth, frames, orientation = 8, 1, 1
    in_animation = has_rows = interlaced = False
    row_bytes = 1
    for chunk in png_chunks(data, MAX_CHUNKS):
        kind, start, end, length = chunk.kind, chunk.start, chunk.end, chunk.stop - chunk.start
        if end > len(data):
            last = data[start:] if kind == b"IDAT" else b""
            if size is None or interlaced or not (has_rows or last):
                raise truncated("a chunk" if len(kind) == 4 else "the end of the picture")
            end_chunk = _chunk(b"IEND", b"")
            whole = (
                b"".join([*animated, end_chunk]) if len(animated) > len(kept) and not last and in_animation else None
            )
            kept += [_chunk(b"IDAT", last), end_chunk]
            rows = min(size[1], _unpacked(kept) // row_bytes)
            return Declared(
                size, b"".join(kept), frames, depth, orientation, tuple(notes), cut=True, rows=rows, whole=whole
            )
        if size is None:
            if kind == b"CgBI":
                raise ImageRejectedError("unsupported", "Apple's private PNG variant is not read; convert it to PNG")
            if kind != b"IHDR" or length < 13:
                raise damaged("its header is missing")
            size = int.from_bytes(data[start : start + 4], "big"), int.from_bytes(data[start + 4 : start + 8], "big")
            depth, interlaced = data[start + 8], data[start + 12] != 0
            row_bytes = 1 + (size[0] * depth * _SAMPLES.get(data[start + 9], 4) + 7) // 8
            limits.check_size(*size)
        has_rows |= kind == b"IDAT"
        in_animation |= kind == b"fcTL" and not has_rows
        if kind in _NEEDED or (kind == b"iCCP" and _profile_fits(data[start : start + length])):
            kept.append(data[chunk.at : end])
            animated.append(data[chunk.at : end])
        elif kind in _ANIMATION:
            animated.append(data[chunk.at : end])
        elif kind == b"iCCP":
            notes.append("embedded colour profile is damaged or too large, ignored")
        elif kind == b"eXIf":
            orientation = exif_orientation(data[start : start + length]) or orientation
        if kind == b"acTL" and length >= 4:
            frames = max(1, int.from_bytes(data[start : start + 4], "big"))
            limits.check_frames(frames)
        if kind == b"IEND":
            moving = len(animated) > len(kept) and (frames > 1 or not in_animation)
            return Declared(
                size,
                b"".join(kept),
                frames,
                depth,
                orientation,
                tuple(notes),
                whole=b"".join(animated) if moving else None,
                first_shown=int(moving and not in_animation),
            )
    raise damaged("it is cut into too many chunks")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _unpacked(chunks: list[bytes]) -> int:
    """How many bytes of rows there are in the chunks of a picture, as far as they can be unpacked."""
    stream, length = zlib.decompressobj(), 0
    try:
        for chunk in chunks:
            if chunk[4:8] == b"IDAT":
                rest = chunk[8:-4]
                while rest and not stream.eof:
                    length += len(stream.decompress(rest, _AT_ONCE))
                    rest = stream.unconsumed_tail
    except zlib.error:
        pass
    return length


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
