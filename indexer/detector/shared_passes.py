"""Pictures that arrive together share a pass through the detector and the copy descriptor, single ones before batches.
One thread runs the passes. As soon as the models are free it takes whatever is waiting, up to a batch: a lone picture
never waits for others, and passes grow with the load. Does not import torch itself.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Thread
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from indexer.arrays import Floats
from indexer.errors import UnavailableError

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector.detector import Detector, DetectorOutput

logger = logging.getLogger(__name__)


OVERTAKEN_AT_MOST: Final = 4
"""Passes of single pictures that a batch lets pass by before it has its turn."""
CLOSING_SECONDS: Final = 60.0


class Embeds(Protocol):
    """A network that gives embeddings: a copy descriptor."""

    def run(self, batch: Floats) -> Floats:
        """Embeddings [N, D] of prepared pictures [N, 3, S, S]."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the networks saw in one picture: `logits`, `p_fake` in [0, 1], `embedding` [384] L2-normalised; `copies`
    [V, D], an embedding of the copy descriptor for each view that came with the picture, None without views or without
    a descriptor. `waited` is how long the picture waited for the models, `took` how long its pass took, in seconds."""

    logits: tuple[float, ...]
    p_fake: float
    embedding: Floats
    waited: float
    took: float
    copies: Floats | None = None


@dataclass(frozen=True, slots=True)
class _Single:
    """One waiting picture [3, 384, 384], and its `views` [V, 3, S, S] for the copy descriptor."""

    pixels: Floats
    views: Floats | None
    seen: Future[Seen] = field(default_factory=Future)
    since: float = field(default_factory=perf_counter)


@dataclass(frozen=True, slots=True)
class _Passed:
    """What a turn gave: the detector's output, None where there was nothing for it; the copy descriptor's embeddings,
    None where there were no views or there is no descriptor."""

    output: DetectorOutput | None
    copies: Floats | None


@dataclass(slots=True)
class _Batch:
    """A waiting batch [N, 3, 384, 384] and views [M, 3, S, S], which is not taken apart; `overtaken`: passes made while
    it waited."""

    pixels: Floats | None
    views: Floats | None
    output: Future[_Passed] = field(default_factory=Future)
    overtaken: int = 0


class SharedPasses:
    """The passes of one detector and one copy descriptor. Threads may share it; close it when done.

    Args:
        load: gives the detector; called in the thread that makes the passes, with the first picture.
        batch_size: most pictures of a pass.
        load_descriptor: gives the copy descriptor, None where there is none; called like `load`, with the first views.

    Attributes:
        passed: called after every pass of single pictures with their number.
        seconds_a_picture: of the last pass; 0 before the first one.
    """

    def __init__(
        self,
        load: Callable[[], Detector],
        batch_size: int,
        load_descriptor: Callable[[], Embeds | None] = lambda: None,
    ) -> None:
        self._load = load
        self._load_descriptor = load_descriptor
        self._batch_size = batch_size
        self._singles: deque[_Single] = deque()
        self._batches: deque[_Batch] = deque()
        self._news = Condition()
        self._thread: Thread | None = None
        self._closing = False
        self._taken: _Batch | list[_Single] | None = None
        self._running_since: float | None = None
        self.passed: Callable[[int], None] = lambda pictures: None
        self.seconds_a_picture = 0.0

    @property
    def waiting(self) -> int:
        """How many single pictures wait for a pass."""
        return len(self._singles)

    def submit(self, pixels: Floats, views: Floats | None = None) -> Future[Seen]:
        """Submits one prepared picture [3, 384, 384] to the next pass, and with it `views` [V, 3, S, S] prepared for
        the copy descriptor. The future holds what the networks raise, a failing picture's own error; cancelled before
        its pass, it costs none.

        Raises:
            UnavailableError: this was closed.
        """
        single = _Single(pixels, views)
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
            UnavailableError: this was closed, or the passes were interrupted.
        """
        output = self._wait_for(_Batch(batch, None)).output
        assert output is not None
        return output

    def run_with_copies(self, batch: Floats, views: Floats) -> tuple[DetectorOutput, Floats | None]:
        """As `run`, and in the same turn the copy descriptor's embeddings [M, D] of `views` [M, 3, S, S]; None where
        there is no descriptor."""
        passed = self._wait_for(_Batch(batch, views))
        assert passed.output is not None
        return passed.output, passed.copies

    def embed(self, views: Floats) -> Floats | None:
        """The copy descriptor's embeddings [M, D] of `views` [M, 3, S, S] alone, in its turn like a batch; None where
        there is no descriptor. Raises as `run`."""
        return self._wait_for(_Batch(None, views)).copies

    def _wait_for(self, waiting: _Batch) -> _Passed:
        with self._news:
            self._start()
            self._batches.append(waiting)
            self._news.notify()
        return waiting.output.result()

    def trouble(self, longest: float) -> str | None:
        """What is wrong with the passes, None when nothing is: the thread that makes them died while somebody waits, or
        one pass has taken longer than `longest` seconds."""
        with self._news:
            since, waits = self._running_since, bool(self._singles or self._batches or self._taken)
            dead = waits and (self._thread is None or not self._thread.is_alive())
        if dead:
            return "the thread that makes the detector's passes has ended while pictures wait"
        if since is not None and monotonic() - since > longest:
            return f"a pass of the detector has taken longer than {longest:g} seconds"
        return None

    def close(self) -> None:
        """Finishes pending passes, then stops; a pass that hangs is abandoned."""
        with self._news:
            self._closing = True
            self._news.notify()
            thread = self._thread
        if thread is not None:
            thread.join(CLOSING_SECONDS)
            if thread.is_alive():
                logger.warning("a pass of the detector has not ended within %g s: it is left behind", CLOSING_SECONDS)

    def _start(self) -> None:
        """Starts the thread where none is at work. To be called with `_news` held."""
        if self._closing:
            raise UnavailableError("the detector is being closed: ask again later")
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._work, name="detector-passes", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """Runs passes until closed. An unexpected error fails all waiting requests, and the next request restarts the
        thread.
        """
        try:
            while (turn := self._next()) is not None:
                if isinstance(turn, _Batch):
                    self._run_batch(turn)
                elif turn:
                    self._run_singles(turn)
                self._taken = None
        except BaseException:
            logger.exception(
                "the detector's passes were interrupted; those who waited are told, and the next begin anew"
            )
            self._fail_all()

    def _fail_all(self) -> None:
        error = UnavailableError("the detector's passes were interrupted: ask again")
        with self._news:
            taken = [self._taken] if isinstance(self._taken, _Batch) else self._taken or []
            waiting = [*taken, *self._singles, *self._batches]
            self._singles.clear()
            self._batches.clear()
            self._taken = self._running_since = None
            self._thread = None
        for request in waiting:
            with suppress(InvalidStateError):  # it already has its answer, or was cancelled
                (request.output if isinstance(request, _Batch) else request.seen).set_exception(error)

    def _next(self) -> _Batch | list[_Single] | None:
        """Waits for the pictures of the next pass; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._singles or self._batches or self._closing)
            if self._batches and (not self._singles or self._batches[0].overtaken >= OVERTAKEN_AT_MOST):
                self._taken = self._batches.popleft()
                return self._taken
            if not self._singles:
                return None
            if self._batches:
                self._batches[0].overtaken += 1
            taken: list[_Single] = []
            self._taken = taken
            while self._singles and len(taken) < self._batch_size:
                single = self._singles.popleft()
                if single.seen.set_running_or_notify_cancel():
                    taken.append(single)
            return taken

    def _run_batch(self, batch: _Batch) -> None:
        try:
            batch.output.set_result(self._pass(batch.pixels, batch.views))
        except BaseException as error:  # noqa: BLE001 - it is the asker's
            batch.output.set_exception(error)

    def _run_singles(self, singles: Sequence[_Single]) -> None:
        started = perf_counter()
        try:
            views = [single.views for single in singles if single.views is not None and len(single.views)]
            pixels = np.stack([single.pixels for single in singles])
            passed = self._pass(pixels, np.concatenate(views) if views else None)
        except BaseException as error:  # noqa: BLE001 - it is the asker's
            if len(singles) == 1:
                singles[0].seen.set_exception(error)
            else:  # each alone, so that one picture's error is not the others'
                for single in singles:
                    self._run_singles([single])
            return
        took = perf_counter() - started
        self.seconds_a_picture = took / len(singles)
        seen = []
        for row, (single, copies) in enumerate(zip(singles, _shares(passed.copies, singles), strict=True)):
            assert passed.output is not None
            seen.append(_row(passed.output, row, started - single.since, took, copies))
        self._tell(len(singles))
        for single, result in zip(singles, seen, strict=True):
            single.seen.set_result(result)

    def _pass(self, pixels: Floats | None, views: Floats | None) -> _Passed:
        detector = None if pixels is None else self._load()  # may take long, the first time
        descriptor = None if views is None else self._load_descriptor()
        self._running_since = monotonic()
        try:
            output = None if detector is None or pixels is None else detector.run(pixels)
            return _Passed(output, None if descriptor is None or views is None else descriptor.run(views))
        finally:
            self._running_since = None

    def _tell(self, pictures: int) -> None:
        """Calls `passed`; an error in it is only logged."""
        try:
            self.passed(pictures)
        except Exception:
            logger.exception("a pass of the detector could not be counted")


def rows_of(output: DetectorOutput, copies: Sequence[Floats | None] = ()) -> list[Seen]:
    """The pictures of a batch one by one, with the `copies` of each if any are given; how long they took is not
    known."""
    given = copies or [None] * len(output.logits)
    return [_row(output, row, 0.0, 0.0, copy_rows) for row, copy_rows in enumerate(given)]


def _shares(copies: Floats | None, singles: Sequence[_Single]) -> Iterator[Floats | None]:
    """Each picture's rows of the embeddings of all views."""
    start = 0
    for single in singles:
        count = 0 if single.views is None else len(single.views)
        yield copies[start : start + count] if copies is not None and count else None
        start += count


def _row(output: DetectorOutput, row: int, waited: float, took: float, copies: Floats | None) -> Seen:
    logits = tuple(float(value) for value in output.logits[row])
    return Seen(logits, float(output.p_fake[row]), output.embeddings[row], waited, took, copies)
