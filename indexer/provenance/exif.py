"""EXIF: camera, software, comments and the embedded preview (CIPA DC-008 / JEITA CP-3451).

Only the tags named here are read, each bounded, so a hostile block cannot cause much work.
"""

import struct
from dataclasses import dataclass

from indexer.errors import ImageRejectedError
from indexer.imaging.structure import tiff
from indexer.provenance.exif_text import comment_text, plain_text, wide_text
from indexer.provenance.findings import Camera, ProvenanceLimits
from indexer.provenance.untyped import text

_DESCRIPTION, _MAKE, _MODEL, _SOFTWARE, _MODIFIED = 270, 271, 272, 305, 306
_EXIF_POINTER, _GPS_POINTER = 34665, 34853
_TAKEN, _COMMENT, _SERIAL, _LENS = 36867, 37510, 42033, 42036
_PREVIEW_AT, _PREVIEW_LENGTH = 513, 514
_LATITUDE_SIDE, _LATITUDE, _LONGITUDE_SIDE, _LONGITUDE = 1, 2, 3, 4
_MAX_PREVIEW = 1_000_000
_XP_TITLE, _XP_COMMENT, _XP_SUBJECT = 40091, 40092, 40095

_Entries = dict[int, tiff.Entry]


@dataclass(frozen=True, slots=True)
class Exif:
    """What an EXIF block says. `comment` and the free texts may be long: generators keep their parameters there.
    `windows` are title, comment and subject as Windows writes them."""

    camera: Camera | None = None
    software: str | None = None
    comment: str | None = None
    description: str | None = None
    make: str | None = None
    model: str | None = None
    windows: tuple[str, ...] = ()
    preview: bytes | None = None


def read_exif(block: bytes, limits: ProvenanceLimits) -> Exif:
    """What a block from its TIFF header on says. Directories that are cut or damaged count as absent."""
    layout = tiff.layout_of(block)
    if layout is None:
        return Exif()
    first, after = _directory(block, layout, layout.first_directory(block))
    shot, _ = _directory(block, layout, _pointer(block, layout, first, _EXIF_POINTER))
    gps, _ = _directory(block, layout, _pointer(block, layout, first, _GPS_POINTER))
    second, _ = _directory(block, layout, after)

    def words(entries: _Entries, tag: int) -> str | None:
        return _words(block, entries, tag, limits.max_block_bytes)

    camera = Camera(
        make=text(words(first, _MAKE)),
        model=text(words(first, _MODEL)),
        lens=text(words(shot, _LENS)),
        serial=text(words(shot, _SERIAL)),
        taken_at=text(words(shot, _TAKEN)),
        position=_position(block, layout, gps),
    )
    return Exif(
        camera=camera if camera != Camera() else None,
        software=text(words(first, _SOFTWARE)),
        comment=_comment(block, layout, shot, limits.max_block_bytes)
        or _comment(block, layout, first, limits.max_block_bytes),
        description=words(first, _DESCRIPTION),
        make=words(first, _MAKE),
        model=words(first, _MODEL),
        windows=_windows(block, first, limits.max_block_bytes),
        preview=_preview(block, layout, second),
    )


def _directory(block: bytes, layout: tiff.Layout, at: int) -> tuple[_Entries, int]:
    try:
        return tiff.directory(block, layout, at) if at else ({}, 0)
    except ImageRejectedError:
        return {}, 0


def _pointer(block: bytes, layout: tiff.Layout, entries: _Entries, tag: int) -> int:
    entry = entries.get(tag)
    if entry is None or entry.kind not in (3, 4, 13):
        return 0
    return layout.number(block, entry.position, 2 if entry.kind == 3 else 4)


def _words(block: bytes, entries: _Entries, tag: int, limit: int) -> str | None:
    entry = entries.get(tag)
    if entry is None or entry.kind not in (1, 2, 7):
        return None
    return plain_text(tiff.content(block, entry, limit))


def _comment(block: bytes, layout: tiff.Layout, entries: _Entries, limit: int) -> str | None:
    entry = entries.get(_COMMENT)
    return None if entry is None else comment_text(tiff.content(block, entry, limit), layout.order)


def _windows(block: bytes, entries: _Entries, limit: int) -> tuple[str, ...]:
    candidates = (entries.get(tag) for tag in (_XP_COMMENT, _XP_TITLE, _XP_SUBJECT))
    texts = (wide_text(tiff.content(block, entry, limit)) for entry in candidates if entry is not None)
    return tuple(text for text in texts if text)


def _preview(block: bytes, layout: tiff.Layout, entries: _Entries) -> bytes | None:
    start = _pointer(block, layout, entries, _PREVIEW_AT)
    length = _pointer(block, layout, entries, _PREVIEW_LENGTH)
    preview = block[start : start + length]
    return preview if start and 0 < length <= _MAX_PREVIEW and preview.startswith(b"\xff\xd8") else None


def _position(block: bytes, layout: tiff.Layout, entries: _Entries) -> str | None:
    latitude = _degrees(block, layout, entries, _LATITUDE, _LATITUDE_SIDE, "S", 90.0)
    longitude = _degrees(block, layout, entries, _LONGITUDE, _LONGITUDE_SIDE, "W", 180.0)
    return None if latitude is None or longitude is None else f"{latitude:.6f}, {longitude:.6f}"


def _degrees(
    block: bytes, layout: tiff.Layout, entries: _Entries, tag: int, side: int, negative: str, most: float
) -> float | None:
    """Three fractions (degrees, minutes, seconds) as degrees."""
    entry = entries.get(tag)
    content = b"" if entry is None or entry.kind != 5 or entry.count != 3 else tiff.content(block, entry, 24)
    if len(content) != 24:
        return None
    parts: tuple[int, ...] = struct.unpack(f"{layout.order}6I", content)
    if 0 in parts[1::2]:
        return None
    degrees = parts[0] / parts[1] + parts[2] / parts[3] / 60 + parts[4] / parts[5] / 3600
    if degrees > most:
        return None
    return -degrees if (_words(block, entries, side, 2) or "").upper() == negative else degrees
