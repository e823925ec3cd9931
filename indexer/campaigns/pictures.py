"""Small pictures for reports, as data URIs. Made anew from decoded pixels, so nothing else can come with them."""

from base64 import b64encode

from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.imaging.media import MediaStore
from indexer.imaging.thumbnails import make_thumbnail
from indexer.settings import Settings


class ReportPictures:
    """Pictures of images by SHA-256, from kept thumbnails or, where there is none, from kept originals."""

    def __init__(self, settings: Settings) -> None:
        self._limits = ImageLimits.from_settings(settings)
        self._stores = MediaStore(settings.thumbnails_dir), MediaStore(settings.media_dir)

    def tile(self, sha256: str, size: int) -> str | None:
        """A JPEG of at most `size` pixels a side as a data URI; None when no readable picture is kept."""
        for store in self._stores:
            data = store.get(sha256)
            if data is None:
                continue
            try:
                rgb = decode(data, self._limits).rgb
            except ImageRejectedError:
                continue
            return "data:image/jpeg;base64," + b64encode(make_thumbnail(rgb, size)).decode()
        return None
