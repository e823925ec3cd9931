"""What travels in and out of the catalogue: frozen dataclasses, free of SQLAlchemy.

The `New…` classes go in, the others come out. Records that come out carry no internal ids, so they can be shown to
users, printed as JSON and used as HTTP responses unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from indexer.vocabulary import (
    CampaignState,
    EvidenceKind,
    HashAlgorithm,
    LabelSource,
    LabelValue,
    MemberState,
    ProvenanceKind,
    Technique,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewImage:
    """One image to add. `pdq` is 32 bytes, `pdq_quality` 0 to 100, `pdq_method` how the hash was taken."""

    sha256: str
    byte_size: int
    format: str
    width: int
    height: int
    mode: str
    frames: int
    notes: tuple[str, ...]
    pdq: bytes
    pdq_quality: int
    pdq_method: str


@dataclass(frozen=True, slots=True)
class NewLabel:
    """A statement about an image, by `source` (a person, a desk, a feed, a model), which is of `source_kind`.

    `edition` names the issue of a list the statement was read from: all statements of one source in one edition are
    simultaneous, a newer edition replaces the older ones. None: the statement stands alone and replaces earlier ones.
    """

    value: LabelValue
    source_kind: LabelSource
    source: str
    technique: Technique = Technique.UNKNOWN
    generator: str | None = None
    reason: str | None = None
    edition: str | None = None


@dataclass(frozen=True, slots=True)
class NewSighting:
    """An image seen somewhere. Times are UTC."""

    url: str | None = None
    archive_url: str | None = None
    platform: str | None = None
    account: str | None = None
    posted_at: datetime | None = None
    caption: str | None = None
    language: str | None = None
    claim: str | None = None


@dataclass(frozen=True, slots=True)
class NewSource:
    """Where the bytes came from: the ingested `source` (folder, manifest, archive), the `location` inside it (relative
    path or row), and the manifest's columns that dejafake does not know, kept verbatim."""

    source: str
    location: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewDetection:
    """What one detector said of one image: `vector` [384] float32 L2-normalised, `logits` [C] float32, `p_fake` in
    [0, 1] (None when the detector is not trained)."""

    vector: npt.NDArray[np.float32]
    logits: tuple[float, ...]
    p_fake: float | None


@dataclass(frozen=True, slots=True)
class Label:
    """A stored label."""

    value: LabelValue
    technique: Technique
    generator: str | None
    source_kind: LabelSource
    source: str
    reason: str | None
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class CurrentLabel:
    """What the labels of an image add up to.

    Only the statements of the highest precedence present count, the latest of each source. When they disagree the
    value is `unknown` and `disputed` is true until a person settles it.
    """

    value: LabelValue
    technique: Technique
    generator: str | None
    disputed: bool
    source_kind: LabelSource | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A stored sighting."""

    url: str | None
    archive_url: str | None
    platform: str | None
    account: str | None
    posted_at: datetime | None
    caption: str | None
    language: str | None
    claim: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector said of an image. `p_fake` is None for an untrained detector."""

    detector: str
    fingerprint: str
    trained: bool
    logits: tuple[float, ...]
    p_fake: float | None
    detected_at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """Where an image's bytes came from."""

    source: str
    location: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProvenanceFinding:
    """One thing an image's file says about its origin, and what that is worth: `cryptographic`, `self_declared` (anyone
    could have written it) or `statistical`.

    `made_with` is the tool, without its version; `digital_source_type` IPTC's code. `fields` is what its kind has
    besides (prompt, seed, LoRAs; signer, validation state; camera), plain JSON without empty values.
    """

    kind: ProvenanceKind
    worth: EvidenceKind
    statement: str
    technique: Technique = Technique.UNKNOWN
    made_with: str | None = None
    model_hash: str | None = None
    digital_source_type: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def techniques(self) -> tuple[Technique, ...]:
        """All techniques it declares, the one that says most first; a picture of a LoRA may be inpainted, too."""
        listed = self.fields.get("generation", {}).get("techniques", ())
        known = [Technique(one) for one in (self.technique, *listed) if one in set(Technique)]
        return tuple(one for one in dict.fromkeys(known) if one is not Technique.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Membership:
    """An image's place in a campaign. `strength` in [0, 1]; `state` says whether an analyst confirmed it."""

    campaign: str
    name: str
    strength: float
    exemplar: bool
    state: MemberState = MemberState.SUGGESTED


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the catalogue, without what hangs on it. `pdq` is 64 hex digits."""

    sha256: str
    byte_size: int
    format: str
    width: int
    height: int
    mode: str
    frames: int
    notes: tuple[str, ...]
    pdq: str
    pdq_quality: int
    pdq_method: str
    label: CurrentLabel
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """Everything the catalogue knows about one image. `provenance` is what its file says about its origin; nothing said
    means nothing, and `provenance_read_at` is None when nobody has looked here yet: findings are then what another
    installation told."""

    image: Image
    labels: tuple[Label, ...]
    sightings: tuple[Sighting, ...]
    collections: tuple[str, ...]
    campaigns: tuple[Membership, ...]
    detections: tuple[Detection, ...]
    sources: tuple[Source, ...]
    provenance: tuple[ProvenanceFinding, ...]
    provenance_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image with its internal id."""

    image_id: int
    details: ImageDetails


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Conditions on images; all given ones must hold. `platform` and the dates are about sightings: one sighting must
    meet them together. `posted_from` is inclusive, `posted_to` exclusive, both UTC. `collections`: in any of them.
    `model_hash` and `made_with`, whose case does not matter, `digital_source_type` and `declared_technique` are about
    what the file says of itself; each may be met by another finding. `technique` is that of the label."""

    label: LabelValue | None = None
    technique: Technique | None = None
    generator: str | None = None
    platform: str | None = None
    collections: tuple[str, ...] = ()
    posted_from: datetime | None = None
    posted_to: datetime | None = None
    model_hash: str | None = None
    made_with: str | None = None
    digital_source_type: str | None = None
    declared_technique: Technique | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` is opaque, None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of images."""

    name: str
    description: str
    images: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HashList:
    """A list of hashes that somebody else keeps. `label`: what it says all of them are; `hashes`: how many it holds."""

    name: str
    label: LabelValue
    hashes: int
    added_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ListedHash:
    """A hash of the list `source`; no picture is held. `value` is 64 hex digits."""

    algorithm: HashAlgorithm
    value: str
    source: str
    label: LabelValue
    added_at: datetime


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """A detector that has embeddings in this catalogue."""

    name: str
    fingerprint: str
    trained: bool
    spec: Mapping[str, Any]
    embeddings: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """Embeddings in the order they were added. `embedding_ids`, `image_ids` [N] int64; `vectors` [N, 384] float32."""

    embedding_ids: npt.NDArray[np.int64]
    image_ids: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HashBatch:
    """PDQ hashes in the order the images were added. `image_ids` [N] int64; `hashes` [N, 32] uint8; `qualities` [N]."""

    image_ids: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint8]
    qualities: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Watermarks:
    """The newest ids of the catalogue, 0 when there is none.

    `change_id` rises with every committed write that can change what a filter selects.
    """

    embedding_id: int
    image_id: int
    tombstone_id: int
    change_id: int


@dataclass(frozen=True, slots=True)
class CampaignMember:
    """A member of a campaign. `strength` in [0, 1] is that of the evidence, 0 for one that an analyst put there without
    any; `reasons` are for a person to read ("same picture, PDQ 12"). `state`: whether an analyst confirmed it;
    `pinned`: whether an analyst keeps it there whatever runs find."""

    sha256: str
    strength: float
    exemplar: bool
    reasons: tuple[str, ...]
    state: MemberState = MemberState.SUGGESTED
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """A group of images that belong together. `cohesion` is the mean cosine of members to their nearest exemplar: of
    embeddings, or of PDQ hashes (1 - distance / 128) when the run used no embeddings; it is as of the last run, and of
    a campaign split off since that of the one it was part of. `confirmed`: whether an analyst confirmed that it is
    one campaign."""

    id: str
    name: str
    size: int
    cohesion: float
    first_seen: datetime | None
    last_seen: datetime | None
    platforms: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    state: CampaignState = CampaignState.OPEN
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """A campaign as a clustering run found it; `id` and `name` were settled against the runs before. `members` pairs
    internal image ids with their membership."""

    id: str
    name: str
    cohesion: float
    members: Sequence[tuple[int, CampaignMember]]
    state: CampaignState = CampaignState.OPEN
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class ClusteringRun:
    """How the campaigns now in the catalogue were found."""

    fingerprint: str
    parameters: Mapping[str, Any]
    snapshot: str
    images: int
    campaigns: int
    noise: int
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class CatalogCounts:
    """How much the catalogue holds."""

    images: int
    fake: int
    authentic: int
    unknown: int
    disputed: int
    sightings: int
    collections: int
    campaigns: int
    embeddings: int
