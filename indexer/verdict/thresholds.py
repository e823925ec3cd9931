"""What counts as the same picture and as the same origin: one rule for searches, watches, campaigns and novelties.

Campaigns and their newcomers must agree with searches: what a search calls of one origin joins, and the next clustering
keeps it. docs/settings.md says the rule for people.
"""

from dataclasses import dataclass

from indexer.calibration import CalibrationVersion, OriginMap
from indexer.copies.descriptor import DescriptorSpec
from indexer.detector import DetectorSpec
from indexer.errors import UsageError
from indexer.settings import Settings


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts: PDQ distance at most, both PDQ qualities at least, cosine at least (and by a trained detector).

    `min_cosine` is None when a calibration found no cosine that means the same origin; `origin` is what it measured.
    `min_copy_score`: from which on a copy embedding alone claims a copy; None when it was not measured and none does.
    `copy_false_matches`: at most this share of unrelated pictures scores so high, where that was measured.
    """

    max_distance: int
    min_quality: int
    min_cosine: float | None
    trained: bool
    origin: OriginMap | None = None
    min_copy_score: float | None = None
    copy_false_matches: float | None = None


def smallest_cosine(settings: Settings, described: float, origin: OriginMap | None) -> float | None:
    """The smallest cosine that counts as the same origin: what the calibration in use measured for suggested pairs, and
    none where it found that none does; without one the setting; without that what the detector says of itself.

    Args:
        settings: `same_origin_min_cosine` is taken.
        described: by the detector.
        origin: what the calibration in use measured of cosines, None when it measured nothing or there is none.
    """
    if origin is not None:
        return None if origin.suggested is None else origin.suggested.min_cosine
    return described if settings.same_origin_min_cosine is None else settings.same_origin_min_cosine


def thresholds_for(
    settings: Settings,
    spec: DetectorSpec,
    calibration: CalibrationVersion | None,
    descriptor: DescriptorSpec | None = None,
    *,
    max_distance: int | None = None,
    min_cosine: float | None = None,
) -> Thresholds:
    """What counts as the same picture and the same origin.

    Args:
        settings, spec, calibration: of the installation, of its detector, and the one in use.
        descriptor: of the copy descriptor in use; without one no copy embedding claims anything.
        max_distance: what one search asks for, in bits of PDQ's 256; None takes the setting.
        min_cosine: what one search asks for; None goes by `smallest_cosine`.

    Raises:
        UsageError: a number is out of range.
    """
    if max_distance is not None and not 0 <= max_distance <= 64:
        raise UsageError(f"the largest PDQ distance is 0 to 64, not {max_distance}")
    if min_cosine is not None and not -1 <= min_cosine <= 1:
        raise UsageError(f"the smallest cosine is -1 to 1, not {min_cosine}")
    origin = None if calibration is None else calibration.calibration.same_origin
    smallest = smallest_cosine(settings, spec.same_origin_min_cosine, origin)
    return Thresholds(
        max_distance=settings.same_picture_max_distance if max_distance is None else max_distance,
        min_quality=settings.pdq_min_quality,
        min_cosine=smallest if min_cosine is None else min_cosine,
        trained=spec.trained,
        origin=origin,
        min_copy_score=None if descriptor is None or not descriptor.trained else descriptor.likely_copy_min_score,
        copy_false_matches=None if descriptor is None else descriptor.likely_copy_false_match_rate,
    )
