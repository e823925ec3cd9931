"""Fact-checks go in as JSON-LD or as a page; each review comes out with what is known of its pictures."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog.images import images, sightings
from indexer.enrichment.inputs import reviews
from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.run import Enrichment, EnrichmentReport
from indexer.errors import SourceError, UsageError
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.sightings import NewSighting
from indexer.workspace import Workspace
from tests.made_pictures import png, recompressed

SEEN = "https://social.example/post/3"


def media_review(number: int, *appearances: dict[str, Any], **said: Any) -> dict[str, Any]:
    places = [{"@type": "ImageObjectSnapshot"} | place for place in appearances]
    return {
        "@type": "MediaReview",
        "url": f"https://check.example/{number}",
        "itemReviewed": {"@type": "MediaReviewItem", "mediaItemAppearance": places},
    } | said


def written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def enriched(workspace: Workspace, source: Path, output: Path, prefix: str = "dejafake_") -> EnrichmentReport:
    found = open_input(source, {}, ImageLimits.from_settings(workspace.settings))
    return Enrichment(workspace, found, output, prefix).run()


def rejected(report: EnrichmentReport) -> list[dict[str, str]]:
    assert report.rejected_file is not None
    return [json.loads(line) for line in report.rejected_file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def seen(workspace: Workspace) -> None:
    """Known fake 3 was seen at `SEEN`."""
    with workspace.catalog.writing() as session:
        (image_id,) = images.find_ids(session, [sha256_hex(png(3))]).values()
        sightings.add(session, image_id, [NewSighting(url=SEEN)])


@pytest.fixture
def feed(tmp_path: Path) -> dict[str, Any]:
    """A review a case, in a graph, a feed and a list, with their pictures beside them."""
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "shared.jpg").write_bytes(recompressed(1))
    (tmp_path / "pics" / "new.png").write_bytes(png(50))
    explained = {"@type": "ClaimReview", "claimReviewed": "It flew. \ud800", "url": "https://check.example/claim"}
    return {
        "@context": {"@vocab": "https://schema.org/", "dejafake": "urn:x"},
        "@graph": [
            media_review(1, {"contentUrl": "pics/new.png"}, {"contentUrl": "pics/shared.jpg"}, score=1e3),
            media_review(2, {"sha256": sha256_hex(png(2)).upper(), "contentUrl": "https://elsewhere.example/x"}),
            media_review(3, {"contentUrl": SEEN.replace("https://social", "HTTPS://Social") + "#top"}),
            media_review(4, {"contentUrl": "https://nobody.example/x.jpg"}, associatedClaimReview=explained),
            {"@type": "DataFeed", "dataFeedElement": [{"item": [None, media_review(5, {"contentUrl": "../x.png"})]}]},
            {"@type": "MediaReview", "itemReviewed": {"@type": "VideoObject", "contentUrl": SEEN}},
        ],
    }


@pytest.mark.usefixtures("seen")
def test_the_same_document_comes_out_with_an_answer_in_each_review(
    workspace: Workspace, feed: dict[str, Any], tmp_path: Path
) -> None:
    report = enriched(workspace, written(tmp_path / "feed.json", feed), tmp_path / "out.json")
    made = json.loads(report.output.read_text(encoding="utf-8"))
    answers = [review.pop("dejafake") for review in reviews_of(made)]
    assert made == feed, "nothing else was changed, and the order is kept"
    shared, by_digest, by_address, unseen, outside, video = answers
    assert shared["outcome"] == "known_fake_match", "the gravest of its two pictures"
    assert shared["match_sha256"] == sha256_hex(png(1))
    assert by_digest["match_relation"] == "same_file"
    assert (by_address["outcome"], by_address["match_relation"]) == ("known_fake_match", "same_address")
    assert by_address["match_sha256"] == sha256_hex(png(3))
    assert by_address["sha256"] is by_address["match_score"] is by_address["p_fake"] is None, "nobody looked at it"
    assert "address alone" in by_address["summary"]
    assert "never fetched" in unseen["error"]
    assert "not a path inside" in outside["error"]
    assert "no picture" in video["error"]
    assert [(one["location"], one["reason"]) for one in rejected(report)] == [
        ("review 4", "not_at_hand"),
        ("review 5", "bad_row"),
        ("review 6", "nothing_to_search"),
    ]


def reviews_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    graph = document["@graph"]
    return [*graph[:4], graph[4]["dataFeedElement"][0]["item"][1], graph[5]]


def test_a_page_becomes_its_reviews_one_a_line_and_a_broken_block_is_listed(
    workspace: Workspace, tmp_path: Path
) -> None:
    good = json.dumps([media_review(1, {"sha256": sha256_hex(png(0))}), media_review(2, {"sha256": "f" * 64})])
    block = '<script type="application/ld+json">{}</script>'
    page = tmp_path / "page.html"
    page.write_text(f"<html>\n{block.format(good)}\n{block.format('{')}</html>", encoding="utf-8")
    report = enriched(workspace, page, tmp_path / "out.jsonl", prefix="df_")
    lines = [json.loads(line) for line in report.output.read_text(encoding="utf-8").splitlines()]
    assert [line.get("url") for line in lines] == ["https://check.example/1", "https://check.example/2", None]
    assert [line["df"]["outcome"] for line in lines] == ["known_fake_match", "not_assessable", None]
    assert "line 3 cannot be read" in rejected(report)[0]["message"]


def test_what_was_enriched_before_is_not_written_over(workspace: Workspace, tmp_path: Path) -> None:
    once = written(tmp_path / "a.jsonld", media_review(1, {"sha256": sha256_hex(png(0))}))
    output = enriched(workspace, once, tmp_path / "out.jsonld").output
    with pytest.raises(UsageError, match=r"already has a column 'dejafake_outcome'"):
        enriched(workspace, output, tmp_path / "again.jsonld")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.jsonld", b'{"@type": "MediaReview"', "neither JSON-LD nor an HTML page"),
        ("a.json", '{"claimReviewed": "café"}'.encode("latin-1"), "not UTF-8"),
        ("a.html", b"<html><p>no data", "holds no ClaimReview"),
        ("a.json", b'{"@context": "https://schema.org", "media": []}', "holds no ClaimReview"),
        ("a.json", b"[" * 5_000, "neither JSON-LD"),
        ("a.jsonld", b'{"a":' * 90 + b"1" + b"}" * 90, "nested more than"),
    ],
)
def test_a_file_without_readable_reviews_is_one_clear_error(
    workspace: Workspace, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=words) as refusal:
        enriched(workspace, tmp_path / name, tmp_path / "out.json")
    assert name in str(refusal.value)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "MAX_BYTES", 1_000)
    source = written(tmp_path / "a.jsonld", media_review(1, {"caption": "x" * 2_000}))
    with pytest.raises(SourceError, match="larger than 1,000 bytes; split it"):
        enriched(workspace, source, tmp_path / "out.jsonld")
