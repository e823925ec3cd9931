"""Fact-checks as real feeds write them: read whatever their spelling, with nothing unknown dropped or guessed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from indexer.errors import SourceError
from indexer.exchange import read_reviews
from indexer.exchange.reviews import ClaimReview, MediaCategory, MediaReview, Party
from indexer.exchange.reviews.categories import categories_of

ONE, TWO = "a1" * 32, "b2" * 32


def media(**said: Any) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": "MediaReview"} | said


def item(**said: Any) -> dict[str, Any]:
    return {"@type": "MediaReviewItem", "mediaItemAppearance": [{"@type": "ImageObjectSnapshot"} | said]}


def only(value: object) -> MediaReview:
    (review,) = read_reviews(json.dumps(value)).reviews
    assert isinstance(review, MediaReview)
    return review


def only_claim(value: object) -> ClaimReview:
    (review,) = read_reviews(json.dumps(value)).reviews
    assert isinstance(review, ClaimReview)
    return review


def test_a_media_review_is_read_whole() -> None:
    claim = {"@type": "ClaimReview", "claimReviewed": "It flew.", "url": "https://check.example/claim"}
    review = only_media_of(
        media(
            url="https://check.example/1",
            author={"@type": "Organization", "name": "Example Check", "url": "https://check.example"},
            datePublished="2026-03-01T12:00:00+02:00",
            inLanguage="fr",
            mediaAuthenticityCategory="TransformedContent",
            originalMediaContextDescription="taken in 2019",
            originalMediaLink="https://agency.example/original.jpg",
            associatedClaimReview=claim,
            itemReviewed=item(
                sha256=ONE.upper(),
                contentUrl="https://social.example/1.jpg",
                archivedAt="https://archive.example/1",
                caption="Look!",
                uploadDate="2026-02-28",
            ),
        )
    )
    assert review.url == "https://check.example/1"
    assert review.author == Party("Example Check", "https://check.example")
    assert review.published_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert [(one.said, one.category) for one in review.categories] == [
        ("TransformedContent", MediaCategory.TRANSFORMED)
    ]
    assert (review.original_context, review.original_link) == ("taken in 2019", "https://agency.example/original.jpg")
    (seen,) = review.appearances
    assert (seen.type, seen.sha256, seen.is_image) == ("ImageObjectSnapshot", (ONE,), True)
    assert (seen.content_url, seen.archived_at) == ("https://social.example/1.jpg", "https://archive.example/1")
    assert (seen.caption, seen.published_at) == ("Look!", datetime(2026, 2, 28, tzinfo=UTC))
    assert [one.claim for one in review.claim_reviews] == ["It flew."]
    assert review.other == {}


def only_media_of(value: object) -> MediaReview:
    """Of a MediaReview that carries a ClaimReview, which is listed by itself too."""
    review, claim = read_reviews(json.dumps(value)).reviews
    assert isinstance(review, MediaReview)
    assert review.claim_reviews == (claim,)
    return review


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("TransformedContent", ["TRANSFORMED"]),
        ("https://schema.org/StagedContent", ["STAGED"]),
        ("http://schema.org/SatireOrParodyContent/", ["SATIRE_OR_PARODY"]),
        ("schema:EditedOrCroppedContent", ["EDITED_OR_CROPPED"]),
        ("Missing Context", ["DECONTEXTUALIZED"]),
        ("Edited or cropped content", ["EDITED_OR_CROPPED"]),
        ("Satire/Parody", ["SATIRE_OR_PARODY"]),
        ("AuthenticContent", ["ORIGINAL"]),
        ("Original, Missing Context", ["ORIGINAL", "DECONTEXTUALIZED"]),
        ("staged; made up by us", ["STAGED", None]),
        ("Imposter", [None]),
        ("content", [None]),
    ],
)
def test_a_category_is_known_by_term_iri_label_or_old_name_and_never_guessed(
    said: str, meant: list[str | None]
) -> None:
    found = categories_of(said)
    assert [None if one.category is None else one.category.name for one in found] == meant
    assert ", ".join(one.said for one in found) == said.replace(";", ",")


def test_categories_come_as_lists_and_objects_too() -> None:
    review = only(media(mediaAuthenticityCategory=[["Original"], {"@id": "https://schema.org/StagedContent"}, None]))
    assert [one.category for one in review.categories] == [MediaCategory.ORIGINAL, MediaCategory.STAGED]


@pytest.mark.parametrize(
    "written",
    [
        {"sha256": [ONE, TWO]},
        {"sha256sum": f"{ONE} {TWO}"},
        {"sha256sum": [f"{ONE}  one.jpg", f"{TWO} *two.jpg"]},
        {"sha256": ONE, "sha256sum": [TWO, ONE]},
    ],
)
def test_digests_are_found_in_lists_and_as_sha256sum_prints_them(written: dict[str, Any]) -> None:
    assert only(media(itemReviewed=item(**written))).appearances[0].sha256 == (ONE, TWO)


def test_what_is_no_digest_stays_verbatim() -> None:
    (seen,) = only(media(itemReviewed=item(sha256=[ONE, "unknown"], sha256sum="f" * 65))).appearances
    assert seen.sha256 == (ONE,)
    assert seen.other == {"sha256": [ONE, "unknown"], "sha256sum": "f" * 65}


@pytest.mark.parametrize(
    "reviewed",
    [
        {"@type": "ImageObject", "contentUrl": "https://social.example/1.jpg"},
        [{"@type": "MediaReviewItem", "appearance": [{"contentUrl": "https://social.example/1.jpg"}, None]}],
        {"@type": "MediaReviewItem", "mediaItemAppearance": {"contentUrl": "https://social.example/1.jpg"}},
        {"@type": "CreativeWork", "schema:associatedMedia": {"schema:contentUrl": "https://social.example/1.jpg"}},
    ],
)
def test_the_media_is_found_wherever_feeds_put_it(reviewed: object) -> None:
    assert [one.content_url for one in only(media(itemReviewed=reviewed)).appearances] == [
        "https://social.example/1.jpg"
    ]


def test_what_nobody_knows_and_what_cannot_be_used_is_kept_verbatim() -> None:
    strange = {"a": [1, {"b": None}]}
    review = only(
        media(
            datePublished="yesterday",
            url="javascript:alert(1)",
            strange=strange,
            author=[{"name": "One", "employee": 3}, {"name": "Two"}],
            itemReviewed=item(contentUrl="file:///etc/passwd", strange=strange) | {"interpretedAsClaim": "x"},
        )
    )
    assert (review.published_at, review.url) == (None, None)
    assert review.author == Party("One", None, {"employee": 3})
    assert review.other["datePublished"] == "yesterday"
    assert review.other["url"] == "javascript:alert(1)"
    assert review.other["strange"] == strange
    assert review.other["author"][1] == {"name": "Two"}
    assert review.other["itemReviewed"] == [{"interpretedAsClaim": "x"}]
    assert review.appearances[0].content_url is None
    assert review.appearances[0].other == {"contentUrl": "file:///etc/passwd", "strange": strange}


def test_a_claim_review_is_read_whole() -> None:
    review = only_claim(
        {
            "@type": ["Review", "http://schema.org/ClaimReview"],
            "url": "https://check.example/2",
            "claimReviewed": "The photo shows a flood.",
            "author": {"name": "Example Check"},
            "reviewRating": {"alternateName": "False", "ratingValue": 1, "bestRating": "5", "ratingExplanation": "old"},
            "itemReviewed": {
                "@type": "Claim",
                "author": {"name": "Somebody"},
                "datePublished": "2026-01-02",
                "firstAppearance": {"@type": "ImageObject", "url": "https://social.example/2", "sha256": ONE},
                "appearance": ["https://social.example/3", "a leaflet"],
            },
        }
    )
    assert review.claim == "The photo shows a flood."
    assert review.claimed_by == Party("Somebody", None)
    assert review.claimed_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert review.rating is not None
    assert (review.rating.text, review.rating.value, review.rating.best) == ("False", "1", "5")
    assert review.rating.other == {"ratingExplanation": "old"}
    assert {one.url for one in review.appearances} == {"https://social.example/2", "https://social.example/3", None}
    assert next(one for one in review.appearances if one.url is None).other == {"name": "a leaflet"}


def test_feeds_with_nested_lists_nulls_and_envelopes_are_read() -> None:
    feed = {
        "@type": "DataFeed",
        "dataFeedElement": [
            {"@type": "DataFeedItem", "item": [{"@type": "ClaimReview", "claimReviewed": "one", "author": None}, None]},
            None,
            {"item": [[media(url="https://check.example/3")]]},
        ],
    }
    webhook = {"event": "updated", "claim_review": {"claimReviewed": "two"}}
    read = read_reviews(json.dumps([feed, webhook]).encode("utf-16"))
    assert [type(one).__name__ for one in read.reviews] == ["ClaimReview", "MediaReview", "ClaimReview"]
    assert [one.claim for one in read.reviews if isinstance(one, ClaimReview)] == ["one", "two"]
    assert read.problems == ()


def test_objects_named_by_reference_are_found_in_the_graph() -> None:
    graph = {
        "@context": {"claimReviewed": "https://schema.org/claimReviewed"},
        "@graph": [
            media(**{"@id": "#review", "author": {"@id": "#desk"}, "itemReviewed": {"@id": "#media"}}),
            {"@id": "#desk", "name": "Example Check"},
            {"@id": "#media", "@type": "MediaReviewItem", "mediaItemAppearance": {"@id": "#image"}},
            {"@id": "#image", "@type": "ImageObject", "sha256": ONE},
        ],
    }
    review = only(graph)
    assert review.author == Party("Example Check", None)
    assert review.appearances[0].sha256 == (ONE,)


def test_a_reference_in_a_circle_ends() -> None:
    graph = [media(**{"@id": "#a", "itemReviewed": {"@id": "#a"}, "associatedClaimReview": {"@id": "#a"}})]
    assert only(graph).claim_reviews[0].appearances == ()


def test_all_blocks_of_a_page_are_read_and_a_broken_one_is_named() -> None:
    page = f"""<!doctype html><html><head><title>{{"@type":"MediaReview"}}</title>
    <script type="Application/LD+JSON; charset=utf-8">//<![CDATA[
    {json.dumps(media(url="https://check.example/4"))}
    //]]></script>
    <script>var x = {{"@type": "MediaReview"}}</script>
    <script type="application/ld+json">{{"@type": "ClaimReview", </script>
    <script type="application/ld+json">{{"@type": "ClaimReview", "claimReviewed": "a <b> &amp; c"}}</script>
    <script type="application/ld+json">{json.dumps(media(url="https://check.example/4"))}</script>
    """
    read = read_reviews(page)
    assert [one.url for one in read.reviews if isinstance(one, MediaReview)] == ["https://check.example/4"]
    assert [one.claim for one in read.reviews if isinstance(one, ClaimReview)] == ["a <b> &amp; c"]
    assert len(read.problems) == 1
    assert "block at line 6 cannot be read" in read.problems[0]


WRAPPED = {
    "CDATA lines and a semicolon": "//<![CDATA[\n%s;\n//]]>",
    "CDATA in block comments": "/* <![CDATA[ */\n%s\n/* ]]> */",
    "CDATA in comments without blanks": "/*<![CDATA[*/%s/*]]>*/",
    "CDATA alone": "<![CDATA[%s]]>",
    "CDATA on one line": "// <![CDATA[ %s // ]]>",
    "a semicolon": "%s;",
    "a comment line before": "// claim review\n%s",
    "a comment with quotes before": '/* the "claim" */ %s',
    "an HTML comment behind": "%s\n<!-- end of schema -->",
    "an HTML comment around": "<!--\n%s\n//-->",
    "an HTML comment around with words": "<!--\n// claim\n%s\n-->",
    "blanks that JSON has not": "\ufeff\u00a0%s\u00a0\u200b",
    "a value before": '{"@type": "Organization"}\n%s',
    "a comma behind": "%s,",
}


@pytest.mark.parametrize("wrapping", WRAPPED.values(), ids=WRAPPED.keys())
def test_reviews_are_read_however_content_systems_wrap_them(wrapping: str) -> None:
    claim = json.dumps(
        {"@type": "ClaimReview", "claimReviewed": "a // b /* c */ <!-- d --> ; ,] é"}, ensure_ascii=False
    )
    (review,) = read_reviews(f"<script type='application/ld+json' class='x'>{wrapping % claim}</script>").reviews
    assert isinstance(review, ClaimReview)
    assert review.claim == "a // b /* c */ <!-- d --> ; ,] é"


@pytest.mark.parametrize(
    ("block", "claim"),
    [
        ('{"@type": "ClaimReview", "claimReviewed": "one\ntwo",}', "one\ntwo"),
        ('{"@type": ["ClaimReview",], "claimReviewed": "it\\\'s \\x"}', "it's \\x"),
        (
            "{&quot;@type&quot;: &quot;ClaimReview&quot;, &quot;claimReviewed&quot;: &quot;a &amp;amp; b&quot;}",
            "a &amp; b",
        ),
        ('{"@type":\u00a0"ClaimReview", "claimReviewed": "a\u00a0b", "x": NaN}', "a\u00a0b"),
        ('{"@graph": [{"@type": "WebPage"}, {"@type": "ClaimReview", "claimReviewed": "c"},]}', "c"),
        ('[{"@type": "ClaimReview", "claimReviewed": "c"}]', "c"),
    ],
)
def test_small_faults_of_templates_cost_no_review(block: str, claim: str) -> None:
    read = read_reviews(f'<SCRIPT  class="a" TYPE = "application/ld&#x2B;json" >{block}</SCRIPT>')
    (review,) = read.reviews
    assert isinstance(review, ClaimReview)
    assert (review.claim, read.problems) == (claim, ())
    assert read_reviews(block).reviews == read.reviews


def test_a_block_that_is_broken_deep_or_cut_costs_only_itself() -> None:
    sound = '<script type=application/ld+json>{"@type": "ClaimReview", "claimReviewed": "c"}</script>'
    broken = [
        '{"@type": "ClaimReview", "claimReviewed": "it is "quoted" here"}',
        '{"a":' * 50 + "1" + "}" * 50,
        "[" * 100_000,
        '{"a": [1, 2}',
        "",
        "just words",
    ]
    blocks = "".join(f'<script type="application/ld+json">{block}</script>' for block in broken)
    read = read_reviews(f'<html>{blocks}\n{sound}\n<script type="application/ld+json">{{"@type": "ClaimReview", ')
    assert [one.claim for one in read.reviews if isinstance(one, ClaimReview)] == ["c"]
    assert len(read.problems) == len(broken) + 1
    assert "block at line 3 has no end" in read.problems[-1]


@pytest.mark.parametrize(
    "hostile", ['"a",', '"\\"', '\\"', "/*", "<!--", "&quot;", ", ", "/", "[", "\\", "-", '{"a":1},', '"', "*/", "]]>"]
)
def test_a_hostile_block_is_given_up_in_linear_time(hostile: str) -> None:
    read = read_reviews(f'<script type="application/ld+json">{hostile * (500_000 // len(hostile))}x</script>')
    assert (read.reviews, len(read.problems)) == ((), 1)


def test_a_page_without_reviews_holds_none() -> None:
    assert read_reviews("<html><body>nothing</body></html>").reviews == ()
    assert read_reviews('{"@type": "NewsArticle"}').reviews == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xd8\xff\xe0 a picture", "neither JSON-LD nor an HTML page"),
        ("", "neither JSON-LD nor an HTML page"),
        ("[" * 200_000, "nested too deeply"),
        (json.dumps([[[[media()]]]]).replace("[", "[" * 20).replace("]", "]" * 20), "nested more than 40 deep"),
        (" " * (64 * 2**20 + 1), "longer than 64 MiB"),
        ("<" * (8 * 2**20 + 1), "longer than 8 MiB"),
        ('{"@type": "ClaimReview", "position": ' + "9" * 10_000 + "}", "neither JSON-LD nor an HTML page"),
    ],
    ids=["picture", "empty", "deep", "deep lists", "long", "long page", "huge number"],
)
def test_what_is_no_document_is_refused_in_one_line(data: str | bytes, why: str) -> None:
    with pytest.raises(SourceError, match=why) as refusal:
        read_reviews(data)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300
