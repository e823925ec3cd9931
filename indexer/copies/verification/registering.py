"""Lays a picture over a known one by their pixels alone, where too few features lie alike: under stripes, a watermark
or a strong filter the picture is still where it was."""

from typing import Final

import cv2
import numpy as np
from PIL import Image

from indexer.arrays import Floats, Reals
from indexer.copies.verification.covering import covered
from indexer.copies.verification.fitting import jacobian, plausible
from indexer.copies.verification.overlap import Box, Homography, Overlap
from indexer.copies.verification.pixels import evened
from indexer.vocabulary import Relation

_SIDE: Final = 96
_STEPS: Final = 40
_TURNS: Final = (
    None,
    Image.Transpose.ROTATE_270,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_90,
)
"""By 0, 90, 180 and 270 degrees clockwise."""


def registered(
    query: Image.Image,
    known: Image.Image,
    query_size: tuple[int, int],
    known_size: tuple[int, int],
    inner: Box | None = None,
) -> Overlap | None:
    """Where a query lies in a known picture if it shows all of it, but for a thin edge, in one of eight orientations.

    It proves nothing by itself: the overlap is a shared part without features, `inliers` and `supported` are 0. The
    orientation whose pixels correlate most is refined as an affine map (ECC: Evangelidis and Psarakis, TPAMI 2008).

    Args:
        query, known: the upright pictures or smaller copies of them, of mode RGB.
        query_size, known_size: width and height of the pictures themselves.
        inner: the part of the query, in its pixels, that is laid; None: all of it.
    """
    box = inner or (0, 0, *query_size)
    x, y = query.width / query_size[0], query.height / query_size[1]
    part = query.crop((round(box[0] * x), round(box[1] * y), round(box[2] * x), round(box[3] * y)))
    if min(part.size) < 1:
        return None
    scale = _SIDE / max(known_size)
    frame = max(9, round(known_size[0] * scale)), max(9, round(known_size[1] * scale))
    below = _even(known, frame)
    best, turn, mirrored, above = -1.0, 0, False, below
    for flip in (False, True):
        side = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else part
        for number, transpose in enumerate(_TURNS):
            pixels = _even(side if transpose is None else side.transpose(transpose), frame)
            correlation = float((pixels * below).mean() / np.sqrt((pixels**2).mean() * (below**2).mean() + 1e-9))
            if correlation > best:
                best, turn, mirrored, above = correlation, number, flip, pixels
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, 1e-4)
    to_above = np.eye(2, 3, dtype=np.float32)
    try:
        everywhere = np.ones(below.shape, np.uint8)
        _, refined = cv2.findTransformECC(below, above, to_above.copy(), cv2.MOTION_AFFINE, until, everywhere, 5)
        to_above = np.asarray(refined, np.float32)
    except cv2.error:  # it does not converge: as it lies
        pass
    own, other = (box[2] - box[0], box[3] - box[1]), known_size
    # a pixel of the part, mirrored if it is; then of the frame; then of the known picture
    to_frame = _stretched(own if turn % 2 == 0 else (own[1], own[0]), frame) @ _turned(turn, own)
    back = np.linalg.inv(np.vstack([to_above.astype(np.float64), [0.0, 0.0, 1.0]]))
    width = query_size[0]
    corner = (width - box[2] if mirrored else box[0]), box[1]
    matrix = _stretched(frame, other) @ back @ to_frame @ _shifted(-corner[0], -corner[1])
    return _overlap(np.asarray(matrix, np.float64), query_size, known_size, mirrored=mirrored)


def _overlap(
    matrix: Reals, query_size: tuple[int, int], known_size: tuple[int, int], *, mirrored: bool
) -> Overlap | None:
    """`matrix` takes pixels of the query, mirrored left to right if `mirrored`, to those of the known picture."""
    width, height = query_size
    corners = np.array([[0, 0], [width, height]], np.float64)
    if not plausible(matrix, corners):
        return None
    in_known = covered(matrix, query_size, known_size)
    in_query = covered(np.asarray(np.linalg.inv(matrix), np.float64), known_size, query_size)
    if in_known is None or in_query is None:
        return None
    left, top, right, bottom = in_query.box
    around = jacobian(matrix, (width / 2, height / 2))
    flat = matrix @ np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]) if mirrored else matrix
    return Overlap(
        relation=Relation.SHARES_PART,
        to_known=_flat(np.asarray(flat / flat[2, 2], np.float64)),
        mirrored=mirrored,
        turned=float(np.degrees(np.arctan2(around[1, 0] - around[0, 1], around[0, 0] + around[1, 1]))),
        scale=float(np.sqrt(abs(np.linalg.det(around)))),
        inliers=0,
        matches=0,
        query_box=(width - right, top, width - left, bottom) if mirrored else in_query.box,
        known_box=in_known.box,
        query_share=in_query.share,
        known_share=in_known.share,
        supported=0.0,
    )


def _even(picture: Image.Image, size: tuple[int, int]) -> Floats:
    grey = np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX), np.float32)
    return evened(np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.8), np.float32))


def _stretched(size: tuple[int, int], other: tuple[int, int]) -> Reals:
    """Takes a pixel of a picture to that of the picture in another size."""
    x, y = other[0] / size[0], other[1] / size[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _turned(turn: int, size: tuple[int, int]) -> Reals:
    """Takes a pixel of a picture to that of the picture turned clockwise by so many quarters."""
    width, height = size
    return np.array(
        (
            [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]],
            [[0.0, -1, height - 1], [1, 0, 0], [0, 0, 1]],
            [[-1.0, 0, width - 1], [0, -1, height - 1], [0, 0, 1]],
            [[0.0, 1, 0], [-1, 0, width - 1], [0, 0, 1]],
        )[turn]
    )


def _shifted(x: float, y: float) -> Reals:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _flat(matrix: Reals) -> Homography:
    a, b, c, d, e, f, g, h, i = matrix.ravel().tolist()
    return a, b, c, d, e, f, g, h, i
