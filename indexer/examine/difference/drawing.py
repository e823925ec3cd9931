"""A comparison as one PNG: A, B laid over A, and where they differ; drawn with Pillow and its built-in font."""

import io
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from indexer.examine.difference.alignment import Mask, Pixels
from indexer.examine.difference.difference import Difference, Overlay

PANEL: Final = 640
"""Longest side of each of the three panels, in pixels."""

_MARGIN, _GAP, _TITLE, _TEXT = 24, 16, 18, 16
_INK, _DIM, _PAPER = "#1b1f24", "#5b6570", "#ffffff"
_DIFFERS: Final = (214, 40, 57)
_OUTSIDE: Final = (64, 84, 178)
_BOX: Final = "#ffb703"
_LEAST_WIDTH: Final = 720
_NOT_COMPARED: Final = "not compared: shown by one of them only, or at the very edge"
_NUMBERED: Final = 20
"""More boxes than these are drawn without numbers."""


def draw(difference: Difference, a: Image.Image | None, b: Image.Image | None) -> bytes:
    """The PNG of a comparison of `a` with `b`, the pictures it was made of; None where there is none to be seen.

    When they could not be laid over each other they stand side by side with the reason.
    """
    overlay = difference.overlay
    if overlay is None:
        panels = [(name, _fitted(picture)) for name, picture in (("A", a), ("B", b)) if picture is not None]
    else:
        laid = "B laid over A, mirrored back" if difference.finding.mirrored else "B laid over A"
        panels = [
            ("A", _fitted(Image.fromarray(overlay.a))),
            (laid, _fitted(Image.fromarray(_tinted(overlay.b, ~overlay.shared, _OUTSIDE, 0.7)))),
            ("where they differ", _boxed(overlay, _fitted(_colours(overlay)))),
        ]
    return _png(_page(panels, difference.finding.statements, legend=overlay is not None))


def marked(overlay: Overlay) -> Image.Image:
    """A in grey, what differs in red, what was not compared in blue, and the numbered boxes; as large as the frame."""
    return _boxed(overlay, _colours(overlay))


def _fitted(picture: Image.Image) -> Image.Image:
    """At most `PANEL` long; small pictures are enlarged by whole numbers, so that their pixels stay visible."""
    scale = PANEL / max(picture.size)
    if scale >= 2:
        return picture.resize((picture.width * int(scale), picture.height * int(scale)), Image.Resampling.NEAREST)
    if scale >= 1:
        return picture
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _colours(overlay: Overlay) -> Image.Image:
    grey = np.asarray(Image.fromarray(overlay.a).convert("L"), np.float32) * 0.6 + 90
    base = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
    return Image.fromarray(_tinted(_tinted(base, ~overlay.shared, _OUTSIDE, 0.6), overlay.mask, _DIFFERS, 0.6))


def _boxed(overlay: Overlay, panel: Image.Image) -> Image.Image:
    scale = panel.width / overlay.mask.shape[1]
    pen = ImageDraw.Draw(panel)
    for number, (left, top, right, bottom) in enumerate(overlay.boxes, start=1):
        pen.rectangle((left * scale - 2, top * scale - 2, right * scale + 1, bottom * scale + 1), outline=_BOX, width=2)
        if len(overlay.boxes) <= _NUMBERED:
            at = max(0.0, left * scale - 2), max(0.0, top * scale - 20)
            wide = pen.textlength(str(number), font=_font(14)) + 8
            pen.rectangle((*at, at[0] + wide, at[1] + 18), fill=_BOX)
            pen.text((at[0] + 4, at[1] + 9), str(number), font=_font(14), fill=_INK, anchor="lm")
    return panel


def _tinted(pixels: Pixels, where: Mask, colour: tuple[int, int, int], strength: float) -> Pixels:
    tinted = pixels.astype(np.float32)
    tinted[where] = tinted[where] * (1 - strength) + np.array(colour, np.float32) * strength
    return tinted.astype(np.uint8)


def _page(panels: list[tuple[str, Image.Image]], statements: tuple[str, ...], *, legend: bool) -> Image.Image:
    wide = max(_LEAST_WIDTH, sum(panel.width for _, panel in panels) + _GAP * (len(panels) - 1)) + 2 * _MARGIN
    high = max(panel.height for _, panel in panels)
    measure = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    lines = [line for said in statements for line in _broken(measure, f"· {said}", wide - 2 * _MARGIN)]
    top = _MARGIN + _TITLE + 10
    below = top + high + _GAP
    page = Image.new("RGB", (wide, below + (28 if legend else 0) + 22 * len(lines) + _MARGIN), _PAPER)
    pen = ImageDraw.Draw(page)
    x = _MARGIN
    for title, panel in panels:
        pen.text((x, _MARGIN), title, font=_font(_TITLE), fill=_INK)
        page.paste(panel, (x, top))
        x += panel.width + _GAP
    if legend:
        x = _MARGIN
        for colour, words in (
            (_DIFFERS, "differs"),
            (_OUTSIDE, "not compared: shown by one of them only, or at the very edge"),
        ):
            pen.rectangle((x, below, x + 16, below + 16), fill=colour)
            pen.text((x + 24, below + 8), words, font=_font(_TEXT), fill=_DIM, anchor="lm")
            x += 24 + round(pen.textlength(words, font=_font(_TEXT))) + 28
        below += 28
    for order, line in enumerate(lines):
        pen.text((_MARGIN, below + 22 * order), line, font=_font(_TEXT), fill=_INK)
    return page


def _broken(pen: ImageDraw.ImageDraw, text: str, wide: int) -> list[str]:
    """`text` in lines of at most `wide` pixels."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if line and pen.textlength(longer, font=_font(_TEXT)) > wide:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _png(page: Image.Image) -> bytes:
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()
