"""Campaigns: groups of known fakes that belong together, their identity over time, and reports on them."""

from indexer.campaigns.files import report_json, write_reports
from indexer.campaigns.report import CampaignReport, campaign_report
from indexer.campaigns.run import cluster

__all__ = ["CampaignReport", "campaign_report", "cluster", "report_json", "write_reports"]
