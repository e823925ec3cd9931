"""The local features of a query, taken when they are asked: most searches are settled without them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image

from indexer.copies.features import QUERY_SIDE, LocalFeatures, QueryFeatures, readable

Details: TypeAlias = Callable[[], QueryFeatures]
"""Gives the local features of a query, in pixels of its picture as it is upright."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A copy of a picture that is large enough for its features, so that a waiting query holds no more.

    Attributes:
        rgb: at most 512 pixels on its longer side.
        size: width and height of the picture itself.
    """

    rgb: Image.Image
    size: tuple[int, int]

    @classmethod
    def of(cls, rgb: Image.Image) -> "Sketch":
        """The sketch of an upright picture."""
        scale = QUERY_SIDE / max(rgb.size)
        if scale >= 1:
            return cls(rgb, rgb.size)
        small = max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))
        return cls(rgb.convert("RGB").resize(small, Image.Resampling.LANCZOS, reducing_gap=3.0), rgb.size)

    def picture(self) -> Image.Image:
        """The copy itself."""
        return self.rgb

    def details(self) -> QueryFeatures:
        """The features of the picture."""
        from indexer.copies.features.sift import upright_features  # loads OpenCV

        return QueryFeatures.of(upright_features(self.rgb).in_pixels_of(self.size))


def stored_details(codes: bytes, whose: str) -> QueryFeatures:
    """The features of a known image, from what the catalogue keeps of them; none where that is damaged, which is
    logged."""
    upright = readable(codes, whose)
    return QueryFeatures.of(LocalFeatures.none((1, 1)) if upright is None else upright)
