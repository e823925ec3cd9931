"""What is laid over or around a picture when it is re-shared: text, emoji, stickers, bars of memes, frames of
applications, blurred sides, other pictures beside it or behind it."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from indexer.copies.descriptor.training.alterations import Pixels, Random, ground, resized

Others = Callable[[], Pixels]
"""Gives another picture, drawn at random."""
_LETTERS: Final = np.array(list("aaabcdeeeefghiiijklmnooopqrrsstttuuvwxyz    EAISTN!?.,0123456789#@"))
_FONTS: Final = (
    *(cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX),
    *(cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX),
)


def captioned(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """One to three lines of text anywhere, in part on a box, outlined, or see-through."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    x, y = int(random.uniform(-0.1, 0.5) * width), int(random.uniform(0.05, 0.9) * height)
    size, colour = random.uniform(0.05, 0.2) * height, colour_of(random)
    boxed, outlined = random.random() < 0.25, random.random() < 0.5
    for line in range(int(random.integers(1, 4))):
        top = int(y + line * size * 1.25)
        if boxed:
            cv2.rectangle(out, (x, int(top - size)), (int(x + width * 0.7), int(top + size * 0.25)), ground(random), -1)
        if outlined:
            write(out, x, top, size, ground(random), random, thicker=3)
        write(out, x, top, size, colour, random)
    if random.random() < 0.2:
        out = np.asarray(cv2.addWeighted(pixels, 0.5, out, 0.5, 0), np.uint8)
    return out


def watermarked(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """The same short text over and over, see-through."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    size, colour, text = (
        random.uniform(0.05, 0.12) * height,
        colour_of(random),
        words(random, int(random.integers(5, 14))),
    )
    for y in np.arange(size, height, size * random.uniform(2, 4)):
        for x in np.arange(-size, width, size * 0.7 * len(text) + size):
            write(out, int(x + y % 37), int(y), size, colour, random, text=text)
    share = random.uniform(0.2, 0.7)
    return np.asarray(cv2.addWeighted(pixels, 1 - share, out, share, 0), np.uint8)


def with_emoji(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """One to three round faces, hearts or stars in strong colours."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    for _ in range(int(random.choice((1, 1, 1, 2, 3)))):
        radius = max(4, int(random.uniform(0.06, 0.22) * min(height, width)))
        x, y = int(random.uniform(0.05, 0.95) * width), int(random.uniform(0.05, 0.95) * height)
        draw = random.random()
        if draw < 0.6:
            face = (255, 205, 50) if random.random() < 0.7 else colour_of(random)
            cv2.circle(out, (x, y), radius, face, -1, cv2.LINE_AA)
            for side in (-1, 1):
                cv2.circle(
                    out, (x + side * radius // 3, y - radius // 4), max(1, radius // 7), (70, 45, 15), -1, cv2.LINE_AA
                )
            start, end = (20, 160) if random.random() < 0.7 else (200, 340)
            axes = (radius // 2, radius // 2)
            cv2.ellipse(out, (x, y + radius // 6), axes, 0, start, end, (70, 45, 15), max(1, radius // 9), cv2.LINE_AA)
        elif draw < 0.8:
            t = np.linspace(0, 2 * np.pi, 40)
            heart = np.stack(
                [16 * np.sin(t) ** 3, -13 * np.cos(t) + 5 * np.cos(2 * t) + 2 * np.cos(3 * t) + np.cos(4 * t)], 1
            )
            cv2.fillPoly(out, [(heart * radius / 16 + (x, y)).astype(np.int32)], (225, 30, 60), cv2.LINE_AA)
        else:
            spokes = np.arange(10) * np.pi / 5 + random.uniform(0, 1)
            reach = np.where(np.arange(10) % 2, 0.45, 1.0) * radius
            star = np.stack([np.cos(spokes) * reach + x, np.sin(spokes) * reach + y], 1)
            cv2.fillPoly(out, [star.astype(np.int32)], colour_of(random), cv2.LINE_AA)
    return out


def with_sticker(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """A round or plain box of one colour somewhere, as logos, buttons and blackened names are."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    for _ in range(int(random.choice((1, 1, 2, 3)))):
        wide, high = int(random.uniform(0.08, 0.45) * width), int(random.uniform(0.06, 0.3) * height)
        x, y = int(random.integers(width - wide + 1)), int(random.integers(height - high + 1))
        if random.random() < 0.4:
            cv2.ellipse(
                out,
                (x + wide // 2, y + high // 2),
                (wide // 2, high // 2),
                0,
                0,
                360,
                colour_of(random),
                -1,
                cv2.LINE_AA,
            )
        else:
            cv2.rectangle(out, (x, y), (x + wide, y + high), colour_of(random), -1)
        if random.random() < 0.6:
            write(out, x + 2, y + int(high * 0.7), high * 0.5, colour_of(random), random, words(random, 8))
    return out


def as_meme(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """Bars with text above, below or both."""
    height, width = pixels.shape[:2]
    light = random.random() < 0.65
    paper, ink = ((255, 255, 255), (0, 0, 0)) if light else ((0, 0, 0), (255, 255, 255))
    above = int(random.uniform(0.12, 0.45) * height) if random.random() < 0.7 else 0
    below = int(random.uniform(0.1, 0.35) * height) if not above or random.random() < 0.4 else 0
    out = plain(height + above + below, width, paper)
    out[above : above + height] = pixels
    for top, high in ((0, above), (above + height, below)):
        lines = int(random.integers(1, 4))
        for line in range(lines if high else 0):
            size = high / lines * 0.62
            write(
                out, int(random.uniform(0.02, 0.15) * width), int(top + (line + 0.8) * high / lines), size, ink, random
            )
    return out


def padded(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """A plain ground around: to a square, on two sides, or on all."""
    height, width = pixels.shape[:2]
    draw = random.random()
    if draw < 0.35:
        side = int(max(height, width) * random.uniform(1.0, 1.2))
        top, left = (side - height) // 2, (side - width) // 2
        high, wide = side, side
    else:
        shares = random.uniform(0.02, 0.45, 4) * (random.random(4) < (0.5 if draw < 0.7 else 1.0))
        top, bottom = int(shares[0] * height), int(shares[1] * height)
        left, right = int(shares[2] * width), int(shares[3] * width)
        high, wide = height + top + bottom, width + left + right
    out = plain(high, wide, ground(random))
    out[top : top + height, left : left + width] = pixels
    return out


def with_blurred_sides(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """The picture on its own enlarged and blurred copy, as stories and clips show it."""
    height, width = pixels.shape[:2]
    tall = random.random() < 0.6
    high, wide = (
        (int(width * random.uniform(1.0, 1.8)), width) if tall else (height, int(height * random.uniform(1.0, 1.8)))
    )
    high, wide = max(high, height), max(wide, width)
    soft = cv2.GaussianBlur(resized(pixels, 32, 32), (0, 0), random.uniform(1, 2.5))
    out = resized(np.asarray(soft, np.uint8), wide, high)
    top, left = (high - height) // 2, (wide - width) // 2
    out = (out * random.uniform(0.5, 1.0)).astype(np.uint8)
    out[top : top + height, left : left + width] = pixels
    return out


def screenshot(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """The picture in a post of an application, light or dark: bars, an avatar, a name, lines of text, buttons."""
    height, width = pixels.shape[:2]
    light = random.random() < 0.55
    tone = int(random.integers(235, 256)) if light else int(random.integers(0, 45))
    ink = (25, 25, 30) if light else (230, 230, 235)
    soft = (140, 140, 150)
    side = int(random.uniform(0, 0.12) * width) if random.random() < 0.5 else 0
    above = int(random.uniform(0.15, 0.6) * height)
    below = int(random.uniform(0.1, 0.7) * height)
    out = plain(height + above + below, width + 2 * side, (tone, tone, min(255, tone + int(random.integers(0, 12)))))
    wide = out.shape[1]
    unit = max(3, int(random.uniform(0.03, 0.055) * wide))
    radius = int(unit * 1.3)
    y = max(radius, above - int(unit * random.uniform(2, 5)))
    cv2.circle(out, (side + radius + unit // 2, y), radius, colour_of(random), -1, cv2.LINE_AA)
    write(out, side + 3 * radius, y - unit // 4, unit, ink, random, words(random, 14))
    write(out, side + 3 * radius, y + unit, unit * 0.8, soft, random, words(random, 10))
    for line in np.arange(unit * 1.5, y - radius - unit, unit * 1.6):
        write(out, side + unit, int(line), unit * 0.9, ink, random, words(random, int(random.integers(10, 40))))
    foot = above + height
    for number in range(int(random.integers(3, 6))):
        spot = (int((number + 0.5) * wide / 5), foot + int(1.2 * unit))
        cv2.circle(
            out,
            spot,
            max(2, unit // 2),
            soft if random.random() < 0.8 else (225, 40, 70),
            max(1, unit // 6),
            cv2.LINE_AA,
        )
    for line in np.arange(foot + 3.5 * unit, out.shape[0] - unit / 2, unit * 1.6):
        write(out, side + unit, int(line), unit * 0.9, ink, random, words(random, int(random.integers(6, 40))))
    out[above:foot, side : side + width] = pixels
    return out


def collage(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """Beside one to three other pictures."""
    height, width = pixels.shape[:2]
    gap = int(random.choice((0, 2, 6)))
    paper = ground(random)
    if random.random() < 0.6:
        beside = random.random() < 0.5
        share = random.uniform(0.4, 1.0)
        high, wide = (height, int(width * share)) if beside else (int(height * share), width)
        other = _filled(others(), wide, high)
        line = plain(height, gap, paper) if beside else plain(gap, width, paper)
        parts = [pixels, line, other] if random.random() < 0.5 else [other, line, pixels]
        return np.concatenate([part for part in parts if part.size], axis=1 if beside else 0)
    out = plain(2 * height + gap, 2 * width + gap, paper)
    own = int(random.integers(4))
    for cell in range(4):
        top, left = (cell // 2) * (height + gap), (cell % 2) * (width + gap)
        out[top : top + height, left : left + width] = pixels if cell == own else _filled(others(), width, height)
    return out


def on_another(pixels: Pixels, random: Random, others: Others) -> Pixels:
    """Pasted on another picture, which is seen around it."""
    height, width = pixels.shape[:2]
    wide, high = int(width * random.uniform(1.1, 1.8)), int(height * random.uniform(1.1, 1.8))
    out = _filled(others(), wide, high).copy()
    top, left = int(random.integers(high - height + 1)), int(random.integers(wide - width + 1))
    out[top : top + height, left : left + width] = pixels
    return out


def words(random: Random, length: int) -> str:
    """Letters and spaces."""
    return "".join(random.choice(_LETTERS, length))


def write(
    out: Pixels, x: int, y: int, size: float, colour: tuple[int, int, int], random: Random,
    text: str | None = None, thicker: int = 0,
) -> None:  # fmt: skip
    """Writes a line into `out`, letters `size` pixels high, its lower left corner at x, y."""
    text = words(random, int(random.integers(8, 26))) if text is None else text
    font = _FONTS[int(random.integers(len(_FONTS)))]
    thickness = max(1, int(size / 11 * (2 if random.random() < 0.4 else 1))) + thicker
    cv2.putText(out, text, (x, y), font, size / 30, colour, thickness, cv2.LINE_AA)


def colour_of(random: Random) -> tuple[int, int, int]:
    """Of text and shapes: white, black or any."""
    draw = random.random()
    if draw < 0.3:
        return (255, 255, 255)
    if draw < 0.5:
        return (0, 0, 0)
    red, green, blue = random.integers(0, 256, 3)
    return (int(red), int(green), int(blue))


def plain(height: int, width: int, colour: tuple[int, int, int]) -> Pixels:
    """A plain picture."""
    return np.full((height, width, 3), colour, np.uint8)


def _filled(pixels: Pixels, width: int, height: int) -> Pixels:
    """Cut in the middle and resized to fill a box."""
    high, wide = pixels.shape[:2]
    aspect = width / max(1, height)
    cut_wide, cut_high = min(wide, max(1, int(high * aspect))), min(high, max(1, int(wide / max(aspect, 1e-6))))
    top, left = (high - cut_high) // 2, (wide - cut_wide) // 2
    return resized(pixels[top : top + cut_high, left : left + cut_wide], width, height)


Overlay = Callable[[Pixels, Random, Others], Pixels]
OVER: Final[dict[Overlay, float]] = {captioned: 3.0, watermarked: 0.7, with_emoji: 2.0, with_sticker: 1.5}
"""What is laid over a picture, and how often each is drawn."""
AROUND: Final[dict[Overlay, float]] = {
    as_meme: 2.0, padded: 2.0, with_blurred_sides: 1.0, screenshot: 2.5, collage: 1.5, on_another: 2.0,
}  # fmt: skip
"""What a picture is put into."""
