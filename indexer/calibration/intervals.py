"""How sure a measured rate is: Clopper-Pearson intervals at effective sample sizes.

Pictures of one group are not independent. Rates of grouped pictures get Clopper-Pearson intervals at the effective
sample size (Korn & Graubard, Survey Methodology 24, 1998), taken for the worst case: that all pictures of a group are
right or wrong together.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from indexer.arrays import Reals
from indexer.estimates import Estimate

_TAIL = 0.025


def upper_bound(rate: npt.ArrayLike, size: npt.ArrayLike) -> Reals:
    """Upper ends of the 95 % intervals of observed rates among `size` independent pictures."""
    part, n = np.asarray(rate, dtype=np.float64), np.asarray(size, dtype=np.float64)
    bound = beta.ppf(1 - _TAIL, part * n + 1, np.maximum(n - part * n, 1e-12))
    bounds: Reals = np.where(part >= 1, 1.0, bound)
    return bounds


def lower_bound(rate: npt.ArrayLike, size: npt.ArrayLike) -> Reals:
    """Lower ends of the 95 % intervals of observed rates among `size` independent pictures."""
    bounds: Reals = 1.0 - upper_bound(1.0 - np.asarray(rate, dtype=np.float64), size)
    return bounds


def rate_of(rate: float, size: float) -> Estimate:
    """An observed rate with its 95 % interval."""
    return Estimate(float(rate), float(lower_bound(rate, size)), float(upper_bound(rate, size)))


def fewest_for(rate: float) -> int:
    """How many independent pictures without one exception put the upper end of the interval at `rate`."""
    return math.ceil(math.log(_TAIL) / math.log1p(-rate))
