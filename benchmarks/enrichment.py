"""Do tables of any length stream through `dejafake enrich` in flat memory? `python -m benchmarks.enrichment`

Enriches a CSV file and a table of SQLite, of N and of 10 N rows, each in a process of its own, with the installed
detector and a small catalogue of made-up fakes. Nine rows in ten are one picture, as in tables of something that goes
round; the others are a few pictures, hashes known and unknown, and rows that cannot be answered.
"""

import argparse
import csv
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from math import log10
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from PIL import Image

from benchmarks.reporting.report import Check, Report, conclude, peak_memory_mib
from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.run import Enrichment
from indexer.enrichment.sql.run import SqlEnrichment, SqlTarget
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace

ROWS = 10_000
TIMES = 10
"""How many times more rows the longer table has."""
MOST_GROWTH = 0.1
MOST_SLOPE = 1.1
FAKES = 20
PICTURES = 12
"""Pictures beside the tables: the first is in nine rows of ten."""
TableRow = tuple[int, str | None, str | None]
"""Number, path of a picture, SHA-256."""
_SIDE = 512
_FORMATS = ("csv", "sqlite")


@dataclass(frozen=True, slots=True)
class Run:
    """One enrichment in a process of its own. `seconds` are wall time, `cpu_seconds` the process's own, without
    starting and loading the detector; `peak_mib` is all of its memory, the detector included."""

    format: str
    rows: int
    seconds: float
    cpu_seconds: float
    rows_a_second: float
    peak_mib: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enrichment", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the shorter table (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        return conclude("enrichment", lambda: measure(Path(folder), options.rows), options.json)


def measure(folder: Path, rows: int, detector: str | None = None) -> Report:
    """Enriches both kinds of table at both lengths.

    Raises:
        DejafakeError: an enrichment fails.
    """
    home = folder / "home"
    # one arithmetic throughout: the trial of runtimes, once a process, would count as the longer table's
    settings = Settings.load(home=home, detector=detector, runtime="eager")
    pictures = make_pictures(folder / "pictures", PICTURES, seed=1)
    fakes = make_pictures(folder / "fakes", FAKES, seed=0)
    fill(settings, fakes)
    known = sha256(fakes[0].read_bytes()).hexdigest()
    runs: list[Run] = []
    for count in (rows, TIMES * rows):
        write_csv(folder / "pictures" / f"{count}.csv", table(count, pictures, known))
        write_sqlite(folder / f"{count}.db", table(count, pictures, known))
        runs += [_in_a_process(settings, folder, kind, count) for kind in _FORMATS]
    checks = [check for kind in _FORMATS for check in compare(*(run for run in runs if run.format == kind))]
    return Report(
        question="How long do tables take, and do they stream in flat memory?",
        parameters={"rows": rows, "times": TIMES, "fakes": FAKES, "pictures": PICTURES, "detector": settings.detector},
        rows=tuple(runs),
        checks=tuple(checks),
    )


def compare(short: Run, long: Run) -> tuple[Check, Check]:
    """Growth of memory, and the slope of time over rows on logarithmic axes: 1 is linear. The slope is of the
    process's own time, which other work on the machine does not lengthen as much."""
    growth = long.peak_mib / short.peak_mib - 1
    slope = log10(long.cpu_seconds / short.cpu_seconds) / log10(long.rows / short.rows)
    flat, linear = f"{short.format}: more memory for {TIMES} times the rows", f"{short.format}: slope of time over rows"
    return (
        Check(flat, growth, f"< {MOST_GROWTH:g}", growth < MOST_GROWTH),
        Check(linear, slope, f"<= {MOST_SLOPE:g}", slope <= MOST_SLOPE),
    )


def enrich(settings: Settings, folder: Path, kind: str, count: int) -> Run:
    """One enrichment, measured once the detector has answered something."""
    with Workspace(settings) as workspace:
        workspace.index.bring_up_to_date()
        workspace.searcher.by_bytes((folder / "pictures" / "0.png").read_bytes())
        started, busy = perf_counter(), process_time()
        if kind == "csv":
            source = open_input(folder / "pictures" / f"{count}.csv", {}, ImageLimits.from_settings(settings))
            Enrichment(workspace, source, folder / f"{count}.csv").run()
        else:
            target = SqlTarget(f"sqlite:///{folder / f'{count}.db'}", "media", "id", pictures=folder / "pictures")
            SqlEnrichment(workspace, target, {}).run()
        seconds, cpu = perf_counter() - started, process_time() - busy
    return Run(kind, count, seconds, cpu, count / seconds, peak_memory_mib())


def _in_a_process(settings: Settings, folder: Path, kind: str, count: int) -> Run:
    """Peak memory only ever rises: each run needs a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(enrich, settings, folder, kind, count).result()


def fill(settings: Settings, fakes: Sequence[Path]) -> None:
    """A catalogue of these fakes."""
    with Workspace(settings) as workspace:
        source = open_source(fakes[0].parent, ImageLimits.from_settings(settings))
        workspace.ingest(IngestOptions(label=LabelValue.FAKE, stated_by="benchmark")).run(source)
        workspace.index.bring_up_to_date()


def make_pictures(folder: Path, count: int, *, seed: int) -> list[Path]:
    """PNG files of smooth random colours."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    paths = [folder / f"{number}.png" for number in range(count)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        coarse.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC).save(path)
    return paths


def table(count: int, pictures: Sequence[Path], known: str) -> Iterator[TableRow]:
    """Number, path and SHA-256 of each row; the last of every ten rows is, in turn, another picture, the hash
    `known`, a hash nobody knows, or a path where nothing is."""
    for number in range(count):
        turn, last = divmod(number, 10)
        if last < 9:
            yield number, pictures[0].name, None
        elif turn % 4 == 0:
            yield number, pictures[1 + turn // 4 % (len(pictures) - 1)].name, None
        elif turn % 4 == 1:
            yield number, None, known
        elif turn % 4 == 2:
            yield number, None, sha256(str(number).encode()).hexdigest()
        else:
            yield number, "nothing.png", None


def write_csv(path: Path, rows: Iterable[TableRow]) -> None:
    """The table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "sha256"])
        writer.writerows(rows)


def write_sqlite(path: Path, rows: Iterable[TableRow]) -> None:
    """The table in a database of its own."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE media (id INTEGER PRIMARY KEY, path TEXT, sha256 TEXT)")
        connection.executemany("INSERT INTO media VALUES (?, ?, ?)", rows)


if __name__ == "__main__":
    raise SystemExit(main())
