"""From a picture to the network's input in training: the same chain of resampling, JPEG and colour for every class.

Two views of one picture teach the embedding what a copy may change: both are cut, resized and compressed, and the
second is altered like a shared copy (caption, screenshot, harder JPEG and colours). Drawn here anew, not with the
alterations dejafake is measured with.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from indexer.detector.spec import IMAGE_SIZE
from indexer.detector.training.material import central_square, resize

Pixels = npt.NDArray[np.uint8]
Random = np.random.Generator

_POSTED = 256
"""Side of a picture that is seen whole and only shrunk, in pixels: the size small generators make."""
_PUZZLE = 64
"""Side of the pieces of a shuffled picture, in pixels of 384."""


@dataclass(frozen=True, slots=True)
class Views:
    """Two views [384, 384, 3] of one picture; `shuffled`: the first lost its content and keeps its traces only."""

    plain: Pixels
    copy: Pixels
    shuffled: bool


def plain_view(pixels: Pixels, random: Random) -> Pixels:
    """One view [384, 384, 3] of a square picture, mirrored half of the time: half of the time whole and at its
    generator's own pixels or shrunk, as sites show pictures, otherwise cut and resized once more."""
    pixels = _mirrored(pixels, random)
    if random.random() < 0.5:
        seen = pixels if len(pixels) == _POSTED else resize(pixels, _POSTED, random)
        return compressed(seen, random.uniform(75, 95))
    seen = resize(_cut(pixels, random), int(random.integers(208, 289)), random)
    if random.random() < 0.5:
        seen = _coloured(seen, 0.25, random)
    return compressed(seen, random.uniform(75, 95))


def views(pixels: Pixels, shuffle: float, random: Random) -> Views:
    """Two views of a square picture. `shuffle`: the probability of shuffling the first one."""
    plain = plain_view(pixels, random)
    shuffled = bool(random.random() < shuffle)
    if shuffled:
        plain = _shuffled(plain, random)
    copy = resize(_cut(_mirrored(pixels, random), random), int(random.integers(224, 305)), random)
    copy = resize(_shared(_coloured(copy, 1.0, random), random), int(random.integers(176, 289)), random)
    return Views(plain, compressed(copy, random.uniform(40, 95)), shuffled)


def compressed(pixels: Pixels, quality: float) -> Pixels:
    """A square picture compressed as JPEG and resized to what the detector sees [384, 384, 3]."""
    done, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    if not done:
        raise RuntimeError("OpenCV could not write a JPEG")
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if read is None:
        raise RuntimeError("OpenCV could not read its own JPEG")
    return cv2.resize(read[:, :, ::-1], (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def _mirrored(pixels: Pixels, random: Random) -> Pixels:
    """Mirrored half of the time."""
    return np.ascontiguousarray(pixels[:, ::-1] if random.random() < 0.5 else pixels)


def _cut(pixels: Pixels, random: Random) -> Pixels:
    """A square cut-out of at least 72 % of each side."""
    full = len(pixels)
    side = int(random.integers(int(0.72 * full), full + 1))
    top, left = random.integers(full - side + 1, size=2)
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def _coloured(pixels: Pixels, strength: float, random: Random) -> Pixels:
    """Brightness, contrast, gamma, white balance and saturation drawn anew; sometimes grey."""
    if random.random() < 0.2:
        return pixels
    saturation = 0.0 if random.random() < 0.08 else float(np.exp(random.normal(0, 0.35 * strength)))
    gains = np.exp(random.normal(0, 0.1 * strength, 3)) * np.exp(random.normal(0, 0.12 * strength))
    mixing = (np.eye(3) * saturation + (1 - saturation) / 3) * gains[:, None]
    curve = (np.arange(256) / 255) ** np.exp(random.normal(0, 0.2 * strength))
    curve = (curve - 0.5) * np.exp(random.normal(0, 0.12 * strength)) + 0.5
    levels = (np.clip(curve, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.asarray(cv2.LUT(cv2.transform(pixels, mixing), levels), np.uint8)


def _shared(pixels: Pixels, random: Random) -> Pixels:
    """Changes as by re-sharing: sometimes a caption, a screenshot with a border, blur, or noise."""
    kind = random.random()
    if kind < 0.3:
        pixels = _captioned(pixels, random)
    elif kind < 0.6:
        pixels = _framed(pixels, random)
    if random.random() < 0.2:
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(random.uniform(0.3, 1.5))).astype(np.uint8)
    if random.random() < 0.2:
        noise = random.normal(0, random.uniform(1, 8), pixels.shape)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return pixels


def _captioned(pixels: Pixels, random: Random) -> Pixels:
    """With a bar of text above or below, laid over the picture or added to it; square again afterwards."""
    side = len(pixels)
    height = int(side * random.uniform(0.08, 0.25))
    dark = random.random() < 0.5
    bar = np.full((height, side, 3), 20 if dark else 240, np.uint8)
    _write(bar, (235,) * 3 if dark else (15,) * 3, random)
    above = random.random() < 0.4
    if random.random() < 0.4:
        covered = pixels.copy()
        covered[slice(0, height) if above else slice(side - height, side)] = bar
        return covered
    return central_square(np.concatenate([bar, pixels] if above else [pixels, bar]))


def _framed(pixels: Pixels, random: Random) -> Pixels:
    """Inside a larger plain picture, as in a screenshot, with uneven margins and perhaps text."""
    side = len(pixels)
    top, bottom, left, right = (int(side * share) for share in random.uniform(0.0, 0.2, 4))
    colour = random.integers(0, 256, 3) if random.random() < 0.4 else np.full(3, random.choice([0, 18, 32, 245, 255]))
    frame = np.empty((side + top + bottom, side + left + right, 3), np.uint8)
    frame[:] = colour
    if bottom > 12:
        _write(frame[-bottom:], tuple(int(255 - c) for c in colour), random)
    frame[top : top + side, left : left + side] = pixels
    return central_square(frame)


def _write(bar: Pixels, colour: tuple[int, ...], random: Random) -> None:
    letters = "".join(chr(c) for c in random.integers(97, 123, int(random.integers(6, 30))))
    text = letters[:9] + " " + letters[9:]
    scale = float(len(bar) / 60 * random.uniform(0.6, 1.2))
    cv2.putText(
        bar, text, (6, int(len(bar) * 0.66)), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1 + int(scale), cv2.LINE_AA
    )


def _shuffled(pixels: Pixels, random: Random) -> Pixels:
    """The picture's tiles shuffled: its content is gone, the traces within tiles remain."""
    pieces = IMAGE_SIZE // _PUZZLE
    grid = pixels.reshape(pieces, _PUZZLE, pieces, _PUZZLE, 3).swapaxes(1, 2).reshape(-1, _PUZZLE, _PUZZLE, 3)
    mixed = grid[random.permutation(len(grid))]
    return np.ascontiguousarray(mixed.reshape(pieces, pieces, _PUZZLE, _PUZZLE, 3).swapaxes(1, 2).reshape(pixels.shape))
