"""Which known pictures contain a region of another: pure functions of their local features."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from indexer.copies.features import LocalFeatures, QueryFeatures, pack, unpack
from indexer.copies.features.sift import features_of
from indexer.examine.regions import find_region, region_features
from tests.made_pictures import encoded, scene

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


Known = list[tuple[int, LocalFeatures]]


@pytest.fixture(scope="module")
def known() -> Known:
    return [(seed, unpack(pack(features_of(scene(seed))))) for seed in KNOWN]


def test_a_pasted_region_finds_where_it_came_from_and_where_it_lay(known: Known) -> None:
    found = 0
    for source in range(6):
        hits = find_region(known, region_features(pasted(source, source + 100), BOX), BOX)
        if hits and hits[0].image_id == source:
            found += 1
            assert np.abs(np.array(hits[0].box) - np.array(CUT)).max() < 20
            assert hits[0].inliers <= hits[0].matches
    assert found >= 5


def test_a_region_that_nobody_has_finds_nothing(known: Known) -> None:
    for stranger in range(100, 110):
        assert find_region(known, region_features(scene(stranger), BOX), BOX) == []


def test_a_region_without_features_and_no_candidates_find_nothing(known: Known) -> None:
    plain = Image.new("RGB", (480, 360), "grey")
    assert find_region(known, region_features(plain, BOX), BOX) == []
    assert find_region([], region_features(scene(1), BOX), BOX) == []
    assert find_region([(1, features_of(plain))], region_features(scene(1), BOX), BOX) == []


def test_the_same_region_gives_the_same_answer(known: Known) -> None:
    query = region_features(pasted(2, 102), BOX)
    assert find_region(known, query, BOX) == find_region(known, query, BOX)


def test_features_that_lie_otherwise_are_no_match(known: Known) -> None:
    query = region_features(pasted(2, 102), BOX)
    upright = replace(query.upright, points=np.random.default_rng(1).permutation(query.upright.points))
    shuffled = QueryFeatures(upright, query.mirrored)
    assert all(hit.image_id != 2 or hit.inliers < 8 for hit in find_region(known, shuffled, BOX))
