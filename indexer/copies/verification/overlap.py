"""What two pictures have in common, as verification tells it."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from indexer.vocabulary import Relation

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; right and bottom are outside."""
Homography: TypeAlias = tuple[float, float, float, float, float, float, float, float, float]
"""A homography [3, 3], row by row, of pixels (x, y, 1); pixel centres are whole numbers."""

MIN_INLIERS: Final = 8
"""Fewest features that must lie alike for any relation."""
NEAR_BITS: Final = 60
"""PDQ distance, in bits, up to which pixels that agree prove the same picture, however few features lie alike: the
overall light and shade is the same. Unrelated pictures are rarely within 70, in any of eight orientations."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Where a query and a known picture show the same, by local features that lie alike in both.

    Attributes:
        relation: `SAME_PICTURE` or `SHARES_PART`.
        to_known: takes a pixel of the query to one of the known picture; both upright, `mirrored` included.
        mirrored: one of them is mirrored left to right, apart from `turned`.
        turned: degrees clockwise, -180 to 180, from the query (mirrored first, if `mirrored`) to the known picture.
        scale: pixels of the known picture to a pixel of the query, in the middle of what both show.
        inliers: features that lie alike, counted once for each place; 0 where pixels alone showed where it lies.
        matches: features that look alike.
        query_box: where the known picture lies in the query, clipped to it.
        known_box: where the query lies in the known picture, clipped to it.
        query_share: 0 to 1, the share of the query's area that the known picture covers.
        known_share: 0 to 1, the share of the known picture's area that the query covers.
        supported: 0 to 1, the share of the features in the overlap that have some that lie alike around them: low where
            only a frame, a template or a caption is the same.
    """

    relation: Relation
    to_known: Homography
    mirrored: bool
    turned: float
    scale: float
    inliers: int
    matches: int
    query_box: Box
    known_box: Box
    query_share: float
    known_share: float
    supported: float = 1.0


@dataclass(frozen=True, slots=True)
class PixelAgreement:
    """How far the pixels of two pictures agree where both show the same.

    Attributes:
        share: 0 to 1, the share of the overlap, as far as either picture shows something there, that shows the same in
            both; inside the query's inner picture and in all of the overlap the smaller.
        sharp: 0 to 1, how much of what agrees does so nearly exactly.
    """

    share: float
    sharp: float
