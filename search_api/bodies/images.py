"""What clients send to add, list and change images, and what they get."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, create_model, model_validator

from indexer.catalog.cursors import PAGE_LIMIT_MAX
from indexer.catalog.facets.facets import VALUES_MAX
from indexer.catalog.records.history import ImageEvent
from indexer.sightings import SIGHTING_FIELDS, NewSighting, Sighting, SightingKind
from indexer.verdict.case import IndexReference
from indexer.vocabulary import ItemStatus, LabelSource, LabelValue, Technique
from search_api.bodies.answers import LinkedMatch, Links
from search_api.bodies.fields import CURSOR_MAX, Body, Conditions, Name, Text, Utc, WebAddress
from search_api.bodies.search import SearchFields

_SEEN: Final[dict[SightingKind, Any]] = {
    SightingKind.ADDRESS: WebAddress,
    SightingKind.NAME: Name,
    SightingKind.TIME: Utc,
    SightingKind.WORD: Name,
    SightingKind.TEXT: Text,
}


class ImageHistory(BaseModel):
    """What happened to an image, newest first."""

    sha256: str
    events: tuple[ImageEvent, ...]


class StatedFields(Body):
    """What is said of all pictures of one upload, but for where they were seen."""

    label: LabelValue | None = Field(default=None, description="What they are. Needs `stated_by`.")
    technique: Technique = Field(default=Technique.UNKNOWN, description="How they were made.")
    generator: Name | None = Field(default=None, description="Program or model that made them.")
    reason: Text | None = Field(default=None, description="Why the label is stated.")
    stated_by: Name | None = Field(default=None, description="Who states the label: a person, a desk, a feed.")
    source_kind: Literal[LabelSource.HUMAN, LabelSource.TRUSTED_FEED] = Field(
        default=LabelSource.HUMAN, description="Kind of source; a person's label wins over a feed's."
    )
    collections: tuple[Name, ...] = Field(default=(), max_length=50, description="Collections to put them into.")

    @model_validator(mode="after")
    def _someone_says_so(self) -> Self:
        if self.label is not None and self.stated_by is None:
            raise ValueError("a label needs stated_by: who says so")
        if self.label is None and (self.generator or self.reason or self.technique is not Technique.UNKNOWN):
            raise ValueError("technique, generator and reason belong to a label: give a label, or omit them")
        return self


if TYPE_CHECKING:
    _Seen = Body
    _StatedAndSeen = StatedFields
else:
    _fields = {
        name: (_SEEN[field.kind] | None, Field(default=None, description=field.help))
        for name, field in SIGHTING_FIELDS.items()
    }
    _Seen = create_model("_Seen", __base__=Body, **_fields)
    _StatedAndSeen = create_model("_StatedAndSeen", __base__=StatedFields, **_fields)


class IngestFields(_StatedAndSeen):
    """What is said of all pictures of one upload."""


class StatedLabel(Body):
    """A person's statement about an image."""

    value: LabelValue
    stated_by: Name = Field(description="Who says so.")
    technique: Technique = Technique.UNKNOWN
    generator: Name | None = None
    reason: Text | None = Field(default=None, description="Why; shown wherever the label is.")


class ImageChange(Body):
    """What to add to what is known of an image. Labels add up; none is overwritten."""

    label: StatedLabel | None = None
    add_to_collections: tuple[Name, ...] = Field(default=(), max_length=50)
    remove_from_collections: tuple[Name, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.label or self.add_to_collections or self.remove_from_collections):
            raise ValueError("nothing to change: give label, add_to_collections or remove_from_collections")
        if set(self.add_to_collections) & set(self.remove_from_collections):
            raise ValueError("a collection is both in add_to_collections and in remove_from_collections")
        return self


class SightingReport(_Seen):
    """An image seen somewhere. URLs are recorded, never fetched."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError("a sighting needs at least one field")
        return self

    def record(self) -> NewSighting:
        """This report as the catalogue takes it."""
        return NewSighting(**dict(self))


class ImageSort(StrEnum):
    """Which images of a list come first."""

    NEWEST = "newest"
    MOST_SIGHTED = "most_sighted"


class FacetQuery(Conditions):
    """Which images to count."""

    label: LabelValue | None = Field(default=None, description="Only images with this current label.")
    values: int = Field(default=10, ge=1, le=VALUES_MAX, description="Most values of a facet; a chosen one is added.")


class ImageQuery(Conditions):
    """Which images to list."""

    label: LabelValue | None = Field(default=None, description="Only images with this current label.")
    sort: ImageSort = Field(default=ImageSort.NEWEST, description="Which come first.")
    limit: int = Field(default=50, ge=1, le=PAGE_LIMIT_MAX, description="Most images on a page.")
    cursor: Annotated[str, StringConstraints(max_length=CURSOR_MAX)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )


class SimilarQuery(SearchFields):
    """How to look for images like a known one."""


class SimilarImages(BaseModel):
    """The images nearest to one of the catalogue, itself left out."""

    sha256: str
    matches: tuple[LinkedMatch, ...]
    index: IndexReference


class UploadOutcome(BaseModel):
    """What became of one uploaded file. A rejected one has `reason`, a stable slug, and `message`."""

    file: str
    status: Literal[ItemStatus.ADDED, ItemStatus.KNOWN, ItemStatus.REJECTED]
    sha256: str | None
    reason: str | None
    message: str | None
    disputed: bool = Field(description="The image now carries labels that disagree.")
    links: Links | None


class UploadReport(BaseModel):
    """What an upload did, file by file in their order. One bad picture never fails the others."""

    added: int
    known: int
    rejected: int
    files: tuple[UploadOutcome, ...]


class Sightings(BaseModel):
    """Where an image was seen. `added`: how many this request added; the same sighting is kept once."""

    added: int
    sightings: tuple[Sighting, ...]
