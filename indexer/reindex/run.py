"""Moves a catalogue to another detector: embeds the kept originals with it; the old embeddings stay.

Each batch is one transaction and a finished image is not read again, so the next run continues a killed one. The old
detector's index is not touched. `agreement` compares the two.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.catalog.detections import coverage, detectors, embeddings
from indexer.catalog.images import images
from indexer.catalog.records.detections import NewDetection
from indexer.errors import DejafakeError, ImageRejectedError, OriginalChangedError
from indexer.exchange.csv_safety import safe_cell
from indexer.files.row_lists import RowList
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.ingest.pipeline import detections_of
from indexer.reindex.only_one import only_one
from indexer.threads.ahead import prepared_ahead
from indexer.workspace import Workspace

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector

_PAGE = 512
"""Images read from the catalogue at a time."""


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """What a run did, in images.

    `embedded`: newly, by this run; `rejected`: reason -> how many could not be embedded, listed in `rejected_file`
    (None when there are none); `remaining`: still without an embedding by this detector, rejected ones included.
    `seconds` is wall time.
    """

    detector: str
    fingerprint: str
    embedded: int
    rejected: Mapping[str, int]
    rejected_file: Path | None
    remaining: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ReindexPlan:
    """What a run would do: images `to_do`, of which `without_original` cannot be done; `seconds` is an estimate from
    one batch of real pictures, None when there is nothing to measure."""

    detector: str
    fingerprint: str
    to_do: int
    without_original: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An image ready for the model. `pixels` [3, 384, 384] float32."""

    image_id: int
    sha256: str
    pixels: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Rejected:
    sha256: str
    reason: str
    message: str


class Reindex:
    """A move of one catalogue over to one detector.

    Args:
        workspace: the installation; its own detector and index are not changed.
        detector: the new one; its `run` is called in the calling thread only.
    """

    def __init__(self, workspace: Workspace, detector: "Detector") -> None:
        self._catalog = workspace.catalog
        self._originals = workspace.originals
        self._settings = workspace.settings
        self._detector = detector
        self._limits = ImageLimits.from_settings(workspace.settings)
        self._after = 0

    def count(self) -> int:
        """The number of images without an embedding by this detector."""
        with self._catalog.reading() as session:
            return coverage.count_lacking(session, self._detector.fingerprint)

    def plan(self) -> ReindexPlan:
        """What `run` would do. Stores nothing; looks for every original and embeds one batch to measure the speed."""
        self._after = 0
        todo = list(self._lacking())
        here = [item for item in todo if self._originals.path(item[1]).is_file()]
        seconds = None
        if here:
            sample = here[: self._settings.batch_size]
            self._detect(self._ready(sample[:1]))  # the first pass warms the model up
            started = perf_counter()
            self._detect(self._ready(sample))
            seconds = (perf_counter() - started) / len(sample) * len(here)
        return ReindexPlan(
            detector=self._detector.spec.name,
            fingerprint=self._detector.fingerprint,
            to_do=len(todo),
            without_original=len(todo) - len(here),
            seconds=seconds,
        )

    def run(self, observe: Callable[[int], None] | None = None, *, limit: int | None = None) -> ReindexReport:
        """Embed every image that has no embedding by this detector, including those ingested meanwhile.

        Args:
            observe: called after each transaction with the number of images that were embedded or rejected.
            limit: the most images to process.

        Raises:
            ConflictError: another run is under way in this home folder.
            DejafakeError: the catalogue or the list of rejected images cannot be written, or the detector fails. What
                was observed before is safe; running again finishes the job.
        """
        started = perf_counter()
        self._after = 0
        embedded, left = 0, limit
        rejected = _RejectedList(self._settings.reports_dir)
        advice = "wait until it ends, then run it again if there is more to do"
        with only_one(self._catalog, self._settings.home / "reindex.lock", "dejafake reindex", advice):
            detector_id = self._register()
            while left is None or left > 0:
                seen = 0
                prepared = self._prepared(left)
                while batch := list(islice(prepared, self._settings.batch_size)):
                    embedded += self._store(detector_id, [item for item in batch if isinstance(item, _Prepared)])
                    rejected.add([item for item in batch if isinstance(item, _Rejected)])
                    seen += len(batch)
                    if observe is not None:
                        observe(len(batch))
                if not seen:
                    break
                left = None if left is None else left - seen
        return ReindexReport(
            detector=self._detector.spec.name,
            fingerprint=self._detector.fingerprint,
            embedded=embedded,
            rejected=dict(sorted(rejected.counts.items())),
            rejected_file=rejected.path,
            remaining=self.count(),
            seconds=perf_counter() - started,
        )

    def _register(self) -> int:
        spec = self._detector.spec
        with self._catalog.writing() as session:
            return detectors.register(session, spec.name, self._detector.fingerprint, spec.trained, spec.as_json())

    def _lacking(self) -> Iterator[tuple[int, str]]:
        """Images without an embedding, by rising id; none is yielded twice in a run."""
        while True:
            with self._catalog.reading() as session:
                page = coverage.lacking(session, self._detector.fingerprint, after=self._after, limit=_PAGE)
            if not page:
                return
            for item in page:
                self._after = item[0]
                yield item

    def _prepared(self, limit: int | None) -> Iterator[_Prepared | _Rejected]:
        workers = self._settings.decode_workers
        window = workers + 2 * self._settings.batch_size
        return prepared_ahead(self._prepare, islice(self._lacking(), limit), workers=workers, window=window)

    def _prepare(self, item: tuple[int, str]) -> _Prepared | _Rejected:
        image_id, sha256 = item
        try:
            data = self._originals.get(sha256)
            if data is None:
                return _Rejected(sha256, "no_original", "its original is not kept: ingest the picture again")
            return _Prepared(image_id, sha256, self._detector.prepare(decode(data, self._limits).rgb))
        except OriginalChangedError as error:
            return _Rejected(sha256, "sha256_mismatch", str(error))
        except ImageRejectedError as error:
            return _Rejected(sha256, error.reason, str(error))
        except OSError as error:
            return _Rejected(sha256, "unreadable", f"its original cannot be read: {error.strerror or error}")

    def _ready(self, items: list[tuple[int, str]]) -> list[_Prepared]:
        return [item for item in map(self._prepare, items) if isinstance(item, _Prepared)]

    def _detect(self, pictures: list[_Prepared]) -> list[NewDetection]:
        if not pictures:
            return []
        output = self._detector.run(np.stack([picture.pixels for picture in pictures]))
        return detections_of(output, self._detector.spec)

    def _store(self, detector_id: int, pictures: list[_Prepared]) -> int:
        """Embed a batch in one forward pass and store it in one transaction; images deleted meanwhile are skipped."""
        detections = self._detect(pictures)
        if not detections:
            return 0
        with self._catalog.writing() as session:
            still_there = images.find_ids(session, [picture.sha256 for picture in pictures])
            return embeddings.add(
                session,
                detector_id,
                [
                    (picture.image_id, detection)
                    for picture, detection in zip(pictures, detections, strict=True)
                    if still_there.get(picture.sha256) == picture.image_id
                ],
            )


class _RejectedList:
    """Counts what could not be embedded and lists it in a CSV file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        target = folder / f"reindex-rejected-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv"
        heading = _csv_lines([("sha256", "reason", "message")])
        self._list: RowList[tuple[str, str, str]] = RowList(target, _csv_lines, heading)
        self.counts: Counter[str] = Counter()

    @property
    def path(self) -> Path | None:
        """The file, None when nothing was rejected."""
        return self._list.path

    def add(self, rejected: list[_Rejected]) -> None:
        """Appends to the list."""
        try:
            self._list.add([(item.sha256, item.reason, safe_cell(item.message)) for item in rejected])
        except OSError as error:
            raise DejafakeError(
                f"{self._folder} cannot be written ({error.strerror or error}): fix that and run the same "
                "command again; what was embedded so far is safe"
            ) from None
        self.counts.update(item.reason for item in rejected)


def _csv_lines(rows: Iterable[tuple[str, str, str]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()
