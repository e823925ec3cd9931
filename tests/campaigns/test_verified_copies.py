"""Altered copies that PDQ misses are one picture in a campaign; pictures that share a part are not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from indexer.campaigns import cluster
from indexer.campaigns.joining.after_ingest import join_campaigns
from indexer.campaigns.reasons import reason_words
from indexer.catalog.campaigns import awaiting, campaigns
from indexer.catalog.copies import local_features
from indexer.catalog.images import images
from indexer.catalog.records.campaigns import CampaignMember
from indexer.copies.features import FEATURES_FINGERPRINT, pack
from indexer.copies.features.sift import features_of
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.index import SearchIndex
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import ReasonKind
from tests.campaigns.shelves import Shelf, origin
from tests.made_pictures import encoded, scene
from tests.second_photographs import photographed_again

KNOWN = scene(1)
CROPS = (
    KNOWN,
    ImageOps.mirror(KNOWN.crop((60, 20, 420, 340))),
    KNOWN.crop((0, 60, 330, 360)),
)
CROP = KNOWN.crop((60, 20, 420, 340))
AGAIN = photographed_again(KNOWN, 14).crop((0, 60, 330, 360))
THRESHOLDS = Thresholds(max_distance=31, min_quality=50, min_cosine=None, trained=False)


class FeatureShelf(Shelf):
    """A shelf of an untrained detector whose pictures have local features, too."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, trained=False)
        self.index.close()
        self.index = SearchIndex(self.catalog, self.settings, self.fingerprint, features=FEATURES_FINGERPRINT)
        self._added = 0

    def put(self, picture: Image.Image, *, keep: bool = False) -> str:
        self._added += 1
        sha256 = self.add(encoded(picture), origin(self._added, 0), keep=keep)
        with self.catalog.writing() as session:
            image_id = images.find_ids(session, [sha256])[sha256]
            local_features.add(session, FEATURES_FINGERPRINT, [(image_id, pack(features_of(picture)))])
        return sha256


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[FeatureShelf]:
    made = FeatureShelf(tmp_path / "home")
    yield made
    made.close()


def members(shelf: FeatureShelf) -> dict[str, CampaignMember]:
    with shelf.catalog.reading() as session:
        return {
            member.sha256: member
            for campaign in campaigns.page(session, limit=9).items
            for member in campaigns.members(session, campaign.id, limit=9).items
        }


def pasted() -> Image.Image:
    """Another picture with a quarter of the known one in it."""
    picture = scene(2, (960, 720))
    picture.paste(KNOWN.crop((0, 0, 240, 180)), (500, 400))
    return picture


def test_crops_and_mirrored_crops_are_one_picture_and_a_shared_part_is_not(shelf: FeatureShelf) -> None:
    copies = {shelf.put(picture) for picture in CROPS}
    for picture in (pasted(), scene(2), scene(3)):
        shelf.put(picture)
    run = cluster(shelf.catalog, shelf.index, shelf.settings)
    assert run.campaigns == 1
    assert {*members(shelf)} == copies
    assert run.parameters["verified_copy_links"] >= 2
    assert run.parameters["same_picture_links"] == 0
    for member in members(shelf).values():
        (reason,) = member.reasons
        assert reason.kind is ReasonKind.VERIFIED_COPY
        assert reason.value is not None
        assert reason.value >= 8
        assert "features lie alike" in reason_words(reason)


def test_the_order_in_which_images_came_changes_nothing(shelf: FeatureShelf, tmp_path: Path) -> None:
    pictures = [*CROPS, pasted(), scene(2)]
    for picture in pictures:
        shelf.put(picture)
    other = FeatureShelf(tmp_path / "other")
    for picture in reversed(pictures):
        other.put(picture)
    try:
        runs = [cluster(each.catalog, each.index, each.settings) for each in (shelf, other)]
        assert [run.campaigns for run in runs] == [1, 1]
        assert {*members(shelf)} == {*members(other)}
    finally:
        other.close()


def test_an_altered_copy_joins_its_pictures_campaign_when_it_is_ingested(shelf: FeatureShelf) -> None:
    for picture in CROPS:
        shelf.put(picture)
    cluster(shelf.catalog, shelf.index, shelf.settings)
    late, stranger = shelf.put(KNOWN.crop((100, 0, 480, 300))), shelf.put(scene(4))
    with shelf.catalog.writing() as session:
        awaiting.add(session, [*images.find_ids(session, [late, stranger]).values()])
    (joined,) = join_campaigns(shelf.catalog, shelf.index, Thumbnails(shelf.settings), THRESHOLDS)
    assert joined.sha256 == late
    assert joined.reasons[0].kind is ReasonKind.VERIFIED_COPY
    assert stranger not in members(shelf)


def test_pixels_tell_a_second_photograph_of_a_place_from_a_copy(shelf: FeatureShelf) -> None:
    """Their features alone would link all three."""
    copies = {shelf.put(picture, keep=True) for picture in (KNOWN, CROP)}
    again = shelf.put(AGAIN, keep=True)
    cluster(shelf.catalog, shelf.index, shelf.settings.model_copy(update={"campaign_min_size": 2}))
    assert {*members(shelf)} == copies
    with shelf.catalog.writing() as session:
        awaiting.add(session, [*images.find_ids(session, [again]).values()])
    assert join_campaigns(shelf.catalog, shelf.index, Thumbnails(shelf.settings), THRESHOLDS) == ()


def test_without_thumbnails_features_decide_alone(shelf: FeatureShelf) -> None:
    pictures = {shelf.put(picture) for picture in (KNOWN, CROP, AGAIN)}
    cluster(shelf.catalog, shelf.index, shelf.settings)
    assert {*members(shelf)} == pictures
