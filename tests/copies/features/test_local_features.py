"""Taking local features of pictures: how many, where, and mirrored."""

import numpy as np
from PIL import Image, ImageOps

from indexer.copies.features import FEATURES_AN_IMAGE
from indexer.copies.features.sift import features_of, query_features
from tests.made_pictures import scene


def test_features_are_few_and_spread_over_the_picture() -> None:
    picture = Image.new("RGB", (480, 360), "grey")
    picture.paste(scene(1).crop((0, 0, 240, 360)), (0, 0))
    picture.paste(scene(2).resize((60, 45)), (400, 300))
    found = features_of(picture)
    assert len(found) == FEATURES_AN_IMAGE
    assert found.descriptors.dtype == np.uint8
    assert found.descriptors.shape == (FEATURES_AN_IMAGE, 128)
    in_the_corner = (found.points > np.array([390, 290])).all(axis=1)
    assert 5 <= np.count_nonzero(in_the_corner) <= 60, "a small part has its share"


def test_points_and_scales_are_in_pixels_of_the_whole_picture() -> None:
    small, large = features_of(scene(3)), features_of(scene(3).resize((1_920, 1_440), Image.Resampling.LANCZOS))
    assert large.size == (1_920, 1_440)
    assert large.points.max() > 1_000
    assert 2 < np.median(large.scales) / np.median(small.scales) < 5


def test_mirrored_features_are_those_of_the_mirrored_picture() -> None:
    derived = query_features(scene(4)).mirrored
    taken = query_features(ImageOps.mirror(scene(4))).upright
    apart = np.linalg.norm(derived.points[:, None] - taken.points[None], axis=2)
    turned = np.abs((derived.angles[:, None] - taken.angles[None] + np.pi) % (2 * np.pi) - np.pi)
    same = (apart < 1.5) & (turned < 0.1) & (np.abs(np.log(derived.scales[:, None] / taken.scales[None])) < 0.1)
    rows, columns = np.nonzero(same)
    assert len(np.unique(rows)) > 0.7 * len(derived)
    difference = derived.descriptors[rows].astype(float) - taken.descriptors[columns].astype(float)
    assert np.median(np.linalg.norm(difference, axis=1)) < 40, "of 255; unrelated ones are about 180 apart"


def test_flat_tiny_and_narrow_pictures_have_few_features_or_none() -> None:
    for picture in (
        Image.new("RGB", (640, 480), "white"),
        Image.new("RGB", (16, 16), "red"),
        Image.new("RGB", (30_000, 40), "blue"),
    ):
        assert len(features_of(picture)) == len(query_features(picture).mirrored) == 0
    narrow = Image.effect_noise((30_000, 40), 80).convert("RGB")
    assert len(query_features(narrow).upright) <= 300
    assert features_of(scene(1).resize((16, 16))).points.shape[1] == 2
