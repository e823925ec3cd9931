"""Laying a picture over a known one by its pixels alone, in all eight orientations."""

import pytest
from PIL import Image, ImageOps

from indexer.copies.verification.overlap import Overlap
from indexer.copies.verification.pixels import agreement
from indexer.copies.verification.registering import registered
from indexer.vocabulary import Relation
from tests.made_pictures import scene

KNOWN = scene(4)
TURNS = {0: None, 90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, -90: Image.Transpose.ROTATE_270}
"""How the known picture must be turned back, clockwise, after it was turned counter-clockwise."""


def laid(query: Image.Image, inner: tuple[int, int, int, int] | None = None) -> Overlap:
    overlap = registered(query, KNOWN, query.size, KNOWN.size, inner)
    assert overlap is not None
    return overlap


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", TURNS)
def test_all_orientations_are_laid_back(turned: int, mirrored: bool) -> None:
    turn = TURNS[turned]
    copy = KNOWN if turn is None else KNOWN.transpose(turn)
    copy = (ImageOps.mirror(copy) if mirrored else copy).reduce(2)
    page = Image.new("RGB", (copy.width + 60, copy.height + 100), "white")
    page.paste(copy, (20, 70))
    inner = 20, 70, 20 + copy.width, 70 + copy.height
    for query, part in ((copy, None), (page, inner)):
        overlap = laid(query, part)
        assert (overlap.mirrored, overlap.turned % 360) == (mirrored, pytest.approx(turned % 360, abs=1))
        assert overlap.query_box == pytest.approx(part or (0, 0, *copy.size), abs=2)
        assert overlap.known_share == pytest.approx(1, abs=0.02)
        assert overlap.scale == pytest.approx(2, rel=0.03)
        assert agreement(query, KNOWN, overlap, query.size, KNOWN.size).share > 0.95
        assert (overlap.relation, overlap.inliers, overlap.supported) == (Relation.SHARES_PART, 0, 0)


def test_a_picture_of_one_colour_is_laid_somewhere_and_agrees_with_nothing() -> None:
    blank = Image.new("RGB", (16, 400), "grey")
    overlap = registered(blank, KNOWN, blank.size, KNOWN.size)
    assert overlap is None or agreement(blank, KNOWN, overlap, blank.size, KNOWN.size).share < 0.1
