"""What re-sharing does to a picture: cut, turned, squeezed, recoloured, compressed. Small uint8 RGB arrays in and out.

Never drawn here, so that they can be measured as unseen: stripes, a photographed screen (perspective and moire), the
picture upside down, and an inset of another picture.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Random = np.random.Generator


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resized, averaging where it shrinks."""
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (max(1, width), max(1, height)), interpolation=how), np.uint8)


def cut(pixels: Pixels, random: Random, least: float = 0.35) -> Pixels:
    """A part of `least` to 95 % of the area, of an aspect up to 1.5 times longer or wider."""
    height, width = pixels.shape[:2]
    area, aspect = random.uniform(least, 0.95), np.exp(random.uniform(-0.4, 0.4))
    wide = int(np.clip(width * np.sqrt(area * aspect), 24, width))
    high = int(np.clip(height * np.sqrt(area / aspect), 24, height))
    left, top = int(random.integers(width - wide + 1)), int(random.integers(height - high + 1))
    return pixels[top : top + high, left : left + wide]


def one_side_cut(pixels: Pixels, random: Random) -> Pixels:
    """One side cut off: a caption, a credit or half of a picture gone."""
    height, width = pixels.shape[:2]
    share = random.uniform(0.08, 0.5)
    if random.random() < 0.5:
        keep = max(24, int(width * (1 - share)))
        return pixels[:, :keep] if random.random() < 0.5 else pixels[:, -keep:]
    keep = max(24, int(height * (1 - share)))
    return pixels[:keep] if random.random() < 0.5 else pixels[-keep:]


def mirrored(pixels: Pixels, random: Random) -> Pixels:
    """Left and right exchanged."""
    return np.ascontiguousarray(pixels[:, ::-1])


def squeezed(pixels: Pixels, random: Random) -> Pixels:
    """Another aspect, the picture distorted."""
    factor = np.exp(random.uniform(-0.6, 0.6))
    height, width = pixels.shape[:2]
    return resized(pixels, int(width * np.sqrt(factor)), int(height / np.sqrt(factor)))


def turned(pixels: Pixels, random: Random) -> Pixels:
    """Turned by up to 30 degrees, on a plain ground, on its own edges, or cut to what is inside."""
    height, width = pixels.shape[:2]
    angle, draw = random.uniform(4, 30) * (1 if random.random() < 0.5 else -1), random.random()
    radians = np.deg2rad(abs(angle))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    if draw < 0.55:
        wide = int(width * np.cos(radians) + height * np.sin(radians))
        high = int(height * np.cos(radians) + width * np.sin(radians))
    else:
        inside = 1 - 0.6 * np.sin(radians)
        wide, high = int(width * inside), int(height * inside)
    matrix[:, 2] += ((wide - width) / 2, (high - height) / 2)
    border = cv2.BORDER_CONSTANT if draw < 0.8 else cv2.BORDER_REFLECT
    turned = cv2.warpAffine(
        pixels, matrix, (wide, high), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=ground(random)
    )
    return np.asarray(turned, np.uint8)


def quarter_turned(pixels: Pixels, random: Random) -> Pixels:
    """Turned by 90 degrees, to either side."""
    return np.ascontiguousarray(np.rot90(pixels, 1 if random.random() < 0.5 else 3))


def ground(random: Random) -> tuple[int, int, int]:
    """The colour of a plain ground: mostly black, white or a grey."""
    draw = random.random()
    if draw < 0.35:
        return (0, 0, 0)
    if draw < 0.7:
        return (255, 255, 255)
    if draw < 0.85:
        grey = int(random.integers(20, 245))
        return (grey, grey, grey)
    red, green, blue = random.integers(0, 256, 3)
    return (int(red), int(green), int(blue))


def brightened(pixels: Pixels, random: Random) -> Pixels:
    """Brightness, contrast and gamma."""
    values = np.arange(256, dtype=np.float32) / 255
    values = values ** np.exp(random.uniform(-0.7, 0.7))
    values = (values - 0.5) * np.exp(random.uniform(-0.7, 0.6)) + 0.5 + random.uniform(-0.2, 0.2)
    table = np.clip(values * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, table), np.uint8)


def tinted(pixels: Pixels, random: Random) -> Pixels:
    """Each channel on a curve of its own, as filters of apps do; blacks lifted, whites dimmed."""
    values = np.arange(256, dtype=np.float32)[:, None] / 255
    low, high = random.uniform(0, 0.25, 3), random.uniform(0.7, 1.1, 3)
    curves = low + (high - low) * values ** np.exp(random.uniform(-0.5, 0.5, 3))
    table = np.clip(curves * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, table[None]), np.uint8)


def saturated(pixels: Pixels, random: Random) -> Pixels:
    """Hue and saturation."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.int16)
    hue = random.uniform(-90, 90) if random.random() < 0.2 else random.uniform(-12, 12)
    hsv[..., 0] = (hsv[..., 0] + int(hue)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * random.uniform(0.1, 2.2), 0, 255)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def grey(pixels: Pixels, random: Random) -> Pixels:
    """Greyscale, in part sepia."""
    grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if random.random() < 0.3:
        return np.asarray(np.clip(grey * np.array((1.0, 0.87, 0.68)) + 12, 0, 255), np.uint8)
    return np.asarray(grey, np.uint8)


def inverted(pixels: Pixels, random: Random) -> Pixels:
    """A negative."""
    return 255 - pixels


def posterised(pixels: Pixels, random: Random) -> Pixels:
    """Few tones."""
    step = int(random.integers(32, 80))
    return (pixels // step * step + step // 2).clip(0, 255).astype(np.uint8)


def compressed(pixels: Pixels, random: Random) -> Pixels:
    """JPEG, down to quality 8."""
    quality = int(8 + 82 * random.random() ** 1.3)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def shrunk(pixels: Pixels, random: Random) -> Pixels:
    """A thumbnail of 40 to 128 pixels."""
    height, width = pixels.shape[:2]
    factor = min(1.0, random.uniform(40, 128) / max(height, width))
    return resized(pixels, int(width * factor), int(height * factor))


def blurred(pixels: Pixels, random: Random) -> Pixels:
    """Out of focus, or moved."""
    side = max(pixels.shape[:2])
    if random.random() < 0.7:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.004, 0.02) * side), np.uint8)
    length = max(3, int(random.uniform(0.015, 0.06) * side)) | 1
    kernel = np.zeros((length, length), np.float32)
    if random.random() < 0.5:
        kernel[length // 2] = 1 / length
    else:
        np.fill_diagonal(kernel, 1 / length)
    return np.asarray(cv2.filter2D(pixels, -1, kernel), np.uint8)


def noisy(pixels: Pixels, random: Random) -> Pixels:
    """Noise, grey or coloured."""
    channels = 1 if random.random() < 0.5 else 3
    noise = random.standard_normal((*pixels.shape[:2], channels), dtype=np.float32) * random.uniform(5, 45)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def pixelated(pixels: Pixels, random: Random) -> Pixels:
    """Coarse blocks."""
    height, width = pixels.shape[:2]
    factor = random.uniform(20, 64) / max(height, width)
    small = resized(pixels, int(width * factor), int(height * factor))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def sharpened(pixels: Pixels, random: Random) -> Pixels:
    """Sharpened too much."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 2.0)
    return np.asarray(cv2.addWeighted(pixels, 2.5, soft, -1.5, 0), np.uint8)


Alteration = Callable[[Pixels, Random], Pixels]
SHAPES: Final[dict[Alteration, float]] = {
    cut: 5.0, one_side_cut: 1.5, mirrored: 2.0, squeezed: 1.5, turned: 2.5, quarter_turned: 0.4,
}  # fmt: skip
"""What moves pixels, and how often each is drawn."""
COLOURS: Final[dict[Alteration, float]] = {
    brightened: 3.0, tinted: 2.0, saturated: 2.0, grey: 2.0, inverted: 0.15, posterised: 0.5,
}  # fmt: skip
"""What changes colours."""
QUALITIES: Final[dict[Alteration, float]] = {
    compressed: 3.0, shrunk: 2.0, blurred: 2.0, noisy: 1.5, pixelated: 1.0, sharpened: 0.6,
}  # fmt: skip
"""What costs detail."""
