"""What a feature index consists of: its saved parts with their checksums, and how far it has come."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from indexer.errors import VectorIndexError
from indexer.index.vectors.manifest import Count, Digest, FileEntry

_MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PartEntry:
    """A saved part: its images and its inverted lists. `head` is the SHA-256 of what comes before the codes and image
    ids of the latter."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    images: FileEntry
    lists: FileEntry
    features: Count
    head: Digest


@dataclass(frozen=True, slots=True)
class FeatureManifest:
    """The parts together hold the features of every row up to `watermark`, but for images deleted up to the tombstone
    `tombstone_watermark`; `gone` lists those of them that a part still holds. `digest` covers the whole manifest.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    format: Literal[1]
    fingerprint: str
    watermark: Count
    tombstone_watermark: Count
    parts: Annotated[tuple[PartEntry, ...], Field(max_length=1_000)]
    gone: FileEntry
    digest: str

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """Every file but the manifest."""
        return (self.gone, *(file for part in self.parts for file in (part.images, part.lists)))

    def sealed(self) -> "FeatureManifest":
        """The same with its digest."""
        return replace(self, digest=self._digest())

    def to_json(self) -> str:
        """The text of its file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def read(cls, path: Path) -> "FeatureManifest":
        """The manifest in a file.

        Raises:
            VectorIndexError: it is missing, unreadable, of another format or was changed.
        """
        try:
            with path.open("rb") as file:
                manifest = _ADAPTER.validate_json(file.read(_MAX_BYTES))
        except (OSError, ValidationError) as error:
            what = "missing or unreadable" if isinstance(error, OSError) else "not a manifest of this version"
            raise VectorIndexError(f"the feature index in {path.parent} has a {path.name} that is {what}") from error
        if manifest.digest != manifest._digest():
            raise VectorIndexError(f"the feature index in {path.parent} has a {path.name} that was changed")
        return manifest

    def check_files(self, folder: Path, pause: Callable[[], None]) -> None:
        """Verify size and SHA-256 of every file.

        Raises:
            VectorIndexError: names the first file that is missing, unreadable or changed.
        """
        for entry in self.files:
            entry.check(folder, pause=pause)

    def _digest(self) -> str:
        fields = asdict(replace(self, digest=""))
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


_ADAPTER = TypeAdapter(FeatureManifest)
