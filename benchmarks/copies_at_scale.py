"""What do copies cost in a large catalogue? `python -m benchmarks.copies_at_scale [--images N]`

A catalogue of made-up rows with embeddings, copy embeddings and local features is searched with pictures, with copies
and without (no copy descriptor, no local features), in turns, so that a busy machine slows both alike.
"""

import argparse
import io
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, thread_time

import numpy as np
from PIL import Image

from benchmarks.alterations import Strength, alter
from benchmarks.alterations.drawing import nobodys
from benchmarks.made_up.catalogue import BATCH, fill
from benchmarks.reporting.report import Check, Report, conclude, peak_memory_mib
from indexer.catalog.copies import descriptors, local_features
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.cli.output import progress
from indexer.copies.features import FEATURES_AN_IMAGE, FEATURES_FINGERPRINT, pack, unpack
from indexer.copies.features.codebook import LISTS
from indexer.copies.features.packing import packed_codes
from indexer.errors import UsageError
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.search.answers import SearchOptions
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace

QUESTION = "What do copies cost in a large catalogue?"
SIZE = (640, 480)
POOL, CANDIDATES, ROUNDS = 40, 50, 15
SEARCH_AIM, INGEST_AIM, VERIFY_AIM_MS, DISK_AIM_GB = 1.5, 1.25, 40.0, 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """One sort of query, or the ingest of a picture. Medians in milliseconds."""

    what: str
    with_copies_ms: float
    without_ms: float
    ratio: float


def measure(images: int, searches: int, home: Path) -> Report:
    """Fills a catalogue of `images` rows in `home` and measures with `searches` pictures of each sort.

    Raises:
        UsageError: there is no copy descriptor to measure.
    """
    with_copies = Settings.load(home=home)
    without = Settings.load(home=home, copy_descriptor="off", local_features=False)
    with Workspace(with_copies) as workspace:
        _fill(workspace, images)
        started = perf_counter()
        workspace.index.build()
        build_s = perf_counter() - started
        with Workspace(without) as plain:
            plain.index.refresh()
            rows = (*_searches(workspace, plain, searches), _ingest(workspace, plain, home / "pictures"))
    verify_ms = _verification_ms()
    disk = {part.name: _bytes(part) for part in sorted((home / "index").iterdir())}
    features = sum(size for name, size in disk.items() if "feature" in name)
    per_million = features / images / 1e3
    checks = (
        *(Check(f"{row.what}, against none", row.ratio, f"at most {SEARCH_AIM}", row.ratio <= SEARCH_AIM)
          for row in rows[:-1]),
        Check("ingest, against none", rows[-1].ratio, f"at most {INGEST_AIM}", rows[-1].ratio <= INGEST_AIM),
        Check("verifying 50 candidates, processor ms", verify_ms, f"at most {VERIFY_AIM_MS:g}",
              verify_ms <= VERIFY_AIM_MS),
        Check("features of a million images, GB", round(per_million, 3), f"at most {DISK_AIM_GB:g}",
              0 < per_million <= DISK_AIM_GB),
    )  # fmt: skip
    figures = {f"{name}_mib": round(size / 2**20, 1) for name, size in disk.items()}
    figures |= {
        "database_mib": round(sum(path.stat().st_size for path in home.glob("catalogue.sqlite*")) / 2**20, 1),
        "index_build_seconds": round(build_s, 1),
        "verification_of_50_candidates_cpu_ms": verify_ms,
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }
    return Report(QUESTION, {"images": images, "searches": searches}, rows, checks, figures)


def _fill(workspace: Workspace, images: int) -> None:
    resolved = workspace.resolved_descriptor
    if resolved is None:
        raise UsageError("there is no copy descriptor to measure: unset DEJAFAKE_COPY_DESCRIPTOR")
    dimension, features = resolved.spec.dimension, _made_up_features()
    rng = np.random.default_rng(5)
    with progress("catalogue", images) as advance:
        for _done in fill(workspace.catalog, images, fingerprint=workspace.resolved.fingerprint):
            advance(min(BATCH, images))
    with progress("copies", images) as advance:
        for start in range(1, images + 1, BATCH):
            ids = range(start, min(start + BATCH, images + 1))
            vectors = rng.standard_normal((len(ids), dimension)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            with workspace.catalog.writing() as session:
                number = descriptors.register(
                    session, resolved.spec.name, resolved.fingerprint, dimension, resolved.spec.as_json()
                )
                copy_embeddings.add(session, number, list(zip(ids, vectors, strict=True)))
                local_features.add(session, FEATURES_FINGERPRINT, [(image_id, next(features)) for image_id in ids])
            advance(len(ids))


def _made_up_features() -> Iterator[bytes]:
    """Packed features of pictures that never were: those of some, mixed and changed, at other places. They are put
    together from the columns of packed ones, since quantising a million pictures takes hours."""
    from indexer.copies.features.sift import features_of

    pool = [pack(features_of(nobodys(random.Random(number), SIZE))) for number in range(POOL)]
    taken = [packed_codes(features) for features in pool]
    lists, codes = (
        np.concatenate([features.lists for features in taken]),
        np.concatenate([features.codes for features in taken]),
    )
    rng = np.random.default_rng(9)
    header = pool[0][:4] + FEATURES_AN_IMAGE.to_bytes(2, "little")
    while True:
        rows = rng.integers(0, len(lists), FEATURES_AN_IMAGE)
        own_lists, own_codes = lists[rows], codes[rows]
        others = rng.random(FEATURES_AN_IMAGE) < 0.7
        own_lists[others] = rng.integers(0, LISTS, int(others.sum()))
        changed = rng.random(own_codes.shape) < 0.5
        own_codes[changed] = rng.integers(0, 256, int(changed.sum()))
        places = rng.integers(0, 256, (FEATURES_AN_IMAGE, 3), np.uint8)
        yield b"".join((header, own_lists.astype("<u2").tobytes(), own_codes.tobytes(), places.tobytes()))


def _searches(workspace: Workspace, plain: Workspace, searches: int) -> Iterator[Row]:
    """Pictures that nobody knows, for which features are asked, and re-saved copies that PDQ settles."""
    known = [nobodys(random.Random(f"known {number}"), SIZE) for number in range(searches)]
    with tempfile.TemporaryDirectory() as name:
        for number, picture in enumerate(known):
            (Path(name) / f"{number}.jpg").write_bytes(_jpeg(picture))
        limits = ImageLimits.from_settings(workspace.settings)
        workspace.ingest(IngestOptions(label=LabelValue.FAKE)).run(open_source(Path(name), limits))
    sorts: dict[str, Sequence[bytes]] = {
        "search, a copy that PDQ settles": [alter("jpeg", picture, Strength.WEAK) for picture in known],
        "search, a copy that features find": [alter("crop_centre", picture, Strength.MIDDLE) for picture in known],
        "search, unknown": [_jpeg(nobodys(random.Random(f"new {number}"), SIZE)) for number in range(searches)],
    }
    for what, queries in sorts.items():
        times = _in_turns(
            [lambda data: _search(workspace, data), lambda data: _search(plain, data)], [queries[0], *queries]
        )
        yield _row(what, *times)


def _search(workspace: Workspace, data: bytes) -> None:
    workspace.searcher.by_bytes(data, SearchOptions())


def _in_turns(ways: Sequence[Callable[[bytes], None]], queries: Sequence[bytes]) -> list[float]:
    """The median milliseconds of each way; the first query warms up."""
    times: list[list[float]] = [[] for _ in ways]
    for query in queries:
        for way, kept in zip(ways, times, strict=True):
            started = perf_counter()
            way(query)
            kept.append(perf_counter() - started)
    return [1_000 * statistics.median(kept[1:]) for kept in times]


def _row(what: str, with_copies: float, without: float) -> Row:
    return Row(what, round(with_copies, 1), round(without, 1), round(with_copies / without, 3))


def _ingest(workspace: Workspace, plain: Workspace, folder: Path) -> Row:
    """A picture of 1.3 megapixels into the catalogue, in batches as the settings say."""
    medians = []
    for number, opened in enumerate((workspace, plain)):
        times = []
        for part in range(3):
            pictures = folder / f"{number}-{part}"
            pictures.mkdir(parents=True)
            for picture in range(ROUNDS):
                image = nobodys(random.Random(f"{number} {part} {picture}"), (1280, 1024))
                (pictures / f"{picture}.jpg").write_bytes(_jpeg(image))
            run = opened.ingest(IngestOptions(label=LabelValue.FAKE))
            started = perf_counter()
            report = run.run(open_source(pictures, ImageLimits.from_settings(opened.settings)))
            times.append(1_000 * (perf_counter() - started) / max(1, report.added))
        medians.append(statistics.median(times))
    return _row("ingest of a picture", *medians)


def _verification_ms() -> float:
    """Processor time of unpacking and verifying 50 candidates of a search, of which one is the original."""
    from indexer.copies.features.sift import features_of, query_features
    from indexer.copies.verification.verifying import verify_all

    pictures = [nobodys(random.Random(number), SIZE) for number in range(CANDIDATES)]
    packed = [pack(features_of(picture)) for picture in pictures]
    query = query_features(Image.open(io.BytesIO(alter("crop_centre", pictures[0], Strength.WEAK))))
    times = []
    for _ in range(ROUNDS):
        started = thread_time()
        verify_all(query, [unpack(codes) for codes in packed])
        times.append(thread_time() - started)
    return round(1_000 * statistics.median(times), 1)


def _jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=90)
    return written.getvalue()


def _bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.copies_at_scale", description=__doc__)
    parser.add_argument("--images", type=int, default=100_000, help="rows of the catalogue")
    parser.add_argument("--searches", type=int, default=40, help="pictures of each sort to search with")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="an empty folder; default: a temporary one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        home = given.home or Path(temporary)
        return conclude("copies_at_scale", lambda: measure(given.images, given.searches, home), given.json)


if __name__ == "__main__":
    sys.exit(main())
