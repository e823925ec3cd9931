"""What clients get of calibrations."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from indexer.calibration import CalibrationVersion, Method
from indexer.verdict.findings import CalibrationReference


class CalibrationEntry(BaseModel):
    """A line of the list of calibrations."""

    calibration: CalibrationReference
    method: Method
    retired_at: datetime | None

    @classmethod
    def of(cls, stored: CalibrationVersion) -> "CalibrationEntry":
        """The line for a stored calibration."""
        return cls(
            calibration=CalibrationReference.of(stored),
            method=stored.calibration.scores.method,
            retired_at=stored.retired_at,
        )


class Calibrations(BaseModel):
    """The calibrations of the detector `fingerprint`. `in_use`: the version searches are read with, null when scores
    are uncalibrated."""

    fingerprint: str
    in_use: int | None
    versions: tuple[CalibrationEntry, ...]

    @classmethod
    def of(cls, fingerprint: str, in_use: int | None, stored: Sequence[CalibrationVersion]) -> "Calibrations":
        """The list of what is stored."""
        return cls(
            fingerprint=fingerprint, in_use=in_use, versions=tuple(CalibrationEntry.of(version) for version in stored)
        )
