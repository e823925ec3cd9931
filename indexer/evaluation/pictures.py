"""The pixels of labelled pictures, read one at a time from kept originals or the files of a source."""

from collections.abc import Callable, Mapping
from typing import Protocol

from PIL import Image

from indexer.errors import ImageRejectedError, OriginalChangedError
from indexer.files.media import MediaStore
from indexer.imaging.decoding import decode, sha256_hex
from indexer.imaging.limits import ImageLimits


class Pictures(Protocol):
    """Where the bytes and pixels of pictures are found by SHA-256. May be asked from several threads."""

    def data(self, sha256: str) -> bytes | None:
        """The untouched bytes, None when they are not (any longer) here."""
        ...

    def picture(self, sha256: str) -> Image.Image | None:
        """The upright RGB picture, None when it is not here or cannot be decoded."""
        ...


class StoredPictures:
    """The originals an installation keeps."""

    def __init__(self, originals: MediaStore, limits: ImageLimits) -> None:
        self._originals = originals
        self._limits = limits

    def data(self, sha256: str) -> bytes | None:
        """The kept original; None when originals are not kept, or when it is not what was kept."""
        try:
            return self._originals.get(sha256)
        except (OSError, OriginalChangedError):
            return None

    def picture(self, sha256: str) -> Image.Image | None:
        """The picture in the kept original."""
        return _decoded(self.data(sha256), self._limits)


class SourcePictures:
    """The files of a folder, manifest or archive, read where they lie. A file that changed since is not given."""

    def __init__(self, readers: Mapping[str, Callable[[], bytes]], limits: ImageLimits, spool: object = None) -> None:
        """`spool` is kept alive as long as the pictures are: the folder some of them lie in vanishes with it."""
        self._readers = readers
        self._limits = limits
        self._spool = spool

    def data(self, sha256: str) -> bytes | None:
        """The bytes of the file that had this SHA-256 when the source was read."""
        read = self._readers.get(sha256)
        if read is None:
            return None
        try:
            data = read()
        except ImageRejectedError:
            return None
        return data if sha256_hex(data) == sha256 else None

    def picture(self, sha256: str) -> Image.Image | None:
        """The picture in that file."""
        return _decoded(self.data(sha256), self._limits)


def _decoded(data: bytes | None, limits: ImageLimits) -> Image.Image | None:
    try:
        return None if data is None else decode(data, limits).rgb
    except ImageRejectedError:
        return None
