"""How two pictures relate and where they differ; the second may be an image of the catalogue, from what is kept of it.

The relations are `indexer.search`'s, the difference `indexer.difference`'s.
"""

from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from indexer.answers import Comparison
from indexer.difference.difference import Difference, find_difference
from indexer.difference.drawing import draw
from indexer.difference.finding import not_compared
from indexer.errors import DejafakeError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.workspace import Workspace

NOT_KEPT: Final = (
    "neither the original of the known image nor a thumbnail of it is kept here; ingest its file again with "
    "DEJAFAKE_KEEP_ORIGINALS=true"
)


@dataclass(frozen=True, slots=True)
class PictureComparison:
    """What a comparison of two pictures found.

    `comparison` is complete; `difference` has the arrays too. `a` and `b` are upright, of mode RGB; `b` is None when
    nothing is kept of a known image.
    """

    comparison: Comparison
    difference: Difference
    a: Image.Image
    b: Image.Image | None

    def png(self) -> bytes:
        """Both pictures and where they differ, side by side."""
        return draw(self.difference, self.a, self.b)


def compare_pictures(workspace: Workspace, a: bytes, b: bytes) -> PictureComparison:
    """Compares two pictures, known or not.

    Raises:
        ImageRejectedError: one of them is not a picture that is accepted.
    """
    searcher = workspace.searcher
    first, second = searcher.open(a), searcher.open(b)
    return _compared(searcher.compare(first, second), first.image.rgb, second.image.rgb)


def compare_with_known(workspace: Workspace, a: bytes, sha256: str) -> PictureComparison:
    """Compares a picture with an image of the catalogue: relations and origin from what is stored of it, the difference
    from its kept original, or else from its thumbnail, which the statements then say.

    Raises:
        ImageRejectedError: `a` is not a picture that is accepted.
        NotFoundError: no such image.
        DejafakeError: its kept original is damaged.
    """
    limits = ImageLimits.from_settings(workspace.settings)
    first = workspace.searcher.open(a)
    comparison, picture = workspace.searcher.compare_with_known(first, sha256), first.image.rgb
    data = workspace.originals.get(sha256)
    if data is not None:
        known = decode(data, limits)
        if known.sha256 != sha256:
            raise DejafakeError(f"the kept original of {sha256} is damaged: delete the image and ingest its file again")
        return _compared(comparison, picture, known.rgb)
    thumbnail = workspace.thumbnails.get(sha256)
    if thumbnail is not None:
        small = decode(thumbnail, limits).rgb
        return _compared(comparison, picture, small, _thumbnail_only(small))
    finding = not_compared(NOT_KEPT)
    return PictureComparison(replace(comparison, difference=finding), Difference(finding, None), picture, None)


def _compared(comparison: Comparison, a: Image.Image, b: Image.Image, first: str | None = None) -> PictureComparison:
    difference = find_difference(a, b)
    if first is not None:
        finding = replace(difference.finding, statements=(first, *difference.finding.statements))
        difference = replace(difference, finding=finding)
    return PictureComparison(replace(comparison, difference=difference.finding), difference, a, b)


def _thumbnail_only(small: Image.Image) -> str:
    return (
        f"The original of B is not kept here: its thumbnail of {small.width} x {small.height} pixels was compared "
        "instead, which shows no small edits, and places in B are given in pixels of it."
    )
