"""Bootstrap intervals (Efron & Tibshirani 1993, "An Introduction to the Bootstrap"): 95 %, percentile, seeded.

Resampling keeps the number of groups that hold fakes, authentic pictures or both. Whole groups are drawn, because
pictures of a group are not independent; with few groups, pictures inside them are resampled too, and the interval is
widened.
"""

from collections.abc import Callable, Iterator
from math import sqrt
from typing import TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from indexer.arrays import Reals
from indexer.errors import UsageError
from indexer.estimates.estimate import Estimate
from indexer.estimates.groups import FEW_GROUPS, Codes, Groups, fewest_groups, group_numbers, too_few

Flags: TypeAlias = npt.NDArray[np.bool_]
Statistic: TypeAlias = Callable[[Reals], Reals]
"""Weights [B, N] (how often each picture was drawn) to values [B, K]."""

RESAMPLES = 1_000
NO_SPREAD = "every resample gives the same value"
_CELLS = 4_000_000
_TAIL = 0.025
_SAME = 1e-9


class Resampling(TypedDict):
    """How intervals over one set of pictures are computed: the arguments shared by all metrics."""

    groups: Groups | None
    seed: int
    resamples: int


def bootstrap(
    statistic: Statistic, fake: Flags, *, groups: Groups | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[Estimate, ...]:
    """The K values of a statistic with their intervals, or the reason for having none: too few groups of a class, or a
    value that no resample changes.

    Args:
        statistic: must accept any weights in which each class present keeps at least one picture.
        fake: [N] the class of each picture.
        groups: N names; None makes a picture its own group. None instead of a list: every picture is its own group.
        seed, resamples: equal ones give equal intervals.

    Raises:
        UsageError: there are no pictures.
    """
    if not len(fake):
        raise UsageError("there are no pictures to measure on")
    values = statistic(np.ones((1, len(fake))))[0]
    numbers = group_numbers(groups, len(fake))
    fewest = fewest_groups(numbers, fake)
    missing = too_few(fewest, grouped=int(numbers.max()) + 1 < len(fake))
    if missing is not None:
        return tuple(Estimate.alone(float(value), missing) for value in values)
    drawn = np.concatenate([statistic(weights) for weights in _resamples(fake, numbers, seed, resamples)])
    tail = tail_of(fewest)
    low, high = np.quantile(drawn, (tail, 1 - tail), axis=0)
    return tuple(
        Estimate(float(v), float(a), float(b)) if b - a > _SAME else Estimate.alone(float(v), NO_SPREAD)
        for v, a, b in zip(values, low, high, strict=True)
    )


def tail_of(groups: int) -> float:
    """The share of resamples beyond each end of the interval: smaller for few groups, so that the interval is as wide
    as Student's t with one degree of freedom less requires (expanded percentile interval; Hesterberg, The American
    Statistician 69:371, 2015).
    """
    if groups >= FEW_GROUPS:
        return _TAIL
    return float(norm.cdf(-sqrt(groups / (groups - 1)) * t.ppf(1 - _TAIL, groups - 1)))


def _resamples(fake: Flags, numbers: Codes, seed: int, resamples: int) -> Iterator[Reals]:
    """Weights [B, N] in batches, B adding up to `resamples`."""
    strata = _strata(fake, numbers)
    chance = np.random.default_rng(seed)
    rows = max(1, _CELLS // len(fake))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        weights = np.zeros((count, int(numbers.max()) + 1))
        for members in strata:
            weights[:, members] = _draws(chance, count, len(members))
        spread = weights[:, numbers]
        for members in strata:
            if len(members) < FEW_GROUPS:
                _draw_inside(chance, spread, np.isin(numbers, members), fake, numbers)
        yield spread


def _draw_inside(chance: np.random.Generator, weights: Reals, chosen: Flags, fake: Flags, numbers: Codes) -> None:
    """Resamples the pictures inside each drawn group, class by class, as many as the group has."""
    for number in np.unique(numbers[chosen]):
        for side in (fake, ~fake):
            cell = np.flatnonzero((numbers == number) & side)
            if len(cell) > 1:
                times = weights[:, cell[0]].astype(np.int64) * len(cell)
                weights[:, cell] = chance.multinomial(times, np.full(len(cell), 1 / len(cell)))


def _strata(fake: Flags, numbers: Codes) -> list[npt.NDArray[np.int64]]:
    """Groups by which classes they hold: fakes only, authentic pictures only, both."""
    fakes, all_of = np.bincount(numbers, weights=fake), np.bincount(numbers)
    kinds = np.where(fakes == 0, 0, np.where(fakes == all_of, 1, 2))
    return [np.flatnonzero(kinds == kind) for kind in range(3) if (kinds == kind).any()]


def _draws(chance: np.random.Generator, rows: int, size: int) -> npt.NDArray[np.int64]:
    """[rows, size] how often each of `size` things was drawn in `size` draws with replacement."""
    drawn = chance.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
