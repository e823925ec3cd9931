"""What a detector says of one picture, and what a calibration makes of it. Pure: a finding can be computed again from
logits and the calibration's version at any time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from indexer.calibration import CalibrationVersion
from indexer.calibration.records import sigmoid

VERBAL_BANDS = (
    (0.80, "very likely fake"),
    (0.55, "likely fake"),
    (0.45, "roughly even chance of being fake"),
    (0.20, "unlikely to be fake"),
    (0.00, "very unlikely to be fake"),
)
"""Calibrated probability from which on a word is used. Words and cut points are those of Intelligence Community
Directive 203 (2015), without its words for above 0.95 and below 0.05: one detector does not carry "almost certain"."""


class Reading(StrEnum):
    """Which way a detector's own score leans: by the thresholds of a calibration, else to either side of 0.5."""

    LEANS_FAKE = "leans_fake"
    INCONCLUSIVE = "inconclusive"
    LEANS_AUTHENTIC = "leans_authentic"
    NOT_ASSESSABLE = "not_assessable"


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a calibrated score decides nothing, on the scale of `p_fake`: up to `leans_fake_above`, and from
    `leans_authentic_below` on (None: too few fakes were there to support leaning authentic at all)."""

    leans_fake_above: float
    leans_authentic_below: float | None


@dataclass(frozen=True, slots=True)
class DetectorFinding:
    """What the detector itself says of a picture. `p_fake` in [0, 1], None unless the detector is trained;
    `calibrated_p_fake` (a probability, where as many are fake as in the calibration's data set) and `zone` are None
    unless there is a calibration."""

    name: str
    fingerprint: str
    trained: bool
    logits: tuple[float, ...]
    p_fake: float | None
    reading: Reading
    calibrated_p_fake: float | None = None
    zone: Zone | None = None


@dataclass(frozen=True, slots=True)
class CalibrationReference:
    """The measurement that gives scores a meaning: version, labelled set, its size and share of fakes, and the
    false-positive rate of `leans_fake` with its 95 % interval."""

    version: int
    data_set: str
    n: int
    fake_share: float
    false_positive_rate: float
    interval: tuple[float, float]
    measured_at: datetime

    @classmethod
    def of(cls, active: CalibrationVersion) -> "CalibrationReference":
        """The reference to a stored calibration."""
        measured, rate = active.calibration, active.calibration.zone.false_positive_rate
        return cls(
            version=active.version,
            data_set=measured.data_set,
            n=measured.pictures,
            fake_share=measured.fake_share,
            false_positive_rate=rate.value,
            interval=rate.bounds,
            measured_at=measured.measured_at,
        )

    @property
    def words(self) -> str:
        """The reference in words, for a sentence."""
        return (
            f"calibrated on {self.n} pictures of {self.data_set} (version {self.version}, {self.measured_at:%Y-%m-%d})"
        )


def find(
    name: str,
    fingerprint: str,
    *,
    trained: bool,
    logits: tuple[float, ...],
    p_fake: float | None,
    calibration: CalibrationVersion | None,
) -> DetectorFinding:
    """The finding for one picture's logits [C]; an untrained detector never leans, whatever the rest says."""
    if not trained or p_fake is None:
        return DetectorFinding(name, fingerprint, trained, logits, None, Reading.NOT_ASSESSABLE)
    if calibration is None:
        reading = Reading.LEANS_FAKE if p_fake >= 0.5 else Reading.LEANS_AUTHENTIC
        return DetectorFinding(name, fingerprint, trained, logits, p_fake, reading)
    measured, zone = calibration.calibration, calibration.calibration.zone
    odds = measured.head.log_odds(logits)
    bounds = sigmoid(np.array([zone.fake_above, zone.authentic_below or 0.0]))
    if odds[0] > zone.fake_above:
        reading = Reading.LEANS_FAKE
    elif zone.authentic_below is not None and odds[0] < zone.authentic_below:
        reading = Reading.LEANS_AUTHENTIC
    else:
        reading = Reading.INCONCLUSIVE
    return DetectorFinding(
        name=name,
        fingerprint=fingerprint,
        trained=trained,
        logits=logits,
        p_fake=p_fake,
        reading=reading,
        calibrated_p_fake=float(measured.scores.probabilities(odds)[0]),
        zone=Zone(float(bounds[0]), None if zone.authentic_below is None else float(bounds[1])),
    )


def verbal_band(finding: DetectorFinding | None) -> str | None:
    """A calibrated probability in words; None when there is none, `inconclusive` inside the abstain zone."""
    if finding is None or finding.calibrated_p_fake is None:
        return None
    if finding.reading is Reading.INCONCLUSIVE:
        return "inconclusive"
    return next(words for least, words in VERBAL_BANDS if finding.calibrated_p_fake >= least)


def score_statement(finding: DetectorFinding, reference: CalibrationReference | None) -> str | None:
    """One sentence on a finding, None when the detector says nothing. Without a calibration it has no word that sounds
    like a probability."""
    if finding.p_fake is None:
        return None
    if finding.calibrated_p_fake is None or reference is None:
        return f"The detector {finding.name} scores {finding.p_fake:.3f} on its scale from 0 to 1 (uncalibrated)."
    low, high = reference.interval
    leaning = {
        Reading.LEANS_FAKE: f"leans fake; authentic pictures did so in {reference.false_positive_rate:.1%} of cases "
        f"(95 % interval {low:.1%} to {high:.1%})",
        Reading.LEANS_AUTHENTIC: "leans authentic",
    }.get(finding.reading, "is inconclusive")
    return (
        f"The detector {finding.name} scores {finding.p_fake:.3f}, a probability of being fake of "
        f"{finding.calibrated_p_fake:.2f} where {reference.fake_share:.0%} of pictures are, and {leaning}: "
        f"{reference.words}."
    )
