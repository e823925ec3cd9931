"""Pictures that arrive together go through the detector together, those somebody waits for before those of a batch.

One thread makes the passes. The moment the model is free it takes what is waiting, up to a batch: a lone picture waits
for nobody, and the more there are the larger the passes get. Needs no torch by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from indexer.errors import DejafakeError

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector.detector import Detector, DetectorOutput

Floats = npt.NDArray[np.float32]

OVERTAKEN_AT_MOST: Final = 4
"""Passes of single pictures that a batch lets pass by before it has its turn."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the detector saw in one picture: `logits`, `p_fake` in [0, 1], `embedding` [384] L2-normalised. `waited` is
    how long the picture waited for the model, `took` how long its pass took, in seconds."""

    logits: tuple[float, ...]
    p_fake: float
    embedding: Floats
    waited: float
    took: float


@dataclass(frozen=True, slots=True)
class _Single:
    """One waiting picture [3, 384, 384]."""

    pixels: Floats
    seen: Future[Seen] = field(default_factory=Future)
    since: float = field(default_factory=perf_counter)


@dataclass(slots=True)
class _Batch:
    """A waiting batch [N, 3, 384, 384], which is not taken apart; `overtaken`: passes made while it waited."""

    pixels: Floats
    output: Future[DetectorOutput] = field(default_factory=Future)
    overtaken: int = 0


class SharedPasses:
    """The passes of one detector. Threads may share it; close it when done.

    Args:
        load: gives the detector; called in the thread that makes the passes, with the first picture.
        batch_size: most pictures of a pass.

    Attributes:
        passed: told of every pass of single pictures, and of how many.
        seconds_a_picture: of the last pass; 0 before there was one.
    """

    def __init__(self, load: Callable[[], Detector], batch_size: int) -> None:
        self._load = load
        self._batch_size = batch_size
        self._singles: deque[_Single] = deque()
        self._batches: deque[_Batch] = deque()
        self._news = Condition()
        self._thread: Thread | None = None
        self._closing = False
        self.passed: Callable[[int], None] = lambda pictures: None
        self.seconds_a_picture = 0.0

    @property
    def waiting(self) -> int:
        """Single pictures that wait for a pass."""
        return len(self._singles)

    def submit(self, pixels: Floats) -> Future[Seen]:
        """Lets one prepared picture [3, 384, 384] be seen, in a pass with others that wait. The future holds what the
        detector raises, a failing picture's own error; cancelled before its pass, it costs none.

        Raises:
            DejafakeError: this was closed.
        """
        single = _Single(pixels)
        with self._news:
            self._start()
            self._singles.append(single)
            self._news.notify()
        return single.seen

    def run(self, batch: Floats) -> DetectorOutput:
        """The outputs for prepared pictures [N, 3, 384, 384], in passes of their own, so that the same batch gives the
        same numbers; single pictures come first.

        Raises:
            DetectorError: as `Detector.run`, and what loading it raises.
            DejafakeError: this was closed.
        """
        waiting = _Batch(batch)
        with self._news:
            self._start()
            self._batches.append(waiting)
            self._news.notify()
        return waiting.output.result()

    def close(self) -> None:
        """Makes the passes that are waited for, then ends."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._closing:
            raise DejafakeError("the detector is being closed: ask again later")
        if self._thread is None:
            self._thread = Thread(target=self._work, name="detector-passes", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (turn := self._next()) is not None:
            if isinstance(turn, _Batch):
                self._run_batch(turn)
            elif turn:
                self._run_singles(turn)

    def _next(self) -> _Batch | list[_Single] | None:
        """What the next pass is for, waiting for it; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._singles or self._batches or self._closing)
            if self._batches and (not self._singles or self._batches[0].overtaken >= OVERTAKEN_AT_MOST):
                return self._batches.popleft()
            if not self._singles:
                return None
            if self._batches:
                self._batches[0].overtaken += 1
            taken: list[_Single] = []
            while self._singles and len(taken) < self._batch_size:
                single = self._singles.popleft()
                if single.seen.set_running_or_notify_cancel():
                    taken.append(single)
            return taken

    def _run_batch(self, batch: _Batch) -> None:
        try:
            batch.output.set_result(self._load().run(batch.pixels))
        except BaseException as error:  # noqa: BLE001 - it is the asker's
            batch.output.set_exception(error)

    def _run_singles(self, singles: Sequence[_Single]) -> None:
        started = perf_counter()
        try:
            output = self._load().run(np.stack([single.pixels for single in singles]))
        except BaseException as error:  # noqa: BLE001 - it is the asker's
            if len(singles) == 1:
                singles[0].seen.set_exception(error)
            else:  # each alone, so that one picture's error is not the others'
                for single in singles:
                    self._run_singles([single])
            return
        took = perf_counter() - started
        self.passed(len(singles))
        self.seconds_a_picture = took / len(singles)
        for row, single in enumerate(singles):
            single.seen.set_result(_row(output, row, started - single.since, took))


def rows_of(output: DetectorOutput) -> list[Seen]:
    """The pictures of a batch one by one; how long they took is not known."""
    return [_row(output, row, 0.0, 0.0) for row in range(len(output.logits))]


def _row(output: DetectorOutput, row: int, waited: float, took: float) -> Seen:
    logits = tuple(float(value) for value in output.logits[row])
    return Seen(logits, float(output.p_fake[row]), output.embeddings[row], waited, took)
