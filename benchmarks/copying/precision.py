"""Micro-average precision and recall at a precision, over the pooled pairs of all queries (Douze et al. 2021, DISC21).

Both take scores of (query, known image) pairs, larger is surer, whether each pair is right, and how many right pairs
there are in all, those that were not listed among them.
"""

import numpy as np

from indexer.arrays import Floats, Reals


def micro_average_precision(scores: Floats, right: Floats, positives: int) -> float:
    """The mean over all right pairs of the precision at their score; 0 to 1. Pairs of one score count together, as if
    in the least favourable order."""
    if positives == 0 or len(scores) == 0:
        return 0.0
    hits, precision = _ranked(scores, right)
    return float((precision * hits).sum() / positives)


def recall_at_precision(scores: Floats, right: Floats, positives: int, precision: float = 0.9) -> float:
    """The largest recall at any threshold whose precision is at least `precision`; 0 to 1."""
    if positives == 0 or len(scores) == 0:
        return 0.0
    hits, precisions = _ranked(scores, right)
    recalls = np.cumsum(hits) / positives
    met = precisions >= precision
    return float(recalls[met].max()) if met.any() else 0.0


def _ranked(scores: Floats, right: Floats) -> tuple[Reals, Reals]:
    order = np.lexsort((right, -scores))
    hits = np.asarray(right, np.float64)[order]
    return hits, np.cumsum(hits) / np.arange(1, len(hits) + 1)
