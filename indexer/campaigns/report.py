"""The report on one campaign as data: what the HTML page, the JSON file, the CSV file and the HTTP API all show."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from indexer.campaigns.wording import campaign_limits
from indexer.catalog import campaigns, detectors, images
from indexer.catalog.database import Catalog
from indexer.catalog.records import (
    Campaign,
    CampaignMember,
    ClusteringRun,
    CurrentLabel,
    ImageDetails,
    Sighting,
)
from indexer.errors import NotFoundError

_AT_ONCE = 200


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
class ReportMember:
    """One image of the campaign. `p_fake` is the detector's score in [0, 1], None when it is not trained or has not
    seen the image; `pdq` is 64 hex digits, its quality 0 to 100."""

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
    label: CurrentLabel
    collections: tuple[str, ...]
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """Everything a report on a campaign shows; plain values only, so it can be written as JSON unchanged.

    Attributes:
        campaign: its summary in the catalogue.
        run: the clustering run that found it.
        detector: whose embeddings that run compared; None when the catalogue has no such detector any more.
        members: exemplars first, then by falling strength.
        sightings: of all members together.
        platforms, accounts, languages: of the sightings, most frequent first.
        techniques, generators: of the members' current labels, most frequent first.
        posted: times of the dated sightings, oldest first, UTC.
        limits: what the report does not show, in words.
    """

    campaign: Campaign
    run: ClusteringRun
    detector: ReportDetector | None
    members: tuple[ReportMember, ...]
    sightings: int
    platforms: tuple[Count, ...]
    accounts: tuple[Count, ...]
    languages: tuple[Count, ...]
    techniques: tuple[Count, ...]
    generators: tuple[Count, ...]
    posted: tuple[datetime, ...]
    limits: tuple[str, ...]


def campaign_report(catalog: Catalog, campaign_id: str) -> CampaignReport:
    """The report on a campaign of the last clustering run.

    Raises:
        NotFoundError: there is no such campaign.
    """
    with catalog.reading() as session:
        campaign, run = campaigns.get(session, campaign_id), campaigns.last_run(session)
        if campaign is None or run is None:
            raise NotFoundError(f"no campaign {campaign_id}: `dejafake campaigns` lists them")
        found = {entry.fingerprint: entry for entry in detectors.list(session)}.get(run.fingerprint)
        members = tuple(_members(session, campaign_id, run.fingerprint))
    detector = None if found is None else ReportDetector(found.name, found.fingerprint, found.trained)
    seen = [sighting for member in members for sighting in member.sightings]
    return CampaignReport(
        campaign=campaign,
        run=run,
        detector=detector,
        members=members,
        sightings=len(seen),
        platforms=_counts(sighting.platform for sighting in seen),
        accounts=_counts(_account(sighting) for sighting in seen),
        languages=_counts(sighting.language for sighting in seen),
        techniques=_counts(member.label.technique.value for member in members),
        generators=_counts(member.label.generator for member in members),
        posted=tuple(sorted(sighting.posted_at for sighting in seen if sighting.posted_at is not None)),
        limits=campaign_limits(trained=detector is not None and detector.trained),
    )


def _members(session: Session, campaign_id: str, fingerprint: str) -> Iterable[ReportMember]:
    cursor: str | None = None
    while True:
        page = campaigns.members(session, campaign_id, limit=_AT_ONCE, cursor=cursor)
        ids = images.find_ids(session, [member.sha256 for member in page.items])
        known = images.details(session, list(ids.values()))
        for member in page.items:
            yield _member(member, known[ids[member.sha256]], fingerprint)
        cursor = page.next_cursor
        if cursor is None:
            return


def _member(member: CampaignMember, known: ImageDetails, fingerprint: str) -> ReportMember:
    image = known.image
    scores = [seen.p_fake for seen in known.detections if seen.fingerprint == fingerprint and seen.trained]
    return ReportMember(
        sha256=member.sha256,
        strength=member.strength,
        exemplar=member.exemplar,
        reasons=member.reasons,
        width=image.width,
        height=image.height,
        format=image.format,
        byte_size=image.byte_size,
        pdq=image.pdq,
        pdq_quality=image.pdq_quality,
        p_fake=scores[0] if scores else None,
        label=image.label,
        collections=known.collections,
        sightings=known.sightings,
    )


def _account(sighting: Sighting) -> str | None:
    if sighting.account is None or sighting.platform is None:
        return sighting.account
    return f"{sighting.account} on {sighting.platform}"


def _counts(values: Iterable[str | None]) -> tuple[Count, ...]:
    """How often each value occurs, most frequent first, then by value."""
    counted = Counter(value for value in values if value)
    return tuple(Count(value, count) for value, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])))
