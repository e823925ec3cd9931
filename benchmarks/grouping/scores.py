"""How well groups that were found match groups that are known, noise and all."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import adjusted_rand_score, homogeneity_completeness_v_measure

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class GroupingScores:
    """All from 0 to 1, 1 is best. Who is in no group, by the truth or by what was found, counts as a group of one; only
    for `ari` (adjusted Rand index, all images) the noise is one group, as is usual.

    B-cubed (Bagga and Baldwin 1998): of what an image is grouped with, the share that belongs with it (precision), and
    of what belongs with it, the share that it is grouped with (recall), mean over images, and their harmonic mean.
    """

    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    homogeneity: float
    completeness: float
    v_measure: float
    ari: float


def scores(truth: Labels, predicted: Labels) -> GroupingScores:
    """Scores of groups `predicted` [N], negative for none, against `truth` [N], negative for noise; N at least 1."""
    known, given = _alone(truth), _alone(predicted)
    pair = known * (int(given.max()) + 1) + given
    _, number, together = np.unique(pair, return_inverse=True, return_counts=True)
    both = together[number]
    precision = float(np.mean(both / np.bincount(given)[given]))
    recall = float(np.mean(both / np.bincount(known)[known]))
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(known, given)
    return GroupingScores(
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f1=2 * precision * recall / (precision + recall),
        homogeneity=float(homogeneity),
        completeness=float(completeness),
        v_measure=float(v_measure),
        ari=float(adjusted_rand_score(np.maximum(truth, -1), np.maximum(predicted, -1))),
    )


def _alone(labels: Labels) -> Labels:
    """The same groups numbered from 0, everybody without a group in one of their own."""
    lonely = labels < 0
    whole = np.where(lonely, int(labels.max(initial=0)) + 1 + np.cumsum(lonely), labels)
    return np.unique(whole, return_inverse=True)[1].astype(np.int64)
