"""How well scores tell fakes from authentic pictures: figures with bootstrap intervals.

`fake` [N] is the truth, `score` [N] rises with fakeness. All functions take `groups`, `seed` and `resamples` as
`bootstrap.bootstrap` does, and raise UsageError where the pictures cannot give the figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.arrays import Reals
from indexer.errors import UsageError
from indexer.estimates import RESAMPLES, Estimate, Flags, Groups, bootstrap, group_numbers, of_pairs, of_trials

BINS = 15
"""Bins of the calibration error, of equal mass."""
_CURVE_POINTS = 300


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The lowest `threshold` on the score with at most `max_fpr` false alarms, and the share of fakes at or above it.

    `threshold` None: no score has so few false alarms, and `tpr` is 0.
    """

    max_fpr: float
    threshold: float | None
    tpr: Estimate


@dataclass(frozen=True, slots=True)
class ThresholdRates:
    """What a fixed threshold does; "at or above" counts as fake."""

    threshold: float
    accuracy: Estimate
    tpr: Estimate
    fpr: Estimate


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y) of a line, at most a few hundred."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Pictures of about the same p(fake): their mean p(fake), the share of fakes among them, how many they are."""

    p_fake: float
    share: float
    n: int


class _Ranked:
    """Pictures in falling order of score, with equal scores taken together."""

    def __init__(self, fake: npt.ArrayLike, score: npt.ArrayLike) -> None:
        self.fake, self.score = _checked(fake, score)
        if self.fake.all() or not self.fake.any():
            raise UsageError(f"only {'fakes' if self.fake.all() else 'authentic pictures'}: both classes are needed")
        self._order = np.argsort(-self.score, kind="stable")
        ranked = self.score[self._order]
        self._starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
        self.scores = ranked[self._starts]
        """[U] each score once, falling."""

    def counted(self, weights: Reals) -> tuple[Reals, Reals]:
        """Fakes and authentic pictures [B, U] with at least each score."""
        ordered = weights[:, self._order]
        is_fake = self.fake[self._order]
        hits = np.add.reduceat(ordered * is_fake, self._starts, axis=1)
        alarms = np.add.reduceat(ordered * ~is_fake, self._starts, axis=1)
        return np.cumsum(hits, axis=1), np.cumsum(alarms, axis=1)

    def rates(self, weights: Reals) -> tuple[Reals, Reals]:
        """True and false positive rates [B, U] at each score."""
        hits, alarms = self.counted(weights)
        return hits / hits[:, -1:], alarms / alarms[:, -1:]


def roc_auc(
    fake: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Area under the ROC curve: the chance that a fake scores above an authentic picture, ties counting half.

    An area of exactly 0 or 1, which no resample changes, gets the exact interval of its disjoint pairs: fakes and
    authentic pictures paired off, each in one pair at most, are independent trials whose chance is the area.
    """
    ranked = _Ranked(fake, score)

    def area(weights: Reals) -> Reals:
        tpr, fpr = ranked.rates(weights)
        return np.asarray(_trapezium(tpr, fpr)[:, None])

    estimate = bootstrap(area, ranked.fake, groups=groups, seed=seed, resamples=resamples)[0]
    return of_pairs(estimate, ranked.fake, groups)


def average_precision(
    fake: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Area under the precision-recall curve as a sum of steps. It depends on the share of fakes among the pictures."""
    ranked = _Ranked(fake, score)

    def area(weights: Reals) -> Reals:
        hits, alarms = ranked.counted(weights)
        precision = hits / np.maximum(hits + alarms, 1e-12)
        recall = hits / hits[:, -1:]
        return np.asarray((np.diff(recall, axis=1, prepend=0) * precision).sum(axis=1, keepdims=True))

    return bootstrap(area, ranked.fake, groups=groups, seed=seed, resamples=resamples)[0]


def operating_points(
    fake: npt.ArrayLike,
    score: npt.ArrayLike,
    max_fprs: Sequence[float] = (0.01, 0.05, 0.1),
    *,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[OperatingPoint, ...]:
    """The share of fakes found at each bound on false alarms; no interpolation between scores. In each resample the
    threshold is found anew."""
    ranked = _Ranked(fake, score)
    bounds = np.asarray(max_fprs, np.float64)

    def tprs(weights: Reals) -> Reals:
        tpr, fpr = ranked.rates(weights)
        tprs_at_bounds = [np.where(fpr <= bound + 1e-12, tpr, 0).max(axis=1) for bound in bounds]
        return np.stack(tprs_at_bounds, axis=1)

    estimates = bootstrap(tprs, ranked.fake, groups=groups, seed=seed, resamples=resamples)
    fpr = ranked.rates(np.ones((1, len(ranked.fake))))[1][0]
    points = []
    for bound, estimate in zip(bounds, estimates, strict=True):
        meeting = np.flatnonzero(fpr <= bound + 1e-12)
        threshold = float(ranked.scores[meeting[-1]]) if len(meeting) else None
        shown = of_trials(estimate, ranked.score >= (np.inf if threshold is None else threshold), ranked.fake, groups)
        points.append(OperatingPoint(float(bound), threshold, shown))
    return tuple(points)


def rates_at(
    fake: npt.ArrayLike,
    p_fake: npt.ArrayLike,
    *,
    threshold: float = 0.5,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> ThresholdRates:
    """Accuracy, true and false positive rate at a fixed threshold. Accuracy depends on the share of fakes."""
    ranked = _Ranked(fake, p_fake)
    flagged = ranked.score >= threshold
    right = (flagged == ranked.fake).astype(np.float64)
    names = None if groups is None else np.asarray(group_numbers(groups, len(right)))

    def share(values: Reals, counted: Flags) -> Estimate:
        of = None if names is None else names[counted]
        return mean(values[counted], groups=of, seed=seed, resamples=resamples)

    hits = flagged.astype(np.float64)
    return ThresholdRates(
        threshold,
        _accuracy(ranked.fake, right, names, seed, resamples),
        share(hits, ranked.fake),
        share(hits, ~ranked.fake),
    )


def calibration_error(
    fake: npt.ArrayLike,
    p_fake: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Expected calibration error over BINS bins of equal mass (Nixon et al., CVPR Workshops 2019, arXiv 1904.01685).

    The bins' bounds are quantiles of p(fake), equal values staying together; the error is the mean over pictures of
    |share of fakes in the bin - mean p(fake) in the bin|. It holds for the share of fakes among these pictures, and is
    above 0 by chance alone when they are few. Resampling adds to the error, so the interval is made to hold the value.
    """
    ranked = _Ranked(fake, p_fake)
    numbers, count = _bins(ranked.score)
    inside = np.zeros((len(numbers), count))
    inside[np.arange(len(numbers)), numbers] = 1
    gap = inside * (ranked.fake - ranked.score)[:, None]

    def error(weights: Reals) -> Reals:
        return np.asarray(np.abs(weights @ gap).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True))

    estimate = bootstrap(error, ranked.fake, groups=groups, seed=seed, resamples=resamples)[0]
    return estimate.holding()


def mean(values: npt.ArrayLike, *, groups: Groups | None = None, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """The mean of values in [0, 1], such as shares of hits or p(fake)."""
    checked = np.asarray(values, np.float64)
    one_class = np.ones(len(checked), np.bool_)

    def average(weights: Reals) -> Reals:
        return _mean(weights, checked)[:, None]

    estimate = bootstrap(average, one_class, groups=groups, seed=seed, resamples=resamples)[0]
    return of_trials(estimate, checked, one_class, groups)


def macro_mean(
    values: npt.ArrayLike,
    classes: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The mean over classes (numbers from 0) of the mean value in each; classes a resample misses do not count."""
    checked, numbers = np.asarray(values, np.float64), np.asarray(classes, np.int64)
    inside = np.zeros((len(numbers), int(numbers.max()) + 1))
    inside[np.arange(len(numbers)), numbers] = 1

    def average(weights: Reals) -> Reals:
        drawn = weights @ inside
        shares = (weights @ (inside * checked[:, None])) / np.maximum(drawn, 1e-12)
        return np.asarray(shares.sum(axis=1, keepdims=True) / (drawn > 0).sum(axis=1, keepdims=True))

    one_class = np.ones(len(checked), np.bool_)
    return bootstrap(average, one_class, groups=groups, seed=seed, resamples=resamples)[0]


def roc_curve(fake: npt.ArrayLike, score: npt.ArrayLike) -> Curve:
    """False positive rate (x) and true positive rate (y)."""
    ranked = _Ranked(fake, score)
    tpr, fpr = ranked.rates(np.ones((1, len(ranked.fake))))
    return _thinned(np.concatenate([[0.0], fpr[0]]), np.concatenate([[0.0], tpr[0]]))


def precision_recall_curve(fake: npt.ArrayLike, score: npt.ArrayLike) -> Curve:
    """Recall (x) and precision (y)."""
    ranked = _Ranked(fake, score)
    hits, alarms = ranked.counted(np.ones((1, len(ranked.fake))))
    return _thinned(hits[0] / hits[0, -1], hits[0] / (hits[0] + alarms[0]))


def reliability(fake: npt.ArrayLike, p_fake: npt.ArrayLike) -> tuple[Bin, ...]:
    """The bins of `calibration_error`, by rising p(fake)."""
    truth, scores = _checked(fake, p_fake)
    numbers, count = _bins(scores)
    bins = []
    for number in range(count):
        chosen = numbers == number
        if chosen.any():
            bins.append(Bin(float(scores[chosen].mean()), float(truth[chosen].mean()), int(chosen.sum())))
    return tuple(bins)


def _checked(fake: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Flags, Reals]:
    truth, scores = np.asarray(fake, np.bool_), np.asarray(score, np.float64)
    if truth.ndim != 1 or truth.shape != scores.shape:
        raise UsageError(f"labels {list(truth.shape)} and scores {list(scores.shape)} must be one of each a picture")
    if not len(truth):
        raise UsageError("there are no pictures to measure on")
    if not np.isfinite(scores).all():
        raise UsageError("a score is not a finite number")
    return truth, scores


def _trapezium(tpr: Reals, fpr: Reals) -> Reals:
    """Areas [B] under curves [B, U] that start at the origin."""
    width = np.diff(fpr, axis=1, prepend=0)
    height = tpr - np.diff(tpr, axis=1, prepend=0) / 2
    return np.asarray((width * height).sum(axis=1))


def _mean(weights: Reals, values: npt.NDArray[np.generic]) -> Reals:
    """Weighted means [B] of values [N]."""
    return np.asarray((weights @ values.astype(np.float64)) / weights.sum(axis=1))


def _bins(scores: Reals) -> tuple[npt.NDArray[np.int64], int]:
    bounds = np.unique(np.quantile(scores, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(bounds, scores, side="right"), len(bounds) + 1


def _accuracy(fake: Flags, right: Reals, groups: Groups | None, seed: int, resamples: int) -> Estimate:
    def share(weights: Reals) -> Reals:
        return _mean(weights, right)[:, None]

    estimate = bootstrap(share, fake, groups=groups, seed=seed, resamples=resamples)[0]
    return of_trials(estimate, right, np.ones_like(fake), groups)


def _thinned(x: Reals, y: Reals) -> Curve:
    if len(x) > _CURVE_POINTS:
        kept = np.unique(np.linspace(0, len(x) - 1, _CURVE_POINTS).round().astype(np.int64))
        x, y = x[kept], y[kept]
    return Curve(tuple(float(value) for value in x), tuple(float(value) for value in y))
