"""Campaigns: groups of known fakes that belong together, their identity over time, and reports on them."""

from indexer.campaigns.files import ReportFormat, last_reported, render, report_json, write_reports
from indexer.campaigns.report import campaign_report
from indexer.campaigns.report_records import CampaignReport
from indexer.campaigns.run import cluster

__all__ = [
    "CampaignReport",
    "ReportFormat",
    "campaign_report",
    "cluster",
    "last_reported",
    "render",
    "report_json",
    "write_reports",
]
