"""Everything one process needs of an installation, opened once and closed once: catalogue, index, detector, files.

The CLI opens one per command, the API one per process. The detector is loaded when a picture must be embedded.
"""

from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from indexer.catalog import images
from indexer.catalog.database import Catalog
from indexer.detector import ResolvedDetector, resolve
from indexer.detector.shared_passes import SharedPasses
from indexer.errors import DejafakeError, NotFoundError, UsageError
from indexer.imaging.media import MediaStore
from indexer.index import SearchIndex
from indexer.ingest_report import IngestOptions
from indexer.pipeline import Ingest
from indexer.search import Searcher
from indexer.settings import Settings

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector


class Workspace:
    """One installation, open.

    Attributes:
        settings: as given.
        resolved: the detector in use, known without loading it.
        catalog: the SQL catalogue.
        index: the vector index of `resolved`.
        originals, thumbnails: content-addressed files.
        passes: of the detector in use, shared by all who wait for it.
        searcher: answers queries.

    Raises:
        DejafakeError: the home folder, the detector's weights, the catalogue or the index cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        _make_home(settings.home)
        self.resolved: ResolvedDetector = resolve(settings.detector, settings)
        self.originals = MediaStore(settings.media_dir)
        self.thumbnails = MediaStore(settings.thumbnails_dir, derived=True)
        self.catalog = Catalog.open(settings.catalog_url)
        try:
            self.index = SearchIndex(self.catalog, settings, self.resolved.fingerprint)
        except BaseException:
            self.catalog.close()
            raise
        self.passes = SharedPasses(self.detector, settings.batch_size)
        self.searcher = Searcher(self.catalog, self.index, self.resolved, self.passes, settings)
        self._loaded: Detector | None = None
        self._loading = Lock()

    def detector(self) -> "Detector":
        """The detector in use, loaded and proven at the first call."""
        with self._loading:
            if self._loaded is None:
                from indexer.detector import load_detector

                self._loaded = load_detector(self.settings)
            return self._loaded

    def ingest(self, options: IngestOptions | None = None) -> Ingest:
        """A run of the pipeline into this installation; loads the detector."""
        return Ingest(
            self.catalog,
            self.detector(),
            self.originals,
            self.thumbnails,
            self.settings,
            options or IngestOptions(),
            self.passes.run,
        )

    def find_image(self, start: str) -> str:
        """The SHA-256 of the one image whose digest starts with `start`, which has 6 to 64 hex digits.

        Raises:
            UsageError: it is not such a start, or several images have it.
            NotFoundError: no image has it.
        """
        digits = start.lower()
        if not 6 <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
            raise UsageError(f"{start} is not a SHA-256, nor the first 6 or more hex digits of one")
        with self.catalog.reading() as session:
            found = images.starting_with(session, digits)
        if not found:
            raise NotFoundError(f"no image {start} in this catalogue: check the SHA-256")
        if len(found) > 1:
            raise UsageError(f"several images start with {start}: give more digits")
        return found[0]

    def close(self) -> None:
        """Ends the passes that are waited for, stops background work and closes the catalogue."""
        self.passes.close()
        self.index.close()
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DejafakeError(
            f"cannot make the home folder {home} ({error.strerror}): choose another with --home or DEJAFAKE_HOME"
        ) from None
