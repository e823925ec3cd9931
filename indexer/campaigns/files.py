"""Campaign reports as files: an HTML page, JSON and CSV for each campaign, and an overview of all.

The same catalogue gives the same bytes; a file appears whole or not at all.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from indexer.campaigns.page import PICTURES, OverviewEntry, campaign_page, overview_page
from indexer.campaigns.pictures import ReportPictures
from indexer.campaigns.report import CampaignReport, ReportDetector, campaign_report
from indexer.campaigns.table import campaign_table
from indexer.catalog import campaigns, detectors
from indexer.catalog.database import Catalog
from indexer.catalog.records import Campaign, ClusteringRun
from indexer.errors import DejafakeError, NotFoundError, UsageError
from indexer.settings import Settings

_TILE = 240
_OVERVIEW_TILE = 130
_OVERVIEW_TILES = 3
_ID = re.compile(r"cmp_[a-z2-7]{12}")


@dataclass(frozen=True, slots=True)
class CampaignOverview:
    """What `campaigns.json` holds: the run and all its campaigns, largest first."""

    run: ClusteringRun
    campaigns: tuple[Campaign, ...]


def write_reports(
    catalog: Catalog, settings: Settings, folder: Path, *, campaign: str | None = None
) -> tuple[Path, ...]:
    """Writes the report on one campaign, or on all of them with `overview.html` first.

    Args:
        folder: made when it is not there; files of the same names are replaced.
        campaign: a campaign's id; None for all.

    Returns:
        The files written: `<id>.html`, `<id>.json` and `<id>.csv` for each campaign.

    Raises:
        NotFoundError: there is no such campaign, or nothing was clustered yet.
        DejafakeError: the folder cannot be written.
    """
    pictures = ReportPictures(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if campaign is not None:
            report = campaign_report(catalog, campaign)
            return tuple(_write_one(folder, report, pictures))
        return tuple(_write_all(catalog, folder, pictures))
    except OSError as error:
        raise DejafakeError(
            f"cannot write reports to {folder} ({error.strerror}): choose another folder, or make room"
        ) from None


def report_json(report: CampaignReport) -> bytes:
    """The report as JSON (UTF-8): the fields of `CampaignReport`, times in ISO 8601."""
    return TypeAdapter(CampaignReport).dump_json(report, indent=2) + b"\n"


def _write_all(catalog: Catalog, folder: Path, pictures: ReportPictures) -> Iterator[Path]:
    with catalog.reading() as session:
        run = campaigns.last_run(session)
        if run is None:
            raise NotFoundError("nothing was clustered yet: run `dejafake cluster` first")
        every = _campaigns(session)
        known = {entry.fingerprint: entry for entry in detectors.list(session)}.get(run.fingerprint)
    detector = None if known is None else ReportDetector(known.name, known.fingerprint, known.trained)
    entries, written = [], []
    for one in every:
        report = campaign_report(catalog, one.id)
        written += list(_write_one(folder, report, pictures))
        exemplars = [member.sha256 for member in report.members[:_OVERVIEW_TILES]]
        entries.append(OverviewEntry(one, tuple(pictures.tile(sha256, _OVERVIEW_TILE) for sha256 in exemplars)))
    yield _write(folder / "overview.html", overview_page(run, detector, entries).encode())
    yield _write(folder / "campaigns.json", _overview_json(run, every))
    yield from written


def _campaigns(session: Session) -> list[Campaign]:
    found: list[Campaign] = []
    cursor: str | None = None
    while True:
        page = campaigns.page(session, limit=200, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def _overview_json(run: ClusteringRun, every: Sequence[Campaign]) -> bytes:
    overview = CampaignOverview(run=run, campaigns=tuple(every))
    return TypeAdapter(CampaignOverview).dump_json(overview, indent=2) + b"\n"


def _write_one(folder: Path, report: CampaignReport, pictures: ReportPictures) -> Iterator[Path]:
    name = report.campaign.id
    if not _ID.fullmatch(name):
        raise UsageError(f"campaign id {name!r} cannot be a file name")
    tiles = [pictures.tile(member.sha256, _TILE) for member in report.members[:PICTURES]]
    yield _write(folder / f"{name}.html", campaign_page(report, tiles).encode())
    yield _write(folder / f"{name}.json", report_json(report))
    yield _write(folder / f"{name}.csv", campaign_table(report).encode())


def _write(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
