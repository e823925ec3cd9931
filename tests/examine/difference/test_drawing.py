"""The drawing of a comparison is one PNG that says in words what it shows."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from indexer.examine.difference.difference import Difference, Overlay
from indexer.examine.difference.drawing import PANEL, draw
from indexer.examine.difference.finding import DifferenceFinding, not_compared
from tests.examine.difference.altered_pictures import noise

PICTURE = noise(1, (320, 240))


def overlay_of(picture: Image.Image) -> Overlay:
    pixels = np.asarray(picture)
    shared = np.ones(pixels.shape[:2], bool)
    shared[:, :20] = False
    mask = np.zeros_like(shared)
    mask[100:140, 200:260] = True
    return Overlay(pixels, pixels, shared, mask.astype(np.float32) * 9, mask, ((200, 100, 260, 140),))


def drawn(difference: Difference, b: Image.Image | None = PICTURE) -> Image.Image:
    page = Image.open(io.BytesIO(draw(difference, PICTURE, b)))
    assert page.format == "PNG"
    return page.convert("RGB")


def has(page: Image.Image, colour: tuple[int, int, int]) -> bool:
    return bool((np.asarray(page) == colour).all(axis=2).any())


def test_three_panels_a_box_and_a_legend() -> None:
    finding = DifferenceFinding(True, ("They differ in 1 region.",))
    page = drawn(Difference(finding, overlay_of(PICTURE)))
    assert page.width > 3 * 2 * PICTURE.width
    assert has(page, (255, 183, 3)), "the box"
    assert has(page, (214, 40, 57)), "the legend"
    higher = drawn(Difference(replace(finding, statements=("word " * 400,)), overlay_of(PICTURE)))
    assert higher.width == page.width
    assert higher.height > page.height, "long statements are broken into lines"


def test_panels_are_bounded() -> None:
    large = PICTURE.resize((1024, 768))
    page = drawn(Difference(DifferenceFinding(True, ("…",)), overlay_of(large)))
    assert page.width < 3 * PANEL + 120


def test_what_could_not_be_compared_stands_side_by_side_with_the_reason() -> None:
    refused = Difference(not_compared("they share only 3 points"), None)
    both, one = drawn(refused), drawn(refused, None)
    assert not has(both, (255, 183, 3))
    assert one.width < both.width
