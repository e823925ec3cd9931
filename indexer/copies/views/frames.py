"""Finds the picture inside a picture: without borders, bars, pads, blurred sides and the interface of a screenshot.

Around it lies what a frame is made of: one colour, with or without text and buttons on it, or a blurred copy.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from indexer.arrays import Floats
from indexer.copies.verification.overlap import Box

Pixels = npt.NDArray[np.uint8]

_LOOKED_AT: Final = 320
"""Longest side of the copy in which frames are looked for."""
_ROUNDS: Final = 3
"""A frame may lie in a frame: a padded screenshot of a picture with a caption bar."""
_LEAST_SIDE: Final = 24
"""A picture is not made smaller than this, in pixels of that copy, ..."""
_LEAST_AREA: Final = 0.03
"""... or of the picture's area."""
_RING: Final = 0.012
_OF_ONE_COLOUR: Final = 0.4
"""Least share of the outermost pixels that must have one colour for it to be a frame's."""
_OF_AN_EDGE: Final = 0.9
"""The same for the pixels along one edge: a caption's bar has one edge only."""
_JUMP: Final = 0.3
"""Least rise of the share of other colours from just outside a picture's edge to just inside."""
_NEAR: Final = 14
"""Largest difference of a channel between two pixels of one colour: JPEG blurs it."""
_FILLED: Final = 0.42
"""A row or column filled this far with other colours belongs to a picture; lines of text fill less."""
_GAP: Final = 0.02
_WORTH: Final = 0.985
_BLURRED: Final = 0.3
"""Detail at a blurred side, of that in the middle."""
_LEAST_SIDES: Final = 0.07


def framed_boxes(rgb: Image.Image) -> list[Box]:
    """What is left of a picture when frame after frame is taken off, each box inside the one before; none without."""
    shrink = min(1.0, _LOOKED_AT / max(rgb.size))
    size = max(1, round(rgb.width * shrink)), max(1, round(rgb.height * shrink))
    small = np.asarray(rgb.resize(size, Image.Resampling.BOX, reducing_gap=2.0))
    box = (0, 0, *size)
    boxes: list[Box] = []
    for _ in range(_ROUNDS):
        inner = _without_frame(_cut(small, box)) or _between_blurred_sides(_cut(small, box))
        if inner is None:
            break
        box = _inside(box, inner)
        if (box[2] - box[0]) * (box[3] - box[1]) < _LEAST_AREA * size[0] * size[1]:
            break
        boxes.append(_enlarged(box, rgb.width / size[0], rgb.height / size[1], rgb.size))
    return boxes


def _inside(box: Box, inner: Box) -> Box:
    """`inner`, which is told from the corner of `box`, without pixels that it shares with a frame."""
    width, height = box[2] - box[0], box[3] - box[1]
    left, top = inner[0] + (inner[0] > 0), inner[1] + (inner[1] > 0)
    right, bottom = inner[2] - (inner[2] < width), inner[3] - (inner[3] < height)
    return box[0] + left, box[1] + top, box[0] + right, box[1] + bottom


def _cut(pixels: Pixels, box: Box) -> Pixels:
    return pixels[box[1] : box[3], box[0] : box[2]]


def _without_frame(pixels: Pixels) -> Box | None:
    """The largest part of a picture [height, width, 3] that is not mostly of the colour along its edges."""
    height, width = pixels.shape[:2]
    if min(height, width) < 2 * _LEAST_SIDE:
        return None
    for colour in _edge_colours(pixels):
        inner = _other_than(pixels, colour)
        if inner is not None:
            return inner
    return None


def _other_than(pixels: Pixels, colour: npt.NDArray[np.int16]) -> Box | None:
    height, width = pixels.shape[:2]
    other = (np.abs(pixels.astype(np.int16) - colour).max(axis=2) > _NEAR).astype(np.float32)
    best: Box | None = None
    for top, bottom in _runs(_filled(other, axis=1)):
        for left, right in _runs(_filled(other[top:bottom], axis=0)):
            # a bar or a second picture beside this one lets its rows look fuller than they are
            for upper, lower in _runs(_filled(other[top:bottom, left:right], axis=1)):
                box = left, top + upper, right, top + lower
                if best is None or _area(box) > _area(best):
                    best = box
    if best is None or min(best[2] - best[0], best[3] - best[1]) < _LEAST_SIDE:
        return None
    return best if _area(best) < _WORTH * width * height and _straight(other, best) else None


def _straight(other: Floats, box: Box) -> bool:
    """Whether the picture begins at once along every edge where something was cut: one that only stands before a plain
    background has no such edges."""
    left, top, right, bottom = box
    rows, columns = other[:, left:right].mean(axis=1), other[top:bottom].mean(axis=0)
    for profile, start, end in ((rows, top, bottom), (columns, left, right)):
        for outside, inside in ((profile[:start][::-1], profile[start:end]), (profile[end:], profile[start:end][::-1])):
            if len(outside) > 2 and float(inside[1:4].mean() - outside[1:4].mean()) < _JUMP:
                return False
    return True


def _edge_colours(pixels: Pixels) -> Iterator[npt.NDArray[np.int16]]:
    """The colour of a good part of the outermost pixels, and those of nearly all pixels along one edge."""
    ring = max(1, round(_RING * max(pixels.shape[:2])))
    edges = [edge.reshape(-1, 3) for edge in (pixels[:ring], pixels[-ring:], pixels[:, :ring], pixels[:, -ring:])]
    for outer, least in ((np.concatenate(edges), _OF_ONE_COLOUR), *((edge, _OF_AN_EDGE) for edge in edges)):
        outermost = outer.astype(np.int16)
        coarse = (outermost // 16) @ np.array([256, 16, 1], np.int16)
        middle = np.median(outermost[coarse == np.bincount(coarse).argmax()], axis=0).astype(np.int16)
        if (np.abs(outermost - middle).max(axis=1) <= _NEAR).mean() >= least:
            yield middle


def _filled(other: Floats, axis: int) -> npt.NDArray[np.bool_]:
    return np.asarray(other.mean(axis=axis) >= _FILLED, np.bool_)


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Starts and ends of the longest runs of True, up to three; runs a small gap apart are one."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    runs: list[tuple[int, int]] = []
    for start, end in changes.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] <= _GAP * len(flags):
            runs[-1] = runs[-1][0], end
        else:
            runs.append((start, end))
    return sorted(runs, key=lambda run: run[0] - run[1])[:3]


def _between_blurred_sides(pixels: Pixels) -> Box | None:
    """A picture [height, width, 3] without two opposite sides that are blurred and equally wide."""
    height, width = pixels.shape[:2]
    grey = Image.fromarray(pixels).convert("L")
    detail = np.abs(np.asarray(grey, np.float32) - np.asarray(grey.filter(ImageFilter.GaussianBlur(1.5)), np.float32))
    for axis, length in ((0, width), (1, height)):
        profile = np.convolve(detail.mean(axis=axis), np.full(3, 1 / 3), "same")
        middle = float(np.median(profile[length // 3 : max(length // 3 + 1, length - length // 3)]))
        sharp = np.flatnonzero(profile > _BLURRED * middle)
        if middle < 1 or len(sharp) == 0:
            continue
        before, after = int(sharp[0]), length - 1 - int(sharp[-1])
        if min(before, after) < _LEAST_SIDES * length or abs(before - after) > 0.25 * max(before, after) + 2:
            continue
        if length - before - after < _LEAST_SIDE:
            continue
        return (before, 0, length - after, height) if axis == 0 else (0, before, width, length - after)
    return None


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _enlarged(box: Box, x: float, y: float, size: tuple[int, int]) -> Box:
    """In pixels of the whole picture; edges that were shared by two pixels of the small copy go to the frame."""
    left, top = min(size[0] - 1, int(np.ceil(box[0] * x))), min(size[1] - 1, int(np.ceil(box[1] * y)))
    return left, top, max(left + 1, int(box[2] * x)), max(top + 1, int(box[3] * y))
