"""Campaign reports as HTML pages that stand alone: no script, nothing loaded from elsewhere, outside text inert."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from indexer import __version__
from indexer.campaigns.report import CampaignReport, ReportDetector
from indexer.campaigns.timeline import timeline
from indexer.campaigns.wording import SHORT, campaign_limits
from indexer.catalog.records import Campaign, ClusteringRun

PICTURES = 60
"""Thumbnails on a campaign's page; the page stays small enough to be mailed."""
_ROWS = 1_000
_SIGHTINGS_A_ROW = 5
_OTHER_IMAGE = re.compile(rf" \(to ([0-9a-f]{{{SHORT}}})\)$")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class OverviewEntry:
    """A campaign on the overview page with up to three pictures as data URIs (None: the picture is not kept)."""

    campaign: Campaign
    tiles: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Reason:
    text: str
    to: int | None


@dataclass(frozen=True, slots=True)
class _LinkedBy:
    copies: int
    origin: int
    recipe: int


def campaign_page(report: CampaignReport, tiles: Sequence[str | None]) -> str:
    """The page of one campaign. `tiles`: pictures of the first members as data URIs, None where there is none."""
    return (
        _environment()
        .get_template("campaign.html.jinja")
        .render(
            report=report,
            tiles=tiles,
            summary=_linked_by(report),
            timeline=timeline(report.posted),
            rows=_ROWS,
            most_sightings=_SIGHTINGS_A_ROW,
            member_row=lambda number: number <= _ROWS,
            reasons=_told_reasons(report),
            version=__version__,
        )
    )


def overview_page(run: ClusteringRun, detector: ReportDetector | None, entries: Sequence[OverviewEntry]) -> str:
    """The page of all campaigns of a run."""
    trained = detector is not None and detector.trained
    return (
        _environment()
        .get_template("overview.html.jinja")
        .render(
            run=run, detector=detector, campaigns=entries, limits=campaign_limits(trained=trained), version=__version__
        )
    )


def _linked_by(report: CampaignReport) -> _LinkedBy:
    def count(start: str) -> int:
        return sum(any(reason.startswith(start) for reason in member.reasons) for member in report.members)

    return _LinkedBy(count("same picture"), count("same origin"), count("same model"))


def _told_reasons(report: CampaignReport) -> list[list[_Reason]]:
    """The reasons of each member, the other image named by its number on the page."""
    number = {member.sha256[:SHORT]: place for place, member in enumerate(report.members, 1)}

    def told(reason: str) -> _Reason:
        found = _OTHER_IMAGE.search(reason)
        to = number.get(found[1]) if found else None
        return _Reason(reason, None) if found is None or to is None else _Reason(reason[: found.start()], to)

    return [[told(reason) for reason in member.reasons] for member in report.members]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("indexer.campaigns"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(shown=shown, utc=_utc, told=_told)
    made.tests["web_address"] = is_web_address
    return made


def shown(value: object, most: int) -> str:
    """Outside text for a person: at most so many characters, and characters that hide, or that turn the direction of
    writing, replaced by their code points. Still to be escaped."""
    text = str(value)
    cut = text[:most] + ("…" if len(text) > most else "")
    return "".join(
        " " if c in "\n\r\t" else f"[U+{ord(c):04X}]" if unicodedata.category(c) in _HIDDEN else c for c in cut
    )


def is_web_address(url: str) -> bool:
    """Whether a URL may become a link: http or https, a host, and nothing that hides."""
    if any(c.isspace() or unicodedata.category(c) in _HIDDEN for c in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _utc(time: datetime, form: str = "%Y-%m-%d %H:%M UTC") -> str:
    return time.astimezone(UTC).strftime(form)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_told(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(_told(one) for one in value)
    return "none" if value is None else shown(value, 400)
