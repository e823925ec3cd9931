"""Text hidden in the lowest bits of a picture's alpha channel ("stealth PNG info"), as NovelAI and others write it.

Read column by column, the bits are a mark, the length of the text in bits (32 bits, big-endian) and the text: JSON of
what would stand in PNG texts, or AUTOMATIC1111's parameters; after the one mark packed by gzip, after the other plain.
"""

import json
import zlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

from indexer.provenance.untyped import json_object

_PLAIN, _PACKED = b"stealth_pnginfo", b"stealth_pngcomp"
_HEAD = len(_PLAIN) + 4
_GZIP = 31


class HiddenTextError(ValueError):
    """There is a mark, but what follows is not read; the message says why."""


def hidden_texts(alpha: Image.Image, limit: int) -> Mapping[str, str]:
    """The texts by the PNG keyword they would have; empty when there is no mark. Only its pixels are looked at then.

    Args:
        alpha: of mode L, as it was stored.
        limit: most bytes the text may have, packed and unpacked.

    Raises:
        HiddenTextError: the text is too large, cut off or damaged.
    """
    head = _lowest_bits(alpha, 0, _HEAD)
    mark = head[: len(_PLAIN)]
    if mark not in (_PLAIN, _PACKED):
        return {}
    length = int.from_bytes(head[len(_PLAIN) :], "big") // 8
    if length > limit:
        raise HiddenTextError(f"it is larger than {limit:,} bytes")
    content = _lowest_bits(alpha, _HEAD, length)
    if len(content) < length:
        raise HiddenTextError("it is cut off")
    written = _unpacked(content, limit) if mark == _PACKED else content
    return _texts(written.decode("utf-8", "replace"))


def _lowest_bits(alpha: Image.Image, skipped: int, count: int) -> bytes:
    """Bytes made of the lowest bits, down each column: at most `count` of them after `skipped`."""
    columns = min(alpha.width, -(-8 * (skipped + count) // alpha.height))
    bits = np.asarray(alpha.crop((0, 0, columns, alpha.height)), np.uint8).T.ravel() & 1
    whole = bits[8 * skipped : 8 * (skipped + count)]
    return np.packbits(whole[: len(whole) // 8 * 8]).tobytes()


def _unpacked(packed: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(packed, limit + 1)
    except zlib.error:
        raise HiddenTextError("it is damaged") from None
    if len(content) > limit:
        raise HiddenTextError(f"it unpacks to more than {limit:,} bytes")
    return content


def _texts(written: str) -> dict[str, str]:
    document = json_object(written)
    if not document:
        return {"parameters": written}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in document.items()}
