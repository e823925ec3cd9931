"""Intervals for values that no resample changes: all hits or none, all pairs in order or none."""

import numpy as np
import numpy.typing as npt

from indexer.estimates.estimate import Estimate
from indexer.estimates.groups import FEWEST_GROUPS, Groups, fewest_groups, group_numbers
from indexer.estimates.proportions import clopper_pearson, wilson

Flags = npt.NDArray[np.bool_]


def of_trials(share: Estimate, values: npt.NDArray[np.generic], counted: Flags, groups: Groups | None) -> Estimate:
    """A share of values in [0, 1] of the counted pictures [N], with Wilson's interval where resampling gives none:
    where all of them, or none, are hits, whose groups are the trials; and of pictures that are all independent."""
    if share.interval is not None:
        return share
    hits, pictures = values[counted].astype(np.float64), int(counted.sum())
    trials = len(np.unique(group_numbers(groups, len(counted))[counted]))
    if not np.isin(hits, (0.0, 1.0)).all():
        return share
    if trials == pictures:
        return wilson(int(hits.sum()), pictures)
    if trials >= FEWEST_GROUPS and share.value in (0.0, 1.0):
        return wilson(round(share.value * trials), trials)
    return share


def of_pairs(area: Estimate, fake: Flags, groups: Groups | None) -> Estimate:
    """An area with the interval of its disjoint pairs where resampling gives none.

    Fakes and authentic pictures paired off, each in one pair at most, are independent trials whose chance is the area:
    so an area of exactly 0 or 1, which no resample changes, has the exact interval of so many trials.
    """
    numbers = group_numbers(groups, len(fake))
    grouped = int(numbers.max()) + 1 < len(fake)
    all_or_none = min(abs(area.value), abs(area.value - 1)) < 1e-12
    if area.interval is not None or not all_or_none or (grouped and fewest_groups(numbers, fake) < FEWEST_GROUPS):
        return area
    pairs = max(1, min(fewest_groups(numbers, fake), (int(numbers.max()) + 1) // 2))
    return clopper_pearson(round(area.value) * pairs, pairs)
