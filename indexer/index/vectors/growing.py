"""An append-only array whose readers can keep using earlier views."""

import numpy as np
import numpy.typing as npt

INITIAL_ROWS = 256


class GrowingRows:
    """Append-only rows. Earlier views stay valid and never change, so readers need no lock: new rows go after them, and
    a full buffer is replaced, not resized. One writer at a time.
    """

    def __init__(self, dtype: npt.DTypeLike, *width: int) -> None:
        self._buffer = np.empty((0, *width), dtype)
        self._rows = 0

    def append(self, rows: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Add `rows` and return a view of all rows so far."""
        total = self._rows + len(rows)
        if total > len(self._buffer):
            larger = np.empty((max(INITIAL_ROWS, total + total // 2), *self._buffer.shape[1:]), self._buffer.dtype)
            larger[: self._rows] = self._buffer[: self._rows]
            self._buffer = larger
        self._buffer[self._rows : total] = rows
        self._rows = total
        view = self._buffer[:total]
        view.flags.writeable = False
        return view
