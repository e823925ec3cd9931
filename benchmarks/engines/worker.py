"""One engine in a process of its own, so that its memory is its own; told what to do through a pipe."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from benchmarks.engines.engines import THREADS, Cost, Setting, Vectors, engines, timed_build

K = 10
TOLERANCE, ROUNDING = 1e-3, 1e-6
"""A hit counts when it is at most this much farther than the k-th nearest: as in ann-benchmarks (Aumüller et al.), and
where only ties count."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting tried on all queries in one call: recall@10 by the tolerance asked for and by ids (ties count),
    seconds."""

    setting: Setting
    recall: float
    strict_recall: float
    seconds: float


class Worker:
    """A process that serves one engine. Closing it ends the process."""

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, name), daemon=True)
        self._process.start()

    def build(self, vectors: Path, folder: Path) -> Cost:
        """Build from a file of vectors."""
        return self._ask("build", vectors, folder)  # type: ignore[no-any-return]

    def open(self, folder: Path) -> float:
        """Open what was built; seconds."""
        return self._ask("open", folder)  # type: ignore[no-any-return]

    def trials(self, queries: Vectors, truth: npt.NDArray[np.float32], tolerance: float) -> list[Trial]:
        """Try settings; with `truth` [Q], the cosine of the k-th nearest."""
        return self._ask("trials", queries, truth, tolerance)  # type: ignore[no-any-return]

    def together(self, setting: Setting, queries: Vectors) -> float:
        """Seconds of all queries in one call with two threads."""
        return self._ask("together", setting, queries)  # type: ignore[no-any-return]

    def singly(self, setting: Setting, queries: Vectors) -> list[float]:
        """Seconds of each query, one by one in one thread."""
        return self._ask("singly", setting, queries)  # type: ignore[no-any-return]

    def memory(self) -> tuple[float, float]:
        """MiB resident, and of these MiB that are not mapped from a file, beyond those before opening."""
        return self._ask("memory")  # type: ignore[no-any-return]

    def _ask(self, *message: object) -> Any:
        self._pipe.send(message)
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End the process."""
        self._pipe.send(("stop",))
        self._process.join()


@contextmanager
def worker(name: str) -> Iterator[Worker]:
    """A worker that is closed at the end."""
    started = Worker(name)
    try:
        yield started
    finally:
        started.close()


def _serve(pipe: Connection, name: str) -> None:
    service = _Service(name)
    while True:
        verb, *arguments = pipe.recv()
        if verb == "stop":
            return
        try:
            pipe.send(getattr(service, verb)(*arguments))
        except Exception as error:  # noqa: BLE001 - the parent raises it
            pipe.send(error)


class _Service:
    def __init__(self, name: str) -> None:
        self._engine = engines([name])[name]
        self._before = _memory()

    def build(self, vectors: Path, folder: Path) -> Cost:
        return timed_build(self._engine, np.load(vectors, mmap_mode="r"), folder)

    def open(self, folder: Path) -> float:
        self._before = _memory()
        started = time.perf_counter()
        self._engine.open(folder)
        return time.perf_counter() - started

    def trials(self, queries: Vectors, truth: npt.NDArray[np.float32], tolerance: float) -> list[Trial]:
        trials = []
        for setting in self._engine.settings():
            self._engine.set(setting, THREADS)
            started = time.perf_counter()
            scores = self._engine.search(queries, K)
            seconds = time.perf_counter() - started
            recall, strict = (float((scores >= truth[:, None] - slack).mean()) for slack in (tolerance, ROUNDING))
            trials.append(Trial(setting, recall, strict, seconds))
            if len(setting) == 1 and recall >= 0.995:
                break
        return trials

    def together(self, setting: Setting, queries: Vectors) -> float:
        self._engine.set(setting, THREADS)
        started = time.perf_counter()
        self._engine.search(queries, K)
        return time.perf_counter() - started

    def singly(self, setting: Setting, queries: Vectors) -> list[float]:
        self._engine.set(setting, 1)
        self._engine.search(queries[:1], K)
        seconds = []
        for at in range(len(queries)):
            started = time.perf_counter()
            self._engine.search(queries[at : at + 1], K)
            seconds.append(time.perf_counter() - started)
        return seconds

    def memory(self) -> tuple[float, float]:
        now = _memory()
        return now[0] - self._before[0], now[1] - self._before[1]


def _memory() -> tuple[float, float]:
    memory = psutil.Process().memory_info()
    shared = getattr(memory, "shared", 0)  # pages mapped from files, on Linux
    return memory.rss / 2**20, (memory.rss - shared) / 2**20
