"""The pictures of an uploaded ZIP archive: read one at a time, within the limits of every archive that is ingested."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from indexer.errors import ImageRejectedError
from indexer.imaging.limits import ImageLimits
from indexer.sources.archives.zipped import ZipSource
from indexer.sources.items import SourceItem, SourceRejection
from search_api.bodies.forms import Upload, harmless

_BOMB: Final = "archive_bomb"
_START: Final = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class PackedPicture:
    """A member of an archive. `read` gives its bytes and raises ImageRejectedError."""

    name: str
    read: Callable[[], bytes]


def is_zip(upload: Upload) -> bool:
    """Whether an uploaded file begins as a ZIP archive does, whatever its name."""
    upload.content.seek(0)
    return upload.content.read(4) in _START


@contextmanager
def pictures_in(upload: Upload, limits: ImageLimits, most: int) -> Iterator[tuple[PackedPicture, ...]]:
    """The pictures of an archive, to be read inside the context.

    Args:
        upload: the archive.
        limits: of each picture.
        most: how many pictures are taken.

    Raises:
        SourceError: it is damaged, has too many members, or has no picture.
        ImageRejectedError: it unpacks to far more than its size (`archive_bomb`), or holds more than `most` pictures
            (`too_many_pictures`).
    """
    with NamedTemporaryFile(prefix="dejafake-", suffix=".zip") as file:
        upload.content.seek(0)
        shutil.copyfileobj(upload.content, file)
        file.flush()
        yield _listed(ZipSource.open(Path(file.name), limits), most)


def _listed(source: ZipSource, most: int) -> tuple[PackedPicture, ...]:
    pictures: list[PackedPicture] = []
    for item in source:
        if isinstance(item, SourceRejection) and item.reason == _BOMB:
            raise ImageRejectedError(_BOMB, "the archive unpacks to far more than its own size; nothing of it was read")
        if isinstance(item, SourceItem):
            pictures.append(PackedPicture(harmless(item.location), item.read))
        elif isinstance(item, SourceRejection):
            pictures.append(PackedPicture(harmless(item.location), _refusing(item)))
        if len(pictures) > most:
            words = f"the archive holds more than {most} pictures; send them in several archives"
            raise ImageRejectedError("too_many_pictures", words)
    return tuple(pictures)


def _refusing(rejection: SourceRejection) -> Callable[[], bytes]:
    def read() -> bytes:
        raise ImageRejectedError(rejection.reason, rejection.message)

    return read
