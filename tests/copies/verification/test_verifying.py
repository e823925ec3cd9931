"""Verifying copies: what is the same picture, what only shares a part, and where one lies in the other."""

import random

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from indexer.copies.features import LocalFeatures, QueryFeatures
from indexer.copies.features.sift import features_of, query_features
from indexer.copies.verification.overlap import Overlap
from indexer.copies.verification.verifying import verify, verify_all
from indexer.vocabulary import Relation
from tests.made_pictures import scene


def overlap(query: Image.Image, known: Image.Image) -> Overlap:
    found = verify(query_features(query), features_of(known))
    assert found is not None
    return found


def through(overlap: Overlap, x: float, y: float) -> tuple[float, float]:
    a, b, w = np.reshape(overlap.to_known, (3, 3)) @ np.array([x, y, 1.0])
    return float(a / w), float(b / w)


def test_a_crop_is_the_same_picture_and_its_place_is_told() -> None:
    known = scene(1)
    box = (100, 60, 420, 300)
    found = overlap(known.crop(box).resize((640, 480), Image.Resampling.LANCZOS), known)
    assert found.relation is Relation.SAME_PICTURE
    assert found.known_box == pytest.approx(box, abs=4)
    assert found.query_box == pytest.approx((0, 0, 640, 480), abs=4)
    assert found.scale == pytest.approx(0.5, rel=0.02)
    assert found.query_share == pytest.approx(1, abs=0.03)
    assert found.known_share == pytest.approx(320 * 240 / (known.width * known.height), rel=0.05)
    assert (found.turned, found.mirrored) == (pytest.approx(0, abs=1), False)
    assert through(found, 320, 240) == pytest.approx((260, 180), abs=3)


def test_a_mirrored_picture_in_a_larger_one_is_placed_by_pixels_of_the_picture_asked() -> None:
    known = scene(2)
    canvas = Image.new("RGB", (known.width + 200, known.height + 60), "white")
    canvas.paste(ImageOps.mirror(known), (150, 40))
    found = overlap(canvas, known)
    assert (found.relation, found.mirrored) == (Relation.SAME_PICTURE, True)
    assert found.query_box == pytest.approx((150, 40, 150 + known.width, 40 + known.height), abs=4)
    assert through(found, 150, 40) == pytest.approx((known.width - 1, 0), abs=4)


def test_a_turned_picture_is_turned_back_by_the_transform() -> None:
    known = scene(3)
    found = overlap(known.rotate(-30, Image.Resampling.BICUBIC, expand=True), known)
    assert found.relation is Relation.SAME_PICTURE
    assert found.turned == pytest.approx(-30, abs=1)
    assert found.known_share == pytest.approx(1, abs=0.02)


def test_one_picture_of_a_collage_is_a_part() -> None:
    size = scene(1).size
    collage = Image.new("RGB", (2 * size[0], 2 * size[1]))
    for number in range(4):
        collage.paste(scene(10 + number), (number % 2 * size[0], number // 2 * size[1]))
    found = overlap(collage, scene(12))
    assert found.relation is Relation.SHARES_PART
    assert found.query_box == pytest.approx((0, size[1], size[0], 2 * size[1]), abs=6)
    assert found.query_share == pytest.approx(0.25, abs=0.02)


def test_the_same_frame_around_another_picture_is_a_part_at_most() -> None:
    frame = scene(20).resize((640, 480))
    pictures = []
    for seed in (21, 22):
        framed = frame.copy()
        framed.paste(scene(seed).resize((520, 390)), (60, 45))
        pictures.append(framed)
    found = verify(query_features(pictures[0]), features_of(pictures[1]))
    assert found is None or found.relation is Relation.SHARES_PART


def test_another_post_in_the_same_application_is_a_part_at_most() -> None:
    posts = []
    for seed in (23, 24):
        post = scene(20).resize((480, 720))
        post.paste(scene(seed).resize((400, 300)), (40, 80))
        posts.append(post)
    query, known = query_features(posts[0]), features_of(posts[1])
    found = verify_all(query, [known], (40, 80, 440, 380))[0]
    assert found is not None
    assert found.relation is Relation.SHARES_PART
    assert found.supported < 0.3
    itself = verify_all(query, [features_of(posts[0])], (40, 80, 440, 380))[0]
    assert itself is not None
    assert itself.relation is Relation.SAME_PICTURE


def test_other_pictures_and_pictures_without_features_have_nothing_in_common() -> None:
    query = query_features(scene(5))
    blank = features_of(Image.new("RGB", (300, 200), "white"))
    known = [features_of(scene(seed)) for seed in range(30, 40)]
    assert verify_all(query, [*known, blank]) == [None] * 11
    assert verify(query_features(Image.new("RGB", (64, 64))), known[0]) is None
    assert verify_all(query, []) == []


def test_a_repeating_pattern_proves_nothing() -> None:
    walls = []
    for seed in (1, 2):
        wall, chance = Image.new("RGB", (480, 360), (200, 195, 185)), random.Random(seed)
        draw = ImageDraw.Draw(wall)
        for row in range(18):
            for column in range(-1, 12):
                left, shade = column * 44 + row % 2 * 22, chance.randrange(110, 170)
                draw.rectangle((left + 2, row * 20 + 2, left + 41, row * 20 + 17), fill=(shade, shade // 2, shade // 3))
        walls.append(wall)
    assert verify(query_features(walls[0]), features_of(walls[1])) is None
    board = Image.effect_mandelbrot((60, 60), (-2, -1, 1, 1), 40).convert("RGB")
    tiles = Image.new("RGB", (600, 480))
    for left in range(0, 600, 60):
        for top in range(0, 480, 60):
            tiles.paste(board, (left, top))
    assert verify(query_features(tiles), features_of(tiles.crop((30, 20, 500, 400)))) is None


def test_a_picture_that_contains_itself_is_still_found() -> None:
    known = scene(7)
    twice = Image.new("RGB", (known.width * 2, known.height))
    twice.paste(known, (0, 0))
    twice.paste(known, (known.width, 0))
    found = overlap(twice, known)
    assert found.relation is Relation.SAME_PICTURE
    assert found.query_share == pytest.approx(0.5, abs=0.02)


def test_what_lies_around_the_inner_picture_of_a_screenshot_does_not_count() -> None:
    known = scene(8).resize((480, 270))
    shot = Image.new("RGB", (480, 1_000), "white")
    shot.paste(known, (0, 300))
    query, features = query_features(shot), features_of(known)
    whole, inner = verify_all(query, [features])[0], verify_all(query, [features], (0, 300, 480, 570))[0]
    assert whole is not None
    assert inner is not None
    assert (whole.relation, inner.relation) == (Relation.SHARES_PART, Relation.SAME_PICTURE)
    assert inner.query_share == whole.query_share == pytest.approx(0.27, abs=0.02)


def test_a_squeezed_picture_seen_at_a_slant_is_placed_to_a_few_pixels() -> None:
    known = scene(9, (640, 480))
    corners = ((40, 30), (560, 60), (600, 400), (20, 420))
    coefficients = cv2.getPerspectiveTransform(
        np.array(((0, 0), (640, 0), (640, 480), (0, 480)), np.float32), np.array(corners, np.float32)
    )
    slanted = Image.fromarray(cv2.warpPerspective(np.asarray(known), coefficients, (640, 440), flags=cv2.INTER_AREA))
    found = overlap(slanted, known)
    assert found.relation is Relation.SAME_PICTURE
    for corner, place in zip(corners, ((0, 0), (640, 0), (640, 480), (0, 480)), strict=True):
        assert through(found, *corner) == pytest.approx(place, abs=14)


def test_features_of_no_sense_prove_nothing() -> None:
    chance = np.random.default_rng(0)
    places, angles = chance.random((300, 2)).astype(np.float32), chance.random(300).astype(np.float32)
    codes = chance.integers(0, 60, (300, 128)).astype(np.uint8)
    sizes = np.full(300, 4, np.float32)
    sound = LocalFeatures((640, 480), places * np.float32(480), sizes, angles, codes)
    known = [
        LocalFeatures((640, 480), places * 0, sizes, angles, codes),
        LocalFeatures((640, 480), places * np.array([480, 0], np.float32), sizes, angles, codes),
        LocalFeatures((640, 480), sound.points, sizes * 0, angles, codes),
        LocalFeatures((640, 480), sound.points, sizes, angles, codes * 0),
        LocalFeatures((65_535, 1), places, sizes, angles, codes[::-1]),
        LocalFeatures((1, 1), places[:3], sizes[:3], angles[:3], codes[:3]),
    ]
    assert verify_all(QueryFeatures(sound, sound.mirrored()), known) == [None] * 6
    same = LocalFeatures((640, 480), sound.points, sizes, angles, codes * 0)
    assert verify(QueryFeatures(same, same.mirrored()), same.rows(np.arange(299, -1, -1))) is None


def test_many_known_pictures_are_answered_as_each_alone() -> None:
    query = query_features(scene(6).crop((40, 40, 440, 340)))
    known: list[LocalFeatures] = [features_of(scene(seed)) for seed in (40, 6, 41)]
    together = verify_all(query, known)
    assert together == [verify(query, one) for one in known]
    assert [found is not None for found in together] == [False, True, False]
