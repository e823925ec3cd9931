"""What zip and tar archives share: which members are pictures, and bounds on how many there are and what they unpack
to. Names of members are only ever text; nothing is written to disk."""

from pathlib import Path, PurePosixPath

from indexer.errors import ImageRejectedError
from indexer.imaging.limits import ImageLimits
from indexer.imaging.sniffing import sniff
from indexer.sources.cells import folder_label
from indexer.sources.folder import PICTURE_SUFFIXES
from indexer.sources.items import MAX_NAME, MAX_PATH, SourceRejection, printable
from indexer.vocabulary import LabelValue

SNIFFED_BYTES = 1024
_UNPACKED_FLOOR = 2**30
_UNPACKED_RATIO = 100


class MemberName:
    """A member's name as text: where it says it lies, and what its folders say about it."""

    def __init__(self, name: str) -> None:
        parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", ".")]
        self._parts = tuple(parts) or ("nameless",)
        whole = "/".join(self._parts)
        self.location = printable(whole if len(whole) <= MAX_PATH else f"{whole[:MAX_PATH]}…")

    @property
    def hidden(self) -> bool:
        """Whether it or a folder around it is hidden, or is the shadow macOS puts beside every file."""
        return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in self._parts)

    @property
    def promises_picture(self) -> bool:
        """Whether the name ends like a picture's."""
        return PurePosixPath(self._parts[-1]).suffix.lower() in PICTURE_SUFFIXES

    def label(self) -> tuple[LabelValue | None, str | None]:
        """Label and generator by the folders, as in a folder tree."""
        value, generator = folder_label(self._parts[:-1])
        return value, None if generator is None else printable(generator)[:MAX_NAME]


def unpacked_budget(archive: Path) -> int:
    """How many bytes the members of an archive may unpack to together: 1 GiB plus a hundred times its own size."""
    return _UNPACKED_FLOOR + _UNPACKED_RATIO * archive.stat().st_size


def too_large(source: str, location: str, limits: ImageLimits) -> SourceRejection:
    """The rejection of a member by the size it declares."""
    message = f"the member is larger than {limits.max_bytes:,} bytes; raise DEJAFAKE_MAX_FILE_BYTES to accept it"
    return SourceRejection(source, location, "too_many_bytes", message)


def bomb(source: str, location: str) -> SourceRejection:
    """The rejection that ends an archive which unpacks to far more than itself."""
    message = "the archive unpacks to more than a hundred times its size; nothing from here on is read"
    return SourceRejection(source, location, "archive_bomb", message)


def not_a_file(source: str, location: str) -> SourceRejection:
    """The rejection of links, devices and sparse files."""
    message = "a link, device or sparse file, which is not read; pack the file itself"
    return SourceRejection(source, location, "unsupported", message)


def is_picture(head: bytes) -> bool:
    """Whether the first bytes are those of a picture, for members whose name does not say so."""
    try:
        sniff(head)
    except ImageRejectedError:
        return False
    return True
