"""What the Compare page shows of two pictures: themselves, laid over each other, and what is known of each."""

import io
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from PIL import Image

from indexer.catalog.images import images
from indexer.catalog.records.images import ImageDetails
from indexer.examine.comparison import Comparison, PictureComparison, compare_pictures
from indexer.examine.difference.difference import WORKING_SIDE
from indexer.examine.difference.drawing import marked
from indexer.examine.difference.finding import Box
from indexer.search.answers import QueryFacts
from indexer.verdict.comparison_words import comparison_words
from indexer.workspace import Workspace
from search_api.web.language import N_

_QUALITY: Final = 88
REGIONS: Final = 20
"""Most regions that are listed and marked."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of the page: a `data:` address, and its size in pixels."""

    address: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of one of the pictures.

    Attributes:
        facts: of its file.
        details: what the catalogue says of it, None where it is not known there.
        statement: what the detector says of it, None where it has not seen it.
        panel: the picture, None where nothing is kept of it.
    """

    facts: QueryFacts
    details: ImageDetails | None
    statement: str | None
    panel: Panel | None

    @property
    def first_seen(self) -> datetime | None:
        """When it was first posted, as far as sightings tell."""
        dates = [seen.posted_at for seen in self.details.sightings if seen.posted_at] if self.details else []
        return min(dates, default=None)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two compared pictures as the page shows them.

    Attributes:
        comparison: the numbers and statements.
        words: the strongest relation in a sentence.
        a, b: both pictures; their panels have one frame where `difference` is there.
        difference: where they differ, None where they could not be laid over each other.
        boxes: the regions of the difference, in pixels of that frame.
    """

    comparison: Comparison
    words: str
    a: Side
    b: Side
    difference: Panel | None
    boxes: tuple[Box, ...]

    @property
    def contrasts(self) -> tuple[tuple[str, str], ...]:
        """In what the pictures differ as files and as posts: a word marked for translation, and the side it is true of;
        only where both sides tell.
        """
        told: list[tuple[str, str]] = []
        sizes = [(side.facts.width or 0) * (side.facts.height or 0) for side in (self.a, self.b)]
        if 0 not in sizes and sizes[0] != sizes[1]:
            told.append((N_("larger"), "A" if sizes[0] > sizes[1] else "B"))
        seen = self.a.first_seen, self.b.first_seen
        if seen[0] is not None and seen[1] is not None and seen[0] != seen[1]:
            told.append((N_("seen first"), "A" if seen[0] < seen[1] else "B"))
        if self.a.details is not None and self.b.details is not None:
            counts = len(self.a.details.sightings), len(self.b.details.sightings)
            if counts[0] != counts[1]:
                told.append((N_("seen more often"), "A" if counts[0] > counts[1] else "B"))
        return tuple(told)


def compared(workspace: Workspace, a: bytes | str, b: bytes | str) -> Compared:
    """Compares two pictures for the page; arguments and errors as of `compare_pictures`."""
    pictures = compare_pictures(workspace, a, b)
    comparison, overlay = pictures.comparison, pictures.difference.overlay
    shown = _shown(pictures)
    with workspace.catalog.reading() as session:
        details = [images.get(session, facts.sha256 or "") for facts in (comparison.a, comparison.b)]
    first, second = (
        Side(facts, known, statement, panel)
        for facts, known, statement, panel in zip(
            (comparison.a, comparison.b), details, comparison.statements, shown, strict=True
        )
    )
    return Compared(
        comparison,
        comparison_words(comparison.scores, comparison.overlap),
        first,
        second,
        None if overlay is None else _panel(marked(overlay)),
        () if overlay is None else overlay.boxes[:REGIONS],
    )


def _shown(pictures: PictureComparison) -> tuple[Panel | None, Panel | None]:
    """Both pictures: in one frame where they could be laid over each other, as they are otherwise."""
    overlay = pictures.difference.overlay
    if overlay is not None:
        return _panel(Image.fromarray(overlay.a)), _panel(Image.fromarray(overlay.b))
    a, b = (None if picture is None else _panel(_small(picture)) for picture in (pictures.a, pictures.b))
    return a, b


def _small(picture: Image.Image) -> Image.Image:
    small = picture.copy()
    small.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.LANCZOS)
    return small


def _panel(picture: Image.Image) -> Panel:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY)
    address = "data:image/jpeg;base64," + b64encode(written.getvalue()).decode()
    return Panel(address, picture.width, picture.height)
