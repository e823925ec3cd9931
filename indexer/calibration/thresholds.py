"""Thresholds for stated error rates, and the zone between them where a score decides nothing.

A threshold is the order statistic at which the upper Clopper-Pearson bound still meets the stated rate, so that with
97.5 % confidence it holds on further pictures of the same kind, whatever the scores' distribution (Wilks, Annals of
Mathematical Statistics 12, 1941).
"""

import numpy as np
import numpy.typing as npt

from indexer.arrays import Reals
from indexer.calibration.intervals import fewest_for, rate_of, upper_bound
from indexer.calibration.records import AbstainZone
from indexer.errors import UsageError
from indexer.estimates import Codes, effective_size


def abstain_zone(
    odds: Reals, fake: npt.NDArray[np.bool_], codes: Codes, false_positive_rate: float, false_negative_rate: float
) -> AbstainZone:
    """The zone for log-odds [N] of pictures that are `fake` [N], of groups `codes` [N].

    Where the two rules contradict each other, because the classes lie far apart, the zone is what both claim.

    Raises:
        UsageError: too few authentic pictures to support the stated false-positive rate.
    """
    for name, rate in (("--fpr", false_positive_rate), ("--fnr", false_negative_rate)):
        if not 0 < rate < 0.5:
            raise UsageError(f"{name} is a rate between 0 and 0.5, not {rate}")
    authentic, fakes = odds[~fake], odds[fake]
    sizes = effective_size(codes[~fake]), effective_size(codes[fake])
    needed = fewest_for(false_positive_rate)
    if sizes[0] < needed:
        grouped = f", in groups that count as {sizes[0]:.0f}" if sizes[0] < len(authentic) else ""
        raise UsageError(
            f"a false-positive rate of {false_positive_rate:g} needs {needed} independent authentic pictures, here are "
            f"{len(authentic)}{grouped}: add authentic pictures, or state a larger rate with --fpr"
        )
    above = -_highest_allowed(-authentic, false_positive_rate, sizes[0])
    below = None
    if sizes[1] >= fewest_for(false_negative_rate):
        lowest = _highest_allowed(fakes, false_negative_rate, sizes[1])
        above, below = max(above, lowest), min(above, lowest)
    return AbstainZone(
        stated_false_positive_rate=false_positive_rate,
        stated_false_negative_rate=false_negative_rate,
        fake_above=above,
        authentic_below=below,
        false_positive_rate=rate_of(float((authentic > above).mean()), sizes[0]),
        false_negative_rate=None if below is None else rate_of(float((fakes < below).mean()), sizes[1]),
        effective_authentic=sizes[0],
        effective_fake=sizes[1],
    )


def _highest_allowed(values: Reals, rate: float, size: float) -> float:
    """The highest of `values` such that what lies strictly below it is so rare that the bound stays at `rate`."""
    counts = np.arange(int(rate * len(values)) + 1)
    allowed = counts[upper_bound(counts / len(values), size) <= rate]
    return float(np.sort(values)[allowed[-1]])
