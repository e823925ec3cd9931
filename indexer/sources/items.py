"""What every source yields: pictures with labels and sightings, rejections and skips. All text is from outside."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from unicodedata import category

from indexer.sightings import NewSighting
from indexer.sources.label_words import StatedWord
from indexer.vocabulary import LabelValue, Technique

MAX_NAME = 200
"""Longest name of a generator, platform, collection or source, in characters."""
MAX_PATH = 1_000
"""Longest path inside a source, in characters; archives may hold longer ones, which are shown cut."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A value in a source that was not taken verbatim; the picture is kept.

    Kinds: `time_not_read`, `time_ambiguous`, `address_not_read`, `technique_not_known`, `sha256_not_read`,
    `name_too_long` (all keep the text among the fields), `time_unlikely`, `time_from_days`, `text_cut`,
    `name_in_other_case`.
    """

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One picture of a source.

    `source` is the name of the folder, manifest or archive, `location` the path inside it. `read` gives the bytes; it
    may be called later and from another thread, and raises ImageRejectedError. `value` is None when the source states
    no label; `word` is what stood for one, None when nothing did. `expected_sha256` (lower case) is what the source
    says the bytes hash to: whoever reads them checks it. `fields` keeps the columns dejafake does not know, and the
    word where it is not the label's own name. `edition` names the issue of the list a label was read from: all labels
    of one edition were stated at once, a newer one replaces them. None: the label stands alone. `remarks` tell what was
    not taken as it stands. `unknown_technique`: the word for a technique that is not in the vocabulary.
    """

    source: str
    location: str
    read: Callable[[], bytes]
    value: LabelValue | None = None
    technique: Technique = Technique.UNKNOWN
    generator: str | None = None
    label_reason: str | None = None
    sighting: NewSighting | None = None
    expected_sha256: str | None = None
    collections: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    edition: str | None = None
    word: StatedWord | None = None
    remarks: tuple[Remark, ...] = ()
    unknown_technique: str | None = None


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


@dataclass(frozen=True, slots=True)
class SourceSkip:
    """Something in a source that is no picture and was skipped; it is counted, so that nothing is lost silently.

    Reasons: `folder`, `hidden`, `empty`, `nested_archive`, `table`, `video`, `encrypted`, `not_a_picture`,
    `linked_folder` (a link to a folder of the same tree), `no_file` (a pipe, a socket, a device, a link to nothing);
    `not_read` for what comes after an archive was given up.
    """

    source: str
    location: str
    reason: str


Found = SourceItem | SourceRejection | SourceSkip


class Source(Protocol):
    """Somewhere pictures come from. Iterating again starts anew and gives the same items in the same order.

    Raises:
        SourceError: while iterating, when the rest of the source cannot be read. Items already given stay valid.
    """

    @property
    def name(self) -> str:
        """The name every item carries as its `source`: never a whole path."""
        ...

    def __iter__(self) -> Iterator[Found]:
        """Items, rejections and what is passed over, lazily, in a fixed order."""
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
