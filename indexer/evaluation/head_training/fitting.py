"""Multinomial logistic regression on standardised embeddings: folds, choice of regularisation, folded weights."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from indexer.arrays import Floats, Reals
from indexer.evaluation.head_training.lesson import Lesson, Numbers

Tell = Callable[[], None]
"""Called after every fit."""

FOLDS = 5
INNER_FOLDS = 3
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""What scikit-learn calls C: smaller regularises more. Equal losses go to the smaller."""
FITS_OF_A_CHOICE = INNER_FOLDS * len(STRENGTHS)
_ROUNDS = 1_000


def folds_of(lesson: Lesson) -> int:
    """The number of folds: every class has at least that many groups."""
    return min(FOLDS, lesson.groups_of_rarest())


def out_of_fold(lesson: Lesson, folds: int, seed: int, tell: Tell) -> Reals:
    """Scores [N, C] of each picture by a model that saw neither it nor its group, whose regularisation was chosen
    without them."""
    scores = np.zeros((len(lesson.truth), len(lesson.classes)))
    for rows, held_out in _splits(lesson, folds, seed):
        seen = lesson.part(rows)
        model = fitted(seen, best_strength(seen, seed, tell))
        tell()
        scores[held_out] = predicted(model, lesson.vectors[held_out], len(lesson.classes))
    return scores


def best_strength(lesson: Lesson, seed: int, tell: Tell) -> float:
    """The value in `STRENGTHS` with the smallest out-of-fold log loss, all classes weighted equally."""
    count = len(lesson.classes)
    splits = list(_splits(lesson, INNER_FOLDS, seed))
    weights = 1 / np.bincount(lesson.truth, minlength=count)[lesson.truth]
    losses = []
    for strength in STRENGTHS:
        scores = np.full((len(lesson.truth), count), 1 / count)
        for rows, held_out in splits:
            scores[held_out] = predicted(fitted(lesson.part(rows), strength), lesson.vectors[held_out], count)
            tell()
        losses.append(log_loss(lesson.truth, scores, labels=np.arange(count), sample_weight=weights))
    return STRENGTHS[int(np.argmin(losses))]


def fitted(lesson: Lesson, strength: float) -> Pipeline | int:
    """A fitted model; the number of the one class there is where there is but one."""
    present = np.unique(lesson.truth)
    if len(present) == 1:
        return int(present[0])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=_ROUNDS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the figures out of fold tell whether it learnt
        model.fit(lesson.vectors.astype(np.float64), lesson.truth)
    return model


def predicted(model: Pipeline | int, vectors: Floats, classes: int) -> Reals:
    """Scores [N, C]; 0 for classes the model never saw."""
    scores = np.zeros((len(vectors), classes))
    if isinstance(model, int):
        scores[:, model] = 1
    else:
        scores[:, model.classes_] = model.predict_proba(vectors.astype(np.float64))
    return scores


def folded(model: Pipeline) -> tuple[Floats, Floats]:
    """`weights` [C, 384] and `bias` [C] that give, by softmax, the scores of a fitted model of all C classes: the
    standardisation is folded in, and of two classes the first has zeros."""
    scaler, regression = model.steps[0][1], model.steps[1][1]
    weights = regression.coef_ / scaler.scale_
    bias = regression.intercept_ - weights @ scaler.mean_
    if len(regression.classes_) == 2:
        weights = np.concatenate([np.zeros_like(weights), weights])
        bias = np.concatenate([np.zeros_like(bias), bias])
    return weights.astype(np.float32), bias.astype(np.float32)


def _splits(lesson: Lesson, folds: int, seed: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Rows to learn from and rows held out; groups stay whole, classes are spread as evenly as groups allow."""
    folds = min(folds, len(np.unique(lesson.groups)), int(np.bincount(lesson.truth).max()))
    if folds < 2:
        return
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer pictures than folds
        yield from splitter.split(lesson.vectors, lesson.truth, lesson.groups)
