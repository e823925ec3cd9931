"""What fits nothing known, and what a campaign shares, read from a real catalogue."""

import pytest

from indexer.campaigns import cluster
from indexer.campaigns.novelty import Comparer, outside_campaigns, unlike_known
from indexer.campaigns.why import shared_traits
from indexer.catalog.campaigns import campaigns
from indexer.detector import ResolvedDetector, resolve
from indexer.errors import UsageError
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelValue, Trait
from tests.campaigns.shelves import Shelf, origin
from tests.made_pictures import png, recompressed


@pytest.fixture
def filled(shelf: Shelf) -> dict[str, str]:
    """A campaign of three, a fake that belongs to none, and three pictures nobody labelled; SHA-256 by name."""
    tele = [NewSighting(platform="Tele", account="@a"), NewSighting(platform="Tele", account="@b")]
    return {
        "one": shelf.add(png(1), origin(1, 0), seen=tele),
        "two": shelf.add(recompressed(1), origin(1, 1), seen=tele),
        "three": shelf.add(png(2), origin(1, 2), seen=[NewSighting(platform="Other")]),
        "alone": shelf.add(png(3), origin(3, 0), seen=[NewSighting(platform="Other")]),
        "copy": shelf.add(recompressed(3), origin(4, 0), LabelValue.UNKNOWN),
        "near": shelf.add(png(5), origin(1, 3), LabelValue.UNKNOWN),
        "new": shelf.add(png(6), origin(6, 0), LabelValue.UNKNOWN),
        "newer": shelf.add(png(7), origin(7, 0), LabelValue.UNKNOWN),
        "authentic": shelf.add(png(8), origin(8, 0), LabelValue.AUTHENTIC),
    }


@pytest.fixture
def trained(shelf: Shelf) -> ResolvedDetector:
    return resolve(shelf.settings.detector, shelf.settings)


def test_known_fakes_outside_campaigns_come_newest_first_page_by_page(shelf: Shelf, filled: dict[str, str]) -> None:
    before = outside_campaigns(shelf.catalog, 3)
    assert [one.image.sha256 for one in before.items] == [filled["alone"], filled["three"], filled["two"]]
    assert [one.image.sha256 for one in outside_campaigns(shelf.catalog, 3, before.next_cursor).items] == [
        filled["one"]
    ]
    cluster(shelf.catalog, shelf.index, shelf.settings)
    after = outside_campaigns(shelf.catalog, 3)
    assert [one.image.sha256 for one in after.items] == [filled["alone"]]
    assert after.next_cursor is None


def test_pictures_like_nothing_known_are_neither_copies_nor_of_one_origin(
    shelf: Shelf, filled: dict[str, str], trained: ResolvedDetector
) -> None:
    settings = shelf.settings.model_copy(update={"same_origin_min_cosine": 0.9})
    page = unlike_known(Comparer(shelf.catalog, shelf.index, trained, settings, None), 10)
    assert [one.image.sha256 for one in page.items] == [filled["newer"], filled["new"]]
    assert page.next_cursor is None
    assert all(one.p_fake == 0.5 and one.calibrated_p_fake is None for one in page.items)
    assert all(one.nearest is not None and one.cosine is not None and one.cosine < 0.9 for one in page.items)
    first = unlike_known(Comparer(shelf.catalog, shelf.index, trained, settings, None), 1)
    rest = unlike_known(Comparer(shelf.catalog, shelf.index, trained, settings, None), 5, first.next_cursor)
    assert [one.image.sha256 for one in (*first.items, *rest.items)] == [filled["newer"], filled["new"]]


def test_a_foreign_cursor_is_refused_and_an_empty_catalogue_has_nothing_new(
    shelf: Shelf, trained: ResolvedDetector
) -> None:
    with pytest.raises(UsageError, match="not a cursor"):
        outside_campaigns(shelf.catalog, 3, "nonsense")
    assert unlike_known(Comparer(shelf.catalog, shelf.index, trained, shelf.settings, None), 5).items == ()


def test_an_image_counts_once_for_a_trait_however_often_it_was_seen(shelf: Shelf, filled: dict[str, str]) -> None:
    cluster(shelf.catalog, shelf.index, shelf.settings)
    with shelf.catalog.reading() as session:
        (campaign,) = campaigns.page(session, limit=5).items
        found = {(one.trait, one.value): one for one in shared_traits(session, campaign.id)}
    assert campaign.size == 3
    assert (found[Trait.PLATFORM, "Tele"].images, found[Trait.PLATFORM, "Tele"].of) == (2, 3)
    assert (found[Trait.PLATFORM, "Tele"].elsewhere, found[Trait.PLATFORM, "Tele"].of_elsewhere) == (0, 1)
    assert (Trait.PLATFORM, "Other") not in found
    technique = found[Trait.TECHNIQUE, "text_to_image"]
    assert (technique.images, technique.elsewhere, technique.over_represented) == (3, 1, False)
