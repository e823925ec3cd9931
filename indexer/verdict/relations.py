"""How each of the relations between two pictures is measured and put in a word.

What to compare with what, and what follows from it, lives in `indexer.search.answering` and `indexer.verdict.deciding`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from indexer.arrays import Vector
from indexer.calibration import OriginMap
from indexer.copies.verification.overlap import MIN_INLIERS, Overlap
from indexer.imaging.content import BARE, has_few_tones
from indexer.imaging.degenerate import says_nothing
from indexer.imaging.hashing import UPRIGHT, QueryHash, hamming
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import Relation

FAR_APART, BARE_APART = 90, 40
"""PDQ distances above which pictures of few tones, and bare ones, are unrelated, whatever their embeddings say:
different drawings have cosines up to 1.000. Unrelated hashes lie 128 bits apart, the nearest of eight turnings about
117, of two pages of text 100 and of two posts of one service 54 and more."""
_ANY = 256
_NEVER = 2.0
"""A copy score that no pair has."""


class Band(StrEnum):
    """A score in a word. Only what was measured or proven gets more than `uncalibrated`; `confirmed` and `suggested`
    meet the precisions that a calibration states.

    Of the same picture: `near_identical` by PDQ, `verified_copy` by local features that lie alike, `likely_copy` by the
    copy embedding alone, which is weaker. `shares_part`: local features of a part lie alike.
    """

    IDENTICAL = "identical"
    NEAR_IDENTICAL = "near_identical"
    VERIFIED_COPY = "verified_copy"
    LIKELY_COPY = "likely_copy"
    SHARES_PART = "shares_part"
    CONFIRMED = "confirmed"
    SUGGESTED = "suggested"
    UNCALIBRATED = "uncalibrated"
    BELOW_THRESHOLD = "below_threshold"
    LOW_QUALITY = "low_quality"
    UNTRAINED_DETECTOR = "untrained_detector"


@dataclass(frozen=True, slots=True)
class RelationScore:
    """How one relation between two pictures was measured.

    `measure` is `sha256` (value 1 when equal), `pdq_distance` (0 to 256 bits, smaller is closer), `overlap` (local
    features that lie alike), `copy_cosine` (of copy embeddings, less what it is to unrelated pictures; -2 to 2) or
    `cls_cosine` (-1 to 1). `holds` says whether the value meets `threshold`; `note` adds what a person should know
    ("mirrored"). `probability`: of the same origin, as a calibration measured it; None without one. `resized_to`: the
    side, in pixels, of the square that the query was brought to for the PDQ hash that is nearest; None: its reference
    hash is.
    """

    relation: Relation
    measure: str
    value: float
    threshold: float
    holds: bool
    band: Band
    note: str | None = None
    probability: float | None = None
    resized_to: int | None = None


def same_file(a: str, b: str) -> RelationScore:
    """Compares two SHA-256 digests (hex)."""
    equal = a == b
    return RelationScore(
        relation=Relation.SAME_FILE,
        measure="sha256",
        value=float(equal),
        threshold=1.0,
        holds=equal,
        band=Band.IDENTICAL if equal else Band.BELOW_THRESHOLD,
    )


def same_picture(
    hashes: Sequence[QueryHash], quality: int, other: bytes, other_quality: int, thresholds: Thresholds
) -> RelationScore:
    """Compares the PDQ hashes that are asked with for a picture, with another picture's hash (32 bytes).

    The smallest distance counts, of equal ones the first; what hash that was is noted, unless it is of the upright
    picture by the reference method. A hash of low quality never holds, nor does one that says nothing.
    """
    distance, order = min((hamming(query_hash.bits, other), order) for order, query_hash in enumerate(hashes))
    nearest = hashes[order]
    near = distance <= thresholds.max_distance
    readable = min(quality, other_quality) >= thresholds.min_quality and not (near and says_nothing(other))
    if not readable:
        band = Band.LOW_QUALITY
    else:
        band = Band.NEAR_IDENTICAL if near else Band.BELOW_THRESHOLD
    return RelationScore(
        relation=Relation.SAME_PICTURE,
        measure="pdq_distance",
        value=float(distance),
        threshold=float(thresholds.max_distance),
        holds=near and readable,
        band=band,
        note=nearest.orientation if near and nearest.orientation != UPRIGHT else None,
        resized_to=nearest.resized_to if near else None,
    )


def overlapping(overlap: Overlap) -> RelationScore:
    """What verification found: the same picture, or a part that both share. The value is how many local features lie
    alike; 0, and no threshold, where the pixels of the whole pictures proved it."""
    copy = overlap.relation is Relation.SAME_PICTURE
    notes = ["mirrored"] * overlap.mirrored + ["by its pixels"] * (overlap.inliers == 0)
    return RelationScore(
        relation=overlap.relation,
        measure="overlap",
        value=float(overlap.inliers),
        threshold=float(MIN_INLIERS if overlap.inliers else 0),
        holds=True,
        band=Band.VERIFIED_COPY if copy else Band.SHARES_PART,
        note=", ".join(notes) or None,
    )


def likely_copy(score: float, thresholds: Thresholds, overlap: Overlap | None, *, tells: bool = True) -> RelationScore:
    """What the copy embeddings of two pictures say by themselves.

    It holds from the score on at which few unrelated pictures do, as was measured, and not where features showed that
    only a part is shared.

    Args:
        score: the highest cosine of the query's views to the other picture, less what it is to unrelated pictures.
        thresholds: what counts.
        overlap: what local features showed, None where they were not compared or showed nothing.
        tells: whether copy embeddings tell such pictures apart at all.
    """
    near = thresholds.min_copy_score is not None and score >= thresholds.min_copy_score
    part = overlap is not None and overlap.relation is Relation.SHARES_PART
    if not near:
        band = Band.BELOW_THRESHOLD
    elif not tells:
        band = Band.LOW_QUALITY
    else:
        band = Band.SHARES_PART if part else Band.LIKELY_COPY
    return RelationScore(
        relation=Relation.SAME_PICTURE,
        measure="copy_cosine",
        value=score,
        threshold=_NEVER if thresholds.min_copy_score is None else thresholds.min_copy_score,
        holds=band is Band.LIKELY_COPY,
        band=band,
    )


def embeddings_tell(contents: Iterable[int | None], bits: float | None) -> bool:
    """Whether a high cosine of two pictures says anything: not of pictures of few tones that are far apart.

    Args:
        contents: of the two pictures, None where it was not measured.
        bits: their PDQ distance, None where it is not known.
    """
    bound = min(map(farthest, contents), default=_ANY)
    return bound == _ANY or (bits is not None and bits <= bound)


def farthest(content: int | None) -> int:
    """The PDQ distance up to which a picture of such content and another may be related by their embeddings."""
    if not has_few_tones(content):
        return _ANY
    return BARE_APART if content is not None and content < BARE else FAR_APART


def same_origin(a: Vector, b: Vector, thresholds: Thresholds, *, tells: bool = True) -> RelationScore:
    """Cosine of two L2-normalised embeddings [384] of one detector. An untrained detector's cosine never holds, nor
    one that does not tell such pictures apart."""
    cosine = float(np.clip(np.dot(a, b), -1.0, 1.0))
    smallest, measured = thresholds.min_cosine, thresholds.origin if thresholds.trained and tells else None
    near = smallest is not None and cosine >= smallest
    probability = None if measured is None else measured.probability(cosine)
    band = _origin_band(cosine, near, measured) if tells or not near else Band.LOW_QUALITY
    return RelationScore(
        relation=Relation.SAME_ORIGIN,
        measure="cls_cosine",
        value=cosine,
        threshold=1.0 if smallest is None else smallest,
        holds=near and thresholds.trained and tells,
        band=band if thresholds.trained else Band.UNTRAINED_DETECTOR,
        note=None if measured is None else f"probability of the same {measured.kind} {probability:.2f}",
        probability=probability,
    )


def _origin_band(cosine: float, near: bool, measured: OriginMap | None) -> Band:
    if not near:
        return Band.BELOW_THRESHOLD
    if measured is not None and measured.confirmed is not None and cosine >= measured.confirmed.min_cosine:
        return Band.CONFIRMED
    if measured is not None and measured.suggested is not None and cosine >= measured.suggested.min_cosine:
        return Band.SUGGESTED
    return Band.UNCALIBRATED
