"""Fitting the map from log-odds to probabilities, and checking it on pictures it was not fitted on."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from indexer.arrays import Reals
from indexer.calibration.quality import log_losses, measure, reliability
from indexer.calibration.records import MAX_KNOTS, Method, ScoreCheck, ScoreMap, sigmoid
from indexer.errors import UsageError
from indexer.estimates import Codes

Bools = npt.NDArray[np.bool_]

FOLDS = 5
ISOTONIC_MINIMUM = 200
"""Fewest pictures of each class for an isotonic map: with fewer its steps follow single pictures."""
_GROUPS_MINIMUM = 3
_LOG_SLOPES = (-7.0, 7.0)


def candidates(requested: str, fake: Bools) -> tuple[Method, ...]:
    """The methods to choose from when `requested` is `auto` or a method.

    Raises:
        UsageError: isotonic was asked for with too few pictures of a class.
    """
    fewest = int(min(fake.sum(), (~fake).sum()))
    if requested == "auto":
        return tuple(method for method in Method if method is not Method.ISOTONIC or fewest >= ISOTONIC_MINIMUM)
    method = Method(requested)
    if method is Method.ISOTONIC and fewest < ISOTONIC_MINIMUM:
        raise UsageError(
            f"isotonic calibration needs {ISOTONIC_MINIMUM} fakes and {ISOTONIC_MINIMUM} authentic pictures, here "
            f"one class has {fewest}: add pictures, or use --method platt"
        )
    return (method,)


def fit(odds: Reals, fake: Bools, codes: Codes, methods: Sequence[Method], seed: int) -> ScoreMap:
    """The map fitted on log-odds [N] of pictures that are `fake` [N], by the one of `methods` whose cross-validated log
    loss is smallest; pictures of one group (`codes` [N]) are kept together.

    Raises:
        UsageError: too few groups to hold some out, or the score does not rise with fakeness.
    """
    chosen = methods[0]
    if len(methods) > 1:
        losses = dict.fromkeys(methods, 0.0)
        for train, test in folds(fake, codes, seed):
            for method in methods:
                predicted = fit_one(odds[train], fake[train], method).probabilities(odds[test])
                losses[method] += float(log_losses(predicted, fake[test]).sum())
        chosen = min(methods, key=lambda method: losses[method])
    return fit_one(odds, fake, chosen)


def check(odds: Reals, fake: Bools, codes: Codes, methods: Sequence[Method], seed: int) -> ScoreCheck:
    """What calibration does to pictures held out, fold by fold; the method is chosen anew without each fold."""
    held_out = np.full(len(odds), np.nan)
    splits = 0
    for train, test in folds(fake, codes, seed):
        fitted = fit(odds[train], fake[train], codes[train], methods, seed)
        held_out[test] = fitted.probabilities(odds[test])
        splits += 1
    raw = sigmoid(odds)
    return ScoreCheck(
        folds=splits,
        before=measure(raw, fake, codes, seed),
        after=measure(held_out, fake, codes, seed),
        reliability_before=reliability(raw, fake, codes),
        reliability=reliability(held_out, fake, codes),
    )


def fit_one(odds: Reals, fake: Bools, method: Method) -> ScoreMap:
    """The map by one method. Targets are Platt's (1999), which are never exactly 0 or 1, so that classes a score tells
    apart without a fault get a finite slope and no probability of 0 or 1."""
    fakes, authentic = int(fake.sum()), int((~fake).sum())
    low, high = 1 / (authentic + 2), (fakes + 1) / (fakes + 2)
    targets = np.where(fake, high, low)
    if method is Method.ISOTONIC:
        stairs = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip").fit(odds, fake.astype(np.float64))
        return ScoreMap(method, None, None, thinned(stairs.X_thresholds_, stairs.y_thresholds_))
    if method is Method.TEMPERATURE:

        def loss(log_slope: float) -> float:
            steep = np.exp(log_slope) * odds
            return float(np.mean(np.logaddexp(0, steep) - targets * steep))

        slope, intercept = float(np.exp(minimize_scalar(loss, bounds=_LOG_SLOPES, method="bounded").x)), 0.0
    else:
        middle, spread = float(odds.mean()), float(odds.std()) or 1.0
        twice = np.concatenate([odds, odds])[:, None]
        line = LogisticRegression(C=1e6).fit(
            (twice - middle) / spread,
            np.repeat([1, 0], len(odds)),
            sample_weight=np.concatenate([targets, 1 - targets]),
        )
        slope = float(line.coef_[0, 0]) / spread
        intercept = float(line.intercept_[0]) - slope * middle
    if not slope > 0:
        raise UsageError(
            "this detector's score does not rise with fakeness on these pictures: check the labels; "
            "a score that points the wrong way cannot be calibrated"
        )
    return ScoreMap(method, slope, intercept)


def folds(fake: Bools, codes: Codes, seed: int) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Positions to fit on and to hold out, up to five times; groups stay together, classes are balanced.

    Raises:
        UsageError: a class has fewer than three groups, or all of it would be held out at once.
    """
    fewest = min(len(np.unique(codes[fake])), len(np.unique(codes[~fake])))
    if fewest < 2:
        raise UsageError(
            f"each class needs pictures of at least {_GROUPS_MINIMUM} groups, so that some can be held out: "
            "add pictures of other groups"
        )
    parts = min(FOLDS, fewest)
    if len(np.unique(codes)) == len(codes):  # nothing to keep together: the same, only faster
        splits = StratifiedKFold(parts, shuffle=True, random_state=seed).split(codes, fake)
    else:
        splits = StratifiedGroupKFold(parts, shuffle=True, random_state=seed).split(codes, fake, codes)
    for train, test in splits:
        if not len(test):
            continue
        if fake[train].all() or not fake[train].any():
            raise UsageError("one group holds nearly all pictures of a class: split it, or add pictures of others")
        yield train, test


def thinned(positions: Reals, values: Reals) -> tuple[tuple[float, float], ...]:
    """The corners of an isotonic map as knots, evenly thinned when there are very many."""
    kept = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), MAX_KNOTS)).round().astype(int))
    rising = np.maximum.accumulate(np.clip(values[kept], 0.0, 1.0))
    return tuple((float(x), float(y)) for x, y in zip(positions[kept], rising, strict=True))
