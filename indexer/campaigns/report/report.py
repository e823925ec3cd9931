"""Builds the report on one campaign from the catalogue."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from indexer.arrays import Vector
from indexer.calibration import CalibrationVersion
from indexer.campaigns.grouping.recipes import recipe_in
from indexer.campaigns.reasons import calibrated_reason, reasons_words
from indexer.campaigns.report.context import Reporting, reporting
from indexer.campaigns.report.embedding_map import embedding_map
from indexer.campaigns.report.records import CampaignReport, Count, News, ReportMember
from indexer.campaigns.report.statements import standing_of
from indexer.campaigns.report.summary import summary_of
from indexer.campaigns.report.wording import campaign_limits
from indexer.campaigns.why import Traces, explain, shared_traits, spread_of
from indexer.catalog.campaigns import campaigns
from indexer.catalog.database import Catalog
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images
from indexer.catalog.records.campaigns import CampaignMember
from indexer.catalog.records.images import ImageDetails
from indexer.errors import NotFoundError
from indexer.imaging.content import has_too_little
from indexer.sightings import Sighting
from indexer.verdict.findings import CalibrationReference

MOST_MEMBERS = 5_000
"""Members of a campaign that a report lists: all, or the first of a very large one."""
_AT_ONCE = 200


def campaign_report(
    catalog: Catalog,
    campaign_id: str,
    *,
    calibration: CalibrationVersion | None = None,
    since: datetime | None = None,
) -> CampaignReport:
    """The report on a campaign of the last clustering run.

    Args:
        catalog: the catalogue.
        campaign_id: of the campaign.
        calibration: the calibration in use, if any.
        since: list what is new since then.

    Raises:
        NotFoundError: there is no such campaign.
    """
    with catalog.reading() as session:
        common = reporting(session, calibration=calibration, since=since)
        if common is None:
            raise _unknown(campaign_id)
        return report_in(session, campaign_id, common)


def report_in(session: Session, campaign_id: str, common: Reporting) -> CampaignReport:
    """The report on a campaign, read in an open transaction.

    Raises:
        NotFoundError: there is no such campaign.
    """
    campaign = campaigns.existing(session, campaign_id)
    members, traces = _members(session, campaign_id, common)
    every_place = embedding_map([trace.vector for trace in traces])
    if every_place is not None:
        members = [replace(member, at=at) for member, at in zip(members, every_place.places, strict=True)]
    exemplar = [member.exemplar for member in members]
    sightings = [sighting for member in members for sighting in member.sightings]
    report = CampaignReport(
        campaign=campaign,
        standing=standing_of(session, campaign),
        as_of=common.as_of,
        summary=(),
        news=_news(campaign.created_at, members, common.since),
        run=common.run,
        detector=common.detector,
        calibration=None if common.calibration is None else CalibrationReference.of(common.calibration),
        members=tuple(members),
        sightings=len(sightings),
        platforms=_counts(sighting.platform for sighting in sightings),
        accounts=_counts(_account(sighting) for sighting in sightings),
        languages=_counts(sighting.language for sighting in sightings),
        claims=_counts(sighting.claim for sighting in sightings),
        techniques=_counts(member.label.technique.value for member in members),
        generators=_counts(member.label.generator for member in members),
        posted=tuple(sorted(sighting.posted_at for sighting in sightings if sighting.posted_at is not None)),
        spread=spread_of([member.sightings for member in members]),
        why=explain(campaign_id, traces, exemplar, common.bounds, common.exemplars),
        traits=shared_traits(session, campaign_id),
        map_shares=None if every_place is None else every_place.shares,
        command=_command(campaign_id, common.since),
        limits=campaign_limits(trained=common.trained, calibration=common.calibration),
    )
    return replace(report, summary=summary_of(report))


def _unknown(campaign_id: str) -> NotFoundError:
    return NotFoundError(f"no campaign {campaign_id}: `dejafake campaigns` lists them")


def _members(session: Session, campaign_id: str, common: Reporting) -> tuple[list[ReportMember], list[Traces]]:
    members: list[ReportMember] = []
    traces: list[Traces] = []
    cursor: str | None = None
    while len(members) < MOST_MEMBERS:
        page = campaigns.members(session, campaign_id, limit=_AT_ONCE, cursor=cursor)
        ids = images.find_ids(session, [member.sha256 for member in page.items])
        details = images.details(session, list(ids.values()))
        fingerprint = common.run.fingerprint
        vectors = embeddings.vectors(session, fingerprint, list(ids.values())) if common.trained else {}
        for member in page.items:
            image_id = ids[member.sha256]
            members.append(_member(member, details[image_id], common))
            traces.append(_traces(details[image_id], vectors.get(image_id), common.min_quality))
        cursor = page.next_cursor
        if cursor is None:
            break
    return members, traces


def _traces(details: ImageDetails, vector: Vector | None, min_quality: int) -> Traces:
    image = details.image
    blank = has_too_little(image.content, image.pdq_quality)
    recipes = (recipe_in(finding.model_hash or "", finding.fields) for finding in details.provenance)
    return Traces(
        sha256=image.sha256,
        pdq=bytes.fromhex(image.pdq) if image.pdq_quality >= min_quality and not blank else None,
        vector=None if blank else vector,
        recipe=next(filter(None, recipes), None),
        models=frozenset(finding.model_hash for finding in details.provenance if finding.model_hash),
        content=image.content,
    )


def _member(member: CampaignMember, details: ImageDetails, common: Reporting) -> ReportMember:
    image = details.image
    detections = [
        detection
        for detection in details.detections
        if detection.fingerprint == common.run.fingerprint and detection.trained
    ]
    calibrated = None
    if detections and detections[0].p_fake is not None and common.calibration is not None:
        measured = common.calibration.calibration
        calibrated = round(float(measured.scores.probabilities(measured.head.log_odds(detections[0].logits))[0]), 6)
    since = common.since
    why = tuple(calibrated_reason(reason, common.bounds.origin) for reason in member.reasons)
    return ReportMember(
        sha256=member.sha256,
        state=member.state.value,
        strength=member.strength,
        exemplar=member.exemplar,
        reasons=reasons_words(why),
        why=why,
        width=image.width,
        height=image.height,
        format=image.format,
        byte_size=image.byte_size,
        pdq=image.pdq,
        pdq_quality=image.pdq_quality,
        pdq_method=image.pdq_method,
        p_fake=detections[0].p_fake if detections else None,
        calibrated_p_fake=calibrated,
        label=image.label,
        collections=details.collections,
        sightings=details.sightings,
        new=since is not None
        and (image.added_at > since or any(sighting.recorded_at > since for sighting in details.sightings)),
    )


def _news(created_at: datetime, members: Sequence[ReportMember], since: datetime | None) -> News | None:
    if since is None:
        return None
    all_sightings = [sighting for member in members for sighting in member.sightings]
    fresh = [sighting for sighting in all_sightings if sighting.recorded_at > since]
    before = {sighting.platform for sighting in all_sightings if sighting.recorded_at <= since}
    return News(
        since=since,
        new_campaign=created_at > since,
        images=sum(member.new for member in members),
        sightings=len(fresh),
        platforms=tuple(sorted({sighting.platform for sighting in fresh if sighting.platform} - before)),
    )


def _command(campaign_id: str, since: datetime | None) -> str:
    return f"dejafake report {campaign_id}" + ("" if since is None else f" --since {since.isoformat()}")


def _account(sighting: Sighting) -> str | None:
    if sighting.account is None or sighting.platform is None:
        return sighting.account
    return f"{sighting.account} on {sighting.platform}"


def _counts(values: Iterable[str | None]) -> tuple[Count, ...]:
    """How often each value occurs, most frequent first, then by value."""
    counted = Counter(value for value in values if value)
    return tuple(Count(value, count) for value, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])))
