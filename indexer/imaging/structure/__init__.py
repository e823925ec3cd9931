"""What an image file declares about itself (size, frames, orientation, completeness), read without decoding a pixel.

One module per format. Each does work bounded by constants and by the file's length, so that a hostile file is refused
before a decoder sees it, and hands the decoder only the parts it needs: metadata bombs never reach it.
"""

from collections.abc import Callable, Mapping

from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure import bmp, boxes, gif, jpeg, png, tiff, webp
from indexer.imaging.structure.declared import Declared

_READERS: Mapping[str, Callable[[bytes, ImageLimits], Declared]] = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "GIF": gif.read,
    "WEBP": webp.read,
    "BMP": bmp.read,
    "TIFF": tiff.read,
    "AVIF": boxes.read,
    "HEIC": boxes.read,
}


def read_structure(name: str, data: bytes, limits: ImageLimits) -> Declared:
    """What a file of format `name` (a word of `sniffing.sniff`) declares, already checked against `limits`.

    Raises:
        ImageRejectedError: too large, truncated or damaged.
    """
    return _READERS[name](data, limits)


__all__ = ["Declared", "read_structure"]
