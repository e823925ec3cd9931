"""A picture of an answer: the query on the left, the verdict and the best matches on the right. For README and report.

Drawn with Pillow and its built-in font, so it looks the same everywhere.
"""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from indexer.files.media import MediaStore
from indexer.search.answers import SearchAnswer
from indexer.verdict.headlines import HEADLINES, RELATION_WORDS
from indexer.verdict.match_words import match_words
from indexer.verdict.matches import Match
from indexer.vocabulary import LabelValue, Outcome, Technique

_WIDTH, _MARGIN, _SHOWN, _GAP = 1280, 36, 4, 20
_INK, _DIM, _PAPER, _LINE = "#1b1f24", "#5b6570", "#ffffff", "#d5dae0"
_RED, _AMBER, _GREEN, _GREY = "#b42318", "#b54708", "#1a7f37", "#475467"
_COLOURS = {
    Outcome.KNOWN_FAKE_MATCH: _RED,
    Outcome.SHARES_PART_WITH_KNOWN_FAKE: _AMBER,
    Outcome.SIMILAR_TO_KNOWN_FAKE: _AMBER,
    Outcome.INCONCLUSIVE: _AMBER,
    Outcome.NO_MATCH_FOUND: _GREY,
    Outcome.NOT_ASSESSABLE: _GREY,
}
_LABELS = {LabelValue.FAKE: _RED, LabelValue.AUTHENTIC: _GREEN, LabelValue.UNKNOWN: _GREY}


def draw_answer(query: Path, answer: SearchAnswer, thumbnails: MediaStore, footnote: str) -> Image.Image:
    """The answer to the picture `query` as an RGB image 1280 pixels wide.

    Args:
        query: the file that was searched with.
        answer: what came out.
        thumbnails: where the matches' thumbnails are; a match without one gets an empty frame.
        footnote: credits, below everything.
    """
    card = Image.new("RGB", (_WIDTH, 760), _PAPER)
    draw = ImageDraw.Draw(card)
    draw.text((_MARGIN, 28), answer.verdict.question, font=_font(30), fill=_INK)
    left = 400
    with Image.open(query) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
        bottom = 92 + _paste(card, upright, (_MARGIN, 92), (left - 2 * _GAP, 300))
    facts = answer.query
    y = _text(draw, (_MARGIN, bottom + 10), f"asked with {query.name}", 15, _DIM, left - 2 * _GAP)
    _text(draw, (_MARGIN, y), f"{facts.width} x {facts.height} {facts.format}", 15, _DIM, left - 2 * _GAP)

    x, space = _MARGIN + left, _WIDTH - left - 2 * _MARGIN
    words, colour = HEADLINES[answer.verdict.outcome], _COLOURS[answer.verdict.outcome]
    draw.rounded_rectangle((x, 92, x + draw.textlength(words, font=_font(26)) + 32, 140), 10, fill=colour)
    draw.text((x + 16, 116), words, font=_font(26), fill=_PAPER, anchor="lm")
    y = _text(draw, (x, 158), answer.verdict.summary, 20, _INK, space) + 10
    holding = [match for match in answer.matches if match.holds][:_SHOWN]
    wide = (space - (_SHOWN - 1) * _GAP) // _SHOWN
    bottoms = [
        _draw_match(card, match, thumbnails, (x + order * (wide + _GAP), y), wide)
        for order, match in enumerate(holding)
    ]
    y = max([*bottoms, y, 452]) + 14
    draw.line((_MARGIN, y, _WIDTH - _MARGIN, y), fill=_LINE, width=1)
    y += 14
    for limitation in answer.verdict.limitations:
        y = _text(draw, (_MARGIN, y), f"· {limitation}", 15, _DIM, _WIDTH - 2 * _MARGIN)
    y = _text(draw, (_MARGIN, y + 6), footnote, 13, _DIM, _WIDTH - 2 * _MARGIN)
    return card.crop((0, 0, _WIDTH, min(card.height, y + 20)))


def _draw_match(card: Image.Image, match: Match, thumbnails: MediaStore, at: tuple[int, int], wide: int) -> int:
    """Draws one match in a column and returns where it ends."""
    draw = ImageDraw.Draw(card)
    x, y = at
    image = match.image.image
    label, technique = image.label.value, image.label.technique
    data = thumbnails.get(image.sha256)
    if data is not None:
        with Image.open(BytesIO(data)) as picture:
            _paste(card, picture.convert("RGB"), (x, y), (wide, 140))
    words = label.value if technique is Technique.UNKNOWN else f"{label.value}: {technique.value}"
    y = _text(draw, (x, y + 148), words, 16, _LABELS[label], wide)
    y = _text(draw, (x, y), f"labelled by {image.label.source or 'nobody'}", 14, _DIM, wide)
    y = _text(draw, (x, y), f"{RELATION_WORDS[match.relation]}, {match_words(match)}", 14, _INK, wide)
    for sighting in match.image.sightings[:1]:
        when = f", {sighting.posted_at:%Y-%m-%d}" if sighting.posted_at is not None else ""
        y = _text(draw, (x, y), f"seen on {sighting.platform or 'an unnamed platform'}{when}", 14, _DIM, wide)
    return y


def _paste(card: Image.Image, picture: Image.Image, at: tuple[int, int], box: tuple[int, int]) -> int:
    """Puts the picture into a box and returns how high it is there."""
    fitted = ImageOps.contain(picture, box, Image.Resampling.LANCZOS)
    card.paste(fitted, at)
    return fitted.height


def _text(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, colour: str, wide: int) -> int:
    """Writes text broken into lines of at most `wide` pixels and returns where it ends."""
    font, (x, y) = _font(size), at
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if line and draw.textlength(longer, font=font) > wide:
            draw.text((x, y), line, font=font, fill=colour)
            y += round(size * 1.35)
            longer = word
        line = longer
    draw.text((x, y), line, font=font, fill=colour)
    return y + round(size * 1.45)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
