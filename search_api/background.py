"""The server's own work: threads that repeat a step while there is work, then wait for news or a while."""

import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Final

from indexer.errors import DejafakeError

logger = logging.getLogger("dejafake.api")

LOOK_EVERY: Final = 2.0
"""Seconds between looks for work that nobody in this process announced."""

Step = Callable[[], bool]
"""Does a piece of work; returns whether there was one."""


class Background:
    """Threads by their names, each repeating its step; a step that fails is logged and tried again later.

    Attributes:
        stopping: set when they are to end; a long step looks at it.
    """

    def __init__(self, steps: Mapping[str, Step], every: float = LOOK_EVERY) -> None:
        self.stopping = Event()
        self._every = every
        self._news = [Event() for _ in steps]
        self._threads = [
            Thread(target=self._repeat, args=(name, step, news), name=name)
            for (name, step), news in zip(steps.items(), self._news, strict=True)
        ]

    def start(self) -> None:
        """Begins with what is there."""
        for thread in self._threads:
            thread.start()

    def announce(self) -> None:
        """Says that there may be work."""
        for news in self._news:
            news.set()

    def close(self) -> None:
        """Ends after the steps that are being done."""
        self.stopping.set()
        self.announce()
        for thread in self._threads:
            thread.join()

    def _repeat(self, name: str, step: Step, news: Event) -> None:
        while not self.stopping.is_set():
            news.clear()
            try:
                busy = step()
            except DejafakeError as error:
                logger.error("%s: %s", name, error)
                busy = False
            except Exception:
                logger.exception("%s failed", name)
                busy = False
            if busy:
                self.announce()
            else:
                news.wait(self._every)
