"""Records of images: frozen dataclasses, free of SQLAlchemy. The `New…` classes go in, the others come out. Records
that come out carry no internal ids, so they can be shown, printed as JSON and used as HTTP responses unchanged.
"""

from dataclasses import dataclass
from datetime import datetime

from indexer.catalog.records.campaigns import Membership
from indexer.catalog.records.detections import Detection
from indexer.catalog.records.labels import CurrentLabel, Label
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.catalog.records.sources import Source
from indexer.imaging.file_facts import FileFacts
from indexer.sightings import Sighting
from indexer.vocabulary import (
    PdqMethod,
)


@dataclass(frozen=True, slots=True)
class NewImage(FileFacts):
    """One image to add. `pdq` is 32 bytes, `pdq_quality` 0 to 100, `pdq_method` how the hash was computed; `content` (0
    to 100) is how much there is in the picture to compare it by, None if not measured; `original_kept`: whether its
    bytes are kept beside the catalogue.
    """

    pdq: bytes
    pdq_quality: int
    pdq_method: str
    content: int | None = None
    original_kept: bool = False


@dataclass(frozen=True, slots=True)
class Image(FileFacts):
    """One image of the catalogue, without its related records. `pdq` is 64 hex digits, `pdq_method` a PdqMethod;
    `content` (0 to 100) is how much there is in the picture to compare it by, null if not measured.
    """

    pdq: str
    pdq_quality: int
    pdq_method: str
    label: CurrentLabel
    added_at: datetime
    content: int | None = None

    @property
    def exchanged_pdq(self) -> str | None:
        """The PDQ hash to share with others; None if it was not computed by the reference method and would mislead."""
        return self.pdq if self.pdq_method == PdqMethod.REFERENCE else None


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """Everything the catalogue knows about one image. `provenance` is what its file says about its origin; the absence
    of findings means nothing, and `provenance_read_at` is None while the file has not been read here: any findings then
    come from another installation.
    """

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
