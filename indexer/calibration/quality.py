"""How good probabilities are: Brier score, log loss, expected calibration error, reliability; with intervals."""

import numpy as np
import numpy.typing as npt

from indexer.arrays import Reals
from indexer.calibration.intervals import rate_of
from indexer.calibration.records import Bin, Quality
from indexer.estimates import Codes, bootstrap, effective_size

BINS = 15
_CLIP = 1e-12


def log_losses(predicted: Reals, truth: npt.NDArray[np.bool_]) -> Reals:
    """Log loss [N] of each prediction, in nats."""
    right = np.where(truth, predicted, 1 - predicted)
    losses: Reals = -np.log(np.clip(right, _CLIP, 1.0))
    return losses


def measure(predicted: Reals, truth: npt.NDArray[np.bool_], codes: Codes, seed: int) -> Quality:
    """The quality of predictions [N] for `truth` [N], with bootstrap percentile intervals over groups `codes` [N].

    The bins of the calibration error are those of the whole sample in every resample. Its resamples err upwards, being
    sums of absolute values, so its interval leans to that side.
    """
    misses = predicted - truth
    squares, losses = misses**2, log_losses(predicted, truth)
    bins = _bins(predicted)
    members = np.zeros((len(truth), int(bins.max()) + 1))
    members[np.arange(len(truth)), bins] = misses

    def means(weights: Reals) -> Reals:
        total = weights.sum(axis=1)
        return np.asarray(
            np.column_stack([weights @ squares, weights @ losses, np.abs(weights @ members).sum(axis=1)])
            / total[:, None]
        )

    brier, log_loss, ece = (estimate.holding() for estimate in bootstrap(means, truth, groups=codes, seed=seed))
    return Quality(brier, log_loss, ece)


def reliability(predicted: Reals, truth: npt.NDArray[np.bool_], codes: Codes) -> tuple[Bin, ...]:
    """What was predicted and what was found, in bins of equal counts from the lowest prediction up."""
    bins = _bins(predicted)
    return tuple(
        Bin(
            count=int(chosen.sum()),
            predicted=float(predicted[chosen].mean()),
            observed=rate_of(float(truth[chosen].mean()), effective_size(codes[chosen])),
        )
        for chosen in (bins == number for number in np.unique(bins))
    )


def _bins(predicted: Reals) -> npt.NDArray[np.int64]:
    """The bin [N] of each prediction. Equal predictions share one, so there may be fewer than 15."""
    ranks = np.searchsorted(np.sort(predicted), predicted, side="left")
    numbers = ranks * BINS // len(predicted)
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)
