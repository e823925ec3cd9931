"""The server's background work: threads that repeat a step while there is work, then wait for an announcement or a
timeout.
"""

import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Final

from indexer.errors import DejafakeError

logger = logging.getLogger("dejafake.api")

LOOK_EVERY: Final = 2.0
"""Seconds between looks for work that nobody in this process announced."""

LONGEST_PAUSE: Final = 60.0
"""Seconds after which a step that failed many times is tried again at the latest."""

Step = Callable[[], bool]
"""Does a piece of work; returns whether there was one."""


class Background:
    """Named threads, each repeating its step. A step that fails is logged and retried with increasing delays; the
    traceback is logged only when the error is new.

    Attributes:
        stopping: set when they should end; long steps check it.
        failures: how often each thread's step has failed.
    """

    def __init__(self, steps: Mapping[str, Step], every: float = LOOK_EVERY) -> None:
        self.stopping = Event()
        self.failures = dict.fromkeys(steps, 0)
        self._every = every
        self._news = [Event() for _ in steps]
        self._threads = [
            Thread(target=self._repeat, args=(name, step, news), name=name)
            for (name, step), news in zip(steps.items(), self._news, strict=True)
        ]

    def start(self) -> None:
        """Starts the threads, beginning with existing work."""
        for thread in self._threads:
            thread.start()

    def alive(self) -> dict[str, bool]:
        """Whether each thread is alive, by name; true before the start and after the end."""
        return {
            thread.name: thread.is_alive() or thread.ident is None or self.stopping.is_set() for thread in self._threads
        }

    def announce(self) -> None:
        """Announces that there may be work."""
        for news in self._news:
            news.set()

    def close(self) -> None:
        """Stops after the current steps."""
        self.stopping.set()
        self.announce()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _repeat(self, name: str, step: Step, news: Event) -> None:
        failures, told = 0, ""
        while not self.stopping.is_set():
            news.clear()
            busy = False
            try:
                busy = step()
                failures, told = 0, ""
            except BaseException as error:  # noqa: BLE001 - logged below, with its traceback when it is new
                failures += 1
                self.failures[name] += 1
                told = _log(name, error, told)
            if busy:
                self.announce()
            elif failures > 1:
                self.stopping.wait(min(self._every * 2 ** min(failures, 10), max(self._every, LONGEST_PAUSE)))
            else:
                news.wait(self._every)


def _log(name: str, error: BaseException, told: str) -> str:
    """Logs a failure unless it is the same as the last one.

    Returns:
        A key that identifies this failure.
    """
    what = f"{type(error).__name__}: {error}"
    if what == told:
        logger.warning("%s failed again: %s", name, type(error).__name__)
    elif isinstance(error, DejafakeError):
        logger.error("%s: %s", name, error)
    else:
        logger.exception("%s failed", name)
    return what
