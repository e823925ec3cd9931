import csv
import io
import json
import re
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.calibration import (
    AbstainZone,
    Calibration,
    CalibrationVersion,
    Estimate,
    Method,
    OriginMap,
    Quality,
    ScoreCheck,
    ScoreHead,
    ScoreMap,
)
from indexer.campaigns import (
    CampaignReport,
    ReportFormat,
    ReportOptions,
    campaign_report,
    cluster,
    last_reported,
    render,
    report_json,
    write_reports,
)
from indexer.campaigns.report.display_text import is_web_address, shown
from indexer.campaigns.report.pictures import ReportPictures
from indexer.campaigns.report.table import COLUMNS
from indexer.catalog.campaigns import campaigns
from indexer.catalog.images import images, sightings
from indexer.errors import DejafakeError, NotFoundError
from indexer.sightings import NewSighting
from tests.campaigns.shelves import Shelf, origin
from tests.made_pictures import encoded, png, recompressed, scene

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\u202eevil'
FORMULA = '=HYPERLINK("https://evil.example")'
ADDRESSES = ("javascript:alert(1)", "JaVaScRiPt://a.example/%0aalert(1)", "data:text/html,<script>x</script>", "//evil")


class Page(HTMLParser):
    """The tags, links, and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for _, attrs in self.tags if attribute in attrs]


@pytest.fixture
def reported(shelf: Shelf) -> Iterator[Shelf]:
    """A campaign of three copies and one relative, seen at times and places, most of them hostile; not yet reported."""
    good = NewSighting(
        url="https://platform.example/post/1",
        archive_url="https://archive.example/1",
        platform="Telegram",
        account="@truth",
        posted_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        caption="Taken yesterday",
        language="en",
        claim="A real event",
    )
    later = NewSighting(platform="X", account="@truth", posted_at=datetime(2026, 4, 11, tzinfo=UTC))
    hostile = [NewSighting(url, url, HOSTILE, HOSTILE, None, HOSTILE, HOSTILE, HOSTILE) for url in ADDRESSES]
    formula = NewSighting(platform=FORMULA, account="+1", caption=FORMULA, claim="\t=1+1")
    shelf.add(png(1), origin(1, 0), seen=[good, later], generator=HOSTILE, said_by=HOSTILE, keep=True)
    shelf.add(recompressed(1), origin(1, 1), seen=hostile, generator="teapot", keep=True)
    shelf.add(encoded(scene(1), "JPEG", quality=50), origin(1, 2), seen=[formula], keep=True)
    shelf.add(png(2), origin(1, 3))
    cluster(shelf.catalog, shelf.index, shelf.settings)
    return shelf


def only_report(shelf: Shelf) -> CampaignReport:
    with shelf.catalog.reading() as session:
        (campaign,) = campaigns.page(session, limit=10).items
    return campaign_report(shelf.catalog, campaign.id)


def test_a_report_gathers_members_sightings_and_how_it_was_made(reported: Shelf) -> None:
    report = only_report(reported)
    assert len(report.members) == 4
    assert report.members[0].exemplar
    assert report.sightings == 7
    assert report.posted == (datetime(2026, 3, 2, 9, 30, tzinfo=UTC), datetime(2026, 4, 11, tzinfo=UTC))
    assert {one.value: one.count for one in report.accounts}["@truth on Telegram"] == 1
    assert report.detector is not None
    assert (report.detector.name, report.detector.trained) == ("planted", True)
    assert report.run.parameters["same_origin_min_cosine"] == 0.9
    assert any("signal, not proof" in limit for limit in report.limits)
    assert any("uncalibrated" in limit for limit in report.limits)
    assert any("not proof of common authorship" in limit for limit in report.limits)


def test_nothing_from_outside_can_act_in_the_page(reported: Shelf, tmp_path: Path) -> None:
    with reported.catalog.writing() as session:
        (campaign,) = campaigns.page(session, limit=10).items
        campaigns.rename(session, campaign.id, HOSTILE.replace("\u202e", ""))
    for path in write_reports(reported.catalog, reported.settings, tmp_path):
        if path.suffix != ".html":
            continue
        html = path.read_text("utf-8")
        page = Page(html)
        assert {tag for tag, _ in page.tags}.isdisjoint({"script", "iframe", "object", "embed", "base", "form", "link"})
        assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
        assert all(source.startswith("data:image/jpeg;base64,") for source in page.values("src"))
        drawn = [attrs["href"] or "" for tag, attrs in page.tags if tag == "image"]
        links = [attrs["href"] or "" for tag, attrs in page.tags if tag != "image" and "href" in attrs]
        assert all(picture.startswith("data:image/jpeg;base64,") for picture in drawn)
        assert all(link.startswith(("https://", "#image-", "cmp_")) for link in links)
        assert "{{ 7*7 }}" in page.text
        assert "\u202e" not in html
        assert "default-src 'none'" in next(value for value in page.values("content") if "default-src" in value)
    html = (tmp_path / f"{campaign.id}.html").read_text("utf-8")
    assert "javascript:alert(1)" in Page(html).text
    assert "[U+202E]" in html


def test_a_page_shows_pictures_reasons_times_hashes_and_limits(reported: Shelf, tmp_path: Path) -> None:
    report = only_report(reported)
    paths = write_reports(reported.catalog, reported.settings, tmp_path, campaign=report.campaign.id)
    assert [path.name for path in paths] == [f"{report.campaign.id}.{kind}" for kind in ("html", "pdf", "json", "csv")]
    page = Page(paths[0].read_text("utf-8"))
    assert len(page.values("src")) == 3
    assert "no picture kept" in page.text
    assert "https://archive.example/1" in page.values("href")
    text = " ".join(page.text.split())
    for member in report.members:
        assert member.sha256 in text
        assert member.pdq in text
    assert "same picture, PDQ" in text
    assert "same origin, cosine 0.9" in text
    assert "5 of 7 sightings carry no date" in text
    assert "planted, trained" in text
    for limit in report.limits:
        assert limit in text


def test_the_page_of_an_untrained_detector_says_that_origin_was_not_compared(
    untrained_shelf: Shelf, tmp_path: Path
) -> None:
    for data in (png(1), recompressed(1), encoded(scene(1), "JPEG", quality=50)):
        untrained_shelf.add(data, origin(1, 0))
    cluster(untrained_shelf.catalog, untrained_shelf.index, untrained_shelf.settings)
    for path in write_reports(untrained_shelf.catalog, untrained_shelf.settings, tmp_path):
        if path.suffix == ".html":
            text = " ".join(Page(path.read_text("utf-8")).text.split())
            assert text.count("The detector was not trained") >= 2
            assert "planted, not trained" in text
            assert "detector score" not in text


def test_the_overview_links_every_campaign(reported: Shelf, tmp_path: Path) -> None:
    paths = write_reports(reported.catalog, reported.settings, tmp_path)
    assert [path.name for path in paths[:2]] == ["overview.html", "campaigns.json"]
    campaign = only_report(reported).campaign
    assert Page(paths[0].read_text("utf-8")).values("href") == [f"{campaign.id}.html"]
    overview = json.loads(paths[1].read_text("utf-8"))
    assert [one["campaign"]["id"] for one in overview["campaigns"]] == [campaign.id]
    assert overview["run"]["campaigns"] == 1


def test_json_holds_the_whole_report(reported: Shelf) -> None:
    report = only_report(reported)
    told = json.loads(report_json(report))
    assert [member["sha256"] for member in told["members"]] == [member.sha256 for member in report.members]
    assert told["members"][0]["label"]["value"] == "fake"
    assert told["posted"][0] == "2026-03-02T09:30:00Z"
    assert HOSTILE in {seen["caption"] for member in told["members"] for seen in member["sightings"]}


def test_csv_has_a_row_a_sighting_and_no_cell_is_a_formula(reported: Shelf, tmp_path: Path) -> None:
    report = only_report(reported)
    path = write_reports(reported.catalog, reported.settings, tmp_path, campaign=report.campaign.id)[3]
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode())))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + report.sightings + 1  # one image was never seen
    assert all(len(row) == len(COLUMNS) for row in rows)
    assert not [cell for row in rows for cell in row if cell.lstrip()[:1] in ("=", "+", "-", "@")]
    assert f"'{FORMULA}" in {cell for row in rows for cell in row}


def inflated(pdf: bytes) -> bytes:
    """Everything a PDF holds in compressed streams, where addresses of links are plain text."""
    found = b""
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            found += zlib.decompress(stream)
    return found + pdf


def test_a_pdf_links_only_to_the_web_whatever_is_in_the_catalogue(reported: Shelf) -> None:
    pdf = render(only_report(reported), ReportFormat.PDF, ReportPictures(reported.settings))
    content = inflated(pdf)
    assert pdf.startswith(b"%PDF-")
    assert b"https://archive.example/1" in content
    assert re.findall(rb"/URI ?\((?!https?:)", content) == []
    assert re.search(rb"/(JavaScript|JS|Launch|EmbeddedFile)\b", content) is None


def test_blurred_pictures_have_nothing_left_to_recognise(reported: Shelf) -> None:
    sha256 = only_report(reported).members[0].sha256
    plain, blurred = (ReportPictures(reported.settings, blur=blur).jpeg(sha256, 240) for blur in (False, True))
    assert plain is not None
    assert blurred is not None
    edges = [
        np.abs(np.diff(np.asarray(Image.open(io.BytesIO(data)).convert("L"), np.int16), axis=1)).max()
        for data in (plain, blurred)
    ]
    assert edges[1] < edges[0] / 4
    page = render(only_report(reported), ReportFormat.HTML, ReportPictures(reported.settings, blur=True)).decode()
    assert "Blurred on purpose" in page
    assert b64encode(plain).decode() not in page


def test_what_is_new_since_a_time_is_said_and_marked(reported: Shelf, tmp_path: Path) -> None:
    write_reports(reported.catalog, reported.settings, tmp_path, ReportOptions(formats=(ReportFormat.JSON,)))
    last = last_reported(tmp_path)
    assert last is not None
    nothing = write_reports(reported.catalog, reported.settings, tmp_path / "none", ReportOptions(since=last))
    assert [path.name for path in nothing] == ["overview.html", "campaigns.json"]
    assert "Nothing is new" in nothing[0].read_text("utf-8")
    with reported.catalog.writing() as session:
        sha256 = only_report(reported).members[1].sha256
        seen = NewSighting(platform="Somewhere new", posted_at=datetime(2026, 5, 1, tzinfo=UTC))
        sightings.add(session, images.find_ids(session, [sha256])[sha256], [seen])
    html, overview = write_reports(
        reported.catalog, reported.settings, tmp_path / "new", ReportOptions(since=last, formats=(ReportFormat.HTML,))
    )[2::-2]
    assert "1 new sighting, for the first time on “Somewhere new”" in Page(html.read_text("utf-8")).text
    assert html.read_text("utf-8").count('class="tag new"') == 2  # in the contact sheet and in the table
    assert "first time on Somewhere new" in overview.read_text("utf-8")


def test_nobody_can_tell_the_time_of_a_report_that_is_not_there(tmp_path: Path) -> None:
    assert last_reported(tmp_path) is None
    (tmp_path / "campaigns.json").write_text("{")
    assert last_reported(tmp_path) is None


def test_a_calibration_gives_scores_and_cosines_their_meaning(reported: Shelf) -> None:
    with reported.catalog.reading() as session:
        (campaign,) = campaigns.page(session, limit=10).items
    measured = calibration(reported.fingerprint)
    report = campaign_report(reported.catalog, campaign.id, calibration=measured)
    assert report.calibration is not None
    assert report.members[0].calibrated_p_fake == pytest.approx(0.5)
    assert any(
        "same origin 0.9" in reason and "calibrated 0." in reason for one in report.members for reason in one.reasons
    )
    page = render(report, ReportFormat.HTML, ReportPictures(reported.settings)).decode()
    assert "calibrated on 200 pictures of planted" in page
    assert "detector score 0.500, calibrated 0.50" in page
    foreign = campaign_report(reported.catalog, campaign.id, calibration=calibration("0" * 64))
    assert foreign.calibration is None


def calibration(fingerprint: str) -> CalibrationVersion:
    nought = Estimate(0.1, 0.0, 0.2)
    quality = Quality(nought, nought, nought)
    return CalibrationVersion(
        version=1,
        retired_at=None,
        calibration=Calibration(
            detector="planted",
            fingerprint=fingerprint,
            data_set="planted",
            authentic=100,
            fake=100,
            groups=None,
            requested_method="platt",
            head=ScoreHead("sigmoid", 0),
            scores=ScoreMap(Method.PLATT, 1.0, 0.0),
            check=ScoreCheck(2, quality, quality, (), ()),
            zone=AbstainZone(0.01, 0.01, 1.0, -1.0, nought, nought, 90.0, 90.0),
            same_origin=OriginMap(
                "group", ((0.5, 0.1), (0.98, 0.9)), 0.5, 10, 9, 3, 90, quality, 0.8, 0.95, None, None
            ),
            origin_missing=None,
            seed=0,
            made_with="a test",
            measured_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
    )


def test_the_same_catalogue_gives_the_same_bytes(reported: Shelf, tmp_path: Path) -> None:
    one = write_reports(reported.catalog, reported.settings, tmp_path / "one")
    other = write_reports(reported.catalog, reported.settings, tmp_path / "other")
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert sorted(tmp_path.glob("*/*.part")) == []


def test_a_run_without_campaigns_has_an_overview_that_says_so(shelf: Shelf, tmp_path: Path) -> None:
    cluster(shelf.catalog, shelf.index, shelf.settings)
    overview, _ = write_reports(shelf.catalog, shelf.settings, tmp_path)
    assert "No group of known fakes" in overview.read_text("utf-8")


def test_what_is_not_there_is_said_in_one_line(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="run `dejafake cluster` first"):
        write_reports(shelf.catalog, shelf.settings, tmp_path)
    with pytest.raises(NotFoundError, match="no campaign cmp_x"):
        campaign_report(shelf.catalog, "cmp_x")
    cluster(shelf.catalog, shelf.index, shelf.settings)
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(DejafakeError, match="cannot write reports to"):
        write_reports(shelf.catalog, shelf.settings, occupied / "folder")


@pytest.mark.parametrize(
    ("url", "may_be_a_link"),
    [
        ("https://a.example/x?y=1", True),
        ("HTTP://a.example", True),
        ("https://[::1]/", True),
        ("javascript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("ftp://a.example", False),
        ("https:", False),
        ("https://[", False),
        ("//a.example", False),
        ("https://a.example/\u202egpj", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str, may_be_a_link: bool) -> None:
    assert is_web_address(url) is may_be_a_link


def test_hidden_characters_are_shown_and_long_text_is_cut() -> None:
    assert shown("a\u202eb\x00c\u200bd\ne", 100) == "a[U+202E]b[U+0000]c[U+200B]d e"
    assert shown("x" * 50, 10) == "x" * 10 + "…"
