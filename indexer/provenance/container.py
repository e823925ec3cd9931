"""The blocks of a file in which metadata lies: PNG text, EXIF, XMP, IPTC. Found by walking the file, never by decoding
it.

Text is read wherever it stands in a PNG, behind the pixels too. Every block is bounded, and so is their number.
"""

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from indexer.imaging.structure import tiff
from indexer.provenance.findings import Finding, ProvenanceLimits, unreadable

_MAX_BLOCKS = 64
_MAX_CHUNKS = 250_000
_XMP_KEYWORD = "XML:com.adobe.xmp"
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\x00"
_EXIF_SEGMENT = b"Exif\x00\x00"
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\x00"
_PHOTOSHOP_SEGMENT = b"Photoshop 3.0\x00"
_XMP_TAG = 700
_PHOTOSHOP_TAG = 34377
_GIF_XMP = b"\x21\xff\x0bXMP DataXMP"
_GIF_XMP_END = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
"""Bytes behind a packet in a GIF that lead a reader who takes its characters for lengths of sub-blocks to its end."""


@dataclass(slots=True)
class Blocks:
    """What a file holds besides its pixels: `texts` by PNG keyword (the first of each), `exif` from its TIFF header on,
    `xmp` packets as they stand, `xmp_portions` of a JPEG's extended packet, `photoshop` image resources with IPTC,
    `problems` with blocks that were left out."""

    texts: dict[str, str] = field(default_factory=dict)
    exif: bytes | None = None
    xmp: list[bytes] = field(default_factory=list)
    xmp_portions: list[bytes] = field(default_factory=list)
    photoshop: bytes = b""
    problems: list[Finding] = field(default_factory=list)


def read_into(found: Blocks, name: str, data: bytes, limits: ProvenanceLimits) -> list[Finding]:
    """Fills `found` from a file of format `name` (a word of `sniffing.sniff`); what was found before damage is kept.
    A BMP has no place for any of this.

    Returns:
        Findings on blocks that were left out.
    """
    reader = _READERS.get(name)
    if reader is not None:
        reader(data, found, limits)
    return found.problems


def _png(data: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    at = 8
    for _ in range(_MAX_CHUNKS):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data) or kind == b"IEND":
            return
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            _png_text(kind, data[at + 8 : end - 4], found, limits)
        elif kind == b"eXIf":
            _keep_exif(data[at + 8 : end - 4], found, limits)
        at = end


def _png_text(kind: bytes, chunk: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    keyword, _, rest = chunk[: limits.max_block_bytes + 200].partition(b"\0")
    name = keyword[:79].decode("latin-1")
    if len(found.texts) >= _MAX_BLOCKS or name in found.texts:
        return
    packed = kind == b"zTXt"
    if packed:
        rest = rest[1:]
    elif kind == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    content = _unpacked(rest, limits.max_block_bytes) if packed else rest
    if content is None or len(content) > limits.max_block_bytes or len(chunk) > limits.max_block_bytes + 200:
        found.problems.append(unreadable(f"PNG text {name!r}", "it is damaged or too large"))
    elif name == _XMP_KEYWORD:
        _keep_xmp(content, found, limits)
    else:
        found.texts[name] = _decoded(content)


def _unpacked(packed: bytes, limit: int) -> bytes | None:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, limit + 1)
    except zlib.error:
        return None
    return content if len(content) <= limit else None


def _decoded(content: bytes) -> str:
    """tEXt is Latin-1 by the book; generators write UTF-8 into it."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _jpeg(data: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    at = 2
    for _ in range(_MAX_CHUNKS):
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if data[at : at + 1] != b"\xff" or data[at + 1 : at + 2] in (b"", b"\xda", b"\xd9"):
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4:
            return
        if data[at + 1] == 0xE1:
            segment = data[at + 4 : end]
            if segment.startswith(_EXIF_SEGMENT):
                _keep_exif(segment[6:], found, limits)
            elif segment.startswith(_XMP_SEGMENT):
                _keep_xmp(segment[len(_XMP_SEGMENT) :], found, limits)
            elif segment.startswith(_XMP_EXTENSION) and len(found.xmp_portions) < _MAX_BLOCKS:
                found.xmp_portions.append(segment[len(_XMP_EXTENSION) :])
        elif data[at + 1] == 0xED and data.startswith(_PHOTOSHOP_SEGMENT, at + 4):
            _keep_photoshop(data[at + 4 + len(_PHOTOSHOP_SEGMENT) : end], found, limits)
        at = end


def _webp(data: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    at = 12
    for _ in range(_MAX_CHUNKS):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if len(kind) < 4:
            return
        if kind == b"EXIF":
            _keep_exif(data[at + 8 : at + 8 + length], found, limits)
        elif kind == b"XMP ":
            _keep_xmp(data[at + 8 : at + 8 + length], found, limits)
        at += 8 + length + (length & 1)


def _tiff(data: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    layout = tiff.layout_of(data)
    if layout is None:
        return
    found.exif = data  # a TIFF is an EXIF block with pixels; only single tags of it are read
    entries = tiff.directory(data, layout, layout.first_directory(data))[0]
    packet, resources = entries.get(_XMP_TAG), entries.get(_PHOTOSHOP_TAG)
    if packet is not None:
        _keep_xmp(tiff.content(data, packet, limits.max_block_bytes + 1), found, limits)
    if resources is not None:
        _keep_photoshop(tiff.content(data, resources, limits.max_block_bytes + 1), found, limits)


def _gif(data: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    start = data.find(_GIF_XMP)
    end = -1 if start < 0 else data.find(_GIF_XMP_END, start)
    if end >= 0:
        _keep_xmp(data[start + len(_GIF_XMP) : end], found, limits)


def _avif(data: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    from PIL.AvifImagePlugin import AvifImageFile

    with AvifImageFile(io.BytesIO(data)) as image:
        _keep_info(image.info, found, limits)


def _heic(data: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return  # then such files are not accepted at all
    opener: Callable[[io.BytesIO], Image.Image] = HeifImageFile
    with opener(io.BytesIO(data)) as image:
        _keep_info(image.info, found, limits)


def _keep_info(info: Mapping[Any, Any], found: Blocks, limits: ProvenanceLimits) -> None:
    exif, xmp = info.get("exif"), info.get("xmp")
    if isinstance(exif, bytes):
        _keep_exif(exif, found, limits)
    if isinstance(xmp, bytes):
        _keep_xmp(xmp, found, limits)


def _keep_exif(block: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    if found.exif is not None:
        return
    if len(block) > limits.max_block_bytes:
        found.problems.append(unreadable("EXIF block", f"it is larger than {limits.max_block_bytes:,} bytes"))
        return
    found.exif = block.removeprefix(_EXIF_SEGMENT)


def _keep_photoshop(resources: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    """Resources that do not fit into one segment go on in the next."""
    if len(found.photoshop) + len(resources) > limits.max_block_bytes:
        found.problems.append(unreadable("Photoshop block", f"it is larger than {limits.max_block_bytes:,} bytes"))
    else:
        found.photoshop += resources


def _keep_xmp(packet: bytes, found: Blocks, limits: ProvenanceLimits) -> None:
    if len(packet) > limits.max_block_bytes:
        found.problems.append(unreadable("XMP packet", f"it is larger than {limits.max_block_bytes:,} bytes"))
    elif len(found.xmp) < 2 and packet not in found.xmp:
        found.xmp.append(packet)


_READERS: Mapping[str, Callable[[bytes, Blocks, ProvenanceLimits], None]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "TIFF": _tiff,
    "GIF": _gif,
    "AVIF": _avif,
    "HEIC": _heic,
}
