"""The ids that a filtered search is restricted to."""

import numpy as np
import numpy.typing as npt

from indexer.index.vectors.selection import Selection


class Allowed:
    """A set of non-negative ids, as one flag per id: testing a million rows is one gather. Threads may share it. Worth
    keeping while a filter selects the same ids, because it caches their rows in a main index.
    """

    def __init__(self, ids: npt.NDArray[np.int64]) -> None:
        """Args: `ids` [M] int64, in any order, all >= 0."""
        self.count = len(ids)
        self._flags = np.zeros(int(ids.max()) + 2 if len(ids) else 1, np.bool_)
        self._flags[ids] = True
        self._remembered: tuple[npt.NDArray[np.int64], Selection | None, Selection] | None = None

    def mask(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """[N] bool: which of `ids` [N] int64 are in the set."""
        return self._flags[np.minimum(ids, len(self._flags) - 1)]

    def among(self, ids: npt.NDArray[np.int64], live: Selection | None) -> Selection:
        """The rows of `ids` [N] int64 that are in the set and in `live` (None: all are); cached for the last pair of
        arguments.
        """
        remembered = self._remembered
        if remembered is None or remembered[0] is not ids or remembered[1] is not live:
            mask = self.mask(ids)
            remembered = (ids, live, Selection(mask if live is None else mask & live.mask))
            self._remembered = remembered
        return remembered[2]
