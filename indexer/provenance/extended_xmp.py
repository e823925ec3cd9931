"""Extended XMP of a JPEG: what did not fit into the segment of its packet (XMP specification, part 3, section 1.1.3).

Every segment carries the MD5 of the whole as 32 hex digits, which the packet names in `HasExtendedXMP`, the length of
the whole, its own offset, and a portion. MD5 is the format's check against mistakes, not against forgers.
"""

import hashlib
import struct
from collections.abc import Sequence

from indexer.provenance.xmp import XmpRefusedError

_HEAD = struct.Struct(">32sII")


def assemble(portions: Sequence[bytes], name: str, limit: int) -> bytes | None:
    """The packet that the segments' contents make up; None when none of them belongs to the packet called `name`.

    Args:
        portions: contents of the segments behind their mark.
        name: the 32 hex digits the standard packet names.
        limit: most bytes it may have.

    Raises:
        XmpRefusedError: it is too large, incomplete, or not what `name` says.
    """
    heads = [
        (_HEAD.unpack_from(portion_bytes), portion_bytes[_HEAD.size :])
        for portion_bytes in portions
        if len(portion_bytes) >= _HEAD.size
    ]
    guid = name.upper().encode("ascii", "replace")
    own = [(length, offset, portion) for (digest, length, offset), portion in heads if digest.upper() == guid]
    if not own:
        return None
    length = own[0][0]
    if length > limit:
        raise XmpRefusedError(f"it is larger than {limit:,} bytes")
    whole = bytearray(length)
    for total_stated, offset, portion in own:
        if total_stated != length or offset + len(portion) > length:
            raise XmpRefusedError("its portions do not fit together")
        whole[offset : offset + len(portion)] = portion
    if hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode() != guid:
        raise XmpRefusedError("it is incomplete, or was changed")
    return bytes(whole)
