"""Confidence intervals of proportions, which keep a width at 0 and 1, where a bootstrap has none."""

from typing import Literal

from scipy.stats import binomtest

from indexer.estimates.estimate import Estimate


def wilson(successes: int, trials: int) -> Estimate:
    """Wilson's 95 % interval (1927, JASA 22:209) of successes among one or more independent trials.

    Raises:
        ValueError: more successes than trials, or no trials.
    """
    return _interval(successes, trials, "wilson")


def clopper_pearson(successes: int, trials: int) -> Estimate:
    """The exact 95 % interval (Clopper & Pearson 1934, Biometrika 26:404) of successes among independent trials.

    Raises:
        ValueError: more successes than trials, or no trials.
    """
    return _interval(successes, trials, "exact")


def _interval(successes: int, trials: int, method: Literal["exact", "wilson"]) -> Estimate:
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} of {trials} is not a proportion")
    interval = binomtest(successes, trials).proportion_ci(0.95, method)
    share = successes / trials
    return Estimate(share, min(share, float(interval.low)), max(share, float(interval.high)))
