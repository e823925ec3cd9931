"""Overview of all campaigns of a run: size, growth, last activity, confirmation, and what is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from indexer.campaigns.report.context import Reporting
from indexer.campaigns.report.records import CampaignReport, News, ReportDetector, Standing
from indexer.campaigns.report.wording import campaign_limits
from indexer.catalog.campaigns import campaigns
from indexer.catalog.records.campaigns import Campaign, ClusteringRun

RECENT_DAYS = 7


@dataclass(frozen=True, slots=True)
class OverviewEntry:
    """One campaign at a glance. `recent`: dated sightings in its last `RECENT_DAYS` days; `before`: in the same number
    of days before that. `exemplars`: the first images (SHA-256).
    """

    campaign: Campaign
    standing: Standing
    sightings: int
    recent: int
    before: int
    generators: tuple[str, ...]
    exemplars: tuple[str, ...]
    news: News | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What `campaigns.json` and the overview page show: the run and its campaigns, largest first; with `since`, those
    with something new."""

    run: ClusteringRun
    detector: ReportDetector | None
    as_of: datetime
    since: datetime | None
    campaigns: tuple[OverviewEntry, ...]
    unchanged: int
    limits: tuple[str, ...]


def entry_of(report: CampaignReport, pictures: int) -> OverviewEntry:
    """A campaign's report at a glance."""
    recent = before = 0
    if report.posted:
        ages = [report.posted[-1] - at for at in report.posted]  # subtract no more time than year 1 allows
        recent = sum(age < timedelta(days=RECENT_DAYS) for age in ages)
        before = sum(timedelta(days=RECENT_DAYS) <= age < timedelta(days=2 * RECENT_DAYS) for age in ages)
    return OverviewEntry(
        campaign=report.campaign,
        standing=report.standing,
        sightings=report.sightings,
        recent=recent,
        before=before,
        generators=tuple(count.value for count in report.generators[:2]),
        exemplars=tuple(member.sha256 for member in report.members[:pictures]),
        news=report.news,
    )


def overview_of(common: Reporting, entries: Sequence[OverviewEntry], unchanged: int) -> Overview:
    """The overview of these campaigns; `unchanged` counts those left out because nothing is new."""
    return Overview(
        run=common.run,
        detector=common.detector,
        as_of=common.as_of,
        since=common.since,
        campaigns=tuple(entries),
        unchanged=unchanged,
        limits=campaign_limits(trained=common.trained, calibration=common.calibration),
    )


def all_campaigns(session: Session) -> list[Campaign]:
    """Every campaign, largest first."""
    listed: list[Campaign] = []
    cursor: str | None = None
    while True:
        page = campaigns.page(session, limit=200, cursor=cursor)
        listed += page.items
        cursor = page.next_cursor
        if cursor is None:
            return listed
