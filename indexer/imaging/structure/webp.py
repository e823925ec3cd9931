"""WebP: the RIFF chunks with the canvas size, the number of frames and EXIF (RFC 9649)."""

from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated
from indexer.imaging.structure.tiff import exif_orientation

MAX_CHUNKS = 50_000


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks all chunks. The decoder allocates the whole canvas when it opens a file, so the size is checked here."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise truncated("the picture")
    size: tuple[int, int] | None = None
    frames, orientation = 0, 1
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            break
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        start = at + 8
        if start + length > end:
            raise truncated("a chunk")
        found = _canvas(kind, data[start : start + 10])
        if found is not None:
            limits.check_size(*found)
            size = size or found
        elif kind == b"ANMF":
            frames += 1
            limits.check_frames(frames)
        elif kind == b"EXIF":
            exif = data[start : start + length]
            orientation = exif_orientation(exif.removeprefix(b"Exif\x00\x00")) or orientation
        at = start + length + (length & 1)
    else:
        raise damaged("it is cut into too many chunks")
    if size is None:
        raise damaged("there is no picture in it")
    return Declared(size, data, max(1, frames), orientation=orientation)


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
