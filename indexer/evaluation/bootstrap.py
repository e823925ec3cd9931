"""Bootstrap intervals (Efron & Tibshirani 1993, "An Introduction to the Bootstrap"): 95 %, percentile, seeded.

Resampling keeps the number of pictures of each class. Where pictures come in groups (made from the same photograph),
whole groups are drawn, for pictures of a group are not independent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from indexer.errors import UsageError

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Groups: TypeAlias = Sequence[str | None]
Statistic: TypeAlias = Callable[[Reals], Reals]
"""Weights [B, N] (how often each picture was drawn) to values [B, K]."""

RESAMPLES = 1_000
_CELLS = 4_000_000
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A figure these pictures do not give; `not_measurable` says why."""

    not_measurable: str

    def __str__(self) -> str:
        return f"not measurable: {self.not_measurable}"


Figure: TypeAlias = Estimate | NotMeasured


class Resampling(TypedDict):
    """How the intervals of one set of pictures are drawn: the arguments all metrics share."""

    groups: Groups | None
    seed: int
    resamples: int


def figure(measure: Callable[[], Estimate]) -> Figure:
    """What `measure` gives, or why these pictures do not give it."""
    try:
        return measure()
    except UsageError as error:
        return NotMeasured(str(error))


def bootstrap(
    statistic: Statistic, fake: Flags, *, groups: Groups | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[Estimate, ...]:
    """The K values of a statistic of pictures with their intervals.

    Args:
        statistic: must take any weights in which each class that is there keeps at least one picture.
        fake: [N] the class of each picture.
        groups: N names; None is a group of its own. None for all: every picture is.
        seed, resamples: equal ones give equal intervals.

    Raises:
        UsageError: there are no pictures.
    """
    if not len(fake):
        raise UsageError("there are no pictures to measure on")
    values = statistic(np.ones((1, len(fake))))[0]
    drawn = np.concatenate([statistic(weights) for weights in _resamples(fake, groups, seed, resamples)])
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return tuple(Estimate(float(v), float(a), float(b)) for v, a, b in zip(values, low, high, strict=True))


def group_numbers(groups: Groups | None, count: int) -> npt.NDArray[np.int64]:
    """[N] the number of each picture's group, counted from 0; pictures without one get their own."""
    if groups is None:
        return np.arange(count)
    if len(groups) != count:
        raise UsageError(f"{len(groups)} groups were given for {count} pictures")
    known: dict[object, int] = {}
    return np.array(
        [known.setdefault(number if name is None else name, len(known)) for number, name in enumerate(groups)], np.int64
    )


def wilson(share: float, trials: int) -> Estimate:
    """Wilson's interval of a proportion (1927, JASA 22:209), which does not vanish at 0 and 1 as a bootstrap does."""
    denominator = 1 + _Z95**2 / trials
    centre = (share + _Z95**2 / (2 * trials)) / denominator
    half = _Z95 * sqrt(share * (1 - share) / trials + _Z95**2 / (4 * trials**2)) / denominator
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def _resamples(fake: Flags, groups: Groups | None, seed: int, resamples: int) -> Iterator[Reals]:
    """Weights [B, N] in pieces, B summing up to `resamples`."""
    numbers = group_numbers(groups, len(fake))
    strata = _strata(fake, numbers)
    chance = np.random.default_rng(seed)
    rows = max(1, _CELLS // len(fake))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        weights = np.zeros((count, int(numbers.max()) + 1))
        for members in strata:
            weights[:, members] = _draws(chance, count, len(members))
        yield weights[:, numbers]


def _strata(fake: Flags, numbers: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Groups by which classes they hold: fakes only, authentic pictures only, both."""
    fakes, all_of = np.bincount(numbers, weights=fake), np.bincount(numbers)
    kinds = np.where(fakes == 0, 0, np.where(fakes == all_of, 1, 2))
    return [np.flatnonzero(kinds == kind) for kind in range(3) if (kinds == kind).any()]


def _draws(chance: np.random.Generator, rows: int, size: int) -> npt.NDArray[np.int64]:
    """[rows, size] how often each of `size` things was drawn in `size` draws with replacement."""
    drawn = chance.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
