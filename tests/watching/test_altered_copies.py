"""Watches of a picture find altered copies by local features, and report no picture that only shares a part."""

from pathlib import Path

import pytest
from PIL import Image, ImageOps

from indexer.catalog import Catalog
from indexer.catalog.copies import local_features
from indexer.catalog.images import images
from indexer.catalog.records.watches import Watch, WatchedPicture
from indexer.catalog.watches import watches
from indexer.copies.features import FEATURES_FINGERPRINT, pack
from indexer.copies.features.sift import features_of
from indexer.files.media import MediaStore
from indexer.imaging.hashing import QueryHash
from indexer.imaging.thumbnails import make_thumbnail
from indexer.settings import Settings
from tests.made_pictures import scene
from tests.second_photographs import photographed_again
from tests.watching.watched_catalogue import add, digest, events, found, look, pdq

WATCHED = scene(1)


def add_picture(catalog: Catalog, number: int, picture: Image.Image, home: Path | None = None) -> str:
    """An image with the local features of a picture, and a hash that is like no other; with a thumbnail in `home`."""
    sha256 = add(catalog, number, hash_=pdq(number))
    if home is not None:
        MediaStore(Settings(home=home).thumbnails_dir).put(sha256, make_thumbnail(picture, 256))
    with catalog.writing() as session:
        codes = pack(features_of(picture))
        local_features.add(session, FEATURES_FINGERPRINT, [(images.find_ids(session, [sha256])[sha256], codes)])
    return sha256


def watch(catalog: Catalog, features: bytes | None) -> Watch:
    hashes = (QueryHash("original", pdq(7)),)
    picture = WatchedPicture(digest(7), hashes, 90, None, None, features, FEATURES_FINGERPRINT)
    with catalog.writing() as session:
        return watches.add_picture(session, "a picture", picture, most=10)


def pasted() -> Image.Image:
    """Another picture with a quarter of the watched one in it."""
    picture = scene(2, (960, 720))
    picture.paste(WATCHED.crop((0, 0, 240, 180)), (500, 400))
    return picture


def test_a_mirrored_crop_is_reported_with_its_place_and_a_shared_part_is_not(catalog: Catalog) -> None:
    watched = watch(catalog, pack(features_of(WATCHED)))
    crop = add_picture(catalog, 1, ImageOps.mirror(WATCHED.crop((60, 20, 420, 340))))
    add_picture(catalog, 2, scene(2))
    add_picture(catalog, 3, pasted())
    look(catalog)
    assert found(catalog, watched) == [(crop, "same_picture")]
    (event,) = events(catalog, watched)
    assert "cropped to 6" in event.statement
    assert "mirrored" in event.statement
    assert event.evidence["overlap"]["mirrored"]
    assert look(catalog).alerts == 0


def test_a_watch_without_features_takes_those_of_the_same_image_in_the_catalogue(catalog: Catalog) -> None:
    known = add_picture(catalog, 7, WATCHED)
    watched = watch(catalog, None)
    crop = add_picture(catalog, 1, WATCHED.crop((60, 20, 420, 340)))
    look(catalog)
    assert found(catalog, watched) == [(crop, "same_picture")]
    assert known == digest(7)


def test_pixels_tell_a_second_photograph_from_a_copy_where_the_watched_picture_is_in_the_catalogue(
    catalog: Catalog, tmp_path: Path
) -> None:
    again = photographed_again(WATCHED, 14).crop((60, 20, 420, 340))
    watched = watch(catalog, pack(features_of(WATCHED)))
    first = add_picture(catalog, 1, again, tmp_path)
    look(catalog, tmp_path)
    assert found(catalog, watched) == [(first, "same_picture")]  # by features alone: nobody has the watched picture
    add_picture(catalog, 7, WATCHED, tmp_path)
    watched = watch(catalog, None)
    add_picture(catalog, 2, again, tmp_path)
    crop = add_picture(catalog, 3, WATCHED.crop((60, 20, 420, 340)), tmp_path)
    look(catalog, tmp_path)
    assert found(catalog, watched) == [(crop, "same_picture")]


@pytest.mark.parametrize("features", [b"", b"no features", None])
def test_damaged_features_keep_no_watch_from_its_other_relations(catalog: Catalog, features: bytes | None) -> None:
    watched = watch(catalog, features)
    near = add(catalog, 5, hash_=pdq(7, flipped=3))
    look(catalog)
    assert found(catalog, watched) == [(near, "same_picture")]
