"""Is it the same picture, or do both only share a part? By how much each covers of the other, and by how far the
features that lie alike, and the pixels where somebody looks at them, speak for all of that."""

from dataclasses import dataclass, replace
from typing import Final

from indexer.copies.verification.overlap import MIN_INLIERS, Box, Overlap
from indexer.vocabulary import Relation

MOST: Final = 0.6
"""Least share of the smaller picture that the larger one must show for both to be the same picture."""
LEAST_OF_LARGER: Final = 0.12
"""Least share of the larger picture that the smaller one must fill: below, it is a logo, a face or a detail."""
LEAST_OF_QUERY: Final = 0.35
"""The same where the query is the larger one: one picture of a collage of four fills a quarter."""
SUPPORTED: Final = 0.62
"""Least share of the features of the overlap that must be near features that lie alike: in a template or a frame with
another picture inside, whole regions have none."""
_INSIDE: Final = 0.8
PIXELS_AGREE: Final = 0.55
"""Least agreement of the pixels where the features support all of the overlap; ..."""
SURE_PIXELS: Final = 0.8
HALF_SUPPORTED: Final = 0.4
"""... more of it makes up for features that are too few to support all: in a blurred copy, or one with much on it."""
LEAST_WEIGHT: Final = 1.8
"""Least product of the places that lie alike and of their share of the features shown. Eyes, noses and mouths of two
portraits lie alike too, at up to twelve places of seventy."""
THINNEST: Final = 0.02
"""Least spread of the features that lie alike across the line they lie along, of a picture's longer side."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well two pictures lie over each other.

    Attributes:
        places: how many places of both pictures have features that lie alike.
        shown: how many features of the known picture the query shows, as far as it is sharp enough for them.
        spread: 0 to 0.5, their standard deviation along their shorter direction, of the picture's longer side; of both
            pictures the smaller.
        query_share: 0 to 1, the share of the query that the known picture covers.
        known_share: 0 to 1, the share of the known picture that the query covers.
        supported: 0 to 1, the share of the features in the overlap that have some that lie alike around them.
    """

    places: int
    shown: int
    spread: float
    query_share: float
    known_share: float
    supported: float


def relation(agreement: Agreement) -> Relation | None:
    """The relation that this agreement proves, or None."""
    if agreement.places < MIN_INLIERS or agreement.spread < THINNEST:
        return None
    if agreement.places**2 < LEAST_WEIGHT * agreement.shown:
        return None
    if _covers_enough(agreement.query_share, agreement.known_share) and agreement.supported >= SUPPORTED:
        return Relation.SAME_PICTURE
    return Relation.SHARES_PART


def settled(overlap: Overlap, agreement: float, inner: Box | None = None) -> Overlap:
    """The overlap with the relation that its pixels speak for too; `agreement`, 0 to 1, is that of `pixels.agreement`,
    `inner` as of `verify_all`.

    Features that lie alike may be too few in a covered or blurred copy to speak for all of it, and those of a meme's
    template may lie around another picture: the pixels tell both.
    """
    query_share = share_within(inner, overlap.query_box, overlap.query_share)
    same = _covers_enough(query_share, overlap.known_share)
    likely = overlap.supported >= SUPPORTED and agreement >= PIXELS_AGREE
    same = same and (likely or (overlap.supported >= HALF_SUPPORTED and agreement >= SURE_PIXELS))
    return replace(overlap, relation=Relation.SAME_PICTURE if same else Relation.SHARES_PART)


def share_within(inner: Box | None, box: Box, share: float) -> float:
    """The share of the query that counts: of its `inner` picture, where it has one that holds `box`, else `share`."""
    if inner is None:
        return share
    left, top, right, bottom = (
        max(inner[0], box[0]),
        max(inner[1], box[1]),
        min(inner[2], box[2]),
        min(inner[3], box[3]),
    )
    common = max(0, right - left) * max(0, bottom - top)
    whole = (box[2] - box[0]) * (box[3] - box[1])
    if common < _INSIDE * whole:
        return share
    return max(share, common / ((inner[2] - inner[0]) * (inner[3] - inner[1])))


def _covers_enough(query_share: float, known_share: float) -> bool:
    in_known = query_share >= known_share
    smaller, larger = (query_share, known_share) if in_known else (known_share, query_share)
    return smaller >= MOST and larger >= (LEAST_OF_LARGER if in_known else LEAST_OF_QUERY)
