"""What the API answers where the library's own records do not serve as they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, Field

from indexer.answers import QueryFacts, SearchAnswer
from indexer.calibration import CalibrationVersion, Method
from indexer.catalog.job_records import CallbackState, Job, JobState
from indexer.catalog.records import DetectorEntry, ImageDetails, ProvenanceFinding, Sighting
from indexer.detector import DetectorListing
from indexer.findings import CalibrationReference, DetectorFinding
from indexer.heads import HeadFinding
from indexer.index import IndexStatus
from indexer.listed import ListedMatch
from indexer.relations import RelationScore
from indexer.verdict import IndexReference, Match, Verdict
from indexer.vocabulary import Relation


class Links(BaseModel):
    """Addresses of what belongs to an image."""

    image: str
    thumbnail: str
    similar: str
    sightings: str

    @classmethod
    def of(cls, sha256: str) -> "Links":
        """The links of one image."""
        base = f"/v1/images/{sha256}"
        return cls(image=base, thumbnail=f"{base}/thumbnail", similar=f"{base}/similar", sightings=f"{base}/sightings")


class LinkedMatch(BaseModel):
    """A known image and how it belongs to the query.

    `relation` is the strongest that holds, or `same_origin` when none does (`holds` is false) and it is merely near.
    """

    image: ImageDetails
    relation: Relation
    holds: bool
    scores: tuple[RelationScore, ...]
    links: Links
    campaign_links: tuple[str, ...]

    @classmethod
    def of(cls, match: Match) -> "LinkedMatch":
        """A match of the library with its links."""
        return cls(
            image=match.image,
            relation=match.relation,
            holds=match.holds,
            scores=match.scores,
            links=Links.of(match.image.image.sha256),
            campaign_links=tuple(f"/v1/campaigns/{quote(place.campaign, safe='')}" for place in match.image.campaigns),
        )


class SearchResult(BaseModel):
    """The whole answer to one search; scores as numbers, bands as words, the state of the index it was computed on."""

    query: QueryFacts
    verdict: Verdict
    detector: DetectorFinding | None
    matches: tuple[LinkedMatch, ...]
    heads: tuple[HeadFinding, ...] = Field(description="What the team's own heads say; it never changes the outcome.")
    listed: tuple[ListedMatch, ...] = Field(description="Entries of hash lists for it; no picture of them is held.")
    provenance: tuple[ProvenanceFinding, ...] = Field(
        description="What the file asked with says of its own origin; forgeable unless `cryptographic`, and it never "
        "changes the outcome."
    )
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
            milliseconds=dict(answer.milliseconds),
        )


class SimilarImages(BaseModel):
    """The images nearest to one of the catalogue, itself left out."""

    sha256: str
    matches: tuple[LinkedMatch, ...]
    index: IndexReference


class UploadOutcome(BaseModel):
    """What became of one uploaded file. A rejected one has `reason`, a stable slug, and `message`."""

    file: str
    status: Literal["added", "known", "rejected"]
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


class ChangedImages(BaseModel):
    """How many images a request put into a collection or took out of it."""

    changed: int


class Detectors(BaseModel):
    """Detectors. `in_use` is the fingerprint of the one this server works with."""

    in_use: str
    known: tuple[DetectorListing, ...]
    in_catalogue: tuple[DetectorEntry, ...]


class CalibrationEntry(BaseModel):
    """A line of the list of calibrations."""

    calibration: CalibrationReference
    method: Method
    retired_at: datetime | None

    @classmethod
    def of(cls, stored: CalibrationVersion) -> "CalibrationEntry":
        """The line for a stored calibration."""
        return cls(
            calibration=CalibrationReference.of(stored),
            method=stored.calibration.scores.method,
            retired_at=stored.retired_at,
        )


class Calibrations(BaseModel):
    """The calibrations of the detector `fingerprint`. `in_use`: the version searches are read with, null when scores
    are uncalibrated."""

    fingerprint: str
    in_use: int | None
    versions: tuple[CalibrationEntry, ...]

    @classmethod
    def of(cls, fingerprint: str, in_use: int | None, stored: Sequence[CalibrationVersion]) -> "Calibrations":
        """The list of what is stored."""
        return cls(fingerprint=fingerprint, in_use=in_use, versions=tuple(CalibrationEntry.of(one) for one in stored))


class JobStatus(BaseModel):
    """How far a job is. `failure` says why a failed one was; `callback` how far telling its end is."""

    id: str
    state: JobState
    rows: int
    answered: int
    failure: str | None
    created_at: datetime
    finished_at: datetime | None
    callback: CallbackState
    links: dict[Literal["self", "results"], str]

    @classmethod
    def of(cls, job: Job) -> "JobStatus":
        """A job of the catalogue with its links."""
        base = f"/v1/enrich/{job.id}"
        return cls(
            id=job.id,
            state=job.state,
            rows=job.rows,
            answered=job.answered,
            failure=job.failure,
            created_at=job.created_at,
            finished_at=job.finished_at,
            callback=job.callback,
            links={"self": base, "results": f"{base}/results"},
        )


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]
    version: str


class Ready(BaseModel):
    """Searches can be answered, on this index."""

    status: Literal["ready"]
    detector: str
    index: IndexStatus
