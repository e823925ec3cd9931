"""GIF: the logical screen, the first frame's extent, and how many frames follow (GIF89a specification)."""

from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated

_TRAILER, _EXTENSION, _FRAME = 0x3B, 0x21, 0x2C


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks all blocks; the body ends after the first frame, so that later frames reach the decoder only if wanted."""
    if len(data) < 13:
        raise truncated("the header")
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    limits.check_size(width, height)
    budget = _Budget(len(data))
    at = 13 + _palette_bytes(data[10])
    frames, body_end, last_end = 0, 0, 0
    complete, within, started = False, True, False
    while at < len(data):
        kind = data[at]
        if kind == _TRAILER:
            complete = True
            break
        if kind == _EXTENSION:
            following = budget.skip_blocks(data, at + 2)
        elif kind == _FRAME and at + 10 <= len(data):
            left, top, wide, high = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (1, 3, 5, 7))
            if frames == 0:
                width, height = max(width, left + wide), max(height, top + high)
                limits.check_size(width, height)
                started = at + 11 + _palette_bytes(data[at + 9]) < len(data)
            within &= left + wide <= width and top + high <= height
            following = budget.skip_blocks(data, at + 11 + _palette_bytes(data[at + 9]))
        else:
            break
        if following is None:
            break
        if kind == _FRAME:
            frames += 1
            limits.check_frames(frames)
            body_end, last_end = body_end or following, following
        at = following
    if frames == 0 and started and not complete:
        return Declared((width, height), data, cut=True, interlaced=bool(data[at + 9] & 0x40))
    if frames == 0:
        raise damaged("there is no picture in it") if complete else truncated("the first frame")
    notes = () if complete else ("the file ends early, after its first frame",)
    whole = data[:last_end] + b";" if frames > 1 and within else None
    return Declared((width, height), data[:body_end] + b";", frames, notes=notes, whole=whole)


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


class _Budget:
    """How many sub-blocks may be walked: a few times what a file of this length needs with full ones of 255 bytes."""

    def __init__(self, file_bytes: int) -> None:
        self._left = 100_000 + file_bytes // 64

    def skip_blocks(self, data: bytes, at: int) -> int | None:
        """The position after the chain of sub-blocks at `at`, None when the file ends within it."""
        while at < len(data):
            self._left -= 1
            if self._left < 0:
                raise damaged("it is cut into too many blocks")
            length = data[at]
            at += 1 + length
            if length == 0:
                return at
        return None
