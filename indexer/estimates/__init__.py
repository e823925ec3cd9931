"""Measured values and how sure they are: estimates, intervals of proportions, one bootstrap. Pure numbers."""

from indexer.estimates.estimate import Estimate, Figure, NotMeasured, figure
from indexer.estimates.groups import (
    FEW_GROUPS,
    FEWEST_GROUPS,
    Codes,
    Groups,
    effective_size,
    fewest_groups,
    group_numbers,
)
from indexer.estimates.proportions import clopper_pearson, wilson
from indexer.estimates.resampling import RESAMPLES, Flags, Resampling, bootstrap
from indexer.estimates.unvaried import of_pairs, of_trials

__all__ = [
    "FEWEST_GROUPS",
    "FEW_GROUPS",
    "RESAMPLES",
    "Codes",
    "Estimate",
    "Figure",
    "Flags",
    "Groups",
    "NotMeasured",
    "Resampling",
    "bootstrap",
    "clopper_pearson",
    "effective_size",
    "fewest_groups",
    "figure",
    "group_numbers",
    "of_pairs",
    "of_trials",
    "wilson",
]
