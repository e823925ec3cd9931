"""AVIF and HEIC: the top-level boxes only, to notice a cut file (ISO/IEC 14496-12). Their sizes the decoder tells."""

from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.declared import Declared, damaged, truncated

MAX_BOXES = 10_000


def read(data: bytes, limits: ImageLimits) -> Declared:
    """Walks the boxes. Opening such a file parses its headers and decodes nothing, so the size is checked after it."""
    at = 0
    for _ in range(MAX_BOXES):
        if at == len(data):
            return Declared(None, data)
        length, header = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            return Declared(None, data)
        if length < header:
            raise damaged("a box of impossible length")
        at += length
        if at > len(data):
            raise truncated("a box")
    raise damaged("it is cut into too many boxes")
