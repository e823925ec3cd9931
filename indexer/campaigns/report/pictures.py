"""Thumbnails for reports, re-encoded from decoded pixels so that nothing else comes with them."""

from base64 import b64encode

from PIL import Image, ImageFilter

from indexer.errors import ImageRejectedError, OriginalChangedError
from indexer.files.media import MediaStore, OriginalStore
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.imaging.thumbnails import make_thumbnail
from indexer.settings import Settings

_BLURRED_SIDE = 10
"""Pixels that a blurred picture is brought down to first: colours and masses are left, no face, no text."""


class ReportPictures:
    """Thumbnails by SHA-256, from stored thumbnails or else from kept originals.

    Args:
        settings: where pictures are kept.
        blur: blur them beyond recognition, for disturbing material; the file holds no detail either.
    """

    def __init__(self, settings: Settings, *, blur: bool = False) -> None:
        self._limits = ImageLimits.from_settings(settings)
        self._stores = MediaStore(settings.thumbnails_dir, derived=True), OriginalStore(settings.media_dir)
        self.blurred = blur

    def jpeg(self, sha256: str, size: int) -> bytes | None:
        """A JPEG of at most `size` pixels a side; None when no readable picture is kept."""
        for store in self._stores:
            try:
                data = store.get(sha256)
                if data is None:
                    continue
                rgb = decode(data, self._limits).rgb
            except (ImageRejectedError, OriginalChangedError):
                continue
            return make_thumbnail(_blurred(rgb, size) if self.blurred else rgb, size)
        return None

    def tile(self, sha256: str, size: int) -> str | None:
        """The JPEG as a data URI."""
        data = self.jpeg(sha256, size)
        return None if data is None else "data:image/jpeg;base64," + b64encode(data).decode()


def _blurred(rgb: Image.Image, size: int) -> Image.Image:
    scale = size / max(rgb.size)
    width, height = (max(round(side * scale), 1) for side in rgb.size)
    coarse = rgb.copy()
    coarse.thumbnail((_BLURRED_SIDE, _BLURRED_SIDE), Image.Resampling.BOX)
    return coarse.resize((width, height), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(size / 24))
