"""What every source yields: pictures with what is said about them, and rejections. All text in it came from outside."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from unicodedata import category

from indexer.vocabulary import LabelValue, Technique

MAX_NAME = 200
"""Longest name of a generator, platform, collection or source, in characters."""
MAX_PATH = 1_000
"""Longest path inside a source, in characters; archives may hold longer ones, which are shown cut."""


@dataclass(frozen=True, slots=True)
class SightingClaim:
    """What a source says about where an image was seen. `posted_at` is UTC; `url` and `archive_url` are http(s)."""

    url: str | None = None
    archive_url: str | None = None
    platform: str | None = None
    account: str | None = None
    posted_at: datetime | None = None
    caption: str | None = None
    language: str | None = None
    claim: str | None = None


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One picture of a source.

    `source` is the name of the folder, manifest or archive, `location` the path inside it. `read` gives the bytes; it
    may be called later and from another thread, and raises ImageRejectedError. `value` is None when the source states
    no label. `expected_sha256` (lower case) is what the source says the bytes hash to: whoever reads them checks it.
    `fields` keeps the columns dejafake does not know. `edition` names the issue of the list a label was read from: all
    labels of one edition were stated at once, a newer one replaces them. None: the label stands alone.
    """

    source: str
    location: str
    read: Callable[[], bytes]
    value: LabelValue | None = None
    technique: Technique = Technique.UNKNOWN
    generator: str | None = None
    label_reason: str | None = None
    sighting: SightingClaim | None = None
    expected_sha256: str | None = None
    collections: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    edition: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRejection:
    """Something a source names that cannot become a picture. `location` is a path or a row ("row 17").

    Reasons of sources: `bad_row`, `outside_folder`, `encrypted`, `damaged_archive`, `too_many_members`,
    `archive_bomb`, `unsupported`, `too_many_bytes`; whoever reads items adds the reasons of ImageRejectedError.
    """

    source: str
    location: str
    reason: str
    message: str


class Source(Protocol):
    """Somewhere pictures come from. Iterating again starts anew and gives the same items in the same order.

    Raises:
        SourceError: while iterating, when the rest of the source cannot be read. Items already given stay valid.
    """

    @property
    def name(self) -> str:
        """The name every item carries as its `source`: never a whole path."""
        ...

    def __iter__(self) -> Iterator[SourceItem | SourceRejection]:
        """Items and rejections, lazily, in a fixed order."""
        ...

    def count(self) -> int | None:
        """How many items and rejections there will be, for a progress bar; None when counting costs too much."""
        ...


def printable(text: str) -> str:
    """`text` as one line that any terminal, log and database takes: control and unencodable characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or category(c) == "Zs" else ascii(c)[1:-1] for c in text)


def file_edition(path: Path) -> str:
    """The edition of a manifest or an archive: another size or time of change is another edition."""
    facts = path.stat()
    return f"{facts.st_size}-{facts.st_mtime_ns}"


def source_name(path: Path) -> str:
    """The name of a folder or file to show as a source, without the path that leads to it."""
    return printable(path.name or path.resolve().name or "files")[:MAX_NAME]
