"""Checks the files beside the catalogue: originals by their SHA-256, thumbnails by decoding them. The check changes
nothing; `dejafake doctor --deep` reports the result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from indexer.catalog.database import Catalog
from indexer.catalog.images import kept_files
from indexer.catalog.images.kept_files import KeptImage
from indexer.errors import ImageRejectedError
from indexer.files.media import MediaStore, sha256_of
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits

_AT_ONCE = 500


class FileFault(StrEnum):
    """What is wrong with a file."""

    CHANGED = "changed"
    MISSING = "missing"
    WITHOUT_ROW = "without_row"
    UNREADABLE = "unreadable"
    THUMBNAIL_DAMAGED = "thumbnail_damaged"
    THUMBNAIL_MISSING = "thumbnail_missing"
    THUMBNAIL_WITHOUT_ROW = "thumbnail_without_row"


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file with a problem; `words` says what is wrong and what to do."""

    sha256: str
    fault: FileFault
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class FileCheck:
    """The result: how many images were checked, how many have a kept original, and every bad file."""

    images: int
    originals: int
    bad: tuple[BadFile, ...]


class FileChecker:
    """A check of all files of an installation.

    Args:
        catalog: lists the images.
        originals, thumbnails: the files.
        limits: what counts as a picture.
        keep_originals: whether originals are kept, for images where an older version did not record it.
    """

    def __init__(
        self,
        catalog: Catalog,
        originals: MediaStore,
        thumbnails: MediaStore,
        limits: ImageLimits,
        *,
        keep_originals: bool,
    ) -> None:
        self._catalog = catalog
        self._originals = originals
        self._thumbnails = thumbnails
        self._limits = limits
        self._keep_originals = keep_originals

    def run(self, observe: Callable[[int], None]) -> FileCheck:
        """Reads every file once; `observe` is called with the number of images just checked."""
        images = originals = 0
        bad: list[BadFile] = []
        for some in self._images():
            for image in some:
                originals += self._originals.path(image.sha256).is_file()
                bad += self._of_original(image)
                bad += self._of_thumbnail(image)
                observe(1)
            images += len(some)
        bad += self._strangers(self._originals, FileFault.WITHOUT_ROW)
        bad += self._strangers(self._thumbnails, FileFault.THUMBNAIL_WITHOUT_ROW)
        return FileCheck(images, originals, tuple(bad))

    def _images(self) -> Iterator[tuple[KeptImage, ...]]:
        after = ""
        while True:
            with self._catalog.reading() as session:
                some = kept_files.page(session, after, _AT_ONCE, unsure=self._keep_originals)
            if not some:
                return
            yield some
            after = some[-1].sha256

    def _of_original(self, image: KeptImage) -> Iterator[BadFile]:
        sha256, path = image.sha256, self._originals.path(image.sha256)
        try:
            if sha256_of(path) != sha256:
                yield _bad(sha256, FileFault.CHANGED, path)
        except FileNotFoundError:
            if image.original_kept:
                yield _bad(sha256, FileFault.MISSING, path)
        except OSError as error:
            yield _bad(sha256, FileFault.UNREADABLE, path, error)

    def _of_thumbnail(self, image: KeptImage) -> Iterator[BadFile]:
        sha256, path = image.sha256, self._thumbnails.path(image.sha256)
        try:
            data = self._thumbnails.get(sha256)
            if data is None and image.original_kept:
                yield _bad(sha256, FileFault.THUMBNAIL_MISSING, path)
            elif data is not None:
                decode(data, self._limits)
        except ImageRejectedError:
            yield _bad(sha256, FileFault.THUMBNAIL_DAMAGED, path)
        except OSError as error:
            yield _bad(sha256, FileFault.UNREADABLE, path, error)

    def _strangers(self, store: MediaStore, fault: FileFault) -> Iterator[BadFile]:
        """Files of images that are not in the catalogue."""
        waiting: list[str] = []
        for sha256 in store.names():
            waiting.append(sha256)
            if len(waiting) == _AT_ONCE:
                yield from self._unknown(store, waiting, fault)
                waiting = []
        yield from self._unknown(store, waiting, fault)

    def _unknown(self, store: MediaStore, sha256s: list[str], fault: FileFault) -> Iterator[BadFile]:
        with self._catalog.reading() as session:
            known = kept_files.held(session, sha256s)
        yield from (_bad(sha256, fault, store.path(sha256)) for sha256 in sha256s if sha256 not in known)


_AGAIN = "delete the image and ingest its file again"
_WORDS = {
    FileFault.CHANGED: f"the kept original has other bytes than when it was kept: {_AGAIN}",
    FileFault.MISSING: f"the original is not there any more: {_AGAIN}, or set DEJAFAKE_KEEP_ORIGINALS=false",
    FileFault.WITHOUT_ROW: "an original of no image in this catalogue: ingest it, or remove it",
    FileFault.UNREADABLE: "the file cannot be read",
    FileFault.THUMBNAIL_DAMAGED: f"the thumbnail is no picture any more: {_AGAIN}",
    FileFault.THUMBNAIL_MISSING: f"the thumbnail is not there any more: {_AGAIN}",
    FileFault.THUMBNAIL_WITHOUT_ROW: "a thumbnail of no image in this catalogue: remove it",
}


def _bad(sha256: str, fault: FileFault, path: Path, error: OSError | None = None) -> BadFile:
    why = "" if error is None else f" ({error.strerror or error})"
    return BadFile(sha256, fault, str(path), _WORDS[fault] + why)
