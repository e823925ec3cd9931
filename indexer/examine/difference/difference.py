"""Where two pictures differ: the whole way from two pictures to mask, boxes and statements."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from indexer.arrays import Floats
from indexer.examine.difference.alignment import AlignedPair, Mask, Pixels, align
from indexer.examine.difference.change import change_map
from indexer.examine.difference.finding import Box, DifferenceFinding, Region, Row, not_compared, statements_on
from indexer.examine.difference.regions import Place, differing, least_pixels
from indexer.examine.difference.registration import Matrix, Refusal, Registration, mapped, register, resizing

WORKING_SIDE: Final = 1024
"""Pictures are compared at no more than this many pixels on the longer side …"""
REGISTERED_SIDE: Final = 768
"""… and laid over each other at no more than this: points are found to fractions of a pixel."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """Two pictures in one frame: A's, at the scale of the coarser of both, at most `WORKING_SIDE` long.

    `a` and `b` [height, width, 3] uint8 RGB, B laid over A; `shared` [height, width] where both show something;
    `change` [height, width] float32, at least 0, in multiples of the usual noise; `mask` [height, width] where they
    differ. `boxes` enclose the finding's regions, in their order, in pixels of the frame.
    """

    a: Pixels
    b: Pixels
    shared: Mask
    change: Floats
    mask: Mask
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a comparison of two pictures found; `overlay` is None when they could not be laid over each other."""

    finding: DifferenceFinding
    overlay: Overlay | None


def find_difference(a: Image.Image, b: Image.Image) -> Difference:
    """Lays B over A and tells where they differ. Both are upright, of mode RGB. The same input gives the same output.

    What no re-share or crop explains (another view, another picture) is refused: the finding says why.
    """
    registration = _registered(a, b)
    if isinstance(registration, Refusal):
        reason = f"the two could not be laid over each other, for {registration.reason}"
        return Difference(not_compared(reason, registration.inliers, registration.matches), None)
    pair = align(a, b, registration.homography, WORKING_SIDE)
    change = change_map(pair)
    mask, places = differing(change, pair.shared)
    boxes = tuple(region.box for region in places)
    overlay = Overlay(pair.a, pair.b, pair.shared, change, mask, boxes)
    return Difference(_finding(a.size, b.size, registration, pair, places), overlay)


def _registered(a: Image.Image, b: Image.Image) -> Registration | Refusal:
    small_a, small_b = _grey_copy(a), _grey_copy(b)
    registered = register(np.asarray(small_a, np.uint8), np.asarray(small_b, np.uint8))
    if isinstance(registered, Refusal):
        return registered
    homography = np.linalg.inv(resizing(b.size, small_b.size)) @ registered.homography @ resizing(a.size, small_a.size)
    return Registration(homography / homography[2, 2], registered.inliers, registered.matches, registered.mirrored)


def _grey_copy(picture: Image.Image) -> Image.Image:
    scale = min(1.0, REGISTERED_SIDE / max(picture.size))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return picture.convert("L")


def _finding(
    a: tuple[int, int], b: tuple[int, int], registration: Registration, pair: AlignedPair, places: tuple[Place, ...]
) -> DifferenceFinding:
    shared = max(1, int(np.count_nonzero(pair.shared)))
    regions = tuple(
        Region(
            box_a=_box_in(region.box, pair.to_a, a),
            box_b=_box_in(region.box, pair.to_b, b),
            share=region.pixels / shared,
            strength=round(region.strength, 2),
        )
        for region in places
    )
    share = sum((region.share for region in regions), 0.0)
    scale = pair.shared.shape[1] / a[0]
    shown = registration.shown(a, b)
    return DifferenceFinding(
        registered=True,
        statements=statements_on(
            share, regions, shown, round(least_pixels(shared) ** 0.5 / scale), mirrored=registration.mirrored
        ),
        inliers=registration.inliers,
        matches=registration.matches,
        mirrored=registration.mirrored,
        homography=_rows(registration.homography),
        scale=scale,
        share=share,
        regions=regions,
        shown_of_a=shown[0],
        shown_of_b=shown[1],
    )


def _box_in(box: Box, matrix: Matrix, size: tuple[int, int]) -> Box:
    """A box of the frame as the upright box around it in a picture of `size`."""
    left, top, right, bottom = (edge - 0.5 for edge in box)
    outline = mapped(matrix, [[left, top], [right, top], [right, bottom], [left, bottom]]) + 0.5
    low, high = np.floor(outline.min(axis=0) + 0.01), np.ceil(outline.max(axis=0) - 0.01)
    limits = np.array(size)
    (x0, y0), (x1, y1) = np.clip(low, 0, limits - 1), np.clip(high, 1, limits)
    return int(x0), int(y0), int(x1), int(y1)


def _rows(matrix: Matrix) -> tuple[Row, Row, Row]:
    first, second, third = ((float(x), float(y), float(z)) for x, y, z in matrix)
    return first, second, third
