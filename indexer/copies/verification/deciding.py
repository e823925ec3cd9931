"""Is it the same picture, or do both only share a part? By how much each covers of the other, and by how far the
features that lie alike, and the pixels where somebody looks at them, speak for all of that."""

from dataclasses import dataclass, replace
from typing import Final

from indexer.copies.verification.overlap import MIN_INLIERS, NEAR_BITS, Box, Overlap, PixelAgreement
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
LEAST_INNER: Final = 0.12
STRIP: Final = 0.3
"""A picture inside the query that fills less of the overlap, or whose shorter side is less of its longer one, is a
button or a banner, and is judged with the rest."""
PIXELS_AGREE: Final = 0.55
"""Least agreement of the pixels where the features support all of the overlap, ..."""
BOTH: Final = 1.3
"""... and of both shares together."""
SURE_PIXELS: Final = 0.8
HALF_SUPPORTED: Final = 0.4
"""More agreement makes up for features that are too few to support all: in a blurred copy, or one with much on it."""
NEARER_BITS: Final = 40
NEAR_PIXELS: Final = 0.6
"""Least agreement of the pixels where the PDQ hashes are near, as of `NEAR_BITS`, ..."""
NEAR_SHARP: Final = 0.6
"""... and how much of it must be nearly exact; not where they are so near as `NEARER_BITS` and most pixels agree."""
CONTAINED: Final = 0.97
SHARP: Final = 0.72
"""How much of what agrees must do so nearly exactly where one picture holds the other but for a thin edge, ..."""
VERY_SHARP: Final = 0.85
MOSTLY: Final = 1.5
"""... and where each shows something that the other does not, as two photographs of one place do, or where features and
pixels together speak for less than this: a part of the pictures differs, and the rest must be the very same."""
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


def settled(overlap: Overlap, pixels: PixelAgreement, inner: Box | None = None, bits: int | None = None) -> Overlap:
    """The overlap with the relation that its pixels speak for too.

    Features that lie alike may be too few in a covered or blurred copy to speak for all of it, those of a meme's
    template may lie around another picture, and those of one place photographed twice are a copy's at first sight: the
    pixels tell all three.

    Args:
        pixels: as of `pixels.agreement`.
        inner: as of `verify_all`.
        bits: the PDQ distance of both pictures, None where it is not known.
    """
    query_share = share_within(inner, overlap.query_box, overlap.query_share)
    both = overlap.supported + pixels.share
    by_features = overlap.supported >= SUPPORTED and pixels.share >= PIXELS_AGREE and both >= BOTH
    by_features = by_features or (overlap.supported >= HALF_SUPPORTED and pixels.share >= SURE_PIXELS)
    contained = max(query_share, overlap.known_share) >= CONTAINED
    exact = pixels.sharp >= (SHARP if contained and both >= MOSTLY else VERY_SHARP)
    near = bits is not None and bits <= NEAR_BITS  # not a second photograph: stripes and dots leave nothing exact
    same = (by_features and (exact or near)) or (bits is not None and _near_by_hash(bits, pixels))
    same = same and _covers_enough(query_share, overlap.known_share)
    return replace(overlap, relation=Relation.SAME_PICTURE if same else Relation.SHARES_PART)


def _near_by_hash(bits: int, pixels: PixelAgreement) -> bool:
    if bits <= NEARER_BITS and pixels.share >= SURE_PIXELS:
        return True
    return bits <= NEAR_BITS and pixels.share >= NEAR_PIXELS and pixels.sharp >= NEAR_SHARP


def covers(overlap: Overlap, inner: Box | None = None) -> bool:
    """Whether an overlap is large enough for the same picture, whatever features and pixels say; `inner` as of
    `verify_all`."""
    return _covers_enough(share_within(inner, overlap.query_box, overlap.query_share), overlap.known_share)


def inner_counts(inner: Box | None, box: Box) -> bool:
    """Whether the query's `inner` picture is so much of the overlap, the part `box` of the query, that it must agree by
    itself."""
    if inner is None or _common(inner, box) < LEAST_INNER * _area(box):
        return False
    sides = inner[2] - inner[0], inner[3] - inner[1]
    return min(sides) >= STRIP * max(sides)


def share_within(inner: Box | None, box: Box, share: float) -> float:
    """The share of the query that counts: of its `inner` picture, where it has one that holds `box`, else `share`."""
    if inner is None:
        return share
    common = _common(inner, box)
    return max(share, common / _area(inner)) if common >= _INSIDE * _area(box) else share


def _common(first: Box, second: Box) -> int:
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(0, wide) * max(0, high)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _covers_enough(query_share: float, known_share: float) -> bool:
    in_known = query_share >= known_share
    smaller, larger = (query_share, known_share) if in_known else (known_share, query_share)
    return smaller >= MOST and larger >= (LEAST_OF_LARGER if in_known else LEAST_OF_QUERY)
