"""The metadata blocks of a file: PNG text, EXIF, XMP, IPTC. They are located by walking the file, without decoding it.

Text is read wherever it stands in a PNG, behind the pixels too. The size and number of blocks are limited.
"""

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from indexer.imaging.structure import tiff
from indexer.imaging.structure.walking import (
    END_OF_IMAGE,
    MAX_JUNK,
    START_OF_SCAN,
    jpeg_segment,
    png_chunks,
    webp_chunks,
)
from indexer.provenance.findings import Finding, ProvenanceLimits, unreadable

_MAX_BLOCKS = 64
_MAX_CHUNKS = 250_000
_APP1, _APP13 = 0xE1, 0xED
_XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW_EXIF_KEYWORDS = ("Raw profile type exif", "Raw profile type APP1")
"""Where ImageMagick and ExifTool wrote EXIF, in hexadecimal, before PNG had a chunk for it."""
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


def read_into(blocks: Blocks, name: str, data: bytes, limits: ProvenanceLimits) -> list[Finding]:
    """Fills `blocks` from a file of format `name` (a word of `sniffing.sniff`); what was found before damage is kept.
    A BMP has no place for any of this.

    Returns:
        Findings on blocks that were left out.
    """
    reader = _READERS.get(name)
    if reader is not None:
        reader(data, blocks, limits)
    return blocks.problems


def _png(data: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    for chunk in png_chunks(data, _MAX_CHUNKS):
        if chunk.end > len(data) or chunk.kind == b"IEND":
            return
        if chunk.kind in (b"tEXt", b"zTXt", b"iTXt"):
            _png_text(chunk.kind, data[chunk.start : chunk.stop], blocks, limits)
        elif chunk.kind == b"eXIf":
            _keep_exif(data[chunk.start : chunk.stop], blocks, limits)


def _png_text(kind: bytes, chunk: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    keyword, _, rest = chunk[: limits.max_block_bytes + 200].partition(b"\0")
    name = keyword[:79].decode("latin-1")
    if len(blocks.texts) >= _MAX_BLOCKS or name in blocks.texts:
        return
    packed = kind == b"zTXt"
    if packed:
        rest = rest[1:]
    elif kind == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    content = _unpacked(rest, limits.max_block_bytes) if packed else rest
    if content is None or len(content) > limits.max_block_bytes or len(chunk) > limits.max_block_bytes + 200:
        blocks.problems.append(unreadable(f"PNG text {name!r}", "it is damaged or too large"))
    elif name == _XMP_KEYWORD:
        _keep_xmp(content, blocks, limits)
    elif name in _RAW_EXIF_KEYWORDS:
        _keep_exif(_raw_profile(content), blocks, limits)
    else:
        blocks.texts[name] = _decoded(content)


def _raw_profile(content: bytes) -> bytes:
    """The bytes of a profile: its name and its length, a line each, then hexadecimal digits; empty when they are none.
    A profile of XMP, which stands under the same name, is no EXIF and reads as none."""
    try:
        return bytes.fromhex(b"".join(content.split()[2:]).decode("ascii"))
    except ValueError:
        return b""


def _unpacked(packed: bytes, limit: int) -> bytes | None:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, limit + 1)
    except zlib.error:
        return None
    return content if len(content) <= limit else None


def _decoded(content: bytes) -> str:
    """Text of a tEXt chunk: Latin-1 by the standard, but generators write UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _jpeg(data: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    at = 2
    for _ in range(_MAX_CHUNKS):
        segment = jpeg_segment(data, at)
        if segment is None or segment.marker - at > MAX_JUNK or segment.code in (START_OF_SCAN, END_OF_IMAGE):
            return
        if segment.end < segment.start + 2 and not segment.stands_alone:
            return
        content = data[segment.start + 2 : segment.end]
        if segment.code == _APP1:
            if content.startswith(_EXIF_SEGMENT):
                _keep_exif(content[6:], blocks, limits)
            elif content.startswith(_XMP_SEGMENT):
                _keep_xmp(content[len(_XMP_SEGMENT) :], blocks, limits)
            elif content.startswith(_XMP_EXTENSION) and len(blocks.xmp_portions) < _MAX_BLOCKS:
                blocks.xmp_portions.append(content[len(_XMP_EXTENSION) :])
        elif segment.code == _APP13 and content.startswith(_PHOTOSHOP_SEGMENT):
            _keep_photoshop(content[len(_PHOTOSHOP_SEGMENT) :], blocks, limits)
        at = segment.end


def _webp(data: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    for chunk in webp_chunks(data, len(data), _MAX_CHUNKS):
        if chunk.kind == b"EXIF":
            _keep_exif(data[chunk.start : chunk.stop], blocks, limits)
        elif chunk.kind == b"XMP ":
            _keep_xmp(data[chunk.start : chunk.stop], blocks, limits)


def _tiff(data: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    layout = tiff.layout_of(data)
    if layout is None:
        return
    blocks.exif = data  # a TIFF is an EXIF block with pixels; only single tags of it are read
    entries = tiff.directory(data, layout, layout.first_directory(data))[0]
    packet, resources = entries.get(_XMP_TAG), entries.get(_PHOTOSHOP_TAG)
    if packet is not None:
        _keep_xmp(tiff.content(data, packet, limits.max_block_bytes + 1), blocks, limits)
    if resources is not None:
        _keep_photoshop(tiff.content(data, resources, limits.max_block_bytes + 1), blocks, limits)


def _gif(data: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    start = data.find(_GIF_XMP)
    end = -1 if start < 0 else data.find(_GIF_XMP_END, start)
    if end >= 0:
        _keep_xmp(data[start + len(_GIF_XMP) : end], blocks, limits)


def _avif(data: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    from PIL.AvifImagePlugin import AvifImageFile

    with AvifImageFile(io.BytesIO(data)) as image:
        _keep_info(image.info, blocks, limits)


def _heic(data: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return  # then such files are not accepted at all
    opener: Callable[[io.BytesIO], Image.Image] = HeifImageFile
    with opener(io.BytesIO(data)) as image:
        _keep_info(image.info, blocks, limits)


def _keep_info(info: Mapping[Any, Any], blocks: Blocks, limits: ProvenanceLimits) -> None:
    exif, xmp = info.get("exif"), info.get("xmp")
    if isinstance(exif, bytes):
        _keep_exif(exif, blocks, limits)
    if isinstance(xmp, bytes):
        _keep_xmp(xmp, blocks, limits)


def _keep_exif(block: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    if blocks.exif is not None:
        return
    if len(block) > limits.max_block_bytes:
        blocks.problems.append(unreadable("EXIF block", f"it is larger than {limits.max_block_bytes:,} bytes"))
        return
    blocks.exif = block.removeprefix(_EXIF_SEGMENT)


def _keep_photoshop(resources: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    """Appends image resources, which may continue in the next segment."""
    if len(blocks.photoshop) + len(resources) > limits.max_block_bytes:
        blocks.problems.append(unreadable("Photoshop block", f"it is larger than {limits.max_block_bytes:,} bytes"))
    else:
        blocks.photoshop += resources


def _keep_xmp(packet: bytes, blocks: Blocks, limits: ProvenanceLimits) -> None:
    if len(packet) > limits.max_block_bytes:
        blocks.problems.append(unreadable("XMP packet", f"it is larger than {limits.max_block_bytes:,} bytes"))
    elif len(blocks.xmp) < 2 and packet not in blocks.xmp:
        blocks.xmp.append(packet)


_READERS: Mapping[str, Callable[[bytes, Blocks, ProvenanceLimits], None]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "TIFF": _tiff,
    "GIF": _gif,
    "AVIF": _avif,
    "HEIC": _heic,
}
