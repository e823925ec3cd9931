"""How long do the workbench's pages take in a large catalogue? `python -m benchmarks.workbench [--images N]`

The pages are asked for in this process, through all layers of the application but the network, on a made-up catalogue
in SQLite. `first_ms` is the first request of an address: its facets are counted then. The other requests find them
counted. Beside them: the first request of all, which reads the columns that facets are counted over, and requests while
the catalogue changes, which get the counts of before. `--keep FOLDER` keeps the catalogue for the next run.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from fastapi.testclient import TestClient
from rich.console import Console
from rich.progress import Progress

from benchmarks.made_up.catalogue import COLLECTIONS, DAYS, FIRST_DAY, GENERATORS, PLATFORMS, TECHNIQUES, fill
from benchmarks.reporting import report
from indexer.catalog import Catalog
from indexer.catalog.images import images, sightings
from indexer.settings import Settings
from indexer.sightings import NewSighting
from indexer.workspace import Workspace
from search_api.app import create_app
from search_api.layers.metrics import Metrics
from search_api.service.service import Service

QUESTION = "How long do the workbench's pages take in a large catalogue?"
AIM_MS, AIM_OF_MANY_MS, MANY = 150.0, 300.0, 100_000
"""The aim, and the one above so many images."""
REPEATS = 20
CHANGES = 10


@dataclass(frozen=True, slots=True)
class Timing:
    """One page, asked for again and again."""

    page: str
    kib: float
    first_ms: float
    p50_ms: float
    p95_ms: float


def addresses() -> Iterator[tuple[str, str]]:
    """Pages of the catalogue: what each shows, and its address."""
    yield "all", "/images"
    yield "fakes", "/images?label=fake"
    yield "a technique", f"/images?technique={TECHNIQUES[0]}"
    yield "a common generator", f"/images?generator={GENERATORS[0]}"
    yield "a rare generator", f"/images?generator={GENERATORS[-1]}"
    yield "a common platform", f"/images?platform={PLATFORMS[0]}"
    yield "an account", "/images?account=account17"
    yield "a collection", f"/images?collections={COLLECTIONS[0]}"
    yield "a campaign", "/images?campaign=cmp_000000000003"
    yield "undecided", "/images?membership=suggested"
    start = (FIRST_DAY + timedelta(days=DAYS // 2)).date()
    for name, days in (("a month", 30), ("two years", 730)):
        yield f"posted in {name}", f"/images?posted_from={start}&posted_to={start + timedelta(days=days)}"
    yield (
        "fakes of a platform in a year",
        f"/images?label=fake&platform={PLATFORMS[0]}&posted_from={start}&posted_to={start + timedelta(days=365)}",
    )
    yield "nothing", "/images?account=nobody&label=fake"
    yield "the most sighted", "/images?sort=most_sighted"
    yield "the most sighted fakes", "/images?sort=most_sighted&label=fake"


def measure(client: TestClient, service: Service, image_count: int) -> tuple[list[Timing], dict[str, float]]:
    """Times every page; also the figures beside them."""
    started = perf_counter()
    _ask(client, "/images")
    figures = {"first_request_of_all_ms": round(1_000 * (perf_counter() - started), 1)}
    rows = [_timed(client, f"/images: {name}", [address] * REPEATS) for name, address in addresses()]
    rows.append(_timed(client, "/images: a year from a day on, each another", list(_years())))
    rows.append(_timed(client, "/campaigns", ["/campaigns"] * REPEATS))
    rows.append(_timed(client, "/campaigns/{id}", ["/campaigns/cmp_000000000003"] * REPEATS))
    rng = np.random.default_rng(1)
    with service.workspace.catalog.reading() as session:
        digests = images.sha256_of(session, rng.integers(1, image_count + 1, REPEATS).tolist())
    rows.append(_timed(client, "/images/{sha256}, each another", [f"/images/{each}" for each in digests.values()]))
    rows.append(_while_it_changes(client, service.workspace.catalog))
    return rows, figures


def _years() -> Iterator[str]:
    """Conditions that were not counted before, a range of dates within months among them: the dearest kind."""
    for day in range(REPEATS):
        start = (FIRST_DAY + timedelta(days=DAYS // 3 + day)).date()
        yield f"/images?label=fake&posted_from={start}&posted_to={start + timedelta(days=365)}"


def _while_it_changes(client: TestClient, catalog: Catalog) -> Timing:
    times = []
    size = 0
    for number in range(CHANGES):
        with catalog.writing() as session:
            sightings.add(session, number + 1, [NewSighting(url=f"https://social.example/new/{number}")])
        started = perf_counter()
        size = _ask(client, "/images?label=fake")
        times.append(1_000 * (perf_counter() - started))
    return _timing("/images: fakes, after a change", size, times)


def _timed(client: TestClient, page: str, asked: Sequence[str]) -> Timing:
    times, size = [], 0
    for address in asked:
        started = perf_counter()
        size = _ask(client, address)
        times.append(1_000 * (perf_counter() - started))
    return _timing(page, size, times)


def _timing(page: str, size: int, times: list[float]) -> Timing:
    p50, p95 = (round(float(np.percentile(times, share)), 1) for share in (50, 95))
    return Timing(page, round(size / 1_024, 1), round(times[0], 1), p50, p95)


def _ask(client: TestClient, address: str) -> int:
    answer = client.get(address, headers={"Accept": "text/html"})
    answer.raise_for_status()
    return len(answer.content)


def run(image_count: int, home: Path, console: Console) -> report.Report:
    """Fill the catalogue of `home` unless it is filled, and time the pages on it. `load` in the parameters is the
    machine's load average before: above its cores, the times also measure others."""
    settings = Settings.load(home=home)
    filled = settings.catalogue_file.exists()
    workspace = Workspace(settings)
    if not filled:
        with Progress(console=console) as progress:
            task = progress.add_task("filling the catalogue", total=image_count)
            for done in fill(workspace.catalog, image_count):
                progress.update(task, completed=done)
    app = create_app(settings, workspace)
    service = app.state.service = Service(
        settings, workspace, Metrics()
    )  # not started: no page here needs the detector
    load = os.getloadavg()[0]
    try:
        client = TestClient(app, base_url="http://127.0.0.1")
        rows, figures = measure(client, service, image_count)
    finally:
        service.facets.close()
        workspace.close()
    aim = AIM_MS if image_count <= MANY else AIM_OF_MANY_MS
    values = {
        "slowest page, median": max(row.p50_ms for row in rows),
        "pages of the catalogue that were not counted before, median": median(
            row.first_ms for row in rows if row.page.startswith("/images:")
        ),
    }
    checks = tuple(report.Check(name, round(ms, 1), f"<= {aim:g} ms", ms <= aim) for name, ms in values.items())
    parameters = {"images": image_count, "repeats": REPEATS, "load": round(load, 1)}
    return report.Report(QUESTION, parameters, tuple(rows), checks, figures)


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workbench", description=__doc__)
    parser.add_argument("--images", type=int, default=100_000, help="images to fill in (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here as JSON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="home to keep, and to use again when it is there")
    arguments = parser.parse_args()
    console = Console()
    with TemporaryDirectory() as folder:
        outcome = run(arguments.images, arguments.keep or Path(folder), console)
    report.show(outcome, console)
    if arguments.json:
        report.write(outcome, arguments.json)


if __name__ == "__main__":
    main()
