"""MediaReview of the catalogue: strict terms, and no category under anybody's name that did not sign it off."""

import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog import Catalog
from indexer.catalog.images import images, labels
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.labels import NewLabel
from indexer.cli.app import run
from indexer.errors import UsageError
from indexer.exchange import SignOff, export_images, read_reviews
from indexer.exchange.reviews import ClaimReview, MediaCategory, MediaReview, Party
from indexer.vocabulary import LabelSource, LabelValue
from tests.exchange.filled_catalogue import add_image, digest, seen_at

SIGNED = SignOff("Example Check", date(2026, 11, 24), "https://check.example")


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    """1 fake, 2 authentic, 3 unlabelled, 4 disputed."""
    with Catalog.open(database_url) as opened:
        with opened.writing() as session:
            add_image(session, 1)
            add_image(session, 2, said=LabelValue.AUTHENTIC)
            add_image(session, 3, said=None, seen=())
            add_image(session, 4)
        with opened.writing() as session:
            (image_id,) = images.find_ids(session, [digest(4)]).values()
            labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk two")])
        yield opened


def written(catalog: Catalog, sign_off: SignOff | None = None) -> str:
    stream = io.StringIO(newline="")
    export_images(catalog, ImageFilter(), "mediareview", stream, sign_off=sign_off)
    return stream.getvalue()


def by_digest(text: str) -> dict[str, dict[str, Any]]:
    items = [one["item"] for one in json.loads(text)["dataFeedElement"]]
    return {one["@id"].rpartition(":")[2]: one for one in items if one["@type"] == "MediaReview"}


def test_without_a_sign_off_every_category_is_a_suggestion_in_a_draft_without_author(catalog: Catalog) -> None:
    reviews = by_digest(written(catalog))
    assert sorted(reviews) == sorted(digest(number) for number in (1, 2, 3, 4))
    for review in reviews.values():
        assert review["creativeWorkStatus"] == "Draft"
        assert not {"mediaAuthenticityCategory", "author", "publisher", "datePublished"} & set(review)
    assert reviews[digest(1)]["dejafake:suggestedCategory"] == "TransformedContent"
    assert reviews[digest(1)]["dejafake:because"] == "labelled fake by desk one (human)"
    assert reviews[digest(2)]["dejafake:suggestedCategory"] == "OriginalMediaContent"
    for number, why in ((3, "nobody has labelled it"), (4, "its labels disagree")):
        assert "dejafake:suggestedCategory" not in reviews[digest(number)]
        assert reviews[digest(number)]["dejafake:because"] == why
    assert not [
        one for one in read_reviews(written(catalog)).reviews if isinstance(one, MediaReview) and one.categories
    ], "a reader of MediaReview must see no category"


def test_a_sign_off_puts_the_category_under_the_name_given_and_leaves_disputes_alone(catalog: Catalog) -> None:
    reviews = by_digest(written(catalog, SIGNED))
    for number, category in ((1, "TransformedContent"), (2, "OriginalMediaContent")):
        review = reviews[digest(number)]
        assert review["mediaAuthenticityCategory"] == category
        assert review["author"] == {"@type": "Organization", "name": "Example Check", "url": "https://check.example"}
        assert review["datePublished"] == "2026-11-24"
        assert "creativeWorkStatus" not in review
    for number in (3, 4):
        assert not {"mediaAuthenticityCategory", "author"} & set(reviews[digest(number)])


def test_what_is_written_is_read_back(catalog: Catalog) -> None:
    read = read_reviews(written(catalog, SIGNED))
    assert read.problems == ()
    signed = next(
        one for one in read.reviews if isinstance(one, MediaReview) and digest(1) in one.appearances[0].sha256
    )
    assert signed.author == Party("Example Check", "https://check.example")
    assert [one.category for one in signed.categories] == [MediaCategory.TRANSFORMED]
    (seen,) = signed.appearances
    assert (seen.content_url, seen.archived_at) == ("https://social.example/1", "https://archive.example/1")
    assert (seen.caption, seen.published_at) == ("caption 1", seen_at(1).posted_at)
    assert seen.other["encodingFormat"] == "image/jpeg"


def test_a_claim_is_handed_on_but_never_rated(catalog: Catalog) -> None:
    claims = [one for one in read_reviews(written(catalog, SIGNED)).reviews if isinstance(one, ClaimReview)]
    assert sorted(one.claim or "" for one in claims) == ["claim 1", "claim 2", "claim 4"]
    for one in claims:
        assert (one.author, one.rating) == (None, None)
        assert one.other["creativeWorkStatus"] == "Draft"


def test_what_outsiders_wrote_can_neither_leave_a_script_element_nor_become_an_address(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>&"
    with Catalog.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalog:
        with catalog.writing() as session:
            add_image(session, 1, by=hostile, seen=(seen_at(1, url="javascript:alert(1)", caption=hostile),))
        text = written(catalog)
    assert "<" not in text
    page = f'<script type="application/ld+json">{text}</script>'
    (review, *_) = [one for one in read_reviews(page).reviews if isinstance(one, MediaReview)]
    assert review.appearances[0].caption == hostile
    assert review.appearances[0].content_url is None
    assert "javascript" not in text


def test_the_same_catalogue_gives_the_same_bytes_and_an_empty_one_an_empty_feed(
    catalog: Catalog, tmp_path: Path
) -> None:
    assert written(catalog, SIGNED) == written(catalog, SIGNED)
    with Catalog.open(f"sqlite:///{tmp_path / 'empty.sqlite'}") as empty:
        assert json.loads(written(empty))["dataFeedElement"] == []


def test_a_sign_off_needs_a_name_an_address_of_the_web_and_a_format_that_has_categories(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="needs the name"):
        SignOff(" ", date(2026, 1, 1))
    with pytest.raises(UsageError, match="must start with http"):
        SignOff("Example Check", date(2026, 1, 1), "javascript:alert(1)")
    with pytest.raises(UsageError, match="nothing to sign off in csv"):
        export_images(catalog, ImageFilter(), "csv", io.StringIO(), sign_off=SIGNED)


def test_the_command_writes_suggestions_unless_it_is_told_who_signs_off(
    tmp_path: Path, untrained_detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    (tmp_path / "home").mkdir()
    with Catalog.open(f"sqlite:///{tmp_path / 'home' / 'catalogue.sqlite'}") as catalog, catalog.writing() as session:
        add_image(session, 1)
    assert run(["export", "--format", "mediareview"]) == 0
    assert "mediaAuthenticityCategory" not in capsys.readouterr().out
    signed = ["--signed-off-by", "Example Check", "--signed-off-on", "2026-11-24"]
    assert run(["export", "--format", "mediareview", *signed]) == 0
    review = by_digest(capsys.readouterr().out)[digest(1)]
    assert (review["author"]["name"], review["datePublished"]) == ("Example Check", "2026-11-24")
    assert run(["export", "--format", "mediareview", "--signed-off-url", "https://check.example"]) == 2
    assert "--signed-off-by" in capsys.readouterr().err
