"""How sure a measured rate is: Clopper-Pearson intervals, effective sample sizes, bootstrap weights.

Pictures of one group are not independent. Rates of grouped pictures get Clopper-Pearson intervals at the effective
sample size (Korn & Graubard, Survey Methodology 24, 1998), taken for the worst case: that all pictures of a group are
right or wrong together.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from indexer.calibration.records import Doubles, Estimate

Codes = npt.NDArray[np.int64]

_TAIL = 0.025
RESAMPLES = 1_000
_CHUNK = 2_000_000
"""Most bootstrap weights held at a time."""


def upper_bound(rate: npt.ArrayLike, size: npt.ArrayLike) -> Doubles:
    """Upper ends of the 95 % intervals of observed rates among `size` independent pictures."""
    part, n = np.asarray(rate, dtype=np.float64), np.asarray(size, dtype=np.float64)
    found = beta.ppf(1 - _TAIL, part * n + 1, np.maximum(n - part * n, 1e-12))
    bounds: Doubles = np.where(part >= 1, 1.0, found)
    return bounds


def lower_bound(rate: npt.ArrayLike, size: npt.ArrayLike) -> Doubles:
    """Lower ends of the 95 % intervals of observed rates among `size` independent pictures."""
    bounds: Doubles = 1.0 - upper_bound(1.0 - np.asarray(rate, dtype=np.float64), size)
    return bounds


def rate_of(rate: float, size: float) -> Estimate:
    """An observed rate with its 95 % interval."""
    return Estimate(float(rate), float(lower_bound(rate, size)), float(upper_bound(rate, size)))


def fewest_for(rate: float) -> int:
    """How many independent pictures without one exception put the upper end of the interval at `rate`."""
    return math.ceil(math.log(_TAIL) / math.log1p(-rate))


def effective_size(codes: Codes) -> float:
    """Independent pictures behind pictures of these groups [N]: (sum of sizes)^2 / sum of squared sizes."""
    sizes = np.bincount(codes).astype(np.float64) if len(codes) else np.zeros(1)
    squares = float((sizes**2).sum())
    return float(sizes.sum()) ** 2 / squares if squares else 0.0


def resampled_weights(codes: Codes, strata: npt.NDArray[np.bool_] | None, seed: int) -> Iterator[Doubles]:
    """Bootstrap weights [B, N], 1,000 rows in all, a part at a time: how often each picture is drawn.

    Whole groups are drawn; where every picture is its own group, as many of each stratum as there are.
    """
    rng = np.random.default_rng(seed)
    groups = int(codes.max()) + 1
    parts = [np.arange(groups)]
    if strata is not None and groups == len(codes):
        parts = [codes[strata], codes[~strata]]
    rows = max(1, _CHUNK // max(groups, len(codes)))
    for start in range(0, RESAMPLES, rows):
        drawn = np.zeros((min(rows, RESAMPLES - start), groups))
        for part in parts:
            if len(part):
                drawn[:, part] = rng.multinomial(len(part), np.full(len(part), 1 / len(part)), size=len(drawn))
        yield drawn[:, codes]


def group_codes(groups: tuple[str | None, ...]) -> Codes:
    """A number [N] a picture, the same for pictures of one group; a picture without a group is its own."""
    numbers: dict[object, int] = {}
    return np.array(
        [numbers.setdefault(position if name is None else name, len(numbers)) for position, name in enumerate(groups)],
        dtype=np.int64,
    )
