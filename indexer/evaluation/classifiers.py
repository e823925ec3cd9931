"""Plain classifiers over feature tables, cross-validated by group: the confound check, and peers of the detector."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from indexer.arrays import Reals
from indexer.errors import UsageError
from indexer.estimates import RESAMPLES, Estimate, Flags, Groups, group_numbers
from indexer.evaluation.metrics import roc_auc

FOLDS = 5
CONFOUNDED = 0.6
"""From this AUC on, the confound check warns."""


def confound_auc(
    features: npt.ArrayLike,
    fake: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """How well facts that say nothing about content tell fakes from authentic pictures.

    The ROC AUC of the better of a logistic regression and gradient-boosted trees over features [N, F], on pictures
    that neither was fitted to (5 folds, groups kept whole). Taking the better of two raises it slightly.

    Raises:
        UsageError: fewer than two groups of a class, or the table does not fit the labels.
    """
    table, truth = np.asarray(features, np.float64), np.asarray(fake, np.bool_)
    aucs = []
    for make in (logistic_regression, boosted_trees):
        scores = held_out(table, truth, make, groups=groups, seed=seed)
        aucs.append(roc_auc(truth, scores, groups=groups, seed=seed, resamples=resamples))
    return max(aucs, key=lambda estimate: estimate.value)


def histogram_auc(
    histograms: npt.ArrayLike,
    fake: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The ROC AUC of a logistic regression over colour histograms [N, F], on pictures it was not fitted to."""
    table, truth = np.asarray(histograms, np.float64), np.asarray(fake, np.bool_)
    scores = held_out(table, truth, logistic_regression, groups=groups, seed=seed)
    return roc_auc(truth, scores, groups=groups, seed=seed, resamples=resamples)


def held_out(
    table: Reals, fake: Flags, make: Callable[[int], Any], *, groups: Groups | None = None, seed: int = 0
) -> Reals:
    """Log-odds [N] of fake by a classifier fitted to the other folds.

    Raises:
        UsageError: as `confound_auc`.
    """
    if table.ndim != 2 or len(table) != len(fake):
        raise UsageError(f"a feature table [N, F] for {len(fake)} pictures cannot be {list(table.shape)}")
    scores = np.zeros(len(fake))
    numbers = group_numbers(groups, len(fake))
    fewest = min(_groups_of(numbers, fake, "fake"), _groups_of(numbers, ~fake, "authentic"))
    for rest, fold in _folds(fake, numbers, min(FOLDS, fewest), seed):
        if fake[rest].all() or not fake[rest].any():
            continue
        chance = make(seed).fit(table[rest], fake[rest]).predict_proba(table[fold])[:, 1]
        chance = np.clip(chance, 1e-9, 1 - 1e-9)
        scores[fold] = np.log(chance / (1 - chance))
    return scores


def _groups_of(numbers: npt.NDArray[np.int64], chosen: Flags, name: str) -> int:
    """How many groups a class has; at least two, so that some can be fitted to and others judged."""
    group_count, pictures = len(np.unique(numbers[chosen])), int(chosen.sum())
    if group_count >= 2:
        return group_count
    why = f"all {pictures} {name} pictures are of one group" if pictures > 1 else f"there is {pictures} {name} picture"
    raise UsageError(f"{why}, so that none is left to judge a classifier on: add {name} pictures of other groups")


def held_out_classes(
    table: Reals, classes: npt.NDArray[np.int64], *, groups: Groups | None = None, seed: int = 0
) -> npt.NDArray[np.int64]:
    """The class [N] that a logistic regression fitted to the other folds names; -1 where it could not be fitted.

    Raises:
        UsageError: fewer than two groups.
    """
    named = np.full(len(classes), -1, np.int64)
    numbers = group_numbers(groups, len(classes))
    most = max(len(np.unique(numbers[classes == label])) for label in np.unique(classes))
    for rest, fold in _folds(classes, numbers, min(FOLDS, most), seed):
        if len(np.unique(classes[rest])) > 1:
            named[fold] = logistic_regression(seed).fit(table[rest], classes[rest]).predict(table[fold])
    return named


def logistic_regression(seed: int) -> Any:
    """A logistic regression over standardised features."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000, random_state=seed))


def boosted_trees(seed: int) -> Any:
    """Gradient-boosted trees, small enough for some hundred pictures."""
    return HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=15, min_samples_leaf=10, early_stopping=False, random_state=seed
    )


def _folds(
    classes: npt.NDArray[Any], numbers: npt.NDArray[np.int64], folds: int, seed: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    if folds < 2:
        raise UsageError("no class has pictures of two groups: add some, to fit a classifier to and to judge it on")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer groups than folds are missing from some
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        return list(splitter.split(classes, classes, numbers))
