"""Views of a query: the picture inside a frame, a screenshot or blurred sides, its halves and quarters."""

import random

import pytest
from PIL import Image, ImageDraw, ImageFilter

from indexer.copies.views import MOST_VIEWS, ViewKind, inner_box, views
from indexer.imaging.alterations import ALTERATIONS
from tests.made_pictures import scene


def test_the_picture_inside_a_screenshot_of_a_post_is_found_in_light_and_in_dark() -> None:
    shot = ALTERATIONS["screenshot_border"].change(scene(1), random.Random(1))
    unit, margin = 17, 8  # as that alteration takes them from the picture's width
    found = inner_box(shot)
    assert found == pytest.approx((margin, round(unit * 4.5), margin + 480, round(unit * 4.5) + 360), abs=4)
    dark = Image.eval(shot, lambda value: 255 - value)
    assert inner_box(dark) == pytest.approx(found, abs=4)


def test_pads_bars_and_captions_are_taken_off_one_after_the_other() -> None:
    captioned = Image.new("RGB", (480, 440), "white")
    captioned.paste(scene(2), (0, 80))
    ImageDraw.Draw(captioned).text((20, 20), "seen this morning near the station", fill="black", font_size=28)
    padded = Image.new("RGB", (700, 700), "black")
    padded.paste(captioned, (110, 130))
    boxes = [view.box for view in views(padded) if view.kind is ViewKind.INNER]
    assert boxes[0] == pytest.approx((110, 210, 590, 570), abs=4)
    assert boxes[1] == pytest.approx((110, 130, 590, 570), abs=4)


def test_blurred_sides_are_taken_off() -> None:
    picture = scene(3, (300, 400)).effect_spread(2)
    wide = picture.resize((700, 400)).filter(ImageFilter.GaussianBlur(20))
    wide.paste(picture, (200, 0))
    assert inner_box(wide) == pytest.approx((200, 0, 500, 400), abs=14)


def test_a_picture_without_a_frame_has_only_its_halves_and_quarters_as_views() -> None:
    picture = scene(4).effect_spread(3)
    cut = views(picture)
    assert [view.kind for view in cut] == [ViewKind.HALF] * 2 + [ViewKind.QUARTER] * 4
    assert [view.box for view in cut[:3]] == [(0, 0, 240, 360), (240, 0, 480, 360), (0, 0, 240, 180)]
    assert all(view.rgb.size == (view.box[2] - view.box[0], view.box[3] - view.box[1]) for view in cut)
    assert inner_box(picture) is None


def test_views_are_few_and_lie_inside_whatever_the_picture_is() -> None:
    for picture in (
        Image.new("RGB", (16, 16), "red"),
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (3_000, 40), "blue"),
        Image.new("RGB", (500, 400), "white"),
        Image.effect_noise((400, 3_000), 90).convert("RGB"),
    ):
        cut = views(picture)
        assert len(cut) <= MOST_VIEWS
        for view in cut:
            left, top, right, bottom = view.box
            assert 0 <= left < right <= picture.width
            assert 0 <= top < bottom <= picture.height
    assert len(views(scene(5), 2)) == 2
