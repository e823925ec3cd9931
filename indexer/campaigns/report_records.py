"""The report on one campaign as data: what its page, PDF, JSON and CSV and the HTTP API all show."""

from dataclasses import dataclass
from datetime import datetime

from indexer.campaigns.why import Explanation, SharedTrait, Spread
from indexer.catalog.records import Campaign, ClusteringRun, CurrentLabel, Sighting
from indexer.findings import CalibrationReference


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
    """What people have said of a campaign. `confirmed`: whether an analyst has confirmed it; `state` in a few words."""

    confirmed: bool
    state: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportMember:
    """One image of the campaign. `p_fake` is the detector's score in [0, 1], None when it is not trained or has not
    seen the image; `calibrated_p_fake` what a calibration makes of it. `pdq` is 64 hex digits, its quality 0 to 100.
    `state`: whether it is suggested or confirmed, None where nobody keeps that. `new`: it came into the catalogue, or
    was seen anew, since the time the report compares with. `at` is its place on the map, None when it has none."""

    sha256: str
    strength: float
    exemplar: bool
    reasons: tuple[str, ...]
    width: int
    height: int
    format: str
    byte_size: int
    pdq: str
    pdq_quality: int
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
    """What came into the catalogue since a time: images and sightings of the campaign, whether it is new as a whole,
    and platforms it had not been seen on before."""

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
    """Everything a report on a campaign shows; plain values only, so it can be written as JSON unchanged.

    Attributes:
        campaign: its summary in the catalogue.
        standing: whether people confirmed it, and what they noted.
        as_of: the newest thing the catalogue held when the report was made.
        summary: the report in a few sentences.
        news: what is new since the time asked for; None when none was.
        run: the clustering run that found it.
        detector: whose embeddings that run compared; None when the catalogue has no such detector any more.
        calibration: what gives its scores a meaning; None without one.
        members: exemplars first, then by falling strength; the first `MOST_MEMBERS` of a very large campaign, which
            the counts below are about, too.
        sightings: of these members together.
        platforms, accounts, languages, claims: of the sightings, most frequent first.
        techniques, generators: of the members' current labels, most frequent first.
        posted: times of the dated sightings, oldest first, UTC.
        spread: when and where they were seen.
        why: why they are one campaign.
        traits: what they share, and what of it stands out against the other known fakes of the catalogue.
        map_shares: shares of the embeddings' variance that the two axes of the map show; None without a map.
        command: what to run to make the report again.
        limits: what the report does not show, in words.
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
