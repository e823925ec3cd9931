"""Compares the preview embedded in EXIF with the picture: editors often forget to update it."""

from PIL import Image

from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import UPRIGHT, decode
from indexer.imaging.hashing import hamming, pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.imaging.structure.tiff import exif_orientation
from indexer.provenance.findings import Finding, ThumbnailComparison, unreadable
from indexer.vocabulary import EvidenceKind, ProvenanceKind

DIFFERS_FROM = 64
"""PDQ distance of 256 bits from which a preview shows another picture; unrelated pictures lie around 128."""
_LEAST_QUALITY = 50
_LIMITS = ImageLimits(max_bytes=1_000_000, max_pixels=4_000_000, max_frames=1)
_WHERE = "EXIF preview"


def compare_preview(preview: bytes, exif: bytes, picture: Image.Image) -> list[Finding]:
    """A finding when the preview in an EXIF block shows something else than the upright `picture`; none otherwise.

    The preview is compared as it is and without the bars that cameras add to reach 4:3. PDQ compares whole pictures:
    a small local edit is not noticed.
    """
    try:
        shown = decode(preview, _LIMITS).rgb
    except ImageRejectedError as error:
        return [unreadable(_WHERE, str(error))]
    turn = UPRIGHT.get(exif_orientation(exif) or 1)
    upright = shown if turn is None else shown.transpose(turn)
    distance = preview_distance(upright, picture)
    if distance is None or distance < DIFFERS_FROM:
        return []
    return [
        Finding(
            kind=ProvenanceKind.THUMBNAIL,
            worth=EvidenceKind.STATISTICAL,
            statement=f"The preview embedded in EXIF shows something else than the picture (PDQ distance {distance} of "
            "256): it may show it before it was cropped, edited or replaced.",
            where=_WHERE,
            thumbnail=ThumbnailComparison(upright.width, upright.height, distance),
        )
    ]


def preview_distance(preview: Image.Image, picture: Image.Image) -> int | None:
    """PDQ distance of 256 bits between an upright preview, with or without bars, and its picture; None where one of
    them has too little structure for PDQ."""
    whole = pdq_hash(picture)
    hashes = [pdq_hash(candidate) for candidate in (preview, _without_bars(preview, picture.width / picture.height))]
    if min(whole.quality, *(candidate.quality for candidate in hashes)) < _LEAST_QUALITY:
        return None
    return min(hamming(whole.bits, candidate.bits) for candidate in hashes)


def _without_bars(preview: Image.Image, aspect: float) -> Image.Image:
    """The middle of a preview in the aspect ratio of the picture."""
    width = min(preview.width, max(1, round(preview.height * aspect)))
    height = min(preview.height, max(1, round(preview.width / aspect)))
    left, top = (preview.width - width) // 2, (preview.height - height) // 2
    return preview.crop((left, top, left + width, top + height))
