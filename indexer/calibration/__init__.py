"""What scores mean on somebody's own pictures: the measurement as a record, and how it is made.

The records are here to be used by searches and verdicts; fitting them (`fit`) loads scikit-learn and is imported by
whoever calibrates.
"""

from indexer.calibration.records import (
    AbstainZone,
    Bin,
    Calibration,
    CalibrationVersion,
    Method,
    OriginBand,
    OriginMap,
    Quality,
    ScoreCheck,
    ScoreHead,
    ScoreMap,
)
from indexer.estimates import Estimate

__all__ = [
    "AbstainZone",
    "Bin",
    "Calibration",
    "CalibrationVersion",
    "Estimate",
    "Method",
    "OriginBand",
    "OriginMap",
    "Quality",
    "ScoreCheck",
    "ScoreHead",
    "ScoreMap",
]
