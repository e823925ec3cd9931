"""The format of a bundle: its members, its manifest, and the record of each image. Whatever these models accept is
safe to store in a catalogue."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    create_model,
)

from indexer.catalog.tables.types import NAME_LENGTH, as_utc
from indexer.provenance.findings import Camera, Credentials, Declaration, Generation, ThumbnailComparison
from indexer.sightings import SIGHTING_FIELDS, SightingKind
from indexer.sources.cells import MAX_ADDRESS, as_url
from indexer.sources.rows import MAX_COLUMNS
from indexer.sources.times import no_number
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, PdqMethod, ProvenanceKind, Technique

MANIFEST: Final = "manifest.json"
VECTORS: Final = "vectors"
"""The tensor in each `embeddings/` member: float32 [N, 384], a row for each image of the part that has one. What
else lies there: `for_copies`."""
MAX_MANIFEST: Final = 64 * 2**20
MAX_MEMBER: Final = 512 * 2**20
"""Largest members, unpacked, in bytes. The writer starts a new part long before."""
MAX_PARTS: Final = 100_000

Text = Annotated[str, Field(max_length=1_000_000)]
Name = Annotated[str, Field(max_length=NAME_LENGTH, pattern=r"\S")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, AfterValidator(as_url), Field(max_length=MAX_ADDRESS)]
Moment = Annotated[AwareDatetime, BeforeValidator(no_number), AfterValidator(as_utc)]
Count = Annotated[int, Field(ge=0, le=2**48)]
Side = Annotated[int, Field(ge=1, le=2**31 - 1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Member(_Strict):
    """A member of the zip, unpacked: its size in bytes and its SHA-256."""

    name: Annotated[str, Field(pattern=r"^(images|embeddings|thumbnails)/\d{5}\.(jsonl|safetensors)$")]
    bytes: Annotated[int, Field(ge=0, le=MAX_MEMBER)]
    sha256: Digest


class BundledDetector(_Strict):
    """The detector whose embeddings are in the bundle."""

    name: Name
    fingerprint: Digest


class Manifest(_Strict):
    """What a bundle holds. Its own SHA-256 names the bundle."""

    format: Literal["dejafake-bundle"]
    version: Literal[1, 2]
    """2 since bundles hold provenance findings; version 1 is still read."""
    images: Count
    detector: BundledDetector
    members: Annotated[tuple[Member, ...], Field(max_length=3 * MAX_PARTS)]


class BundledLabel(_Strict):
    """A statement. Statements of one source with the same `edition` were made at the same time (NewLabel)."""

    value: LabelValue
    technique: Technique
    generator: Name | None
    source_kind: LabelSource
    source: Name
    reason: Text | None
    stated_at: Moment
    edition: Name


_SEEN: Final[dict[SightingKind, Any]] = {
    SightingKind.ADDRESS: Address,
    SightingKind.NAME: Name,
    SightingKind.TIME: Moment,
    SightingKind.WORD: Text,
    SightingKind.TEXT: Text,
}
if TYPE_CHECKING:
    _Seen = _Strict
else:
    _Seen = create_model(
        "_Seen", __base__=_Strict, **{name: (_SEEN[field.kind] | None, ...) for name, field in SIGHTING_FIELDS.items()}
    )


class BundledSighting(_Seen):
    """The image seen somewhere."""


class BundledSource(_Strict):
    """Where its bytes came from."""

    source: Text
    location: Text
    fields: Annotated[dict[Text, Text], Field(max_length=MAX_COLUMNS)]


class BundledDetection(_Strict):
    """The result of the manifest's detector on the image; its embedding is the next row of the part's tensor."""

    logits: Annotated[tuple[FiniteFloat, ...], Field(min_length=1, max_length=1_000)]
    p_fake: Annotated[float, Field(ge=0, le=1)] | None


class FindingFields(_Strict):
    """The further fields of a finding, which depend on its kind."""

    where: Text | None = None
    software: Text | None = None
    credentials: Credentials | None = None
    declaration: Declaration | None = None
    generation: Generation | None = None
    camera: Camera | None = None
    thumbnail: ThumbnailComparison | None = None


class BundledFinding(_Strict):
    """A statement in the image's file about its origin, as the writer of the bundle read it."""

    kind: ProvenanceKind
    worth: EvidenceKind
    statement: Text
    technique: Technique
    made_with: Name | None
    model_hash: Name | None
    digital_source_type: Name | None
    fields: FindingFields


class BundledImage(_Strict):
    """One image: a line of an `images/` member."""

    sha256: Digest
    byte_size: Count
    format: Name
    width: Side
    height: Side
    mode: Name
    frames: Side
    notes: tuple[Text, ...]
    pdq: Digest
    pdq_quality: Annotated[int, Field(ge=0, le=100)]
    pdq_method: Name = PdqMethod.BILINEAR_512.value
    labels: tuple[BundledLabel, ...]
    sightings: tuple[BundledSighting, ...]
    sources: tuple[BundledSource, ...]
    collections: tuple[Name, ...]
    detection: BundledDetection | None
    provenance: Annotated[tuple[BundledFinding, ...], Field(max_length=1_000)] = ()


class BundledThumbnail(_Strict):
    """A line of a `thumbnails/` member: a small JPEG in base64."""

    sha256: Digest
    jpeg: Annotated[str, Field(max_length=4 * 2**20)]
