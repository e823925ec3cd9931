"""What lies in a bundle: its members, its manifest, and what is said of each image. Models at the edge: whatever they
accept is safe to write into a catalogue."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from indexer.catalog.types import NAME_LENGTH, as_utc
from indexer.provenance.findings import Camera, Credentials, Declaration, Generation, ThumbnailComparison
from indexer.sources.cells import as_url
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, ProvenanceKind, Technique

MANIFEST: Final = "manifest.json"
VECTORS: Final = "vectors"
"""The tensor in each `embeddings/` member: float32 [N, 384], a row for each image of the part that has one."""
MAX_MANIFEST: Final = 64 * 2**20
MAX_MEMBER: Final = 512 * 2**20
"""Largest members, unpacked, in bytes. The writer starts a new part long before."""
MAX_PARTS: Final = 100_000

Text = Annotated[str, Field(max_length=1_000_000)]
Name = Annotated[str, Field(max_length=NAME_LENGTH, pattern=r"\S")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, AfterValidator(as_url), Field(max_length=20_000)]
Moment = Annotated[AwareDatetime, AfterValidator(as_utc)]
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
    """2 since findings of provenance are in it; the first version is read as before."""
    images: Count
    detector: BundledDetector
    members: Annotated[tuple[Member, ...], Field(max_length=3 * MAX_PARTS)]


class BundledLabel(_Strict):
    """A statement. `edition` groups what its source said at once (NewLabel)."""

    value: LabelValue
    technique: Technique
    generator: Name | None
    source_kind: LabelSource
    source: Name
    reason: Text | None
    stated_at: Moment
    edition: Name


class BundledSighting(_Strict):
    """The image seen somewhere."""

    url: Address | None
    archive_url: Address | None
    platform: Name | None
    account: Text | None
    posted_at: Moment | None
    caption: Text | None
    language: Text | None
    claim: Text | None


class BundledSource(_Strict):
    """Where its bytes came from."""

    source: Text
    location: Text
    fields: Annotated[dict[Text, Text], Field(max_length=10_000)]


class BundledDetection(_Strict):
    """What the detector of the manifest said of it; its embedding is the next row of the part's tensor."""

    logits: Annotated[tuple[FiniteFloat, ...], Field(min_length=1, max_length=1_000)]
    p_fake: Annotated[float, Field(ge=0, le=1)] | None


class FindingFields(_Strict):
    """What a finding has besides, by its kind, as it was read."""

    where: Text | None = None
    software: Text | None = None
    credentials: Credentials | None = None
    declaration: Declaration | None = None
    generation: Generation | None = None
    camera: Camera | None = None
    thumbnail: ThumbnailComparison | None = None


class BundledFinding(_Strict):
    """One thing the image's file says of its own origin, as whoever wrote the bundle read it."""

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
    pdq_method: Name
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
