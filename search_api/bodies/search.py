"""What clients send to search, and the whole answer to a search."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.heads import HeadFinding
from indexer.search.answers import QueryFacts, SearchAnswer, SearchOptions
from indexer.verdict.deciding import Verdict
from indexer.verdict.findings import DetectorFinding
from indexer.verdict.matches import ListedMatch
from indexer.vocabulary import LabelValue
from search_api.bodies.answers import LinkedMatch
from search_api.bodies.fields import Conditions, Cosine, Pdq, Sha256


class SearchFields(Conditions):
    """How to search, whatever with."""

    limit: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Most matches. Absent: the server's setting."
    )
    same_picture_max_distance: int | None = Field(
        default=None, ge=0, le=64, description="Largest PDQ distance, of 256 bits, that counts as the same picture."
    )
    same_origin_min_cosine: Cosine | None = Field(
        default=None, description="Smallest cosine that counts as the same origin."
    )
    label: Literal["fake", "authentic", "unknown", "any"] | None = Field(
        default=None,
        description="List only images with this current label. Absent: the same file or picture is looked for among "
        "all images, the same origin among known fakes. `any`: all relations among all images. The verdict is the same "
        "whatever is listed.",
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


class SearchResult(BaseModel):
    """The whole answer to one search; scores as numbers, bands as words, the state of the index it was computed on."""

    query: QueryFacts
    verdict: Verdict
    detector: DetectorFinding | None
    matches: tuple[LinkedMatch, ...]
    heads: tuple[HeadFinding, ...] = Field(description="What the team's own heads say; it never changes the outcome.")
    listed: tuple[ListedMatch, ...] = Field(
        description="Matching entries of hash lists; the catalogue holds no picture of them."
    )
    provenance: tuple[ProvenanceFinding, ...] = Field(
        description="What the file asked with says of its own origin; forgeable unless `cryptographic`, and it never "
        "changes the outcome."
    )
    kept_out: int = Field(
        description="Matches that the verdict rests on and that the filter keeps out of `matches` and `listed`: the "
        "verdict is about the whole catalogue, whatever is listed."
    )
    scope_note: str | None = Field(description="The same in a sentence; null when nothing is kept out.")
    milliseconds: dict[str, float]

    @classmethod
    def of(cls, answer: SearchAnswer) -> "SearchResult":
        """An answer of the library with links."""
        return cls(
            query=answer.query,
            verdict=answer.verdict,
            detector=answer.detector,
            matches=tuple(LinkedMatch.of(match) for match in answer.matches),
            heads=answer.heads,
            listed=answer.listed,
            provenance=answer.provenance,
            kept_out=answer.kept_out,
            scope_note=answer.scope_note,
            milliseconds=dict(answer.milliseconds),
        )
