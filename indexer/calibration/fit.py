"""One labelled data set and one detector in, a whole calibration out. Pure: nothing is read, nothing is stored."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from indexer import __version__
from indexer.calibration import origin, scores
from indexer.calibration.records import Calibration, Line, OriginMap, ScoreHead
from indexer.calibration.thresholds import abstain_zone
from indexer.errors import UsageError
from indexer.estimates import group_numbers
from indexer.vocabulary import Progress, no_progress

METHODS = ("auto", "temperature", "platt", "isotonic")
FAKES_MINIMUM = 20
_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Material:
    """What one detector says of N labelled pictures.

    `fake` [N]; `logits` [N, C]; `embeddings` [N, D] L2-normalised; `groups` and `generators` [N], None where unknown.
    """

    data_set: str
    detector: str
    fingerprint: str
    head: ScoreHead
    fake: npt.NDArray[np.bool_]
    logits: npt.NDArray[np.float32]
    embeddings: npt.NDArray[np.float32]
    groups: tuple[str | None, ...]
    generators: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """What to promise. Rates in (0, 0.5), precisions in (0.5, 1); `method` is `auto` or one of the methods."""

    method: Line = "auto"
    false_positive_rate: float = 0.05
    false_negative_rate: float = 0.05
    confirmed_precision: float = 0.95
    suggested_precision: float = 0.8
    seed: int = 0


def calibrate(
    material: Material, options: CalibrationOptions, measured_at: datetime, progress: Progress | None = None
) -> Calibration:
    """The calibration of one detector on one data set; the same for the same seed.

    Raises:
        UsageError: an option is out of range, or the pictures cannot support what it promises; says what to do.
    """
    tell = progress or no_progress
    _check(material, options)
    fake, codes = material.fake, group_numbers(material.groups, len(material.fake))
    odds = material.head.log_odds(material.logits)
    tell("thresholds", 0, 4)
    zone = abstain_zone(odds, fake, codes, options.false_positive_rate, options.false_negative_rate)
    methods = scores.candidates(options.method, fake)
    tell("scores", 1, 4)
    fitted = scores.fit(odds, fake, codes, methods, options.seed)
    tell("held-out check", 2, 4)
    checked = scores.check(odds, fake, codes, methods, options.seed)
    tell("same origin", 3, 4)
    likeness, missing = _likeness(material, options)
    tell("done", 4, 4)
    named = {name for name in material.groups if name is not None}
    return Calibration(
        detector=_line(material.detector),
        fingerprint=material.fingerprint,
        data_set=_line(material.data_set),
        authentic=int((~fake).sum()),
        fake=int(fake.sum()),
        groups=len(named) or None,
        requested_method=options.method,
        head=material.head,
        scores=fitted,
        check=checked,
        zone=zone,
        same_origin=likeness,
        origin_missing=missing,
        seed=options.seed,
        made_with=__version__,
        measured_at=measured_at,
    )


def _likeness(material: Material, options: CalibrationOptions) -> tuple[OriginMap | None, str | None]:
    try:
        return (
            origin.origin_map(
                material.embeddings,
                material.fake,
                material.groups,
                material.generators,
                suggested=options.suggested_precision,
                confirmed=options.confirmed_precision,
                seed=options.seed,
            ),
            None,
        )
    except origin.NotMeasurableError as error:
        return None, str(error)


def _check(material: Material, options: CalibrationOptions) -> None:
    if options.method not in METHODS:
        raise UsageError(f"the method is one of {', '.join(METHODS)}, not {options.method}")
    if not 0.5 < options.suggested_precision <= options.confirmed_precision < 1:
        raise UsageError(
            "precisions lie between 0.5 and 1, that of suggested pairs not above that of confirmed ones, not "
            f"{options.suggested_precision:g} and {options.confirmed_precision:g}"
        )
    fakes = int(material.fake.sum())
    if fakes < FAKES_MINIMUM:
        raise UsageError(
            f"{_line(material.data_set)} has {fakes} known fakes, and {FAKES_MINIMUM} are needed: add known fakes"
        )


def _line(text: str) -> str:
    """One printable line that a record takes."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text).strip()
    return shown[:_NAME_LENGTH] or "unnamed"
