"""An edit stands out where it is; a re-share, whatever it did to the whole picture, shows nothing."""

from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageOps

from indexer.examine.difference.difference import WORKING_SIDE, Difference, find_difference
from indexer.examine.difference.finding import LIMIT_DIRECTION
from tests.examine.difference.altered_pictures import altered, captioned, iou, jpeg, noise, photograph, spliced

BOX = (250, 90, 340, 170)


@cache
def edited() -> Difference:
    return find_difference(photograph(), jpeg(spliced(photograph(), BOX)[0], 75))


@pytest.mark.parametrize(
    "name", ["jpeg50", "downscale60", "crop10", "mirror", "colour_shift", "screenshot_border", "caption_bar"]
)
def test_a_re_share_shows_nothing(name: str) -> None:
    finding = find_difference(photograph(), altered(name, photograph())).finding
    assert finding.registered
    assert (finding.regions, finding.share) == ((), 0.0)
    assert finding.mirrored == (name == "mirror")
    assert any(said.startswith("No local difference was found. That does not exclude") for said in finding.statements)


def test_a_black_and_white_copy_shows_nothing() -> None:
    copy = jpeg(ImageOps.grayscale(photograph()).convert("RGB"))
    for a, b in ((photograph(), copy), (copy, photograph())):
        assert find_difference(a, b).finding.regions == ()


def test_a_spliced_region_is_found_where_it_is() -> None:
    found, truth = edited(), spliced(photograph(), BOX)[1]
    assert found.overlay is not None
    assert found.overlay.mask.shape == truth.shape
    assert iou(found.overlay.mask, truth) > 0.6
    (region,) = found.finding.regions
    assert np.abs(np.array(region.box_a) - BOX).max() <= 8
    assert found.finding.share == pytest.approx(found.overlay.mask.sum() / found.overlay.shared.sum())
    assert found.finding.statements[0] == f"They differ in 1 region, {found.finding.share:.1%} of the shared area."
    assert LIMIT_DIRECTION in found.finding.statements


def test_written_text_is_found_as_one_line() -> None:
    picture, truth = captioned(photograph(), (40, 230))
    found = find_difference(photograph(), jpeg(picture))
    assert found.overlay is not None
    assert len(found.finding.regions) == 1
    assert iou(found.overlay.mask, truth) > 0.5


def test_boxes_are_in_pixels_of_each_upright_picture() -> None:
    picture = photograph().resize((1353, 900))
    made, _ = spliced(picture, tuple(3 * edge for edge in BOX))
    copy = jpeg(ImageOps.mirror(made.crop((200, 100, 1353, 900))).resize((576, 400)))
    finding = find_difference(picture, copy).finding
    assert finding.mirrored
    (region,) = finding.regions
    assert np.abs(np.array(region.box_a) - 3 * np.array(BOX)).max() <= 24
    left, top, right, bottom = BOX
    expected = np.array([(1353 - 3 * right), (3 * top - 100), (1353 - 3 * left), (3 * bottom - 100)]) / 2
    assert np.abs(np.array(region.box_b) - expected).max() <= 12
    assert finding.shown_of_a == pytest.approx(1153 * 800 / (1353 * 900), abs=0.01)
    assert finding.shown_of_b == pytest.approx(1.0, abs=0.01)
    assert any(
        said.endswith("of A lies outside of what B shows: a crop, a border or a caption.")
        for said in finding.statements
    )


def test_what_a_border_adds_is_told_apart_from_what_differs() -> None:
    canvas = Image.new("RGB", (451, 400), "white")
    canvas.paste(photograph(), (0, 100))
    finding = find_difference(photograph(), jpeg(canvas)).finding
    assert finding.regions == ()
    assert finding.shown_of_b == pytest.approx(0.75, abs=0.01)
    assert finding.statements[-1].endswith("of B lies outside of what A shows: a crop, a border or a caption.")


def test_pictures_that_share_only_a_part_are_said_to() -> None:
    one, other = noise(1, (400, 300)), noise(2, (400, 300))
    other.paste(one.crop((0, 0, 130, 300)), (0, 0))
    finding = find_difference(one, other).finding
    assert finding.registered
    assert (finding.share or 0) > 0.5
    assert "no more than a part in common" in finding.statements[0]


def test_pictures_that_cannot_be_laid_over_each_other_are_not_compared() -> None:
    found = find_difference(photograph(), noise(3, (400, 300)))
    assert found.overlay is None
    assert not found.finding.registered
    assert found.finding.share is None
    assert found.finding.reason is not None
    assert found.finding.statements == (f"The pictures were not compared for differences: {found.finding.reason}.",)


def test_the_same_input_gives_the_same_output() -> None:
    again = find_difference(photograph(), jpeg(spliced(photograph(), BOX)[0], 75))
    assert again.finding == edited().finding
    assert again.overlay is not None
    assert edited().overlay is not None
    np.testing.assert_array_equal(again.overlay.change, edited().overlay.change)


def test_large_and_odd_sizes_are_compared_within_bounds() -> None:
    large = photograph().resize((2255, 1500))
    found = find_difference(large, large)
    assert found.overlay is not None
    assert max(found.overlay.mask.shape) == WORKING_SIDE
    assert found.finding.regions == ()
    strip = noise(4, (3000, 16))
    assert isinstance(find_difference(strip, strip.resize((1500, 16))), Difference)
    tiny = noise(5, (16, 16))
    assert not find_difference(tiny, tiny).finding.registered
