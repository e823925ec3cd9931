"""When a runtime is chosen: a named one at once, otherwise after a first few pictures, when a trial begins to pay."""

import logging
import threading
from collections.abc import Callable
from typing import Final, Generic

from indexer.detector.runtimes.trial import Choice, RuntimeT

TRIAL_AFTER: Final = 64
"""Pictures that run on the eager reference before a trial, which takes as long as some dozens of them."""

_log = logging.getLogger(__name__)


class Serving(Generic[RuntimeT]):
    """The runtime in use, and the trial that finds it. All methods may be called from several threads."""

    def __init__(self, make_choice: Callable[[], Choice[RuntimeT]]) -> None:
        self._make_choice = make_choice
        self._choice: Choice[RuntimeT] | None = None
        self._seen = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> RuntimeT | None:
        """The runtime chosen; None for the eager reference, and as long as nothing is chosen."""
        return None if self._choice is None else self._choice.taken

    def choose(self) -> Choice[RuntimeT]:
        """Makes the choice now, if it was not made yet.

        Raises:
            DetectorError: a runtime that was named cannot be used.
        """
        with self._lock:
            return self._choose()

    def for_pictures(self, count: int) -> RuntimeT | None:
        """The runtime for the next `count` pictures; None is the eager reference. Who comes while another thread tries
        does not wait."""
        if self._choice is None and self._lock.acquire(blocking=False):
            try:
                self._seen += count
                if self._seen > TRIAL_AFTER:
                    self._choose()
            finally:
                self._lock.release()
        return self.taken

    def _choose(self) -> Choice[RuntimeT]:
        if self._choice is None:
            try:
                self._choice = self._make_choice()
            except (RuntimeError, MemoryError) as error:
                _log.warning("no other runtime could be tried (%s): eager torch goes on serving", error)
                self._choice = Choice(None, ())
        return self._choice
