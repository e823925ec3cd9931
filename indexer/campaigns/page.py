"""Campaign reports as HTML pages that stand alone: no script, nothing loaded from elsewhere, outside text inert."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from indexer import __version__
from indexer.campaigns.drawings import Drawings
from indexer.campaigns.overview import Overview
from indexer.campaigns.report_records import CampaignReport
from indexer.campaigns.shown import is_web_address, shown
from indexer.campaigns.timeline import timeline
from indexer.campaigns.wording import SHORT, closeness_words, link_reasons

PICTURES = 60
"""Thumbnails on a campaign's page; the page stays small enough to be mailed."""
ROWS = 1_000
SIGHTINGS_A_ROW = 5
_OTHER_IMAGE = re.compile(rf" \(to ([0-9a-f]{{{SHORT}}})\)$")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an image is in, and the number of the image it is linked to."""

    text: str
    to: int | None


def campaign_page(report: CampaignReport, tiles: Sequence[str | None], drawings: Drawings, *, blurred: bool) -> str:
    """The page of one campaign. `tiles`: pictures of the first members as data URIs, None where there is none."""
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
            reasons=told_reasons(report),
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
    return {member.sha256: place for place, member in enumerate(report.members, 1)}


def told_reasons(report: CampaignReport) -> list[list[Reason]]:
    """The reasons of each member, the other image named by its number in the report."""
    number = {sha256[:SHORT]: place for sha256, place in numbers(report).items()}

    def told(reason: str) -> Reason:
        found = _OTHER_IMAGE.search(reason)
        to = number.get(found[1]) if found else None
        return Reason(reason, None) if found is None or to is None else Reason(reason[: found.start()], to)

    return [[told(reason) for reason in member.reasons] for member in report.members]


@cache
def environment() -> Environment:
    """The templates; everything is escaped."""
    made = Environment(
        loader=PackageLoader("indexer.campaigns"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(shown=shown, utc=utc, told=told, percent=percent, p_value=p_value)
    made.tests["web_address"] = is_web_address
    return made


def utc(time: datetime, form: str = "%Y-%m-%d %H:%M UTC") -> str:
    """A time for a person."""
    return time.astimezone(UTC).strftime(form)


def percent(part: int, whole: int) -> str:
    """A share for a person: never 100 % or 0 % unless it is."""
    if whole == 0:
        return "none"
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1 %"
    return ">99 %" if 99 < share < 100 else f"{share:.0f} %"


def p_value(p: float) -> str:
    """A p-value for a person."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def told(value: Any) -> str:
    """A parameter for a person."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {told(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(told(one) for one in value)
    return "none" if value is None else shown(value, 400)
