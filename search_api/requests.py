"""What clients send over HTTP: queries, forms and JSON bodies. Unknown fields are refused."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from indexer.answers import SearchOptions
from indexer.catalog.records import ImageFilter, NewSighting
from indexer.vocabulary import LabelSource, LabelValue, Technique

NAME_MAX = 200
TEXT_MAX = 10_000


def _utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is out of range") from None


Utc = Annotated[datetime, AfterValidator(_utc)]
"""A moment; without a time zone it is taken as UTC."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
Pdq = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=TEXT_MAX)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=TEXT_MAX)]
"""An address on the web. It is recorded, never fetched."""
Cosine = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class Body(BaseModel):
    """Base of what clients send: unknown fields are refused, so that a misspelt condition never widens a search."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Conditions(Body):
    """Conditions on images; all given ones must hold."""

    technique: Technique | None = Field(default=None, description="Only images made this way, by their label.")
    generator: Name | None = Field(default=None, description="Only images made by this program or model.")
    platform: Name | None = Field(default=None, description="Only images sighted on this platform.")
    collections: tuple[Name, ...] = Field(default=(), max_length=50, description="Only images in one of these.")
    posted_from: Utc | None = Field(default=None, description="Only images sighted at this time or later.")
    posted_to: Utc | None = Field(default=None, description="Only images sighted before this time.")
    model_hash: Name | None = Field(default=None, description="Only images whose file names this hash of a model.")
    made_with: Name | None = Field(
        default=None, description="Only images whose file names this program, camera or generator, without a version."
    )
    digital_source_type: Name | None = Field(
        default=None, description="Only images whose file declares this IPTC code, such as trainedAlgorithmicMedia."
    )
    declared_technique: Technique | None = Field(
        default=None, description="Only images whose file says it was made this way, whatever their label says."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.posted_from and self.posted_to and self.posted_from >= self.posted_to:
            raise ValueError("posted_from must be before posted_to")
        return self

    def image_filter(self, label: LabelValue | None) -> ImageFilter:
        """These conditions and a label as the catalogue's filter."""
        return ImageFilter(
            label=label,
            technique=self.technique,
            generator=self.generator,
            platform=self.platform,
            collections=self.collections,
            posted_from=self.posted_from,
            posted_to=self.posted_to,
            model_hash=self.model_hash,
            made_with=self.made_with,
            digital_source_type=self.digital_source_type,
            declared_technique=self.declared_technique,
        )


class ImageQuery(Conditions):
    """Which images to list."""

    label: LabelValue | None = Field(default=None, description="Only images with this current label.")
    limit: int = Field(default=50, ge=1, le=1000, description="Most images on a page.")
    cursor: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )


class SearchFields(Conditions):
    """How to search, whatever with."""

    limit: int | None = Field(default=None, ge=1, description="Most matches. Absent: the server's setting.")
    same_picture_max_distance: int | None = Field(
        default=None, ge=0, le=64, description="Largest PDQ distance, of 256 bits, that counts as the same picture."
    )
    same_origin_min_cosine: Cosine | None = Field(
        default=None, description="Smallest cosine that counts as the same origin."
    )
    label: Literal["fake", "authentic", "unknown", "any"] | None = Field(
        default=None,
        description="Only images with this current label. Absent: the same file or picture is looked for among all "
        "images, the same origin among known fakes. `any`: all relations among all images.",
    )

    def options(self) -> SearchOptions:
        """These fields as the library's search options."""
        label = None if self.label in (None, "any") else LabelValue(self.label)
        return SearchOptions(
            limit=self.limit,
            same_picture_max_distance=self.same_picture_max_distance,
            same_origin_min_cosine=self.same_origin_min_cosine,
            filter=self.image_filter(label),
            likeness_label=LabelValue.FAKE if self.label is None else None,
        )


class SearchByReference(SearchFields):
    """A search without a picture: exactly one of `image_id`, `embedding` and `pdq`."""

    image_id: Sha256 | None = Field(default=None, description="SHA-256 of an image of the catalogue.")
    embedding: Annotated[tuple[float, ...], Field(min_length=384, max_length=384)] | None = Field(
        default=None, description="384 numbers: an embedding by the detector in use."
    )
    pdq: Pdq | None = Field(default=None, description="PDQ hash, 64 hex digits.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in ("image_id", "embedding", "pdq") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of image_id, embedding and pdq, not {len(given)}")
        return self


class SimilarQuery(SearchFields):
    """How to look for images like a known one."""


class CompareFields(Body):
    """What a picture is compared with, beside a file."""

    image_id: Sha256 | None = Field(default=None, description="SHA-256 of an image of the catalogue, in place of `b`.")


class RegionFields(Body):
    """A box on a picture, in pixels as it is upright; right and bottom are outside."""

    left: int = Field(ge=0, description="Left edge of the region, in pixels of the upright picture.")
    top: int = Field(ge=0, description="Upper edge.")
    right: int = Field(ge=1, description="Right edge, which is outside.")
    bottom: int = Field(ge=1, description="Lower edge, which is outside.")
    limit: int | None = Field(default=None, ge=1, le=1000, description="Most matches. Absent: the server's setting.")


class IngestFields(Body):
    """What is said of all pictures of one upload."""

    label: LabelValue | None = Field(default=None, description="What they are. Needs `stated_by`.")
    technique: Technique = Field(default=Technique.UNKNOWN, description="How they were made.")
    generator: Name | None = Field(default=None, description="Program or model that made them.")
    reason: Text | None = Field(default=None, description="Why the label is stated.")
    stated_by: Name | None = Field(default=None, description="Who states the label: a person, a desk, a feed.")
    source_kind: Literal[LabelSource.HUMAN, LabelSource.TRUSTED_FEED] = Field(
        default=LabelSource.HUMAN, description="What kind of source states it; a person's word wins over a feed's."
    )
    collections: tuple[Name, ...] = Field(default=(), max_length=50, description="Collections to put them into.")
    url: WebAddress | None = Field(default=None, description="Where they were seen. Recorded, never fetched.")
    archive_url: WebAddress | None = Field(default=None, description="An archived copy of that place. Never fetched.")
    platform: Name | None = Field(default=None, description="Platform they were seen on.")
    account: Text | None = Field(default=None, description="Account that posted them.")
    posted_at: Utc | None = Field(default=None, description="When they were posted.")
    caption: Text | None = Field(default=None, description="Text posted with them.")
    language: Name | None = Field(default=None, description="Language of that text.")
    claim: Text | None = Field(default=None, description="What was claimed with them.")

    @model_validator(mode="after")
    def _someone_says_so(self) -> Self:
        if self.label is not None and self.stated_by is None:
            raise ValueError("a label needs stated_by: who says so")
        if self.label is None and (self.generator or self.reason or self.technique is not Technique.UNKNOWN):
            raise ValueError("technique, generator and reason belong to a label: state one, or leave them out")
        return self


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


class SightingReport(Body):
    """An image seen somewhere. URLs are recorded, never fetched."""

    url: WebAddress | None = None
    archive_url: WebAddress | None = None
    platform: Name | None = None
    account: Text | None = None
    posted_at: Utc | None = None
    caption: Text | None = None
    language: Name | None = None
    claim: Text | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError("a sighting needs at least one field")
        return self

    def record(self) -> NewSighting:
        """This report as the catalogue takes it."""
        return NewSighting(**dict(self))


class NewCollection(Body):
    """A collection to make."""

    name: Name
    description: Text = ""


class ImageSet(Body):
    """Images by SHA-256."""

    sha256: tuple[Sha256, ...] = Field(min_length=1, max_length=1_000)


class EnrichRow(Body):
    """A row to answer: what is known of a picture, and a name to find the row by in the results."""

    name: Text = Field(default="", description="Yours: an id, a path. Comes back with the answer.")
    sha256: Sha256 | None = Field(default=None, description="SHA-256 of the picture.")
    pdq: Pdq | None = Field(default=None, description="PDQ hash of the picture, 64 hex digits.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.sha256 is None and self.pdq is None:
            raise ValueError("give sha256, pdq or both; send pictures as multipart/form-data")
        return self


class EnrichFields(Body):
    """What is said of a whole job."""

    callback_url: WebAddress | None = Field(
        default=None, description="Where the end of the job is told, by a signed POST."
    )


class EnrichRequest(EnrichFields):
    """Rows to answer without their pictures."""

    rows: tuple[EnrichRow, ...] = Field(min_length=1, description="Answered in this order.")


class NewName(Body):
    """A new name, and who gives it."""

    name: Name
    by: Name = Field(default="somebody over HTTP", description="Who gives it.")
    note: Text | None = Field(default=None, description="Why.")
