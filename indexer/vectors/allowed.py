"""The ids a filtered search is confined to."""

import numpy as np
import numpy.typing as npt

from indexer.vectors.selection import Selection


class Allowed:
    """A set of non-negative ids, as one flag per id: membership of a million rows is one gather.

    Safe to share between threads, and worth keeping while a filter selects the same ids: which rows of a main index
    they are is remembered.
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
        """The rows of `ids` [N] int64 that are in the set and in `live` (None: all are); made once for as long as the
        very same two are asked about."""
        remembered = self._remembered
        if remembered is None or remembered[0] is not ids or remembered[1] is not live:
            mask = self.mask(ids)
            remembered = (ids, live, Selection(mask if live is None else mask & live.mask))
            self._remembered = remembered
        return remembered[2]
