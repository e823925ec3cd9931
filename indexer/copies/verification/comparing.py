"""What the pixels of two pictures make of what their features show. Imports OpenCV."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from indexer.copies.verification.deciding import covers, settled
from indexer.copies.verification.overlap import NEAR_BITS, Box, Overlap
from indexer.copies.verification.pixels import agreement
from indexer.copies.verification.registering import registered
from indexer.imaging.hashing import hamming
from indexer.vocabulary import Relation


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A small copy of a picture, of mode RGB and upright; `size` is the width and height of the picture in whose pixels
    overlaps are told."""

    rgb: Image.Image
    size: tuple[int, int]


def by_pixels(
    query: SmallPicture, known: SmallPicture, overlap: Overlap | None, bits: int | None, inner: Box | None = None
) -> Overlap | None:
    """The overlap of two pictures with the relation that their pixels speak for.

    Where the features show no overlap that is large enough for the same picture, and the hashes are near, the pixels
    are laid over each other instead.

    Args:
        query, known: the two pictures.
        overlap: what `verify_all` tells of them.
        bits: their PDQ distance, None where it is not known or too far to say anything.
        inner: the picture inside the query, as of `verify_all`.

    Returns:
        None where pixels decide nothing.
    """
    if overlap is not None and covers(overlap, inner):
        pixels = agreement(query.rgb, known.rgb, overlap, query.size, known.size, inner)
        return settled(overlap, pixels, inner, bits)
    return None if bits is None else _registered(query, known, bits, inner)


def near_enough(query: Sequence[bytes], known: Sequence[bytes]) -> int | None:
    """The PDQ distance of the nearest two hashes of 32 bytes, where it is near enough to compare pixels by."""
    bits = min((hamming(first, second) for first in query for second in known), default=NEAR_BITS + 1)
    return bits if bits <= NEAR_BITS else None


def _registered(query: SmallPicture, known: SmallPicture, bits: int, inner: Box | None) -> Overlap | None:
    """The overlap of two pictures that their pixels prove to be the same."""
    for part in (None,) if inner is None else (None, inner):
        laid = registered(query.rgb, known.rgb, query.size, known.size, part)
        if laid is None:
            continue
        pixels = agreement(query.rgb, known.rgb, laid, query.size, known.size, inner)
        overlap = settled(laid, pixels, inner, bits)
        if overlap.relation is Relation.SAME_PICTURE:
            return overlap
    return None
