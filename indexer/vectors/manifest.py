"""What a snapshot folder says about itself: `manifest.json`, with a checksum of every file and one of its own."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from indexer.errors import VectorIndexError

NAME = "manifest.json"
MAX_BYTES = 1 << 20

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


@dataclass(frozen=True, slots=True)
class Manifest:
    """A snapshot: `count` vectors of `dimension` numbers by the detector `fingerprint`.

    It holds every embedding up to the catalogue's embedding id `watermark` whose image was not deleted by the
    tombstone `tombstone_watermark`. `snapshot` is a digest of all that, the same wherever the same content is built;
    `digest` covers the whole manifest. `built_at` is ISO 8601, UTC.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    format: Literal[1]
    snapshot: str
    fingerprint: str
    dimension: Annotated[int, Field(ge=1)]
    count: Count
    kind: IndexKind
    parameters: dict[str, int]
    watermark: Count
    tombstone_watermark: Count
    built_at: str
    files: tuple[FileEntry, ...]
    digest: str

    @classmethod
    def sealed(
        cls,
        *,
        fingerprint: str,
        dimension: int,
        count: int,
        kind: IndexKind,
        parameters: dict[str, int],
        watermark: int,
        tombstone_watermark: int,
        built_at: str,
        files: tuple[FileEntry, ...],
    ) -> "Manifest":
        """A manifest with its two digests computed."""
        manifest = cls(
            format=1,
            snapshot="",
            fingerprint=fingerprint,
            dimension=dimension,
            count=count,
            kind=kind,
            parameters=parameters,
            watermark=watermark,
            tombstone_watermark=tombstone_watermark,
            built_at=built_at,
            files=files,
            digest="",
        )
        content = replace(manifest, built_at="")
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

    def check_files(self, folder: Path) -> None:
        """Compare size and SHA-256 of every file; reads them all (about a second a gigabyte).

        Raises:
            VectorIndexError: names the first file that is missing, unreadable or changed.
        """
        for entry in self.files:
            path = folder / entry.name
            try:
                size = path.stat().st_size
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest() if size == entry.size else ""
            except OSError as error:
                raise VectorIndexError(f"the vector index file {path} cannot be read: {error.strerror}") from error
            if digest != entry.sha256:
                raise VectorIndexError(f"the vector index file {path} is damaged: its checksum differs")


_ADAPTER = TypeAdapter(Manifest)
