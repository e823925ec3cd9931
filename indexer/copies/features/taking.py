"""The local features that are kept of a known picture. Imports OpenCV."""

from PIL import Image

from indexer.copies.features.packing import pack
from indexer.copies.features.sift import features_of
from indexer.imaging.content import content_of, has_too_little


def packed_features(rgb: Image.Image, content: int | None, size: tuple[int, int] | None = None) -> bytes:
    """The packed local features of a picture; empty where there is too little in it to find a copy by.

    Args:
        rgb: the picture, or a smaller copy of it.
        content: of the picture, measured here where it is None.
        size: width and height of the picture itself, whose pixels the features are in; None: those of `rgb`.
    """
    if has_too_little(content_of(rgb) if content is None else content, None):
        return b""
    features = features_of(rgb)
    if not len(features):
        return b""
    return pack(features if size is None else features.in_pixels_of(size))
