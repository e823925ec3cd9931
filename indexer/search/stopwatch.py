"""How long the steps of one query took, by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Collects how long the named steps of one query took; a step that comes twice is summed."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what is done inside."""
        started = perf_counter()
        try:
            yield
        finally:
            self.add(name, perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Adds to a step what was timed elsewhere."""
        self.milliseconds[name] = round(self.milliseconds.get(name, 0.0) + seconds * 1000, 3)
