"""One picture file, given by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.sources.items import SourceItem, printable, source_name


@dataclass(frozen=True, slots=True)
class FileSource:
    """A single file, whatever its name; whether it is a picture shows when it is decoded."""

    path: Path
    limits: ImageLimits

    @property
    def name(self) -> str:
        """The file's name."""
        return source_name(self.path)

    def __iter__(self) -> Iterator[SourceItem]:
        yield SourceItem(self.name, printable(self.path.name), partial(read_bytes, self.path, self.limits))

    def count(self) -> int:
        """One."""
        return 1
