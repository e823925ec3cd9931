"""Campaign reports as PDF, typeset by Typst: the same content as the page.

Outside content goes to Typst as data (JSON, pictures), never as markup, so it cannot run there. Typst reads
only the temporary folder it is given.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import typst

from indexer import __version__
from indexer.campaigns.report.display_text import is_web_address, shown
from indexer.campaigns.report.drawings import Drawings
from indexer.campaigns.report.page import SIGHTINGS_A_ROW, numbered_reasons, numbers, p_value, percent, told, utc
from indexer.campaigns.report.records import CampaignReport, Count, ReportMember
from indexer.campaigns.report.wording import closeness_words, link_reasons
from indexer.campaigns.why import Link
from indexer.errors import DejafakeError
from indexer.sightings import Sighting
from indexer.vocabulary import Trait

ROWS = 300
"""Images listed in full; more make a book that nobody prints. All are in the CSV and JSON files."""
_MOST_BARS = 6
_MOST_TRAITS = 12

Sheet = dict[str, Any]


def campaign_pdf(report: CampaignReport, jpegs: Sequence[bytes | None], drawings: Drawings, *, blurred: bool) -> bytes:
    """The report as PDF; with the same fonts installed, the same report gives the same bytes.

    Args:
        report: of one campaign.
        jpegs: thumbnails of the first members, None where there is none.
        drawings: the same as on the page.
        blurred: whether the pictures were blurred.

    Raises:
        DejafakeError: it could not be typeset.
    """
    with TemporaryDirectory(prefix="dejafake-report-") as name:
        folder = Path(name)
        for number, jpeg in enumerate(jpegs, 1):
            if jpeg is not None:
                (folder / f"{number}.jpg").write_bytes(jpeg)
        drawn = {"timeline": drawings.timeline, "graph": drawings.graph, "map": drawings.map}
        for drawing, svg in drawn.items():
            if svg is not None:
                (folder / f"{drawing}.svg").write_text(svg, encoding="utf-8")
        sheet = _sheet(report, [jpeg is not None for jpeg in jpegs], blurred)
        sheet["drawn"] = [drawing for drawing, svg in drawn.items() if svg is not None]
        (folder / "report.json").write_text(json.dumps(sheet), encoding="utf-8")
        template = folder / "report.typ"
        template.write_bytes(files("indexer.campaigns.report").joinpath("templates", "report.typ").read_bytes())
        try:
            return typst.compile(
                template,
                root=folder,
                font_paths=_fonts(),
                timestamp=report.as_of.astimezone(UTC).replace(microsecond=0),
            )
        except typst.TypstError as error:
            raise DejafakeError(f"the report cannot be set as PDF: {str(error)[:200]}") from None


@cache
def _fonts() -> typst.Fonts:
    """Typst's own fonts, Matplotlib's (Cyrillic, Greek, Arabic and more), and the system's."""
    return typst.Fonts(font_paths=[str(Path(mpl.get_data_path()) / "fonts" / "ttf")])


def _sheet(report: CampaignReport, has_picture: Sequence[bool], blurred: bool) -> Sheet:
    """The data for the template: texts, ready to typeset."""
    campaign, detector = report.campaign, report.detector
    number, reasons = numbers(report), numbered_reasons(report)
    listed = report.members[:ROWS]
    untrained = detector is None or not detector.trained
    return {
        "title": shown(campaign.name, 200),
        "id": campaign.id,
        "as_of": utc(report.as_of),
        "confirmed": report.standing.confirmed,
        "summary": [shown(sentence, 900) for sentence in report.summary],
        "figures": [
            ["Images", f"{campaign.size:,}"],
            ["Different pictures", f"{report.why.pictures:,}"],
            ["Sightings", f"{report.sightings:,}"],
            ["First known", _day(report.spread.first_seen)],
            ["Last known", _day(report.spread.last_seen)],
            ["Platforms", f"{len(report.platforms):,}"],
        ],
        "read_first": " ".join(report.limits[: 2 if untrained else 1]),
        "notes": [
            {"text": shown(note.text, 2000), "by": f"{shown(note.by, 80)}, {utc(note.at)}"}
            for note in report.standing.notes
        ],
        "blurred": blurred,
        "pictures": [
            _picture(item, position, has_picture[position - 1])
            for position, item in enumerate(report.members[: len(has_picture)], 1)
        ],
        "size": campaign.size,
        "undated": f"{report.spread.undated:,} of {report.sightings:,} sightings carry no date.",
        "bars": [
            _bars("Platforms", report.platforms),
            _bars("Accounts", report.accounts),
            _bars("Languages", report.languages),
            _bars("Techniques (labels)", report.techniques, words=True),
            _bars("Generators (labels)", report.generators),
        ],
        "claims": [[shown(item.value, 160), f"{item.count:,}"] for item in report.claims[:_MOST_BARS]],
        "closeness": closeness_words(report.why, campaign.size),
        "strongest": [_link(link, number) for link in report.why.strongest],
        "weakest": [_link(link, number, splits=True) for link in report.why.weakest],
        "map_shares": None if report.map_shares is None else [f"{100 * share:.0f}" for share in report.map_shares],
        "traits": _traits(report),
        "tested": len(report.traits),
        "related": [
            [
                shown(item.name, 100),
                item.campaign,
                f"{item.size:,}",
                f"cosine {item.similarity:.2f}" if item.pdq_distance is None else f"PDQ {item.pdq_distance}",
            ]
            for item in report.why.related
        ],
        "members": [_member(item, position, reasons[position - 1]) for position, item in enumerate(listed, 1)],
        "listed": len(listed),
        "facts": _facts(report),
        "limits": list(report.limits),
        "version": __version__,
    }


def _facts(report: CampaignReport) -> list[list[str]]:
    run, detector, calibration = report.run, report.detector, report.calibration
    named = (
        "" if detector is None else f"{shown(detector.name, 120)}, {'trained' if detector.trained else 'not trained'}"
    )
    calibration_words = (
        "none: scores and cosines are uncalibrated" if calibration is None else shown(calibration.words, 400)
    )
    return [
        ["Detector", named or "no longer in the catalogue"],
        ["Fingerprint", run.fingerprint],
        ["Calibration", calibration_words],
        ["Index snapshot", shown(run.snapshot, 120)],
        ["Clustering run", f"{utc(run.started_at)} to {utc(run.finished_at, '%H:%M:%S UTC')}"],
        ["Over", f"{run.images:,} known fakes: {run.campaigns:,} campaigns, {run.noise:,} images in none"],
        ["To make it again", report.command],
        *(
            [name.replace("_", " ").replace("pdq", "PDQ"), told(run.parameters[name])]
            for name in sorted(run.parameters)
        ),
    ]


def _picture(member: ReportMember, number: int, available: bool) -> Sheet:
    sighting = member.sightings[0] if member.sightings else None
    where = "no sighting" if sighting is None else shown(sighting.platform or "seen", 24)
    when = "" if sighting is None or sighting.posted_at is None else utc(sighting.posted_at, "%Y-%m-%d")
    return {
        "number": number,
        "kept": available,
        "exemplar": member.exemplar,
        "new": member.new,
        "where": where,
        "when": when,
    }


def _bars(title: str, counts: Sequence[Count], *, words: bool = False) -> Sheet:
    most = counts[0].count if counts else 1
    return {
        "title": title,
        "more": max(len(counts) - _MOST_BARS, 0),
        "rows": [
            {
                "what": shown(count.value.replace("_", " ") if words else count.value, 60),
                "count": f"{count.count:,}",
                "share": count.count / most,
            }
            for count in counts[:_MOST_BARS]
        ],
    }


def _link(link: Link, number: Mapping[str, int], *, splits: bool = False) -> list[str]:
    falls = f"; {link.splits_off:,} image{'' if link.splits_off == 1 else 's'} would fall away" if splits else ""
    return [f"No. {number[link.first]} – No. {number[link.second]}", "; ".join(link_reasons(link)) + falls]


def _traits(report: CampaignReport) -> list[list[str]]:
    return [
        [
            trait.trait.value.replace("_", " "),
            shown(trait.value.replace("_", " ") if trait.trait is Trait.TECHNIQUE else trait.value, 80),
            f"{percent(trait.images, trait.of)} ({trait.images:,}/{trait.of:,})",
            f"{percent(trait.elsewhere, trait.of_elsewhere)} ({trait.elsewhere:,}/{trait.of_elsewhere:,})",
            "" if trait.adjusted_p is None or not trait.over_represented else f"yes, {p_value(trait.adjusted_p)}",
        ]
        for trait in report.traits[:_MOST_TRAITS]
    ]


def _member(member: ReportMember, number: int, reasons: Sequence[Any]) -> Sheet:
    label = member.label
    labels = [label.value.value + (" (disputed)" if label.disputed else "")]
    labels.append(label.technique.value.replace("_", " "))
    if label.generator:
        labels.append(shown(label.generator, 60))
    labels.append(f"said by {shown(label.source or 'nobody', 60)}")
    if member.p_fake is not None:
        calibrated = member.calibrated_p_fake
        meaning = "uncalibrated" if calibrated is None else f"calibrated {calibrated:.2f}"
        labels.append(f"detector score {member.p_fake:.3f}, {meaning}")
    return {
        "number": number,
        "exemplar": member.exemplar,
        "new": member.new,
        "file": f"{member.width} × {member.height} {shown(member.format, 12)}, {member.byte_size:,} bytes",
        "sha256": member.sha256,
        "pdq": f"{member.pdq} (quality {member.pdq_quality})",
        "why": "; ".join(
            shown(reason.text, 160) + ("" if reason.to is None else f", to No. {reason.to}") for reason in reasons
        ),
        "strength": f"{member.strength:.2f}" + ("" if member.state is None else f", {shown(member.state, 40)}"),
        "label": ", ".join(labels),
        "sightings": [_sighting(sighting) for sighting in member.sightings[:SIGHTINGS_A_ROW]],
        "more": max(len(member.sightings) - SIGHTINGS_A_ROW, 0),
    }


def _sighting(sighting: Sighting) -> Sheet:
    when = "no date" if sighting.posted_at is None else utc(sighting.posted_at)
    where = [shown(part, 60) for part in (sighting.platform, sighting.account) if part]
    quotes = [f"“{shown(sighting.caption, 240)}”"] if sighting.caption else []
    quotes += [f"Claim: {shown(sighting.claim, 240)}"] if sighting.claim else []
    return {
        "head": " · ".join([when, *where]),
        "links": [
            {"before": before, "text": shown(url, 120), "url": url if is_web_address(url) else None}
            for before, url in (("archived ", sighting.archive_url), ("", sighting.url))
            if url
        ],
        "quotes": quotes,
    }


def _day(time: datetime | None) -> str:
    return "not dated" if time is None else utc(time, "%Y-%m-%d")
