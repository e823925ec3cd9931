"""Campaign reports as self-contained HTML pages: no script, no external resources, outside text escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from indexer import __version__
from indexer.campaigns.reasons import reason_words
from indexer.campaigns.report.display_text import is_web_address, shown
from indexer.campaigns.report.drawings import Drawings
from indexer.campaigns.report.overview import Overview
from indexer.campaigns.report.records import CampaignReport
from indexer.campaigns.report.timeline import timeline
from indexer.campaigns.report.wording import closeness_words, link_reasons
from indexer.catalog.records.campaigns import Reason

PICTURES = 60
"""Thumbnails on a campaign's page; the page stays small enough to be mailed."""
ROWS = 1_000
SIGHTINGS_A_ROW = 5


@dataclass(frozen=True, slots=True)
class NumberedReason:
    """A reason in words, and the number of the linked image."""

    text: str
    to: int | None


def campaign_page(report: CampaignReport, tiles: Sequence[str | None], drawings: Drawings, *, blurred: bool) -> str:
    """The page of one campaign. `tiles`: thumbnails of the first members as data URIs, None where there is none."""
    time = timeline(report.posted)
    return (
        environment()
        .get_template("campaign.html.jinja")
        .render(
            report=report,
            tiles=tiles,
            drawings=drawings,
            blurred=blurred,
            unit=None if time is None else time.unit,
            rows=ROWS,
            most_sightings=SIGHTINGS_A_ROW,
            member_row=lambda number: number <= ROWS,
            reasons=numbered_reasons(report),
            number=numbers(report),
            link_reasons=link_reasons,
            closeness=closeness_words(report.why, report.campaign.size),
            version=__version__,
        )
    )


def overview_page(overview: Overview, tiles: Mapping[str, Sequence[str | None]], *, blurred: bool) -> str:
    """The page of all campaigns of a run. `tiles`: up to three pictures of each campaign as data URIs, by its id."""
    return (
        environment()
        .get_template("overview.html.jinja")
        .render(overview=overview, tiles=tiles, blurred=blurred, version=__version__)
    )


def numbers(report: CampaignReport) -> Mapping[str, int]:
    """The number of each image (SHA-256) in a report, from 1."""
    return {member.sha256: number for number, member in enumerate(report.members, 1)}


def numbered_reasons(report: CampaignReport) -> list[list[NumberedReason]]:
    """The reasons of each member, naming the linked image by its number in the report."""
    number = numbers(report)

    def numbered(reason: Reason) -> NumberedReason:
        to = None if reason.other is None else number.get(reason.other)
        return NumberedReason(reason_words(reason, name_other=to is None), to)

    return [[numbered(reason) for reason in member.why] for member in report.members]


@cache
def environment() -> Environment:
    """The template environment, with autoescaping."""
    templates = Environment(
        loader=PackageLoader("indexer.campaigns.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(shown=shown, utc=utc, told=told, percent=percent, p_value=p_value)
    templates.tests["web_address"] = is_web_address
    return templates


def utc(time: datetime, form: str = "%Y-%m-%d %H:%M UTC") -> str:
    """A time for display."""
    return time.astimezone(UTC).strftime(form)


def percent(part: int, whole: int) -> str:
    """A share for display: 100 % and 0 % only when exact."""
    if whole == 0:
        return "none"
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1 %"
    return ">99 %" if 99 < share < 100 else f"{share:.0f} %"


def p_value(p: float) -> str:
    """A p-value for display."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def told(value: Any) -> str:
    """A parameter for display."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {told(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(told(item) for item in value)
    return "none" if value is None else shown(value, 400)
