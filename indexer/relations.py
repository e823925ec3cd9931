"""How each of the three relations between two pictures is measured and put in a word.

What to compare with what, and what follows from it, lives in `indexer.search` and `indexer.verdict`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from indexer.calibration import OriginMap
from indexer.imaging.hashing import hamming
from indexer.vocabulary import Relation

Vector = npt.NDArray[np.float32]


class Band(StrEnum):
    """A score in a word. Only what was measured or proven gets more than `uncalibrated`; `confirmed` and `suggested`
    meet the precisions that a calibration states."""

    IDENTICAL = "identical"
    NEAR_IDENTICAL = "near_identical"
    CONFIRMED = "confirmed"
    SUGGESTED = "suggested"
    UNCALIBRATED = "uncalibrated"
    BELOW_THRESHOLD = "below_threshold"
    LOW_QUALITY = "low_quality"
    UNTRAINED_DETECTOR = "untrained_detector"


@dataclass(frozen=True, slots=True)
class RelationScore:
    """How one relation between two pictures was measured.

    `measure` is `sha256` (value 1 when equal), `pdq_distance` (0 to 256 bits, smaller is closer) or `cls_cosine`
    (-1 to 1). `holds` says whether the value meets `threshold`; `note` adds what a person should know ("mirrored").
    `probability`: of the same origin, as a calibration measured it; None without one.
    """

    relation: Relation
    measure: str
    value: float
    threshold: float
    holds: bool
    band: Band
    note: str | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts: PDQ distance at most, both PDQ qualities at least, cosine at least (and by a trained detector).

    `min_cosine` is None when a calibration found no cosine that means the same origin; `origin` is what it measured.
    """

    max_distance: int
    min_quality: int
    min_cosine: float | None
    trained: bool
    origin: OriginMap | None = None


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
    hashes: Sequence[tuple[str, bytes]], quality: int, other: bytes, other_quality: int, thresholds: Thresholds
) -> RelationScore:
    """Compares a picture's PDQ hashes, one per orientation (name, 32 bytes), with another picture's hash.

    The smallest distance counts; its orientation is noted unless it is the first. A hash of low quality never holds.
    """
    distance, order = min((hamming(bits, other), order) for order, (_, bits) in enumerate(hashes))
    readable = min(quality, other_quality) >= thresholds.min_quality
    near = distance <= thresholds.max_distance
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
        note=hashes[order][0] if order and near else None,
    )


def same_origin(a: Vector, b: Vector, thresholds: Thresholds) -> RelationScore:
    """Cosine of two L2-normalised embeddings [384] of one detector. An untrained detector's cosine never holds."""
    cosine = float(np.clip(np.dot(a, b), -1.0, 1.0))
    smallest, measured = thresholds.min_cosine, thresholds.origin if thresholds.trained else None
    near = smallest is not None and cosine >= smallest
    probability = None if measured is None else measured.probability(cosine)
    return RelationScore(
        relation=Relation.SAME_ORIGIN,
        measure="cls_cosine",
        value=cosine,
        threshold=1.0 if smallest is None else smallest,
        holds=near and thresholds.trained,
        band=_origin_band(cosine, near, measured) if thresholds.trained else Band.UNTRAINED_DETECTOR,
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
