"""A memory budget for decoded pixels: large pictures wait for their turn.

One budget covers all decoding in a process: ingest, searches, enrichment, comparisons.
"""

import contextlib
import ctypes
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

DECODING: Final = 16
"""Peak bytes per pixel of decoding, unless a smaller figure was measured: the decoder's canvas, its copy, Pillow's
picture and the converted one."""
_LARGE: Final = 10_000_000
"""From this many pixels on, free memory is returned to the system before a picture is decoded."""
PATIENCE: Final = 5.0
"""Seconds a picture waits for decoded pictures to be released. Then it goes ahead, because whoever holds them may be
waiting for it."""
HELD: Final = 4
"""Bytes per pixel of a decoded picture that is still in use."""


@dataclass
class _Lease:
    """One picture's share of a budget, in bytes."""

    bytes: int


class DecodeBudget:
    """Bytes of pixels in flight. First come, first served; safe to share between threads.

    A picture that fits waits until there is room. When nothing is being decoded, the next picture always goes ahead:
    one larger than the whole budget is decoded alone, and pictures still in use never block others for ever.
    """

    def __init__(self, total: int) -> None:
        """`total`: bytes."""
        self.total = total
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._decoding = 0
        self._used = 0

    @property
    def used(self) -> int:
        """Bytes in use now by pictures decoded or being decoded."""
        return self._used

    @contextmanager
    def decoding(self, pixels: int, each: int = DECODING) -> Iterator[_Lease]:
        """Waits for room to decode `pixels`, of `each` bytes. The code inside must not wait for another picture. The
        lease ends with the block, unless `hold` keeps it."""
        ticket, lease = object(), _Lease(pixels * each)
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._queue[0] is ticket and self._decoding_fits(lease.bytes))
                self._changed.wait_for(lambda: self._has_room(lease.bytes), PATIENCE)
                self._changed.wait_for(lambda: self._decoding_fits(lease.bytes))
                self._decoding += 1
                self._used += lease.bytes
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        if pixels >= _LARGE:
            _give_back_free_memory()
        try:
            yield lease
        finally:
            with self._changed:
                self._decoding -= 1
                self._used -= lease.bytes
                self._changed.notify_all()

    def hold(self, lease: _Lease, picture: object, pixels: int, each: int = HELD) -> None:
        """Shrinks a lease to the size of the decoded picture (`each` bytes per pixel) until the picture is released."""
        kept = min(lease.bytes, pixels * each)
        lease.bytes -= kept
        weakref.finalize(picture, self._let_go, kept)

    def _decoding_fits(self, requested: int) -> bool:
        return self._decoding == 0 or self._used + requested <= self.total

    def _has_room(self, requested: int) -> bool:
        return self._used == 0 or self._used + requested <= self.total

    def _let_go(self, kept: int) -> None:
        # a finalizer runs wherever the last reference goes, perhaps within a wait of this very thread
        with self._changed:
            self._used -= kept
            self._changed.notify_all()


def _give_back_free_memory() -> None:
    """Returns free memory to the system. glibc keeps it for the thread that freed it, which after a few large pictures
    is gigabytes."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


_budgets: dict[int, DecodeBudget] = {}
_making = threading.Lock()


def budget_of(total: int) -> DecodeBudget:
    """This process's shared budget of `total` bytes."""
    with _making:
        return _budgets.setdefault(total, DecodeBudget(total))
