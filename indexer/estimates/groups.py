"""Groups of pictures that are not independent of each other: numbering, counting, and effective sample size."""

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.errors import UsageError

Codes: TypeAlias = npt.NDArray[np.int64]
Groups: TypeAlias = Sequence[Hashable | None] | Codes
"""A name or number a picture, the same for pictures of one group; None is a group of its own."""

FEW_GROUPS = 10
"""With fewer groups of a class, pictures inside the groups are drawn too, and the interval is widened."""
FEWEST_GROUPS = 5
"""With fewer groups of a class there is no interval. What resampling groups gives lies between the lowest and the
highest of the groups' own values, and n of them lie all on one side of the truth with a chance of 2 x 0.5^n: 50 % for
two, 12.5 % for four, 6 % for five."""


def group_numbers(groups: Groups | None, count: int) -> Codes:
    """[count] the number of each picture's group, counted from 0; pictures without one get their own.

    Raises:
        UsageError: there are more groups than pictures, or fewer.
    """
    if groups is None:
        return np.arange(count)
    if len(groups) != count:
        raise UsageError(f"{len(groups)} groups were given for {count} pictures")
    known: dict[object, int] = {}
    named = [(number,) if name is None else name for number, name in enumerate(groups)]
    return np.array([known.setdefault(name, len(known)) for name in named], np.int64)


def effective_size(codes: Codes) -> float:
    """Independent pictures behind pictures of these groups [N]: (sum of sizes)^2 / sum of squared sizes."""
    sizes = np.bincount(codes).astype(np.float64) if len(codes) else np.zeros(1)
    squares = float((sizes**2).sum())
    return float(sizes.sum()) ** 2 / squares if squares else 0.0


def fewest_groups(numbers: Codes, fake: npt.NDArray[np.bool_]) -> int:
    """The number of groups of the class with the fewest groups, among classes present."""
    return min(len(np.unique(numbers[side])) for side in (fake, ~fake) if side.any())


def too_few(fewest: int, *, grouped: bool) -> str | None:
    """The reason why there is no interval, if there is none."""
    if fewest >= FEWEST_GROUPS:
        return None
    what = "group" if grouped else "picture"
    return f"only {fewest} {what}{'' if fewest == 1 else 's'} of a class, {FEWEST_GROUPS} are needed"
