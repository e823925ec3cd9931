"""The public interface of the index: nearest, same picture, neighbours, status; and its background thread. The index is
a cache. Several processes share its folder: each follows it and the catalogue, and one at a time builds.
"""

import logging
import time
from collections.abc import Sequence
from threading import Event, Lock, Thread

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.database import Catalog
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import DejafakeError, FingerprintMismatchError
from indexer.index.live import LiveIndex
from indexer.index.live_vectors import LiveVectors
from indexer.index.sources import EmbeddingSource
from indexer.index.status import CopyIndexStatus, FeatureIndexStatus, IndexState, IndexStatus, IndexVerification
from indexer.index.vectors import HashHit, Hits, Neighbours, VectorStore
from indexer.index.verification import verify
from indexer.index.view import IndexView
from indexer.settings import Settings

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""Pause after background work failed."""
CLOSING_SECONDS = 60.0
"""How long background work that is to end is waited for."""
BUSY_SECONDS = 2.0
"""Pause when another process is building."""


class SearchIndex:
    """Nearest embeddings and PDQ hashes of a catalogue. Threads may share it; close it when done.

    A search sees the catalogue as of the last `refresh` of this process, or of its first use.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        fingerprint: str,
        descriptor: EmbeddingSource | None = None,
        features: str | None = None,
    ) -> None:
        """The index of the detector `fingerprint`, of a copy descriptor, if there is one, and of local features by the
        method `features`, if there is one; nothing is read before it is first used."""
        self.fingerprint = fingerprint
        self._catalog = catalog
        self._closing = Event()
        detector = EmbeddingSource.of_detector(fingerprint, settings)
        self._live = LiveIndex(catalog, settings, detector, descriptor, features, self._give_up_when_closing)
        self._starting = Lock()
        self._upkeep: Thread | None = None
        self._retry_at = 0.0
        self._problem: str | None = None
        self._other_detector = False

    def open(self) -> None:
        """Read the index, or the catalogue's embeddings if there is no valid one; does not start a build.

        Raises:
            FingerprintMismatchError: the snapshot belongs to another detector.
            CatalogError: the catalogue cannot be read.
        """
        with self._live.catch_up():
            pass

    def refresh(self) -> None:
        """Catch up with the catalogue (one small query when nothing changed), and start background work if due:
        verifying a newly opened snapshot, or building one if it is missing, damaged, or has a long tail or many
        deletions.

        Raises:
            FingerprintMismatchError: the snapshot belongs to another detector.
            CatalogError: the catalogue cannot be read.
        """
        self.open()
        if self._live.due or self._live.unchecked:
            self._start_upkeep()

    def bring_up_to_date(self) -> None:
        """Catch up, and wait until any snapshot due is written. For the end of an ingest.

        Raises:
            VectorIndexError: the snapshot belongs to another detector, or could not be written; what was ingested is
                safe in the catalogue.
        """
        with self._live.catch_up():
            pass
        if self._live.due:
            self._live.maintain(wait=True)

    def build(self) -> IndexStatus:
        """Rebuild the index from the catalogue, ignoring the existing one. Searches continue on the old one meanwhile.

        Raises:
            VectorIndexError: it could not be written; the old one stays in use.
            ReadOnlyError: this user may only read the home.
        """
        self._catalog.require_writable()
        self._live.rebuild()
        self._problem = None
        return self.status()

    def view(self) -> IndexView:
        """The state as of the last `refresh`, for a search with several queries."""
        view = self._live.view
        if view is None:
            self.refresh()
            view = self._live.view
        if view is None:
            raise AssertionError("an index that has caught up has a state")
        return view

    def nearest(self, vectors: npt.NDArray[np.float32], k: int, image_filter: ImageFilter | None = None) -> Hits:
        """The k images most similar to each query, best first; equal cosines by rising id.

        Exact up to the setting `exact_search_max` and for filters that leave few images; otherwise approximate in which
        images are found, but never in their scores.

        Args:
            vectors: [Q, 384] embeddings by this index's detector; need not be normalised.
            k: at least 1.
            image_filter: which images may be found; None for all.

        Returns:
            `ids` [Q, k] internal image ids, -1 where there are no more; `scores` [Q, k] cosines.

        Raises:
            UsageError: a vector has the wrong length, is zero, or is not finite; or k is below 1.
        """
        return self.view().nearest(vectors, k, image_filter)

    def same_picture(
        self, hashes: Sequence[bytes], max_distance: int, image_filter: ImageFilter | None = None
    ) -> tuple[HashHit, ...]:
        """All images within `max_distance` bits (inclusive) of any of these PDQ hashes, nearest first, then by id.

        Images whose own hash quality is below the setting `pdq_min_quality` are never found.

        Args:
            hashes: 32 bytes each; an image near several of them is found once for each.
            max_distance: bits of 256, at least 0.
            image_filter: which images may be found; None for all.

        Raises:
            UsageError: a hash is not 32 bytes, or the distance is negative.
        """
        return self.view().same_picture(hashes, max_distance, image_filter)

    def listed_picture(self, hashes: Sequence[bytes], max_distance: int) -> tuple[HashHit, ...]:
        """All entries of hash lists within `max_distance` bits (inclusive) of any of these PDQ hashes, nearest first;
        `image_id` is the internal id of the entry.

        Args:
            hashes: 32 bytes each; an entry near several of them is found once for each.
            max_distance: bits of 256, at least 0.
        """
        return self.view().listed_picture(hashes, max_distance)

    def nearest_copies(self, vectors: npt.NDArray[np.float32], k: int, image_filter: ImageFilter | None = None) -> Hits:
        """The k images whose copy embeddings are most similar to each query, as `nearest` gives them; none at all
        without a copy descriptor.

        Args:
            vectors: [V, D] embeddings by the copy descriptor, of views of one picture for example.
        """
        return self.view().nearest_copies(vectors, k, image_filter)

    def vectors_of(self, image_ids: Sequence[int]) -> dict[int, npt.NDArray[np.float32]]:
        """The embeddings [384] of the given images, by internal id, exactly as in the catalogue but without a query to
        it.
        """
        return self.view().vectors_of(image_ids)

    def admits(self, image_id: int, image_filter: ImageFilter | None) -> bool:
        """Whether an image meets a filter."""
        return bool(self.view().admitted([image_id], image_filter))

    def neighbours(self, k: int, image_filter: ImageFilter | None = None) -> Neighbours:
        """The k nearest other images of every image: ids [N], rising; neighbour ids [N, k], -1 where there are no more;
        cosines [N, k]. With `image_filter`, only for and among the images that meet it.
        """
        return self.view().neighbours(k, image_filter)

    @property
    def size(self) -> int:
        """The number of searchable embeddings."""
        return self.view().size

    @property
    def snapshot_id(self) -> str:
        """Identifies the searched state: the digest of the snapshot (`unsaved` without one), then after a `+` the
        newest embedding and tombstone that are not in it, if any. The same content gives the same digest everywhere.
        """
        return self.view().snapshot_id

    def glance(self) -> IndexStatus:
        """The status as far as this process knows, without counting, verifying or waiting: `catalogue_count` is as of
        the state that searches see. Starts catching up, verifying or building in the background if due.

        Raises:
            CatalogError: the catalogue cannot be read.
        """
        view, live = self._live.view, self._live
        if view is None:
            self._start_upkeep()
            return self._status(None, "other_detector" if self._other_detector else "opening", 0)
        with self._catalog.reading() as session:
            change_id = changes.newest(session).change_id
            state = self._seen_state(session, live.vectors, view.vectors)
            copies = (
                None
                if live.copies is None or view.copies is None
                else CopyIndexStatus.of(
                    view.copies, self._seen_state(session, live.copies, view.copies), view.copies.count
                )
            )
        if change_id != view.change_id or live.due or live.unchecked:
            self._start_upkeep()
        return self._status(view, state, view.size, copies)

    @staticmethod
    def _seen_state(session: Session, part: LiveVectors, seen: VectorStore) -> IndexState:
        """The state of a part, `seen` as searches see it."""
        newest = part.source.table.newest_id(session, part.source.fingerprint)
        missing = newest > seen.watermark and not part.has_snapshot
        return part.trouble or ("missing" if missing else "ready")

    def status(self) -> IndexStatus:
        """Catch up and return the status; does not start a build. Waits until newly opened snapshots are verified, and
        counts the embeddings of the catalogue.
        """
        try:
            self.open()
            self._live.check()
            with self._live.catch_up() as session:
                copies = None
                if self._live.copies is not None:
                    count = self._live.copies.catalogue_count(session)
                    store = self._live.copies.searched
                    copies = CopyIndexStatus.of(store, _counted_state(self._live.copies, count), count)
                count = self._live.vectors.catalogue_count(session)
                view = self.view()
                state = _counted_state(self._live.vectors, count)
                return self._status(view, state, count, copies)
        except FingerprintMismatchError as error:
            self._problem = str(error)
            with self._catalog.reading() as session:
                count = self._live.vectors.catalogue_count(session)
            return self._status(None, "other_detector", count)

    def _status(
        self,
        view: IndexView | None,
        state: IndexState,
        catalogue_count: int,
        copies: CopyIndexStatus | None = None,
    ) -> IndexStatus:
        features = None if view is None else self._features_status(view)
        return IndexStatus.of(self.fingerprint, view, state, catalogue_count, self._problem, copies, features)

    def _features_status(self, view: IndexView) -> FeatureIndexStatus | None:
        part, store = self._live.features, view.features
        if part is None or store is None:
            return None
        return FeatureIndexStatus(
            part.fingerprint, part.trouble or "ready", store.count, store.tail, store.deleted, part.folder.bytes
        )

    def verify(self) -> IndexVerification:
        """Verify every file's checksum, compare the index with the catalogue, and search for stored vectors."""
        self.settle()
        return verify(self._live)

    def settle(self) -> None:
        """Wait for background work in progress."""
        upkeep = self._upkeep
        if upkeep is not None:
            upkeep.join()

    def close(self) -> None:
        """Stop background work at its next step and wait for it. Anything not written yet is in the catalogue."""
        self._closing.set()
        upkeep = self._upkeep
        if upkeep is not None:
            upkeep.join(CLOSING_SECONDS)
            if upkeep.is_alive():
                logger.warning("the upkeep of the index has not ended within %g s: it is left behind", CLOSING_SECONDS)

    def _start_upkeep(self) -> None:
        with self._starting:
            busy = self._upkeep is not None and self._upkeep.is_alive()
            if not busy and not self._closing.is_set() and time.monotonic() >= self._retry_at:
                self._retry_at = time.monotonic() + RETRY_SECONDS
                self._upkeep = Thread(target=self._keep_up, name="dejafake-index", daemon=True)
                self._upkeep.start()

    def _keep_up(self) -> None:
        try:
            self.open()
            if self._catalog.read_only:
                self._live.check()
            else:
                self._live.maintain(wait=False)
        except _ClosingError:
            return
        except DejafakeError as error:
            logger.warning("%s", error)
            self._problem = str(error)
            self._other_detector = isinstance(error, FingerprintMismatchError)
            return
        except BaseException:
            logger.exception("the upkeep of the index failed; it is tried again later")
            self._problem = "the upkeep of the index failed: the log tells more; it is tried again later"
            return
        self._problem, self._other_detector = None, False
        self._retry_at = time.monotonic() + BUSY_SECONDS if self._live.due else 0.0

    def _give_up_when_closing(self) -> None:
        if self._closing.is_set():
            raise _ClosingError


class _ClosingError(Exception):
    """The index is being closed; an unfinished build is dropped."""


def _counted_state(part: LiveVectors, catalogue_count: int) -> IndexState:
    behind: IndexState = "stale" if part.searched.count != catalogue_count else "ready"
    return part.trouble or behind
