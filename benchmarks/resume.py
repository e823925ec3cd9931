"""Does a killed ingest leave anything half-written? `python -m benchmarks.resume MANIFEST`

Kills `dejafake ingest` with SIGKILL part of the way, runs it again, and compares the catalogue and its files with those
of an ingest that nobody disturbed.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.reporting.report import Check, Report, conclude
from indexer.catalog.database import Catalog
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import ImageDetails
from indexer.errors import DejafakeError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import open_source

TOLERANCE = 1e-5
"""Largest difference of two embeddings' values that counts as equal."""

_ROOT = Path(__file__).parents[1]
_PINNED = {"DEJAFAKE_RUNTIME": "eager"}
"""One arithmetic for all pictures: which runtime is fastest, and so embeddings' last digits, may change by run."""
_DEJAFAKE = (sys.executable, "-c", "from indexer.cli import main; main()")
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 500
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Kill:
    """An ingest that was killed: it was let run until `wanted` images were committed; `committed` were found after."""

    wanted: int
    committed: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The run that finished the job: how many items were `known` already and how many it `added`."""

    added: int
    known: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything a catalogue and its folders hold, without times and internal ids; keyed by SHA-256."""

    details: Mapping[str, ImageDetails]
    vectors: Mapping[str, npt.NDArray[np.float32]]
    originals: tuple[str, ...]
    thumbnails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One part of two catalogues side by side."""

    part: str
    interrupted: int
    undisturbed: int
    equal: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume", description=__doc__)
    parser.add_argument("manifest", type=Path, help="manifest, folder or archive to ingest")
    parser.add_argument("--kills", type=int, default=1, help="how often to kill it, evenly spaced; 1 is halfway")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        return conclude("resume", lambda: measure(options.manifest, Path(temporary), options.kills), options.json)


def measure(manifest: Path, folder: Path, kills: int) -> Report:
    """Ingests `manifest` twice below `folder`, once undisturbed and once killed `kills` times, and compares.

    Raises:
        DejafakeError: the manifest cannot be read, an ingest fails, or it ends before it can be killed.
    """
    items = sum(1 for _ in open_source(manifest, ImageLimits.from_settings(Settings.load())))
    undisturbed, interrupted = folder / "undisturbed", folder / "interrupted"
    finish_ingest(manifest, undisturbed)
    total = committed_images(undisturbed)
    kills_done = [kill_ingest(manifest, interrupted, total * (n + 1) // (kills + 1)) for n in range(kills)]
    finish = finish_ingest(manifest, interrupted)
    rows = compare(contents(interrupted), contents(undisturbed))
    checks = (
        *(Check(f"{row.part} equal", f"{row.interrupted} of {row.undisturbed}", "equal", row.equal) for row in rows),
        Check(
            "killed before the end",
            ", ".join(f"{kill.committed} of {total}" for kill in kills_done),
            f"fewer than {total}",
            all(0 < kill.committed < total for kill in kills_done),
        ),
        Check(
            "items seen by the last run",
            float(finish.added + finish.known + finish.rejected),
            str(items),
            finish.added + finish.known + finish.rejected == items,
        ),
        Check(
            "images the last run added",
            float(finish.added),
            f"{total - kills_done[-1].committed}: nothing twice",
            finish.added == total - kills_done[-1].committed,
        ),
    )
    return Report(
        question="Does an ingest that was killed and run again equal an undisturbed one?",
        parameters={"items": items, "images": total, "killed_at": [kill.committed for kill in kills_done]},
        rows=rows,
        checks=checks,
    )


def kill_ingest(manifest: Path, home: Path, target: int, settings: Mapping[str, str] | None = None) -> Kill:
    """Starts an ingest and kills it with SIGKILL as soon as `target` images are committed.

    Args:
        manifest, home: as `dejafake --home HOME ingest MANIFEST`.
        settings: environment variables to add.

    Raises:
        DejafakeError: the ingest ended by itself before that.
    """
    environment = {**os.environ, **_PINNED, **(settings or {})}
    with subprocess.Popen(
        _command(manifest, home), cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while committed_images(home) < target:
            if process.poll() is not None:
                raise DejafakeError(
                    f"the ingest ended with code {process.returncode} before {target} images were committed"
                )
            time.sleep(_POLL_SECONDS)
        process.kill()
    return Kill(target, committed_images(home))


def finish_ingest(manifest: Path, home: Path, settings: Mapping[str, str] | None = None) -> Finish:
    """Runs an ingest to its end.

    Raises:
        DejafakeError: it fails.
    """
    environment = {**os.environ, **_PINNED, **(settings or {})}
    done = subprocess.run(
        _command(manifest, home), cwd=_ROOT, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise DejafakeError(f"the ingest failed with code {done.returncode}: {done.stderr[-500:]}")
    report = json.loads(done.stdout)[0]["report"]
    return Finish(added=report["added"], known=report["known"], rejected=report["rejected"])


def committed_images(home: Path) -> int:
    """How many images are committed in the SQLite catalogue of `home`; 0 while there is none."""
    database = home / "catalogue.sqlite"
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM image").fetchone()[0])
        except sqlite3.OperationalError:  # no table yet, or it is being made
            return 0


def contents(home: Path) -> Contents:
    """Reads everything out of the catalogue and the folders of `home`."""
    settings = Settings.load(home=home)
    catalog = Catalog.open(settings.catalog_url)
    try:
        details = {record.image.sha256: _timeless(record) for record in _all_details(catalog)}
        with catalog.reading() as session:
            ids = images.find_ids(session, sorted(details))
            (detector,) = detectors.list(session)
            vectors = embeddings.vectors(session, detector.fingerprint, list(ids.values()))
    finally:
        catalog.close()
    return Contents(
        details=details,
        vectors={sha256: vectors[image_id] for sha256, image_id in ids.items() if image_id in vectors},
        originals=_files(settings.media_dir),
        thumbnails=_files(settings.thumbnails_dir),
    )


def compare(interrupted: Contents, undisturbed: Contents) -> tuple[Row, ...]:
    """The parts of two catalogues side by side; embeddings may differ by `TOLERANCE`."""
    ours, other = interrupted.details, undisturbed.details
    rows = [Row("images", len(ours), len(other), _of(ours, "image") == _of(other, "image"))]
    for part in ("labels", "sightings", "sources", "collections"):
        a, b = _of(ours, part), _of(other, part)
        rows.append(Row(part, sum(map(len, a.values())), sum(map(len, b.values())), a == b))
    a_vectors, b_vectors = interrupted.vectors, undisturbed.vectors
    close = a_vectors.keys() == b_vectors.keys() and all(
        np.allclose(a_vectors[sha256], b_vectors[sha256], rtol=0, atol=TOLERANCE) for sha256 in a_vectors
    )
    rows.append(Row("embeddings", len(a_vectors), len(b_vectors), close))
    for part in ("originals", "thumbnails"):
        mine, theirs = getattr(interrupted, part), getattr(undisturbed, part)
        rows.append(Row(part, len(mine), len(theirs), mine == theirs))
    return tuple(rows)


def _command(manifest: Path, home: Path) -> list[str]:
    return [*_DEJAFAKE, "--home", str(home.absolute()), "ingest", str(manifest.absolute()), "--json"]


def _of(details: Mapping[str, ImageDetails], part: str) -> dict[str, Any]:
    return {sha256: getattr(record, part) for sha256, record in details.items()}


def _all_details(catalog: Catalog) -> Iterator[ImageDetails]:
    cursor = None
    while True:
        with catalog.reading() as session:
            page = images.page(session, ImageFilter(), limit=_PAGE, cursor=cursor)
            ids = images.find_ids(session, [image.sha256 for image in page.items])
            yield from images.details(session, list(ids.values())).values()
        cursor = page.next_cursor
        if cursor is None:
            return


def _timeless(record: ImageDetails) -> ImageDetails:
    """The record without the times at which it was written, and with its parts in one order."""
    return replace(
        record,
        image=replace(record.image, added_at=_NO_TIME),
        labels=tuple(sorted((replace(label, stated_at=_NO_TIME) for label in record.labels), key=repr)),
        sightings=tuple(sorted((replace(seen, recorded_at=_NO_TIME) for seen in record.sightings), key=repr)),
        sources=tuple(sorted(record.sources, key=repr)),
        collections=tuple(sorted(record.collections)),
    )


def _files(folder: Path) -> tuple[str, ...]:
    """Every file below `folder`, temporary ones too."""
    return tuple(sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()))


if __name__ == "__main__":
    sys.exit(main())
