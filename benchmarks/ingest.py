"""Where does the time of an ingest go? `python -m benchmarks.ingest [--full] [--pictures FOLDER]`

Ingests JPEG files it makes (or those of a folder) with the bundled detector and with a ViT-S/16 at 384 px, and times
each step where it runs: the models, the wait for pictures and the writing in the main thread; reading, hashing,
decoding and the rest in the threads that work ahead of it.
"""

import argparse
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

from benchmarks.made_up.vit import BLOCKS, write_jpegs, write_random_vit
from benchmarks.reporting.report import Check, Report, conclude
from indexer.copies.features import taking
from indexer.files.media import MediaStore
from indexer.imaging.limits import ImageLimits
from indexer.ingest import preparing
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.workspace import Workspace

MODEL_SHARE = 0.8
SMALL, FULL = 96, 1000
_STEPS = {
    "sha256_hex": "SHA-256",
    "decode": "decode",
    "pdq_hash": "PDQ",
    "make_thumbnail": "thumbnail",
    "read_provenance": "provenance",
}
"""Functions of the preparing module that run in the worker threads, by what they are called here."""


@dataclass(frozen=True, slots=True)
class Row:
    """One step of one ingest: milliseconds a picture, and its share of the run's seconds. Steps `ahead` run in other
    threads meanwhile, on cores they share with the model, so that shares add up to more than one."""

    detector: str
    step: str
    ahead: bool
    ms_a_picture: float
    share: float


class _Clock:
    """Seconds by step, from any thread; a step inside another one counts for itself only."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, bool], float] = defaultdict(float)
        self._main = threading.get_ident()
        self._lock = threading.Lock()
        self._inner = threading.local()

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            with self.step(step):
                return function(*args, **options)

        return run

    @contextmanager
    def step(self, step: str) -> Iterator[None]:
        outer, self._inner.seconds = getattr(self._inner, "seconds", 0.0), 0.0
        began = perf_counter()
        try:
            yield
        finally:
            took = perf_counter() - began
            with self._lock:
                self.seconds[step, threading.get_ident() != self._main] += took - self._inner.seconds
            self._inner.seconds = outer + took


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"{FULL} pictures, not {SMALL}")
    parser.add_argument("--side", type=int, default=1024, help="of the square pictures that are made, in pixels")
    parser.add_argument("--pictures", type=Path, help="a folder to ingest instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.pictures is None:
            write_jpegs(folder / "pictures", (options.side, options.side), FULL if options.full else SMALL)
        return conclude("ingest", lambda: measure(folder, options.pictures or folder / "pictures"), options.json)


def measure(folder: Path, pictures: Path, blocks: int = BLOCKS) -> Report:
    """Ingests `pictures` below `folder`, with each of the two detectors; `blocks` are the random one's."""
    vit = write_random_vit(folder / "vit", blocks)
    rows: list[Row] = []
    figures: dict[str, float] = {}
    for detector in (str(vit), "dejafake-small"):
        name = Path(detector).name
        report, rate, serving = _ingest(folder / f"home-{name}", pictures, detector)
        rows += report
        figures[f"{name}_on_{serving}_pictures_per_second".replace(" ", "_")] = rate
    shares = {row.detector: row.share for row in rows if row.step == "models"}
    return Report(
        question="Where does the time of an ingest go?",
        parameters={"pictures": sum(1 for path in pictures.rglob("*") if path.is_file())},
        rows=tuple(rows),
        checks=tuple(
            Check(f"share of the models, {name}", share, f">= {MODEL_SHARE}", share >= MODEL_SHARE)
            for name, share in shares.items()
        ),
        figures=figures,
    )


def _ingest(home: Path, pictures: Path, detector: str) -> tuple[list[Row], float, str]:
    settings = Settings.load(home=home, detector=detector)
    with Workspace(settings) as workspace, ExitStack() as patches:
        loaded = workspace.detector()
        loaded.choose_runtime()
        clock = _Clock()
        for name, step in _STEPS.items():
            patches.enter_context(patch.object(preparing, name, clock.timed(step, getattr(preparing, name))))
        patches.enter_context(patch.object(MediaStore, "put", _method(clock, "write files", MediaStore.put)))
        patches.enter_context(patch.object(loaded, "prepare", clock.timed("prepare", loaded.prepare)))
        passes = workspace.passes
        for name in ("run", "run_with_copies"):
            patches.enter_context(patch.object(passes, name, clock.timed("models", getattr(passes, name))))
        patches.enter_context(
            patch.object(taking, "packed_features", clock.timed("local features", taking.packed_features))
        )
        ingest = workspace.ingest()
        preparer = ingest._preparer
        patches.enter_context(patch.object(preparer, "_standing", clock.timed("known already?", preparer._standing)))
        patches.enter_context(patch.object(ingest, "_store", clock.timed("SQL and vectors", ingest._store)))
        began = perf_counter()
        report = ingest.run(open_source(pictures, ImageLimits.from_settings(settings)))
        with clock.step("index"):
            workspace.index.bring_up_to_date()
        took = perf_counter() - began
        done, name = max(1, report.added), Path(detector).name
        seconds = dict(clock.seconds)
        seconds["waiting for pictures", False] = took - sum(taken for (_, ahead), taken in seconds.items() if not ahead)
        rows = [
            Row(name, step, ahead, taken / done * 1e3, taken / took)
            for (step, ahead), taken in sorted(seconds.items(), key=lambda item: (item[0][1], -item[1]))
        ]
        return rows, done / took, f"{loaded.runtime} {loaded.precision}"


def _method(clock: _Clock, step: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A function, which binds to its object as a method does."""
    timed = clock.timed(step, method)
    return lambda self, *args: timed(self, *args)


if __name__ == "__main__":
    sys.exit(main())
