"""WebP: the RIFF chunks with the canvas size, the number of frames and EXIF (RFC 9649)."""

from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated
from indexer.imaging.structure.tiff import exif_orientation
from indexer.imaging.structure.walking import webp_chunks

MAX_CHUNKS = 50_000
_PICTURES = frozenset({b"VP8 ", b"VP8L"})
_LEAST = 32
"""With fewer bytes of a picture's chunk than this, nothing of it can be decoded."""


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks all chunks. The decoder allocates the whole canvas when it opens a file, so the size is checked here.

    Of a file that ends early the frames before are there, or of a still picture its first rows.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    cut = end > len(data)
    size: tuple[int, int] | None = None
    frames, orientation = 0, 1
    still = False
    at = 12
    for number, chunk in enumerate(webp_chunks(data, end, MAX_CHUNKS), start=1):
        at, kind, start, length = chunk.at, chunk.kind, chunk.start, chunk.stop - chunk.start
        if start + length > end:
            raise truncated("a chunk")
        if start + length > len(data):
            if frames == 0 and (kind not in _PICTURES or length > limits.max_bytes or len(data) - start < _LEAST):
                raise truncated("the picture")
            break
        canvas = _canvas(kind, data[start : start + 10])
        if canvas is not None:
            limits.check_size(*canvas)
            size = size or canvas
            still |= kind in _PICTURES
        elif kind == b"ANMF":
            frames += 1
            limits.check_frames(frames)
        elif kind == b"EXIF":
            exif = data[start : start + length]
            orientation = exif_orientation(exif.removeprefix(b"Exif\x00\x00")) or orientation
        at = chunk.end
        if number == MAX_CHUNKS:
            raise damaged("it is cut into too many chunks")
    if cut and not still and frames == 0:
        return _cut(data, at, size, orientation, limits)
    if size is None:
        raise damaged("there is no picture in it")
    body = _riff(data[12 : min(at, len(data))]) if cut else data
    whole = body if frames > 1 else None
    there = size[1] if cut else None
    return Declared(size, body, max(1, frames), orientation=orientation, whole=whole, cut=cut, rows=there)


def _cut(data: bytes, at: int, size: tuple[int, int] | None, orientation: int, limits: ImageLimits) -> Declared:
    """A still picture whose chunk at `at` ends early, with two fillings for what is missing. The decoder refuses most
    others; what it makes of these two differs from the first row on that was not there, or a few rows later."""
    canvas = _canvas(data[at : at + 4], data[at + 8 : at + 18])
    if canvas is None:
        raise truncated("the picture")
    limits.check_size(*canvas)
    missing = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little") - len(data)
    bodies = [_riff(data[12:] + filling * missing + bytes(missing + len(data) & 1)) for filling in (b"\0", b"\x80")]
    return Declared(size or canvas, bodies[0], orientation=orientation, cut=True, otherwise=bodies[1])


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def _canvas(kind: bytes, head: bytes) -> tuple[int, int] | None:
    if len(head) < 5:
        return None
    if kind == b"VP8X" and len(head) == 10:
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(head) == 10:
        return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    return None
