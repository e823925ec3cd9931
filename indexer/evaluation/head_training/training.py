"""From labelled pictures to a head and its description.

Regularisation is chosen anew inside each fold, so no figure has seen its own pictures; those of one group (made from
the same photograph) are never on both sides of a split.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from indexer import __version__
from indexer.arrays import Floats, Reals
from indexer.detector import ResolvedDetector
from indexer.estimates import Estimate, bootstrap
from indexer.evaluation import metrics
from indexer.evaluation.head_training import fitting
from indexer.evaluation.head_training.lesson import Lesson, Numbers, lesson_of
from indexer.evaluation.labelled import LabelledSet
from indexer.heads.head import FORMAT, MAX_TEXT, ClassFigures, HeadDescription, Target, check_name
from indexer.vocabulary import Progress, no_progress


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A head to save: `weights` [C, 384] and `bias` [C], standardisation folded in."""

    description: HeadDescription
    weights: Floats
    bias: Floats


def train_head(
    labelled: LabelledSet,
    target: Target,
    detector: ResolvedDetector,
    *,
    name: str,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainedHead:
    """Trains a head and judges it by cross-validation. The same pictures and seed give the same head.

    Args:
        labelled: pictures with embeddings by `detector`.
        target: `fake` tells fakes from authentic pictures; `generator` and `technique` tell fakes apart, of which only
            those are used whose generator or technique somebody stated.
        detector: whose embeddings they are. Untrained is allowed: embeddings are features of pictures all the same.
        name: what to call the head.
        seed: draws the folds and the intervals.
        progress: hears of every fit and figure.

    Raises:
        UsageError: fewer than two classes have enough pictures, or the name may not be used.
    """
    check_name(name)
    lesson = lesson_of(labelled, target)
    folds = fitting.folds_of(lesson)
    fits = _Counted("fit", (folds + 1) * (fitting.FITS_OF_A_CHOICE + 1), progress)
    scores = fitting.out_of_fold(lesson, folds, seed, fits.one_more)
    strength = fitting.best_strength(lesson, seed, fits.one_more)
    model = fitting.fitted(lesson, strength)
    fits.finish()
    if isinstance(model, int):  # a lesson has at least two classes
        raise AssertionError("a lesson of one class was let through")
    weights, bias = fitting.folded(model)
    answers = np.argmax(scores, axis=1)
    named = {group for group in lesson.group_names if group is not None}
    description = HeadDescription(
        format=FORMAT,
        name=name,
        target=target,
        classes=_class_figures(lesson, scores, seed, progress),
        detector=detector.spec.name,
        detector_fingerprint=detector.fingerprint,
        detector_trained=detector.spec.trained,
        trained_on=labelled.name[:MAX_TEXT],
        n=len(lesson.truth),
        groups=len(named) or None,
        left_out=lesson.left_out,
        folds=folds,
        regularisation=strength,
        seed=seed,
        accuracy=metrics.mean(answers == lesson.truth, groups=lesson.group_names, seed=seed),
        macro_f1=macro_f1(lesson, answers, seed),
        majority=float(np.bincount(lesson.truth).max() / len(lesson.truth)),
        confusion=_confusion(lesson, answers),
        trained_at=datetime.now(UTC).replace(microsecond=0),
        version=__version__,
        weights_sha256="",
    )
    return TrainedHead(description, weights, bias)


def macro_f1(lesson: Lesson, answers: Numbers, seed: int) -> Estimate:
    """The mean over classes of F1, the harmonic mean of precision and recall; by groups where there are some."""
    count = len(lesson.classes)
    truth, predicted = np.eye(count)[lesson.truth], np.eye(count)[answers]

    def mean_f1(weights: Reals) -> Reals:
        both = weights @ truth + weights @ predicted
        f1 = 2 * (weights @ (truth * predicted)) / np.maximum(both, 1e-12)
        return np.asarray(f1.sum(axis=1, keepdims=True) / (both > 0).sum(axis=1, keepdims=True))

    one_class = np.ones(len(answers), np.bool_)
    return bootstrap(mean_f1, one_class, groups=lesson.group_names, seed=seed)[0]


def _class_figures(lesson: Lesson, scores: Reals, seed: int, progress: Progress | None) -> tuple[ClassFigures, ...]:
    done = _Counted("judge", len(lesson.classes), progress)
    figures = []
    for number, name in enumerate(lesson.classes):
        of = lesson.truth == number
        auc = metrics.roc_auc(of, scores[:, number], groups=lesson.group_names, seed=seed)
        figures.append(ClassFigures(name, int(of.sum()), auc))
        done.one_more()
    return tuple(figures)


def _confusion(lesson: Lesson, answers: Numbers) -> tuple[tuple[int, ...], ...]:
    count = len(lesson.classes)
    table = np.bincount(lesson.truth * count + answers, minlength=count * count).reshape(count, count)
    return tuple(tuple(int(cell) for cell in row) for row in table)


class _Counted:
    """Reports progress of a step with equal parts."""

    def __init__(self, step: str, total: int, progress: Progress | None) -> None:
        self._step, self._total, self._progress = step, total, progress or no_progress
        self._done = 0

    def one_more(self) -> None:
        """One more part is done."""
        self._tell(self._done + 1)

    def finish(self) -> None:
        """Completes the progress, even if there were fewer parts than expected."""
        self._tell(self._total)

    def _tell(self, done: int) -> None:
        self._done = done
        self._progress(self._step, self._done, self._total)
