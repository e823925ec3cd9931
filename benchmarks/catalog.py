"""How long the catalogue's two promised queries take: a page of filtered images, and everything about 100 hits.

`python -m benchmarks.catalog [--images 1000000] [--json FILE] [--keep FILE]`, on SQLite, in one thread.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time

import numpy as np
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.orm import Session

from benchmarks.made_up.catalogue import COLLECTIONS, DAYS, FIRST_DAY, GENERATORS, PLATFORMS, TECHNIQUES, fill
from benchmarks.reporting import report
from indexer.catalog import Catalog, cursors
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.vocabulary import LabelValue

QUESTION = "How long do a page of filtered images and everything about 100 hits take?"
AIM_MS = 20.0
REPEATS = 40
LIMIT = 50
HITS = 100


@dataclass(frozen=True, slots=True)
class Timing:
    """One query, repeated. `returned` is how many items the last answer held, `cpu_ms` the
    median time on the processor, which other work on the machine does not lengthen as much."""

    query: str
    returned: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    cpu_ms: float


def single_filters() -> Iterator[tuple[str, ImageFilter]]:
    """Every condition alone, where it is common and where it is rare."""
    yield "no filter", ImageFilter()
    for value in LabelValue:
        yield f"label {value}", ImageFilter(label=value)
    for name, technique in (("common", TECHNIQUES[0]), ("rare", TECHNIQUES[-1])):
        yield f"{name} technique", ImageFilter(technique=technique)
    for name, generator in (("common", GENERATORS[0]), ("rare", GENERATORS[-1]), ("unheard-of", "none such")):
        yield f"{name} generator", ImageFilter(generator=generator)
    for name, platform in (("common", PLATFORMS[0]), ("rare", PLATFORMS[-1]), ("unheard-of", "none such")):
        yield f"{name} platform", ImageFilter(platform=platform)
    for name, collection in (("large", COLLECTIONS[:1]), ("small", COLLECTIONS[-1:]), ("three", COLLECTIONS[:3])):
        yield f"{name} collection", ImageFilter(collections=collection)
    for name, first, days in _ranges():
        start = FIRST_DAY + timedelta(days=first)
        yield f"posted {name}", ImageFilter(posted_from=start, posted_to=start + timedelta(days=days))
    yield "posted since last year", ImageFilter(posted_from=FIRST_DAY + timedelta(days=DAYS - 365))


def combined_filters() -> Iterator[tuple[str, ImageFilter]]:
    """Conditions that people set together, and pairs that hardly meet."""
    fake, authentic = LabelValue.FAKE, LabelValue.AUTHENTIC
    common, rare = GENERATORS[0], GENERATORS[-1]
    yield "fake, common generator", ImageFilter(label=fake, generator=common)
    yield "authentic with a generator (none)", ImageFilter(label=authentic, generator=common)
    yield "fake, technique, generator", ImageFilter(label=fake, technique=TECHNIQUES[0], generator=common)
    yield "rare technique, rare generator", ImageFilter(technique=TECHNIQUES[-1], generator=rare)
    for name, platform in (("common", PLATFORMS[0]), ("rare", PLATFORMS[-1])):
        yield f"fake, {name} platform", ImageFilter(label=fake, platform=platform)
        yield f"authentic, {name} platform", ImageFilter(label=authentic, platform=platform)
        yield f"rare generator, {name} platform", ImageFilter(generator=rare, platform=platform)
        yield f"large collection, {name} platform", ImageFilter(collections=COLLECTIONS[:1], platform=platform)
    yield "fake, large collection", ImageFilter(label=fake, collections=COLLECTIONS[:1])
    yield "authentic, small collection", ImageFilter(label=authentic, collections=COLLECTIONS[-1:])
    for name, first, days in _ranges():
        start = FIRST_DAY + timedelta(days=first)
        end = start + timedelta(days=days)
        yield f"fake, posted {name}", ImageFilter(label=fake, posted_from=start, posted_to=end)
        for kind, platform in (("common", PLATFORMS[0]), ("rare", PLATFORMS[-1])):
            image_filter = ImageFilter(platform=platform, posted_from=start, posted_to=end)
            yield f"{kind} platform, posted {name}", image_filter
    yield (
        "fake, generator, platform, large collection, a year",
        ImageFilter(
            label=fake,
            generator=common,
            platform=PLATFORMS[0],
            collections=COLLECTIONS[:1],
            posted_from=FIRST_DAY + timedelta(days=1_000),
            posted_to=FIRST_DAY + timedelta(days=1_365),
        ),
    )


def _ranges() -> Iterator[tuple[str, int, int]]:
    """Name, first day and length in days of ranges of dates."""
    yield "one old day", 400, 1
    yield "one old month", 400, 30
    yield "one old year", 400, 365
    yield "five years", 400, 1_826
    yield "last month", DAYS - 30, 31


def measure(catalog: Catalog, image_count: int) -> Iterator[Timing]:
    """Time every query on a filled catalogue."""
    deep = cursors.encode("images", image_count // 3)
    for name, image_filter in (*single_filters(), *combined_filters()):
        yield _timed(f"page: {name}", catalog, _pager(image_filter, None))
        yield _timed(f"page: {name}, deep cursor", catalog, _pager(image_filter, deep))
    rng = np.random.default_rng(1)

    def hits(session: Session) -> int:
        return len(images.details(session, rng.integers(1, image_count + 1, HITS).tolist()))

    yield _timed(f"details of {HITS} random hits", catalog, hits)


def _pager(image_filter: ImageFilter, cursor: str | None) -> Callable[[Session], int]:
    return lambda session: len(images.page(session, image_filter, limit=LIMIT, cursor=cursor).items)


def _timed(name: str, catalog: Catalog, query: Callable[[Session], int]) -> Timing:
    times, busy, returned = [], [], 0
    for _ in range(REPEATS):
        started, started_busy = perf_counter(), thread_time()
        with catalog.reading() as session:
            returned = query(session)
        times.append(1_000 * (perf_counter() - started))
        busy.append(1_000 * (thread_time() - started_busy))
    p50, p95, longest = (round(float(np.percentile(times, share)), 2) for share in (50, 95, 100))
    return Timing(name, returned, p50, p95, longest, round(float(np.median(busy)), 2))


def run(image_count: int, database: Path, console: Console) -> report.Report:
    """Fill `database` unless it is filled, and time the queries on it. `load` in the parameters is the machine's load
    average before: above its cores, the times also measure others."""
    filled = database.exists()
    with Catalog.open(f"sqlite:///{database}") as catalog:
        if not filled:
            with Progress(console=console) as progress:
                task = progress.add_task("filling the catalogue", total=image_count)
                for done in fill(catalog, image_count):
                    progress.update(task, completed=done)
        load = os.getloadavg()[0]
        rows = tuple(measure(catalog, image_count))
    slowest = {
        "slowest page of filtered images, median": max(row.p50_ms for row in rows[:-1]),
        f"everything about {HITS} hits, median": rows[-1].p50_ms,
    }
    checks = (report.Check(name, ms, f"< {AIM_MS:g} ms", ms < AIM_MS) for name, ms in slowest.items())
    parameters = {"images": image_count, "limit": LIMIT, "hits": HITS, "repeats": REPEATS, "load": round(load, 1)}
    return report.Report(QUESTION, parameters, rows, tuple(checks))


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalog", description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000, help="images to fill in (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here as JSON")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="database to keep, and to use again when it is there")
    arguments = parser.parse_args()
    console = Console()
    with TemporaryDirectory() as folder:
        outcome = run(arguments.images, arguments.keep or Path(folder) / "catalogue.sqlite", console)
    report.show(outcome, console)
    if arguments.json:
        report.write(outcome, arguments.json)


if __name__ == "__main__":
    main()
