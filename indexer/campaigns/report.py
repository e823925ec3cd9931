"""Making the report on one campaign from the catalogue."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from indexer.calibration import CalibrationVersion
from indexer.campaigns.embedding_map import embedding_map
from indexer.campaigns.recipes import recipe_in
from indexer.campaigns.report_records import CampaignReport, Count, News, ReportMember
from indexer.campaigns.reporting import Reporting, reporting
from indexer.campaigns.standing import standing_of
from indexer.campaigns.summary import summary_of
from indexer.campaigns.why import Traces, explain, shared_traits, spread_of
from indexer.campaigns.why.nearness import Vector
from indexer.campaigns.wording import calibrated_reason, campaign_limits
from indexer.catalog import campaigns, embeddings, images
from indexer.catalog.database import Catalog
from indexer.catalog.records import CampaignMember, ImageDetails, Sighting
from indexer.errors import NotFoundError
from indexer.findings import CalibrationReference

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
        calibration: the one in use, which gives scores and cosines a meaning.
        since: say what is new since then.

    Raises:
        NotFoundError: there is no such campaign.
    """
    with catalog.reading() as session:
        common = reporting(session, calibration=calibration, since=since)
        if common is None:
            raise _unknown(campaign_id)
        return report_in(session, campaign_id, common)


def report_in(session: Session, campaign_id: str, common: Reporting) -> CampaignReport:
    """The report on a campaign, read in a transaction that is open.

    Raises:
        NotFoundError: there is no such campaign.
    """
    campaign = campaigns.existing(session, campaign_id)
    members, traces = _members(session, campaign_id, common)
    every_place = embedding_map([one.vector for one in traces])
    if every_place is not None:
        members = [replace(one, at=at) for one, at in zip(members, every_place.places, strict=True)]
    exemplar = [member.exemplar for member in members]
    seen = [sighting for member in members for sighting in member.sightings]
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
        sightings=len(seen),
        platforms=_counts(sighting.platform for sighting in seen),
        accounts=_counts(_account(sighting) for sighting in seen),
        languages=_counts(sighting.language for sighting in seen),
        claims=_counts(sighting.claim for sighting in seen),
        techniques=_counts(member.label.technique.value for member in members),
        generators=_counts(member.label.generator for member in members),
        posted=tuple(sorted(sighting.posted_at for sighting in seen if sighting.posted_at is not None)),
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
        known = images.details(session, list(ids.values()))
        fingerprint = common.run.fingerprint
        vectors = embeddings.vectors(session, fingerprint, list(ids.values())) if common.trained else {}
        for member in page.items:
            image_id = ids[member.sha256]
            members.append(_member(member, known[image_id], common))
            traces.append(_traces(known[image_id], vectors.get(image_id), common.min_quality))
        cursor = page.next_cursor
        if cursor is None:
            break
    return members, traces


def _traces(known: ImageDetails, vector: Vector | None, min_quality: int) -> Traces:
    image = known.image
    recipes = (recipe_in(finding.model_hash or "", finding.fields) for finding in known.provenance)
    return Traces(
        sha256=image.sha256,
        pdq=bytes.fromhex(image.pdq) if image.pdq_quality >= min_quality else None,
        vector=vector,
        recipe=next(filter(None, recipes), None),
        models=frozenset(finding.model_hash for finding in known.provenance if finding.model_hash),
    )


def _member(member: CampaignMember, known: ImageDetails, common: Reporting) -> ReportMember:
    image = known.image
    seen = [one for one in known.detections if one.fingerprint == common.run.fingerprint and one.trained]
    calibrated = None
    if seen and seen[0].p_fake is not None and common.calibration is not None:
        measured = common.calibration.calibration
        calibrated = round(float(measured.scores.probabilities(measured.head.log_odds(seen[0].logits))[0]), 6)
    since = common.since
    origin = common.bounds.origin
    return ReportMember(
        sha256=member.sha256,
        state=member.state.value,
        strength=member.strength,
        exemplar=member.exemplar,
        reasons=tuple(calibrated_reason(reason, origin) for reason in member.reasons),
        width=image.width,
        height=image.height,
        format=image.format,
        byte_size=image.byte_size,
        pdq=image.pdq,
        pdq_quality=image.pdq_quality,
        p_fake=seen[0].p_fake if seen else None,
        calibrated_p_fake=calibrated,
        label=image.label,
        collections=known.collections,
        sightings=known.sightings,
        new=since is not None
        and (image.added_at > since or any(sighting.recorded_at > since for sighting in known.sightings)),
    )


def _news(created_at: datetime, members: Sequence[ReportMember], since: datetime | None) -> News | None:
    if since is None:
        return None
    seen = [sighting for member in members for sighting in member.sightings]
    fresh = [sighting for sighting in seen if sighting.recorded_at > since]
    before = {sighting.platform for sighting in seen if sighting.recorded_at <= since}
    return News(
        since=since,
        new_campaign=created_at > since,
        images=sum(member.new for member in members),
        sightings=len(fresh),
        platforms=tuple(sorted({seen.platform for seen in fresh if seen.platform} - before)),
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
