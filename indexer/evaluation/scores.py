"""How well p(fake) tells fakes from authentic pictures: overall, and by generator, technique and size."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.estimates import Estimate, Figure, Flags, NotMeasured, figure
from indexer.evaluation import metrics
from indexer.evaluation.labelled import LabelledSet
from indexer.evaluation.metrics import Bin, Curve, OperatingPoint
from indexer.evaluation.options import EvaluationOptions
from indexer.vocabulary import Progress, Technique

MOST_SLICES = 40
"""Most generators with figures of their own, the largest first."""
FEWEST = 10
"""Fewest authentic pictures of a size to compare the fakes of that size with."""
NOT_TRAINED = NotMeasured("the detector is not trained, its scores say nothing about fakeness")
_HISTOGRAM_BINS = 20
By: TypeAlias = Literal["generator", "technique", "size"]
SIZES = (("small", 0, 256), ("medium", 256, 1024), ("large", 1024, 2**31))
"""Names of sizes and the shorter sides they hold: from the first to below the second, in pixels."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many pictures of each class have a p(fake) in each of 20 equal parts of [0, 1]."""

    fake: tuple[int, ...]
    authentic: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """Figures of p(fake) over all pictures; `tpr` and `fpr` at `threshold`. Curves are None if a class is missing."""

    threshold: float
    roc_auc: Figure
    average_precision: Figure
    accuracy: Figure
    tpr: Figure
    fpr: Figure
    calibration_error: Figure
    mean_p_fake_of_fakes: Figure
    mean_p_fake_of_authentic: Figure
    operating_points: tuple[OperatingPoint, ...]
    roc: Curve | None
    precision_recall: Curve | None
    reliability: tuple[Bin, ...]
    histogram: Histogram | None


@dataclass(frozen=True, slots=True)
class Slice:
    """The fakes of one generator or technique against all authentic pictures, or those of one size against authentic
    pictures of that size. `tpr`: share of these fakes at or above the threshold."""

    by: By
    name: str
    fakes: int
    authentic: int
    roc_auc: Figure
    tpr: Figure


def score_figures(labelled: LabelledSet, options: EvaluationOptions, *, trained: bool) -> ScoreFigures:
    """The figures over all pictures; `not_measurable` where a class is missing or the detector is not trained."""
    fake, p_fake = labelled.fake, labelled.p_fake
    drawn = options.resampling(labelled.groups)
    both = trained and bool(fake.any()) and not fake.all()

    def when_trained(measure: Callable[[], Estimate]) -> Figure:
        return figure(measure) if trained else NOT_TRAINED

    def share_flagged(side: Flags) -> Callable[[], Estimate]:
        return lambda: _mean(labelled.subset(side), p_fake[side] >= options.threshold, options)

    def mean_p_fake(side: Flags) -> Callable[[], Estimate]:
        return lambda: _mean(labelled.subset(side), p_fake[side], options)

    return ScoreFigures(
        threshold=options.threshold,
        roc_auc=when_trained(lambda: metrics.roc_auc(fake, p_fake, **drawn)),
        average_precision=when_trained(lambda: metrics.average_precision(fake, p_fake, **drawn)),
        accuracy=when_trained(lambda: metrics.rates_at(fake, p_fake, threshold=options.threshold, **drawn).accuracy),
        tpr=when_trained(share_flagged(fake)),
        fpr=when_trained(share_flagged(~fake)),
        calibration_error=when_trained(lambda: metrics.calibration_error(fake, p_fake, **drawn)),
        mean_p_fake_of_fakes=when_trained(mean_p_fake(fake)),
        mean_p_fake_of_authentic=when_trained(mean_p_fake(~fake)),
        operating_points=metrics.operating_points(fake, p_fake, **drawn) if both else (),
        roc=metrics.roc_curve(fake, p_fake) if both else None,
        precision_recall=metrics.precision_recall_curve(fake, p_fake) if both else None,
        reliability=metrics.reliability(fake, p_fake) if trained else (),
        histogram=_histogram(labelled) if trained else None,
    )


def slices(labelled: LabelledSet, options: EvaluationOptions, tell: Progress, *, trained: bool) -> tuple[Slice, ...]:
    """Generators (the largest MOST_SLICES), techniques and sizes that have fakes, in falling number of fakes; sizes
    from small to large."""
    planned = list(_wanted(labelled))
    results = []
    for number, (by, name, chosen, against) in enumerate(planned, 1):
        results.append(_slice(labelled, options, by, name, chosen, against, trained=trained))
        tell("generators, techniques, sizes", number, len(planned))
    return tuple(results)


def _wanted(labelled: LabelledSet) -> Iterator[tuple[By, str, Flags, Flags]]:
    """What the slices are by, their names, their fakes and the authentic pictures they are held against."""
    fake = labelled.fake
    names = np.array([name or "" for name in labelled.generators], object)
    counted = Counter(name for name in names[fake] if name)
    for name, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:MOST_SLICES]:
        yield "generator", name, fake & (names == name), ~fake
    techniques = np.array(labelled.techniques, object)
    kinds = Counter(technique for technique in techniques[fake] if technique is not Technique.UNKNOWN)
    for technique, _ in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
        yield "technique", technique.value, fake & (techniques == technique), ~fake
    shorter = labelled.sizes.min(axis=1)
    for name, low, high in SIZES:
        inside = (low <= shorter) & (shorter < high)
        if inside.any():
            yield "size", name, fake & inside, ~fake & inside


def _slice(
    labelled: LabelledSet, options: EvaluationOptions, by: By, name: str, fakes: Flags, others: Flags, *, trained: bool
) -> Slice:
    chosen = labelled.subset(fakes | others)
    side = labelled.subset(fakes)
    auc: Figure = NOT_TRAINED
    if trained and by == "size" and int(others.sum()) < FEWEST:
        auc = NotMeasured(f"fewer than {FEWEST} authentic pictures of this size")
    elif trained:
        auc = figure(lambda: metrics.roc_auc(chosen.fake, chosen.p_fake, **options.resampling(chosen.groups)))
    flagged = figure(lambda: _mean(side, side.p_fake >= options.threshold, options)) if trained else NOT_TRAINED
    return Slice(by, name, int(fakes.sum()), int(others.sum()), auc, flagged)


def _mean(side: LabelledSet, values: npt.NDArray[Any], options: EvaluationOptions) -> Estimate:
    return metrics.mean(values, **options.resampling(side.groups))


def _histogram(labelled: LabelledSet) -> Histogram:
    def counted(side: Flags) -> tuple[int, ...]:
        counts, _ = np.histogram(labelled.p_fake[side], _HISTOGRAM_BINS, (0, 1))
        return tuple(int(count) for count in counts)

    return Histogram(counted(labelled.fake), counted(~labelled.fake))
