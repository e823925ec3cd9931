"""What zip and tar archives share: which members are pictures, and bounds on how many there are and what they unpack
to. Names of members are only ever text; nothing is written to disk."""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.limits import ImageLimits
from indexer.imaging.sniffing import sniff
from indexer.sources.archives.member_names import parts_of
from indexer.sources.cells import folder_label
from indexer.sources.folder import PICTURE_SUFFIXES
from indexer.sources.items import MAX_NAME, MAX_PATH, Found, SourceItem, SourceRejection, SourceSkip, printable
from indexer.sources.label_words import LabelWords
from indexer.sources.other_files import skip_reason

SNIFFED_BYTES = 1024
_UNPACKED_FLOOR = 2**30
_UNPACKED_RATIO = 100


class MemberName:
    """A member's name as text: its location in the archive, and the label its folders give."""

    def __init__(self, name: str) -> None:
        self._parts = parts_of(name) or ("nameless",)
        whole = "/".join(self._parts)
        self.location = printable(whole if len(whole) <= MAX_PATH else f"{whole[:MAX_PATH]}…")

    @property
    def hidden(self) -> bool:
        """Whether it or a folder around it is hidden, or is the shadow macOS puts beside every file."""
        return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in self._parts)

    def skip(self, source: str, reason: str | None = None) -> SourceSkip:
        """It is skipped, for `reason` or for the kind of file that its name tells."""
        return SourceSkip(source, self.location, reason or skip_reason(self._parts[-1]))

    @property
    def promises_picture(self) -> bool:
        """Whether the name has the ending of a picture."""
        return PurePosixPath(self._parts[-1]).suffix.lower() in PICTURE_SUFFIXES

    def item(self, source: str, read: Callable[[], bytes], words: LabelWords, edition: str) -> SourceItem:
        """It is a picture; its label and generator are read from the folders, as in a folder tree."""
        word, generator = folder_label(self._parts[:-1], words)
        return SourceItem(
            source,
            self.location,
            read=read,
            value=None if word is None else word.value,
            generator=None if generator is None else printable(generator)[:MAX_NAME],
            edition=edition,
            word=word,
        )


def first_picture(path: Path, source: Iterable[Found]) -> SourceItem | SourceRejection:
    """The first picture of an archive, or the first member that is rejected, if that comes earlier.

    Raises:
        SourceError: there is neither.
    """
    first = next((member for member in source if not isinstance(member, SourceSkip)), None)
    if first is None:
        raise SourceError(f"{path.name} holds no pictures; give an archive that does")
    return first


def unpacked_budget(archive: Path) -> int:
    """The most bytes that all members of an archive may unpack to: 1 GiB plus a hundred times the archive's size."""
    return _UNPACKED_FLOOR + _UNPACKED_RATIO * archive.stat().st_size


def too_large(source: str, location: str, limits: ImageLimits) -> SourceRejection:
    """The rejection of a member that declares too large a size."""
    message = f"the member is larger than {limits.max_bytes:,} bytes; raise DEJAFAKE_MAX_FILE_BYTES to accept it"
    return SourceRejection(source, location, "too_many_bytes", message)


def bomb(source: str, location: str) -> SourceRejection:
    """The rejection that ends an archive which unpacks to far more than its own size."""
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
