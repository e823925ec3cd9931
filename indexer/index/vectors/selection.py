"""The rows of an index that a search may find, in the forms FAISS needs, each computed once."""

from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


class RowSelector:
    """A FAISS row selector; keeps the memory alive that FAISS only points to."""

    def __init__(self, memory: npt.NDArray[np.uint8] | npt.NDArray[np.int64]) -> None:
        """Args: `memory`: row numbers as int64, or one bit per row as uint8, lowest bit first."""
        self._memory = memory
        kind = faiss.IDSelectorBitmap if memory.dtype == np.uint8 else faiss.IDSelectorArray
        self.handle = kind(len(memory), faiss.swig_ptr(memory))


class Selection:
    """A selection of the N rows of an index. Immutable; threads may share it. Worth keeping: at a million rows,
    computing any of its forms takes longer than a search.
    """

    def __init__(self, mask: Mask) -> None:
        """Args: `mask` [N] bool, true for the rows that may be found; it must not change afterwards."""
        self.mask = mask
        self.count = int(np.count_nonzero(mask))
        self._lists: Lists | None = None

    @property
    def share(self) -> float:
        """The fraction of all rows that may be found, in [0, 1]."""
        return self.count / max(1, len(self.mask))

    @cached_property
    def by_bit(self) -> RowSelector:
        """A bitmap selector, for scans of all rows and of inverted lists."""
        return RowSelector(np.packbits(self.mask, bitorder="little"))

    @cached_property
    def by_number(self) -> RowSelector:
        """A row number selector, for scans of these rows only; FAISS is fast with it on raw vectors only."""
        return RowSelector(np.flatnonzero(self.mask))

    def lists(self, list_of_row: npt.NDArray[np.int32], lists: int) -> "Lists":
        """The inverted lists that contain any of these rows; computed once, because an index has one `list_of_row`
        [N].
        """
        known = self._lists
        if known is None:
            held = np.bincount(list_of_row[self.mask], minlength=lists) > 0
            known = Lists(int(np.count_nonzero(held)), RowSelector(np.packbits(held, bitorder="little")))
            self._lists = known
        return known


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Inverted lists that are worth probing: how many, and which."""

    count: int
    selector: RowSelector
