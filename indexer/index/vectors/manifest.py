"""The manifest of a snapshot folder: `manifest.json`, with a checksum of every file and one of itself."""

import hashlib
import json
from collections.abc import Callable, Container
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from indexer.errors import VectorIndexError

NAME = "manifest.json"
MAX_BYTES = 1 << 20
READ_BYTES = 1 << 18

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
IndexKind = Literal["exact", "ivf"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a snapshot: its plain name, size in bytes and SHA-256."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    size: Count
    sha256: Digest

    def check(self, folder: Path, *, size_only: bool = False, pause: Callable[[], None] = lambda: None) -> None:
        """Verify the file in `folder`, or only its size. `pause` is called regularly and may raise to abort.

        Raises:
            VectorIndexError: it is missing, unreadable or changed.
        """
        path = folder / self.name
        try:
            whole = path.stat().st_size == self.size
            if whole and not size_only:
                whole = _sha256(path, pause) == self.sha256
        except OSError as error:
            raise VectorIndexError(f"the vector index file {path} cannot be read: {error.strerror}") from error
        if not whole:
            raise VectorIndexError(f"the vector index file {path} is damaged: its checksum differs")


def _sha256(path: Path, pause: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    part = memoryview(bytearray(READ_BYTES))  # one buffer for all reads, small enough for the CPU cache
    with path.open("rb", buffering=0) as file:
        while length := file.readinto(part):
            pause()
            digest.update(part[:length])
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A snapshot: `count` vectors of `dimension` numbers by the detector `fingerprint`.

    It holds every embedding up to the catalogue's embedding id `watermark` whose image was not deleted by the
    tombstone `tombstone_watermark`. `snapshot` is a digest of all that, equal wherever the same content is built;
    `digest` covers the whole manifest. `built_at` is ISO 8601, UTC.

    Of an approximate index, `recall` is recall@10 in [0, 1] and `milliseconds` the median of one search in one thread,
    both measured when it was built, on queries that are not in it; null of an exact one.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    format: Literal[2]
    snapshot: str
    fingerprint: str
    dimension: Annotated[int, Field(ge=1)]
    count: Count
    kind: IndexKind
    parameters: dict[str, int]
    watermark: Count
    tombstone_watermark: Count
    recall: Annotated[float, Field(ge=0, le=1)] | None
    milliseconds: Annotated[float, Field(ge=0)] | None
    built_at: str
    files: tuple[FileEntry, ...]
    digest: str

    def sealed(self) -> "Manifest":
        """The same with its two digests computed, whatever they were before."""
        manifest = replace(self, snapshot="", digest="")
        content = replace(manifest, built_at="", milliseconds=None)
        manifest = replace(manifest, snapshot=content._digest_of_fields()[:12])
        return replace(manifest, digest=manifest._digest_of_fields())

    @property
    def bytes(self) -> int:
        """Size of the snapshot's files together."""
        return sum(entry.size for entry in self.files)

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    def _digest_of_fields(self) -> str:
        fields = asdict(replace(self, digest=""))
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a snapshot folder.

        Raises:
            VectorIndexError: it is missing, unreadable, of another format or was changed.
        """
        try:
            with (folder / NAME).open("rb") as file:
                manifest = _ADAPTER.validate_json(file.read(MAX_BYTES))
        except (OSError, ValidationError) as error:
            what = "missing or unreadable" if isinstance(error, OSError) else "not a manifest of this version"
            raise VectorIndexError(f"the vector index in {folder} has a {NAME} that is {what}") from error
        if manifest.digest != manifest._digest_of_fields():
            raise VectorIndexError(f"the vector index in {folder} has a {NAME} that was changed since it was written")
        return manifest

    def check_files(self, folder: Path, *, but_size_only: Container[str] = ()) -> None:
        """Verify size and SHA-256 of every file; for those in `but_size_only` only the size. Reads about a gigabyte a
        second.

        Raises:
            VectorIndexError: names the first file that is missing, unreadable or changed.
        """
        for entry in self.files:
            entry.check(folder, size_only=entry.name in but_size_only)

    def entry(self, name: str) -> FileEntry:
        """The file `name`, which must be one of `files`."""
        return next(entry for entry in self.files if entry.name == name)


_ADAPTER = TypeAdapter(Manifest)
