"""Campaign reports as CSV: a row for each image and sighting, for spreadsheets and other tools."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from indexer.campaigns.report.records import CampaignReport, ReportMember
from indexer.exchange.csv_safety import safe_cell
from indexer.sightings import SIGHTING_FIELDS, Sighting

_FIRST = ("posted_at", "platform", "account")
_SEEN = (*_FIRST, *(name for name in SIGHTING_FIELDS if name not in _FIRST))
COLUMNS = (
    "campaign", "campaign_name", "sha256", "pdq", "pdq_quality", "pdq_method", "width", "height", "format", "strength",
    "exemplar", "reasons", "label", "disputed", "technique", "generator", "label_source", "p_fake", *_SEEN,
)  # fmt: skip


def campaign_table(report: CampaignReport) -> str:
    """CSV (RFC 4180) with a header. An image seen n times has n rows, one never seen has one with empty cells."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for member in report.members:
        for sighting in member.sightings or (None,):
            writer.writerow([safe_cell(cell) for cell in _cells(report, member, sighting)])
    return text.getvalue()


def _cells(report: CampaignReport, member: ReportMember, sighting: Sighting | None) -> Iterator[str]:
    label = member.label
    yield from (report.campaign.id, report.campaign.name, member.sha256, member.pdq)
    yield from (
        str(member.pdq_quality),
        member.pdq_method,
        str(member.width),
        str(member.height),
        member.format,
        f"{member.strength:.4f}",
    )
    yield from ("yes" if member.exemplar else "no", "; ".join(member.reasons))
    yield from (label.value.value, "yes" if label.disputed else "no", label.technique.value, label.generator or "")
    yield from (label.source or "", "" if member.p_fake is None else f"{member.p_fake:.6f}")
    for name in _SEEN:
        said = getattr(sighting, name, None)
        yield said.isoformat() if isinstance(said, datetime) else said or ""
