"""Campaign reports as PDF, set by Typst: what the page shows, on paper.

Everything from outside goes to Typst as data (JSON, pictures), never as markup, so it can do nothing there. Typst reads
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
from indexer.campaigns.drawings import Drawings
from indexer.campaigns.page import SIGHTINGS_A_ROW, numbers, p_value, percent, told, told_reasons, utc
from indexer.campaigns.report_records import CampaignReport, Count, ReportMember
from indexer.campaigns.shown import is_web_address, shown
from indexer.campaigns.why import Link
from indexer.campaigns.wording import closeness_words, link_reasons
from indexer.catalog.records import Sighting
from indexer.errors import DejafakeError
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
        jpegs: pictures of the first members, None where there is none.
        drawings: as on the page.
        blurred: whether the pictures were made unrecognisable.

    Raises:
        DejafakeError: it could not be set.
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
        template.write_bytes(files("indexer.campaigns").joinpath("templates", "report.typ").read_bytes())
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
    """Typst's own fonts, those of Matplotlib (Cyrillic, Greek, Arabic and more), and what the system has beyond."""
    return typst.Fonts(font_paths=[str(Path(mpl.get_data_path()) / "fonts" / "ttf")])


def _sheet(report: CampaignReport, kept: Sequence[bool], blurred: bool) -> Sheet:
    """What the template shows: texts, ready to be set."""
    campaign, detector = report.campaign, report.detector
    number, reasons = numbers(report), told_reasons(report)
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
        "pictures": [_picture(one, place, kept[place - 1]) for place, one in enumerate(report.members[: len(kept)], 1)],
        "size": campaign.size,
        "undated": f"{report.spread.undated:,} of {report.sightings:,} sightings carry no date.",
        "bars": [
            _bars("Platforms", report.platforms),
            _bars("Accounts", report.accounts),
            _bars("Languages", report.languages),
            _bars("Techniques (labels)", report.techniques, words=True),
            _bars("Generators (labels)", report.generators),
        ],
        "claims": [[shown(one.value, 160), f"{one.count:,}"] for one in report.claims[:_MOST_BARS]],
        "closeness": closeness_words(report.why, campaign.size),
        "strongest": [_link(link, number) for link in report.why.strongest],
        "weakest": [_link(link, number, splits=True) for link in report.why.weakest],
        "map_shares": None if report.map_shares is None else [f"{100 * share:.0f}" for share in report.map_shares],
        "traits": _traits(report),
        "tested": len(report.traits),
        "related": [
            [
                shown(one.name, 100),
                one.campaign,
                f"{one.size:,}",
                f"cosine {one.similarity:.2f}" if one.pdq_distance is None else f"PDQ {one.pdq_distance}",
            ]
            for one in report.why.related
        ],
        "members": [_member(one, place, reasons[place - 1]) for place, one in enumerate(listed, 1)],
        "listed": len(listed),
        "facts": _facts(report),
        "limits": list(report.limits),
        "version": __version__,
    }


def _facts(report: CampaignReport) -> list[list[str]]:
    run, found, calibration = report.run, report.detector, report.calibration
    named = "" if found is None else f"{shown(found.name, 120)}, {'trained' if found.trained else 'not trained'}"
    said = "none: scores and cosines are uncalibrated" if calibration is None else shown(calibration.words, 400)
    return [
        ["Detector", named or "no longer in the catalogue"],
        ["Fingerprint", run.fingerprint],
        ["Calibration", said],
        ["Index snapshot", shown(run.snapshot, 120)],
        ["Clustering run", f"{utc(run.started_at)} to {utc(run.finished_at, '%H:%M:%S UTC')}"],
        ["Over", f"{run.images:,} known fakes: {run.campaigns:,} campaigns, {run.noise:,} images in none"],
        ["To make it again", report.command],
        *(
            [name.replace("_", " ").replace("pdq", "PDQ"), told(run.parameters[name])]
            for name in sorted(run.parameters)
        ),
    ]


def _picture(one: ReportMember, number: int, kept: bool) -> Sheet:
    seen = one.sightings[0] if one.sightings else None
    where = "no sighting" if seen is None else shown(seen.platform or "seen", 24)
    when = "" if seen is None or seen.posted_at is None else utc(seen.posted_at, "%Y-%m-%d")
    return {"number": number, "kept": kept, "exemplar": one.exemplar, "new": one.new, "where": where, "when": when}


def _bars(title: str, counts: Sequence[Count], *, words: bool = False) -> Sheet:
    most = counts[0].count if counts else 1
    return {
        "title": title,
        "more": max(len(counts) - _MOST_BARS, 0),
        "rows": [
            {
                "what": shown(one.value.replace("_", " ") if words else one.value, 60),
                "count": f"{one.count:,}",
                "share": one.count / most,
            }
            for one in counts[:_MOST_BARS]
        ],
    }


def _link(link: Link, number: Mapping[str, int], *, splits: bool = False) -> list[str]:
    falls = f"; {link.splits_off:,} image{'' if link.splits_off == 1 else 's'} would fall away" if splits else ""
    return [f"No. {number[link.first]} – No. {number[link.second]}", "; ".join(link_reasons(link)) + falls]


def _traits(report: CampaignReport) -> list[list[str]]:
    return [
        [
            one.trait.value.replace("_", " "),
            shown(one.value.replace("_", " ") if one.trait is Trait.TECHNIQUE else one.value, 80),
            f"{percent(one.images, one.of)} ({one.images:,}/{one.of:,})",
            f"{percent(one.elsewhere, one.of_elsewhere)} ({one.elsewhere:,}/{one.of_elsewhere:,})",
            "" if one.adjusted_p is None or not one.over_represented else f"yes, {p_value(one.adjusted_p)}",
        ]
        for one in report.traits[:_MOST_TRAITS]
    ]


def _member(one: ReportMember, number: int, reasons: Sequence[Any]) -> Sheet:
    label = one.label
    said = [label.value.value + (" (disputed)" if label.disputed else "")]
    said.append(label.technique.value.replace("_", " "))
    if label.generator:
        said.append(shown(label.generator, 60))
    said.append(f"said by {shown(label.source or 'nobody', 60)}")
    if one.p_fake is not None:
        calibrated = one.calibrated_p_fake
        meaning = "uncalibrated" if calibrated is None else f"calibrated {calibrated:.2f}"
        said.append(f"detector score {one.p_fake:.3f}, {meaning}")
    return {
        "number": number,
        "exemplar": one.exemplar,
        "new": one.new,
        "file": f"{one.width} × {one.height} {shown(one.format, 12)}, {one.byte_size:,} bytes",
        "sha256": one.sha256,
        "pdq": f"{one.pdq} (quality {one.pdq_quality})",
        "why": "; ".join(
            shown(reason.text, 160) + ("" if reason.to is None else f", to No. {reason.to}") for reason in reasons
        ),
        "strength": f"{one.strength:.2f}" + ("" if one.state is None else f", {shown(one.state, 40)}"),
        "label": ", ".join(said),
        "sightings": [_sighting(seen) for seen in one.sightings[:SIGHTINGS_A_ROW]],
        "more": max(len(one.sightings) - SIGHTINGS_A_ROW, 0),
    }


def _sighting(seen: Sighting) -> Sheet:
    when = "no date" if seen.posted_at is None else utc(seen.posted_at)
    place = [shown(part, 60) for part in (seen.platform, seen.account) if part]
    quotes = [f"“{shown(seen.caption, 240)}”"] if seen.caption else []
    quotes += [f"Claim: {shown(seen.claim, 240)}"] if seen.claim else []
    return {
        "head": " · ".join([when, *place]),
        "links": [
            {"before": before, "text": shown(url, 120), "url": url if is_web_address(url) else None}
            for before, url in (("archived ", seen.archive_url), ("", seen.url))
            if url
        ],
        "quotes": quotes,
    }


def _day(time: datetime | None) -> str:
    return "not dated" if time is None else utc(time, "%Y-%m-%d")
