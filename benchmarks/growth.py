"""How do the costs grow with the catalogue? `python -m benchmarks.growth [--full]`

One catalogue is filled in steps with made-up rows whose embeddings form clusters. At every size the index is built,
searches and queries are timed, and pictures are ingested into a copy by a detector that takes no time, so that what is
left is all that can grow. A cost that grows as the catalogue does has a log-log slope of 1.
"""

import argparse
import io
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from benchmarks.made_up.catalogue import FINGERPRINT, PLATFORMS, fill
from benchmarks.reporting import report
from indexer.catalog import Catalog
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.detector import DetectorOutput, DetectorSpec, resolve
from indexer.files.media import MediaStore
from indexer.imaging.limits import ImageLimits
from indexer.index import SearchIndex
from indexer.ingest.pipeline import Ingest
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.vocabulary import LabelValue

QUESTION = "How do the costs of ingest, index, search, SQL and disk grow with the catalogue?"
SMALL = (10_000, 30_000, 100_000)
FULL = (10_000, 30_000, 100_000, 300_000, 1_000_000)
PICTURES = 64
SEARCHES = 200
HITS = 10
REPEATS = 20
INGEST_AIM, SEARCH_AIM = 1.05, 0.6


@dataclass(frozen=True, slots=True)
class Size:
    """What one catalogue costs. Times are medians; `ingest_ms` is one picture into it, all but the model's pass."""

    images: int
    ingest_ms: float
    build_s: float
    search_ms: float
    page_ms: float
    details_ms: float
    database_mib: float
    index_mib: float


class TimelessDetector:
    """Stands where the detector does in an ingest and takes no time: random embeddings, one a picture."""

    fingerprint = FINGERPRINT

    def __init__(self, spec: DetectorSpec) -> None:
        self.spec = spec
        self._rng = np.random.default_rng(7)

    def prepare(self, rgb: Image.Image) -> npt.NDArray[np.float32]:
        """What a picture is made into for the model, at no cost: that one does not depend on the catalogue."""
        return np.empty(1, np.float32)

    def run(self, batch: npt.NDArray[np.float32]) -> DetectorOutput:
        """An output for each of `batch` [N, 1]."""
        count = len(batch)
        vectors = self._rng.standard_normal((count, 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        half = np.full(count, 0.5, np.float32)
        return DetectorOutput(np.zeros((count, 1), np.float32), half, vectors, vectors, None, None, None)


def measure(sizes: Sequence[int], console: Console) -> report.Report:
    """The report over catalogues of `sizes`, rising."""
    with tempfile.TemporaryDirectory() as name, Progress(console=console) as progress:
        task = progress.add_task("filling the catalogue", total=sizes[-1])
        rows = tuple(_sizes(Path(name), sizes, lambda done: progress.update(task, completed=done)))
    slopes = {column: slope(rows, column) for column in Size.__slots__ if column != "images"}
    ingest, search = 1 + slopes["ingest_ms"], slopes["search_ms"]
    checks = (
        report.Check("ingest, slope of the total", round(ingest, 3), f"≤ {INGEST_AIM}", ingest <= INGEST_AIM),
        report.Check("search, slope", round(search, 3), f"< {SEARCH_AIM}", search < SEARCH_AIM),
    )
    curves = {
        "ingest, a picture (ms)": "ingest_ms",
        "index build (s)": "build_s",
        "search (ms)": "search_ms",
        "page of filtered images (ms)": "page_ms",
        "details of 10 hits (ms)": "details_ms",
    }
    plot = report.Plot(
        "Cost by images in the catalogue",
        "images",
        "cost",
        {name: tuple((float(row.images), getattr(row, column)) for row in rows) for name, column in curves.items()},
        log=True,
    )
    return report.Report(
        QUESTION,
        {"sizes": list(sizes), "pictures": PICTURES, "searches": SEARCHES},
        rows,
        checks,
        {f"slope_of_{name}": round(value, 3) for name, value in slopes.items()},
        (plot,),
    )


def slope(rows: Sequence[Size], column: str) -> float:
    """The least-squares slope of log cost over log images."""
    sizes = np.log([row.images for row in rows])
    costs = np.log([max(1e-9, getattr(row, column)) for row in rows])
    return float(np.polyfit(sizes, costs, 1)[0])


def _sizes(folder: Path, sizes: Sequence[int], tell: Callable[[int], None]) -> Iterator[Size]:
    settings = Settings(home=folder)
    pictures = folder / "pictures"
    _make_pictures(pictures)
    waiting = list(sizes)
    with Catalog.open(settings.catalog_url) as catalog:
        for done in fill(catalog, sizes[-1]):
            tell(done)
            if waiting and done >= waiting[0]:
                waiting.pop(0)
                yield _measured(catalog, settings, done, pictures)


def _measured(catalog: Catalog, settings: Settings, count: int, pictures: Path) -> Size:
    index = SearchIndex(catalog, settings, FINGERPRINT)
    try:
        started = perf_counter()
        status = index.build()
        build_s = perf_counter() - started
        search_ms = _search_ms(catalog, index, count)
    finally:
        index.close()
    image_filter = ImageFilter(label=LabelValue.FAKE, platform=PLATFORMS[0])
    rng = np.random.default_rng(5)
    return Size(
        images=count,
        ingest_ms=round(_ingest_ms(settings, pictures), 2),
        build_s=round(build_s, 2),
        search_ms=round(search_ms, 3),
        page_ms=round(_query_ms(catalog, lambda session: images.page(session, image_filter, limit=50, cursor=None)), 3),
        details_ms=round(
            _query_ms(catalog, lambda session: images.details(session, rng.integers(1, count + 1, HITS).tolist())),
            3,
        ),
        database_mib=round(sum(file.stat().st_size for file in settings.home.glob("catalogue.sqlite*")) / 2**20, 1),
        index_mib=round(status.bytes / 2**20, 1),
    )


def _search_ms(catalog: Catalog, index: SearchIndex, count: int) -> float:
    """One query, the nearest ten: perturbed embeddings of the catalogue, which are not in it."""
    rng = np.random.default_rng(3)
    chosen = sorted(rng.integers(1, count + 1, SEARCHES).tolist())
    with catalog.reading() as session:
        stored = embeddings.vectors(session, FINGERPRINT, chosen)
    queries = np.stack([stored[image_id] for image_id in chosen if image_id in stored])
    queries = queries + rng.normal(0, 0.01, queries.shape).astype(np.float32)
    times = []
    for query in queries:
        started = perf_counter()
        index.nearest(query[None], HITS)
        times.append(perf_counter() - started)
    return 1_000 * statistics.median(times)


def _query_ms(catalog: Catalog, query: Callable[..., object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = perf_counter()
        with catalog.reading() as session:
            query(session)
        times.append(perf_counter() - started)
    return 1_000 * statistics.median(times)


def _ingest_ms(settings: Settings, pictures: Path) -> float:
    """Milliseconds a picture, into a copy of the catalogue; the median of three runs over different pictures."""
    with tempfile.TemporaryDirectory() as name:
        home = settings.model_copy(update={"home": Path(name)})
        for file in settings.home.glob("catalogue.sqlite*"):
            shutil.copy(file, home.home)
        url = f"sqlite:///{home.home / 'catalogue.sqlite'}"
        detector = TimelessDetector(resolve(settings.detector, settings).spec)
        times = []
        with Catalog.open(url) as catalog:
            for part in sorted(pictures.iterdir()):
                ingest = Ingest(
                    catalog,
                    detector,  # type: ignore[arg-type]
                    MediaStore(home.home / "media"),
                    MediaStore(home.home / "thumbnails"),
                    home,
                    IngestOptions(label=LabelValue.FAKE),
                )
                started = perf_counter()
                done = ingest.run(open_source(part, ImageLimits.from_settings(home)))
                times.append((perf_counter() - started) / done.added)
    return 1_000 * statistics.median(times)


def _make_pictures(folder: Path) -> None:
    rng = np.random.default_rng(11)
    for part in range(3):
        (folder / str(part)).mkdir(parents=True)
        for number in range(PICTURES):
            coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
            written = io.BytesIO()
            coarse.resize((512, 384), Image.Resampling.BICUBIC).save(written, "JPEG", quality=85)
            (folder / str(part) / f"{number:03}.jpg").write_bytes(written.getvalue())


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"up to {FULL[-1]:,} images, not {SMALL[-1]:,}")
    parser.add_argument("--sizes", type=int, nargs="+", help="sizes of your own, rising, in multiples of 10,000")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file")
    arguments = parser.parse_args()
    sizes = tuple(arguments.sizes or (FULL if arguments.full else SMALL))
    return report.conclude("growth", lambda: measure(sizes, Console(stderr=True)), arguments.json)


if __name__ == "__main__":
    sys.exit(main())
