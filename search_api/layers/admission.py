"""Admission control: how many requests of a kind are processed at a time; further ones are refused before their body is
read. Searches have their own lane, so that uploads, comparisons and reports do not delay them.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException


class Lane:
    """The requests of one kind. Use only in the event loop's thread.

    Args:
        most: how many at a time.
        seconds: how long one takes, if known; otherwise 0.
        words: the error message when the lane is full.

    Attributes:
        most: as given.
        taken: how many are being processed.
    """

    def __init__(self, most: int, words: str, seconds: Callable[[], float] = lambda: 0.0) -> None:
        self.most = most
        self._words = words
        self._seconds = seconds
        self.taken = 0

    def check(self) -> None:
        """Checks that there is room.

        Raises:
            HTTPException: 503, there is none.
        """
        if self.taken >= self.most:
            seconds = math.ceil(self.taken * self._seconds())
            raise HTTPException(503, self._words, headers={"Retry-After": str(max(1, seconds))})

    @contextmanager
    def place(self) -> Iterator[None]:
        """A context that holds a place in the lane.

        Raises:
            HTTPException: 503, there is none.
        """
        self.check()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
