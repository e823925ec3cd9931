"""Campaign reports as files: HTML, PDF, JSON and CSV for each campaign, and an overview of all.

The same catalogue gives the same bytes; a file appears whole or not at all.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter

from indexer.calibration import CalibrationVersion
from indexer.campaigns.report.context import reporting
from indexer.campaigns.report.drawings import PICTURED, draw
from indexer.campaigns.report.overview import Overview, all_campaigns, entry_of, overview_of
from indexer.campaigns.report.page import PICTURES, campaign_page, environment, overview_page
from indexer.campaigns.report.pdf import campaign_pdf
from indexer.campaigns.report.pictures import ReportPictures
from indexer.campaigns.report.records import CampaignReport
from indexer.campaigns.report.report import campaign_report, report_in
from indexer.campaigns.report.table import campaign_table
from indexer.catalog.database import Catalog
from indexer.errors import DejafakeError, NotFoundError, UsageError
from indexer.files.whole_files import write_whole
from indexer.settings import Settings
from indexer.vocabulary import Progress, no_progress

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


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How reports are written.

    Attributes:
        since: list what is new since then; when writing all campaigns, only those with something new.
        blur: blur the pictures beyond recognition.
        formats: which files to write for each campaign.
        calibration: the calibration in use, if any.
    """

    since: datetime | None = None
    blur: bool = False
    formats: tuple[ReportFormat, ...] = tuple(ReportFormat)
    calibration: CalibrationVersion | None = None


def write_reports(
    catalog: Catalog,
    settings: Settings,
    folder: Path,
    options: ReportOptions | None = None,
    *,
    campaign: str | None = None,
    progress: Progress = no_progress,
) -> tuple[Path, ...]:
    """Writes the report on one campaign, or on all of them with `overview.html` first.

    Args:
        catalog: the catalogue.
        settings: where pictures are kept.
        folder: created if missing; files of the same names are replaced.
        options: how to write them.
        campaign: a campaign's id; None for all.
        progress: called with the step, how much of it is done, and its total.

    Returns:
        The files written: `<id>.html`, `.pdf`, `.json` and `.csv` for each campaign.

    Raises:
        NotFoundError: there is no such campaign, or no clustering has run yet.
        DejafakeError: the folder cannot be written.
    """
    how = options or ReportOptions()
    how = replace(how, formats=tuple(form for form in ReportFormat if form in how.formats))
    pictures = ReportPictures(settings, blur=how.blur)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if campaign is not None:
            report = campaign_report(catalog, campaign, calibration=how.calibration, since=how.since)
            return tuple(_write_one(folder, report, how.formats, pictures))
        return tuple(_write_all(catalog, folder, how, pictures, progress))
    except OSError as error:
        raise DejafakeError(
            f"cannot write reports to {folder} ({error.strerror}): choose another folder, or make room"
        ) from None


def report_json(report: CampaignReport) -> bytes:
    """The report as JSON (UTF-8): the fields of `CampaignReport`, times in ISO 8601."""
    return TypeAdapter(CampaignReport).dump_json(report, indent=2) + b"\n"


def last_reported(folder: Path) -> datetime | None:
    """The date of the catalogue state last reported into this folder; None when there is no readable report."""
    try:
        return TypeAdapter(Overview).validate_json((folder / "campaigns.json").read_bytes()).as_of
    except (OSError, ValueError):
        return None


def _write_all(
    catalog: Catalog,
    folder: Path,
    how: ReportOptions,
    pictures: ReportPictures,
    progress: Progress,
) -> Iterator[Path]:
    with catalog.reading() as session:
        common = reporting(session, calibration=how.calibration, since=how.since)
        if common is None:
            raise NotFoundError("nothing was clustered yet: run `dejafake cluster` first")
        every = all_campaigns(session)
    entries, tiles, written = [], {}, []
    for done, campaign in enumerate(every, 1):
        with catalog.reading() as session:
            report = report_in(session, campaign.id, common)
        progress("writing reports", done, len(every))
        if report.news is not None and not report.news.anything:
            continue
        written += list(_write_one(folder, report, how.formats, pictures))
        entry = entry_of(report, _OVERVIEW_TILES)
        entries.append(entry)
        tiles[campaign.id] = [pictures.tile(sha256, _OVERVIEW_TILE) for sha256 in entry.exemplars]
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
    write_whole(path, data)
    return path
