"""Local features, the index over them, and verification: pure functions of pictures."""

import io

import numpy as np
import pytest
from made_pictures import encoded, scene
from PIL import Image

from indexer.regions import FeatureIndex, RegionFeatures, features_of, find_region, region_features
from indexer.regions import index as index_module

KNOWN = range(20)
CUT = (120, 90, 300, 250)
"""The part of a known picture that is pasted, scaled to four fifths, at 200, 60 of another one."""
BOX = (200, 60, 344, 188)


def pasted(source: int, target: int) -> Image.Image:
    """A picture with a part of another one in it, as JPEG makes it."""
    picture = scene(target)
    piece = scene(source).crop(CUT).resize((BOX[2] - BOX[0], BOX[3] - BOX[1]), Image.Resampling.LANCZOS)
    picture.paste(piece, BOX[:2])
    return Image.open(io.BytesIO(encoded(picture, "JPEG", quality=80)))


@pytest.fixture(scope="module")
def index() -> FeatureIndex:
    return FeatureIndex((seed, features_of(scene(seed), 96)) for seed in KNOWN)


def test_features_are_few_and_spread_over_the_picture() -> None:
    picture = Image.new("RGB", (480, 360), "grey")
    picture.paste(scene(1).crop((0, 0, 240, 360)), (0, 0))
    picture.paste(scene(2).resize((60, 45)), (400, 300))
    found = features_of(picture, 96)
    assert len(found) == 96
    assert found.descriptors.dtype == np.uint8
    assert found.descriptors.shape == (96, 128)
    in_the_corner = (found.points > np.array([390, 290])).all(axis=1)
    assert 5 <= np.count_nonzero(in_the_corner) <= 60, "a small part has its share"


def test_points_are_in_pixels_of_the_whole_picture() -> None:
    large = scene(3).resize((1_920, 1_440), Image.Resampling.LANCZOS)
    assert features_of(large, 96).points.max() > 1_000
    box = (1_000, 700, 1_500, 1_300)
    points = region_features(large, box).points
    assert (points >= np.array(box[:2]) - 1).all()
    assert (points <= np.array(box[2:]) + 1).all()


def test_a_pasted_region_finds_where_it_came_from_and_where_it_lay(index: FeatureIndex) -> None:
    found = 0
    for source in range(6):
        hits = find_region(index, region_features(pasted(source, source + 100), BOX), BOX)
        if hits and hits[0].image_id == source:
            found += 1
            assert np.abs(np.array(hits[0].box) - np.array(CUT)).max() < 20
            assert hits[0].inliers <= hits[0].matches
    assert found >= 5


def test_a_region_that_nobody_has_finds_nothing(index: FeatureIndex) -> None:
    for stranger in range(100, 110):
        assert find_region(index, region_features(scene(stranger), BOX), BOX) == []


def test_a_region_without_features_and_an_empty_index_find_nothing(index: FeatureIndex) -> None:
    plain = Image.new("RGB", (480, 360), "grey")
    assert find_region(index, region_features(plain, BOX), BOX) == []
    assert find_region(FeatureIndex([]), region_features(scene(1), BOX), BOX) == []
    assert len(FeatureIndex([(1, features_of(plain, 96))])) == 0


def test_inverted_lists_find_the_same(monkeypatch: pytest.MonkeyPatch, index: FeatureIndex) -> None:
    monkeypatch.setattr(index_module, "EXACT_FEATURES", 100)
    listed = FeatureIndex(((seed, features_of(scene(seed), 96)) for seed in KNOWN), threads=1)
    for source in range(3):
        query = region_features(pasted(source, source + 100), BOX)
        exact, inverted = find_region(index, query, BOX), find_region(listed, query, BOX)
        assert [hit.image_id for hit in inverted][:1] == [hit.image_id for hit in exact][:1] == [source]


def test_the_same_region_gives_the_same_answer(index: FeatureIndex) -> None:
    query = region_features(pasted(2, 102), BOX)
    assert find_region(index, query, BOX) == find_region(index, query, BOX)


def test_features_that_lie_otherwise_are_no_match(index: FeatureIndex) -> None:
    query = region_features(pasted(2, 102), BOX)
    shuffled = RegionFeatures(np.random.default_rng(1).permutation(query.points), query.descriptors)
    assert all(hit.image_id != 2 or hit.inliers < 8 for hit in find_region(index, shuffled, BOX))
