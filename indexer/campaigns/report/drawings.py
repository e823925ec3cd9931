"""The drawings of a report as SVG: numbers and fixed words only; the only outside content is re-encoded pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment

from indexer.campaigns.report.link_graph import link_graph
from indexer.campaigns.report.records import CampaignReport
from indexer.campaigns.report.timeline import timeline
from indexer.campaigns.why import LinkKind
from indexer.campaigns.why.explanation import MOST_DRAWN

PICTURED = 24
"""Up to how many images the link graph shows as pictures; more would hide each other."""

LINES: Mapping[LinkKind, tuple[str, str, str]] = {
    LinkKind.SAME_PICTURE: ("#0072b2", "", "same picture"),
    LinkKind.SAME_RECIPE: ("#009e73", "2 4", "same model, seed and prompt"),
    LinkKind.SAME_ORIGIN: ("#d55e00", "8 4", "same origin"),
    LinkKind.SAME_MODEL: ("#cc79a7", "2 2", "same model hash"),
    LinkKind.NONE: ("#8a919c", "1 5", "no direct link"),
}
"""Colour (Okabe & Ito's, told apart by colour-blind readers), dashes, and what it is called."""


@dataclass(frozen=True, slots=True)
class Drawings:
    """SVG documents; None where there is nothing to draw."""

    timeline: str | None
    graph: str | None
    map: str | None


def draw(environment: Environment, report: CampaignReport, tiles: Sequence[str | None]) -> Drawings:
    """The drawings of a report. `tiles`: thumbnails of the first members as data URIs, None where there is none."""
    first = report.members[:MOST_DRAWN]
    graph = link_graph([member.sha256 for member in first], [member.exemplar for member in first], report.why.graph)
    time = timeline(report.posted)
    placed = [(number, member) for number, member in enumerate(report.members, 1) if member.at is not None]

    def made(name: str, **values: object) -> str:
        return environment.get_template(f"{name}.svg.jinja").render(**values).strip()

    return Drawings(
        timeline=None if time is None else made("timeline", timeline=time),
        graph=None
        if graph is None
        else made("graph", graph=graph, lines=LINES, tiles=tiles if len(first) <= PICTURED else ()),
        map=made("map", placed=placed, tiles=tiles) if report.map_shares is not None else None,
    )
