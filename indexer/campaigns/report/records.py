"""The report on one campaign as data: what its page, PDF, JSON and CSV and the HTTP API all show."""

from dataclasses import dataclass
from datetime import datetime

from indexer.campaigns.why import Explanation, SharedTrait, Spread
from indexer.catalog.records.campaigns import Campaign, ClusteringRun, Reason
from indexer.catalog.records.labels import CurrentLabel
from indexer.sightings import Sighting
from indexer.verdict.findings import CalibrationReference


@dataclass(frozen=True, slots=True)
class Count:
    """How many sightings or images have a value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class ReportDetector:
    """The detector whose embeddings were compared."""

    name: str
    fingerprint: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What an analyst wrote about a campaign."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What analysts have said about a campaign. `confirmed`: whether an analyst has confirmed it; `state` in a few
    words.
    """

    confirmed: bool
    state: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportMember:
    """One image of the campaign. `p_fake` is the detector's score in [0, 1], None when it is not trained or has not
    scored the image; `calibrated_p_fake` is the calibrated value. `reasons` says `why` in sentences. `pdq` is 64 hex
    digits, its quality 0 to 100, `pdq_method` a PdqMethod. `state`: suggested or confirmed, None where that is not
    recorded. `new`: it was added, or sighted again, since the time the report compares with. `at` is its point on the
    map, if any.
    """

    sha256: str
    strength: float
    exemplar: bool
    reasons: tuple[str, ...]
    why: tuple[Reason, ...]
    width: int
    height: int
    format: str
    byte_size: int
    pdq: str
    pdq_quality: int
    pdq_method: str
    p_fake: float | None
    calibrated_p_fake: float | None
    label: CurrentLabel
    collections: tuple[str, ...]
    sightings: tuple[Sighting, ...]
    state: str | None = None
    new: bool = False
    at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What is new since a time: images and sightings of the campaign, whether the campaign itself is new, and platforms
    it had not been seen on before.
    """

    since: datetime
    new_campaign: bool
    images: int
    sightings: int
    platforms: tuple[str, ...]

    @property
    def anything(self) -> bool:
        """Whether anything is new."""
        return self.new_campaign or self.images > 0 or self.sightings > 0


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """Everything a campaign report shows; plain values only, so it can be written as JSON unchanged.

    Attributes:
        campaign: its summary in the catalogue.
        standing: whether analysts confirmed it, and their notes.
        as_of: time of the newest entry in the catalogue when the report was made.
        summary: the report in a few sentences.
        news: what is new since the requested time; None if none was requested.
        run: the clustering run that found it.
        detector: the detector whose embeddings that run compared; None if the catalogue no longer has it.
        calibration: the detector's calibration, if any.
        members: exemplars first, then by falling strength; the first `MOST_MEMBERS` of a very large campaign, to which
            the counts below also refer.
        sightings: of all these members.
        platforms, accounts, languages, claims: of the sightings, most frequent first.
        techniques, generators: of the members' current labels, most frequent first.
        posted: times of the dated sightings, oldest first, UTC.
        spread: when and where they were seen.
        why: why they are one campaign.
        traits: what they share, and which of it is over-represented compared with other known fakes.
        map_shares: the share of the embeddings' variance on each axis of the map; None without a map.
        command: the command that recreates the report.
        limits: what the report does not show, as sentences.
    """

    campaign: Campaign
    standing: Standing
    as_of: datetime
    summary: tuple[str, ...]
    news: News | None
    run: ClusteringRun
    detector: ReportDetector | None
    calibration: CalibrationReference | None
    members: tuple[ReportMember, ...]
    sightings: int
    platforms: tuple[Count, ...]
    accounts: tuple[Count, ...]
    languages: tuple[Count, ...]
    claims: tuple[Count, ...]
    techniques: tuple[Count, ...]
    generators: tuple[Count, ...]
    posted: tuple[datetime, ...]
    spread: Spread
    why: Explanation
    traits: tuple[SharedTrait, ...]
    map_shares: tuple[float, float] | None
    command: str
    limits: tuple[str, ...]
