"""Renews what an older version stored: PDQ hashes by the reference method, from kept originals, and the measure of
content, from thumbnails.

Each batch is one transaction and a finished image is not read again, so the next run continues a killed one. Searches
go on meanwhile with old and new hashes. An image without an original keeps its old hash.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

from indexer.catalog.images import contents, reference_hashes
from indexer.catalog.records.images import NewImage
from indexer.errors import ImageRejectedError, OriginalChangedError
from indexer.imaging.content import content_of
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.ingest.preparing import new_image
from indexer.reindex.only_one import only_one
from indexer.threads.ahead import prepared_ahead
from indexer.workspace import Workspace

_BATCH = 64
_PAGE = 512
"""Images read from the catalogue at a time."""


@dataclass(frozen=True, slots=True)
class RehashReport:
    """What a run did, in images: `renewed`, and `kept` their old hash by reason (`no_original`, …); `remaining` have
    one after it. `measured`: images whose content was measured. `seconds` is wall time."""

    renewed: int
    kept: Mapping[str, int]
    remaining: int
    seconds: float
    measured: int = 0


@dataclass(frozen=True, slots=True)
class _Hashed:
    """The result of one original: `kept` is the reason its old hash stays, None if there is a new one."""

    sha256: str
    kept: str | None
    renewed: NewImage | None = None


class Rehash:
    """Renews the hashes of one installation that were not computed by the reference method."""

    def __init__(self, workspace: Workspace) -> None:
        self._catalog = workspace.catalog
        self._originals = workspace.originals
        self._thumbnails = workspace.thumbnails
        self._settings = workspace.settings
        self._limits = ImageLimits.from_settings(workspace.settings)

    def count(self) -> int:
        """How many images have an old hash."""
        with self._catalog.reading() as session:
            return reference_hashes.count_lacking(session)

    def run(self, observe: Callable[[int], None] = lambda _: None) -> RehashReport:
        """Renew every old hash whose original is kept and readable.

        Args:
            observe: called after each transaction with the number of images that were renewed or left as they are.

        Raises:
            ConflictError: another run is under way in this home folder.
            CatalogError: the catalogue cannot be written. What was observed before is safe.
        """
        started = perf_counter()
        renewed = 0
        kept: Counter[str] = Counter()
        workers = self._settings.decode_workers
        with only_one(self._catalog, self._settings.home / "rehash.lock", "dejafake hashes rebuild"):
            hashed = prepared_ahead(self._hash, self._lacking(), workers=workers, window=workers + _BATCH)
            while batch := list(islice(hashed, _BATCH)):
                renewed += self._store(batch)
                kept.update(result.kept for result in batch if result.kept is not None)
                observe(len(batch))
            measured = self._measure()
        return RehashReport(renewed, dict(sorted(kept.items())), self.count(), perf_counter() - started, measured)

    def _measure(self) -> int:
        """Measure the content of images that have no measure yet; those without a readable thumbnail are skipped."""
        after = measured = 0
        while True:
            with self._catalog.reading() as session:
                page = contents.unmeasured(session, after=after, limit=_PAGE)
            if not page:
                return measured
            after = page[-1][0]
            by_image = {image_id: self._content(sha256) for image_id, sha256 in page}
            done = {image_id: content for image_id, content in by_image.items() if content is not None}
            if done:
                with self._catalog.writing() as session:
                    contents.put(session, done)
            measured += len(done)

    def _content(self, sha256: str) -> int | None:
        try:
            data = self._thumbnails.get(sha256)
            return None if data is None else content_of(decode(data, self._limits).rgb)
        except (ImageRejectedError, OSError):
            return None

    def _lacking(self) -> Iterator[str]:
        after = 0
        while True:
            with self._catalog.reading() as session:
                page = reference_hashes.lacking(session, after=after, limit=_PAGE)
            if not page:
                return
            for image_id, sha256 in page:
                after = image_id
                yield sha256

    def _hash(self, sha256: str) -> _Hashed:
        try:
            data = self._originals.get(sha256)
            if data is None:
                return _Hashed(sha256, "no_original")
            return _Hashed(sha256, None, new_image(decode(data, self._limits, sha256)))
        except OriginalChangedError:
            return _Hashed(sha256, "changed_original")
        except ImageRejectedError as error:
            return _Hashed(sha256, error.reason)
        except OSError:
            return _Hashed(sha256, "unreadable")

    def _store(self, batch: list[_Hashed]) -> int:
        """Store the new hashes of a batch. Returns how many were stored; images deleted meanwhile are skipped."""
        done = [measured.renewed for measured in batch if measured.renewed is not None]
        if not done:
            return 0
        with self._catalog.writing() as session:
            return sum(reference_hashes.take(session, measured) for measured in done)
