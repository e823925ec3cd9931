"""A calibration as it is stored: frozen dataclasses that check themselves, and the two maps they hold.

Scores are log-odds here: the logit of one output, or of several the fake one's against the rest. They rise with
p(fake) and, unlike it, do not saturate. How a calibration is measured lives in `fit`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from indexer.arrays import Reals
from indexer.estimates import Estimate

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Cosine = Annotated[float, Field(ge=-1, le=1)]
Count = Annotated[int, Field(ge=0)]
Line = Annotated[str, Field(min_length=1, max_length=400)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

MAX_KNOTS = 1_000
"""Most points of an isotonic map that are kept."""


class Method(StrEnum):
    """How log-odds become probabilities: one slope (Guo et al., ICML 2017, arXiv 1706.04599), slope and intercept
    (Platt 1999), or any rising steps (Zadrozny & Elkan, KDD 2002)."""

    TEMPERATURE = "temperature"
    PLATT = "platt"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, slots=True)
class ScoreHead:
    """Which of a detector's outputs says fake: `sigmoid` of the one logit, or `softmax` over several."""

    kind: Literal["sigmoid", "softmax"]
    fake_index: Annotated[int, Field(ge=0, le=10_000)]

    def log_odds(self, logits: npt.ArrayLike) -> Reals:
        """Log-odds [N] of fake for logits [N, C]."""
        wide = np.atleast_2d(np.asarray(logits, dtype=np.float64))
        if self.kind == "sigmoid":
            return wide[:, 0].copy()
        rest = np.delete(wide, self.fake_index, axis=1)
        odds: Reals = wide[:, self.fake_index] - np.logaddexp.reduce(rest, axis=1)
        return odds


@dataclass(frozen=True, slots=True)
class ScoreMap:
    """From log-odds to a probability, never falling.

    `temperature` and `platt`: sigmoid(slope x log-odds + intercept); the temperature is 1 / slope. `isotonic`: straight
    lines between `knots` (log-odds, probability), flat outside.
    """

    method: Method
    slope: Finite | None
    intercept: Finite | None
    knots: Annotated[tuple[tuple[Finite, Share], ...], Field(max_length=MAX_KNOTS)] = ()

    def __post_init__(self) -> None:
        """Refuses a map that would let a higher score mean a lower probability."""
        if self.method is Method.ISOTONIC:
            check_knots(self.knots)
        elif self.slope is None or self.intercept is None or self.slope <= 0:
            raise ValueError("a slope above 0 and an intercept are needed")

    def probabilities(self, log_odds: npt.ArrayLike) -> Reals:
        """Probabilities [N] for log-odds [N]."""
        odds = np.asarray(log_odds, dtype=np.float64)
        if self.slope is None or self.intercept is None:
            return along(self.knots, odds)
        return sigmoid(self.slope * odds + self.intercept)


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: the mean predicted probability and the share of fakes that was found."""

    count: Count
    predicted: Share
    observed: Estimate


@dataclass(frozen=True, slots=True)
class Quality:
    """How good probabilities are; 0 is best in all three. `ece`: expected calibration error over 15 bins of equal
    counts (Naeini et al., AAAI 2015, with equal mass)."""

    brier: Estimate
    log_loss: Estimate
    ece: Estimate


@dataclass(frozen=True, slots=True)
class ScoreCheck:
    """Probabilities of pictures that the map was not fitted on, `before` and `after` calibration."""

    folds: Annotated[int, Field(ge=2)]
    before: Quality
    after: Quality
    reliability_before: Annotated[tuple[Bin, ...], Field(max_length=100)]
    reliability: Annotated[tuple[Bin, ...], Field(max_length=100)]


@dataclass(frozen=True, slots=True)
class AbstainZone:
    """Where a detector's score leans neither way.

    Log-odds above `fake_above` lean fake, below `authentic_below` authentic; the latter is None when there were too few
    fakes to support it. The rates are those of authentic pictures said to lean fake and of fakes said to lean
    authentic; their intervals end at most at the stated rates. `effective_…`: how many independent pictures they rest
    on.
    """

    stated_false_positive_rate: Share
    stated_false_negative_rate: Share
    fake_above: Finite
    authentic_below: Finite | None
    false_positive_rate: Estimate
    false_negative_rate: Estimate | None
    effective_authentic: Finite
    effective_fake: Finite

    def __post_init__(self) -> None:
        """Refuses thresholds that cross."""
        if self.authentic_below is not None and self.authentic_below > self.fake_above:
            raise ValueError("the two thresholds cross")


@dataclass(frozen=True, slots=True)
class OriginBand:
    """The smallest cosine at which pairs share their origin with the stated `precision`, and the precision found on
    pairs of origins that had no part in choosing it."""

    precision: Share
    min_cosine: Cosine
    held_out: Estimate
    pairs: Count


@dataclass(frozen=True, slots=True)
class OriginMap:
    """From the cosine of two embeddings to the probability that both pictures share an origin.

    `kind` is what counts as one. Measured on each picture with its `neighbours` nearest fakes, as a search finds them;
    `base_rate` of those pairs share the origin. A band is None when no cosine meets its precision.
    """

    kind: Literal["group", "generator"]
    knots: Annotated[tuple[tuple[Cosine, Share], ...], Field(max_length=MAX_KNOTS)]
    base_rate: Share
    neighbours: Annotated[int, Field(ge=1)]
    pictures: Count
    origins: Count
    pairs: Count
    check: Quality
    stated_suggested: Share
    stated_confirmed: Share
    suggested: OriginBand | None
    confirmed: OriginBand | None

    def __post_init__(self) -> None:
        """Refuses a map that falls, and bands in the wrong order."""
        check_knots(self.knots)
        if self.confirmed and (self.suggested is None or self.suggested.min_cosine > self.confirmed.min_cosine):
            raise ValueError("the band of confirmed pairs reaches below that of suggested ones")

    def probability(self, cosine: float) -> float:
        """The measured probability for one cosine."""
        return float(along(self.knots, np.array([cosine]))[0])


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one detector's scores and cosines meant on one labelled data set.

    `groups` is the number of distinct groups, None when the data set names none. `origin_missing` says why
    `same_origin` could not be measured. `requested_method` is what was asked for (`auto` or a method).
    """

    detector: Line
    fingerprint: Digest
    data_set: Line
    authentic: Annotated[int, Field(ge=1)]
    fake: Annotated[int, Field(ge=1)]
    groups: Count | None
    requested_method: Line
    head: ScoreHead
    scores: ScoreMap
    check: ScoreCheck
    zone: AbstainZone
    same_origin: OriginMap | None
    origin_missing: Line | None
    seed: int
    made_with: Line
    measured_at: datetime

    def __post_init__(self) -> None:
        """Refuses names that could drive a terminal."""
        if not (self.detector + self.data_set).isprintable():
            raise ValueError("a name holds characters that cannot be printed")

    @property
    def pictures(self) -> int:
        """How many pictures it was measured on."""
        return self.authentic + self.fake

    @property
    def fake_share(self) -> float:
        """Share of fakes among them; the probabilities hold where about as many are fake."""
        return self.fake / self.pictures


@dataclass(frozen=True, slots=True)
class CalibrationVersion:
    """A stored calibration. Versions count up for each detector and are never changed, only retired."""

    version: Annotated[int, Field(ge=1)]
    retired_at: datetime | None
    calibration: Calibration


def sigmoid(values: Reals) -> Reals:
    """1 / (1 + exp(-x)) without overflow."""
    half: Reals = 0.5 * (1.0 + np.tanh(0.5 * values))
    return half


def along(knots: tuple[tuple[float, float], ...], values: Reals) -> Reals:
    """Values read off the straight lines between `knots`, flat outside them."""
    points = np.array(knots, dtype=np.float64)
    read: Reals = np.interp(values, points[:, 0], points[:, 1])
    return read


def check_knots(knots: tuple[tuple[float, float], ...]) -> None:
    """Raises ValueError unless there are knots, whose positions rise and whose values never fall."""
    if not knots:
        raise ValueError("an isotonic map needs at least one knot")
    steps = np.diff(np.array(knots, dtype=np.float64), axis=0)
    if len(steps) and not ((steps[:, 0] > 0).all() and (steps[:, 1] >= 0).all()):
        raise ValueError("the knots of a map must rise")
