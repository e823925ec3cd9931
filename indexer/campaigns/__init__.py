"""Campaigns: groups of known fakes that belong together, their identity over time, and reports on them."""

from indexer.campaigns.report.files import (
    ReportFormat,
    ReportOptions,
    last_reported,
    render,
    report_json,
    write_reports,
)
from indexer.campaigns.report.records import CampaignReport
from indexer.campaigns.report.report import campaign_report
from indexer.campaigns.run import cluster

__all__ = [
    "CampaignReport",
    "ReportFormat",
    "ReportOptions",
    "campaign_report",
    "cluster",
    "last_reported",
    "render",
    "report_json",
    "write_reports",
]
