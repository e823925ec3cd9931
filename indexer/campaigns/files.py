"""Campaign reports as files: HTML, PDF, JSON and CSV for each campaign, and an overview of all.

The same catalogue gives the same bytes; a file appears whole or not at all.
"""

import re
import secrets
from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter

from indexer.calibration import CalibrationVersion
from indexer.campaigns.drawings import PICTURED, draw
from indexer.campaigns.evidence import Progress
from indexer.campaigns.overview import Overview, all_campaigns, entry_of, overview_of
from indexer.campaigns.page import PICTURES, campaign_page, environment, overview_page
from indexer.campaigns.pdf import campaign_pdf
from indexer.campaigns.pictures import ReportPictures
from indexer.campaigns.report import campaign_report, report_in
from indexer.campaigns.report_records import CampaignReport
from indexer.campaigns.reporting import reporting
from indexer.campaigns.table import campaign_table
from indexer.catalog.database import Catalog
from indexer.errors import DejafakeError, NotFoundError, UsageError
from indexer.settings import Settings

_TILE = 240
_NODE = 100
_OVERVIEW_TILE = 130
_OVERVIEW_TILES = 3
_ID = re.compile(r"cmp_[a-z2-7]{12}")


class ReportFormat(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    PDF = "pdf"
    JSON = "json"
    CSV = "csv"


def render(report: CampaignReport, form: ReportFormat, pictures: ReportPictures) -> bytes:
    """The report in one format; the same report and pictures give the same bytes."""
    if form is ReportFormat.JSON:
        return report_json(report)
    if form is ReportFormat.CSV:
        return campaign_table(report).encode()
    drawn = len(report.members) <= PICTURED
    nodes = [pictures.tile(member.sha256, _NODE) for member in report.members] if drawn else []
    drawings = draw(environment(), report, nodes)
    shown = [member.sha256 for member in report.members[:PICTURES]]
    if form is ReportFormat.HTML:
        tiles = [pictures.tile(sha256, _TILE) for sha256 in shown]
        return campaign_page(report, tiles, drawings, blurred=pictures.blurred).encode()
    jpegs = [pictures.jpeg(sha256, _TILE) for sha256 in shown]
    return campaign_pdf(report, jpegs, drawings, blurred=pictures.blurred)


def write_reports(
    catalog: Catalog,
    settings: Settings,
    folder: Path,
    *,
    campaign: str | None = None,
    since: datetime | None = None,
    blur: bool = False,
    formats: Collection[ReportFormat] = tuple(ReportFormat),
    calibration: CalibrationVersion | None = None,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Writes the report on one campaign, or on all of them with `overview.html` first.

    Args:
        catalog: the catalogue.
        settings: where pictures are kept.
        folder: made when it is not there; files of the same names are replaced.
        campaign: a campaign's id; None for all.
        since: say what is new since then, and of all campaigns write only those with something new.
        blur: make the pictures unrecognisable.
        formats: which files to write of each campaign.
        calibration: the one in use, which gives scores and cosines a meaning.
        progress: told the step, how much of it is done, and how much there is.

    Returns:
        The files written: `<id>.html`, `.pdf`, `.json` and `.csv` for each campaign.

    Raises:
        NotFoundError: there is no such campaign, or nothing was clustered yet.
        DejafakeError: the folder cannot be written.
    """
    pictures = ReportPictures(settings, blur=blur)
    chosen = tuple(form for form in ReportFormat if form in formats)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if campaign is not None:
            report = campaign_report(catalog, campaign, calibration=calibration, since=since)
            return tuple(_write_one(folder, report, chosen, pictures))
        return tuple(_write_all(catalog, folder, chosen, pictures, calibration, since, progress))
    except OSError as error:
        raise DejafakeError(
            f"cannot write reports to {folder} ({error.strerror}): choose another folder, or make room"
        ) from None


def report_json(report: CampaignReport) -> bytes:
    """The report as JSON (UTF-8): the fields of `CampaignReport`, times in ISO 8601."""
    return TypeAdapter(CampaignReport).dump_json(report, indent=2) + b"\n"


def last_reported(folder: Path) -> datetime | None:
    """As of when the catalogue was reported into this folder; None when there is no readable report."""
    try:
        return TypeAdapter(Overview).validate_json((folder / "campaigns.json").read_bytes()).as_of
    except (OSError, ValueError):
        return None


def _write_all(
    catalog: Catalog,
    folder: Path,
    formats: Collection[ReportFormat],
    pictures: ReportPictures,
    calibration: CalibrationVersion | None,
    since: datetime | None,
    progress: Progress | None,
) -> Iterator[Path]:
    with catalog.reading() as session:
        common = reporting(session, calibration=calibration, since=since)
        if common is None:
            raise NotFoundError("nothing was clustered yet: run `dejafake cluster` first")
        every = all_campaigns(session)
    entries, tiles, written = [], {}, []
    for done, one in enumerate(every, 1):
        with catalog.reading() as session:
            report = report_in(session, one.id, common)
        if progress is not None:
            progress("writing reports", done, len(every))
        if report.news is not None and not report.news.anything:
            continue
        written += list(_write_one(folder, report, formats, pictures))
        entry = entry_of(report, _OVERVIEW_TILES)
        entries.append(entry)
        tiles[one.id] = [pictures.tile(sha256, _OVERVIEW_TILE) for sha256 in entry.exemplars]
    overview = overview_of(common, entries, len(every) - len(entries))
    page = overview_page(overview, tiles, blurred=pictures.blurred)
    yield _write(folder / "overview.html", page.encode())
    yield _write(folder / "campaigns.json", TypeAdapter(Overview).dump_json(overview, indent=2) + b"\n")
    yield from written


def _write_one(
    folder: Path, report: CampaignReport, formats: Collection[ReportFormat], pictures: ReportPictures
) -> Iterator[Path]:
    name = report.campaign.id
    if not _ID.fullmatch(name):
        raise UsageError(f"campaign id {name!r} cannot be a file name")
    for form in formats:
        yield _write(folder / f"{name}.{form.value}", render(report, form, pictures))


def _write(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
