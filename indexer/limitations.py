"""What an answer does not say: one sentence a limit."""

from typing import Final

from indexer.calibration import CalibrationVersion, OriginMap
from indexer.detector import bundled
from indexer.detector.registry import COMMUNITY_FORENSICS
from indexer.findings import DetectorFinding

LIMIT_SIGNAL: Final = "A detector's score is a signal, not proof."
LIMIT_SCORE: Final = f"{LIMIT_SIGNAL} It is uncalibrated: 0.9 does not mean nine in ten."
LIMIT_LIKENESS: Final = (
    "Likeness to a known fake is a relation between pictures; the genuine source of a fake may match it too."
)
LIMIT_NO_MATCH: Final = (
    "No match means that this catalogue does not hold it. It does not mean that the picture is authentic."
)
LIMIT_UNCALIBRATED: Final = (
    "Cosine thresholds are uncalibrated: how often they are wrong on your pictures has not been measured."
)
LIMIT_UNTRAINED: Final = (
    "The detector in use is not trained: it can neither judge the picture nor its likeness to known fakes."
)
LIMIT_LOCAL_EDIT: Final = (
    "PDQ compares whole pictures: a small local edit of a genuine picture stays within its distance."
)
LIMIT_LISTED: Final = (
    "A hash list says that somebody listed the picture. There is none here to compare it with by eye: ask the list's "
    "keeper."
)
LIMIT_LOW_QUALITY: Final = (
    "The picture has too little structure for PDQ: whether it is the same picture could not be judged."
)
LIMIT_BUNDLED: Final = (
    f"The detector in use is {bundled.SPEC.name}, the small one that comes with dejafake: it is made to find copies, "
    f"and its own score is weak evidence. The recommended one is {COMMUNITY_FORENSICS.name}."
)


def detector_limits(finding: DetectorFinding, calibration: CalibrationVersion | None) -> list[str]:
    """The limits of what a detector says of a picture."""
    limits = [LIMIT_BUNDLED] if finding.name == bundled.SPEC.name else []
    if not finding.trained:
        return [LIMIT_UNTRAINED, *limits]
    if calibration is None:
        return [LIMIT_SCORE, *limits]
    measured = calibration.calibration
    return [
        f"{LIMIT_SIGNAL} Its probability holds for pictures like those of {measured.data_set}, of which "
        f"{measured.fake_share:.0%} are fake: pictures of another kind, or another share of fakes, make it wrong.",
        *limits,
    ]


def cosine_limits(origin: OriginMap | None) -> list[str]:
    """The limits of a likeness that a trained detector measured."""
    if origin is None:
        return [LIMIT_UNCALIBRATED]
    limit = (
        f"How likely two pictures share a {origin.kind} was measured on the nearest neighbours of {origin.pictures} "
        "pictures: it holds for searches among pictures of the same kind."
    )
    if origin.suggested is None:
        limit += (
            f" No cosine met the stated precision of {origin.stated_suggested:.0%} there, so none is called the same "
            "origin."
        )
    return [limit]
