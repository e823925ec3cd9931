"""How much decoded pixels may take in memory at a time: large pictures wait for their turn.

One budget for all decoding of a process, whoever asks: ingest, searches, enrichment, comparisons.
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
"""Bytes a pixel that decoding takes at its peak where nothing less was measured: the decoder's canvas, its copy,
Pillow's picture and the converted one."""
_LARGE: Final = 10_000_000
"""Pixels from which on memory is given back to the system before a picture is decoded."""
PATIENCE: Final = 5.0
"""Seconds that a picture waits for others, which are decoded already, to be let go; then it goes ahead, for who holds
them may be waiting for it."""
HELD: Final = 4
"""Bytes a pixel of a decoded picture, as long as somebody holds it."""


@dataclass
class _Lease:
    """What one picture takes of a budget, in bytes."""

    bytes: int


class DecodeBudget:
    """Bytes of pixels in flight. Whoever came first decodes first; safe to share between threads.

    A picture that fits waits until there is room. When nothing is being decoded the next one always goes ahead, so
    that one larger than the whole budget is decoded alone, and pictures that are held keep nobody waiting for ever.
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
        """Bytes that pictures take now, decoded and being decoded."""
        return self._used

    @contextmanager
    def decoding(self, pixels: int, each: int = DECODING) -> Iterator[_Lease]:
        """Waits for room to decode so many pixels, of `each` bytes. What is done inside must not wait for another
        picture; the lease ends with it, unless `hold` passes it on."""
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
        """Leaves of a lease what a decoded picture takes until it is let go: `each` bytes a pixel."""
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
    """glibc keeps what each thread freed for that thread: after a few large pictures that is gigabytes."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


_budgets: dict[int, DecodeBudget] = {}
_making = threading.Lock()


def budget_of(total: int) -> DecodeBudget:
    """The one budget of this process of so many bytes."""
    with _making:
        return _budgets.setdefault(total, DecodeBudget(total))
