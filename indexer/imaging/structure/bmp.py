"""BMP: the size in its header. Everything else is left to the decoder."""

from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, truncated


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Reads the core (12 byte) and the information (40 bytes and more) headers; a negative height means top-down."""
    header = int.from_bytes(data[14:18], "little")
    if len(data) < 14 + header:
        raise truncated("the header")
    if header == 12:
        size = int.from_bytes(data[18:20], "little"), int.from_bytes(data[20:22], "little")
    else:
        height = int.from_bytes(data[22:26], "little", signed=True)
        size = int.from_bytes(data[18:22], "little", signed=True), abs(height)
    limits.check_size(*size)
    return Declared(size, data)
