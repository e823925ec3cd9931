"""Small copies of known pictures, for comparing pixels. Imports no OpenCV until two are compared."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image

from indexer.copies.verification.overlap import Overlap
from indexer.errors import ImageRejectedError
from indexer.files.media import MediaStore
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings

logger = logging.getLogger(__name__)

_KEPT: Final = 64


class Thumbnails:
    """Thumbnails of known images as pictures, for what is to be seen at that size.

    Args:
        settings: where they are, and the limits of what is decoded.
    """

    def __init__(self, settings: Settings) -> None:
        self._files = MediaStore(settings.thumbnails_dir, derived=True)
        self._limits = ImageLimits.from_settings(settings)

    def get(self, sha256: str) -> Image.Image | None:
        """The thumbnail of an image, of mode RGB; None where there is none that can be read."""
        data = self._files.get(sha256)
        if data is None:
            return None
        try:
            return decode(data, self._limits).rgb
        except ImageRejectedError as error:
            logger.warning("the thumbnail of %s is not looked at: %s", sha256, error)
            return None


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """A known image as it is compared: `size` is the width and height of the picture in whose pixels overlaps are told,
    `hashes` its PDQ hashes of 32 bytes, none where a near one proves nothing."""

    sha256: str
    size: tuple[int, int]
    hashes: tuple[bytes, ...] = ()


class KnownPairs:
    """Compares the pixels of known images with each other. Not safe to share between threads.

    Args:
        thumbnails: of the images; the last 64 are kept in memory.
    """

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnail = lru_cache(maxsize=_KEPT)(thumbnails.get)

    def decided(self, query: KnownPicture, known: KnownPicture, overlap: Overlap | None) -> Overlap | None:
        """What the pixels of two images make of what their features show: as a search decides.

        Args:
            query, known: the images.
            overlap: what `verify_all` tells of them.

        Returns:
            `overlap` as it is where an image has no thumbnail.
        """
        from indexer.copies.verification.comparing import SmallPicture, by_pixels, near_enough  # loads OpenCV

        bits = near_enough(query.hashes, known.hashes)
        if overlap is None and bits is None:
            return None
        own, other = self._thumbnail(query.sha256), self._thumbnail(known.sha256)
        if own is None or other is None:
            return overlap
        decided = by_pixels(SmallPicture(own, query.size), SmallPicture(other, known.size), overlap, bits)
        return overlap if decided is None else decided
