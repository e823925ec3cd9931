"""What the rest of dejafake asks of the index: nearest, same picture, neighbours, status; and its background thread.

The index is a cache. Several processes share its folder: each follows it and the catalogue, one at a time builds.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from threading import Event, Lock, Thread

import numpy as np
import numpy.typing as npt

from indexer.catalog import embeddings, images
from indexer.catalog.database import Catalog
from indexer.catalog.records import ImageFilter
from indexer.catalog.types import EMBEDDING_DIMENSION
from indexer.errors import DejafakeError, FingerprintMismatchError, UsageError
from indexer.index.live import LiveIndex
from indexer.index.status import IndexState, IndexStatus, IndexVerification
from indexer.index.verification import verify
from indexer.settings import Settings
from indexer.vectors import Allowed, HashHit, Hits, Neighbours, VectorStore, nearest_neighbours

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""Pause after background work failed."""
BUSY_SECONDS = 2.0
"""Pause when another process is building."""
FILTERS_KEPT = 32
HASH_BYTES = 32
EVERYTHING = ImageFilter()


class SearchIndex:
    """Nearest embeddings and PDQ hashes of a catalogue. Threads may share it; close it when done.

    A search sees the catalogue as of the last `refresh` of this process, or of its first use.
    """

    def __init__(self, catalog: Catalog, settings: Settings, fingerprint: str) -> None:
        """The index of the detector `fingerprint`; nothing is read before it is first used."""
        self.fingerprint = fingerprint
        self._catalog = catalog
        self._closing = Event()
        self._live = LiveIndex(catalog, settings, fingerprint, self._give_up_when_closing)
        self._filters: dict[ImageFilter, Allowed] = {}
        self._filters_of = 0
        self._filtering = Lock()
        self._starting = Lock()
        self._upkeep: Thread | None = None
        self._retry_at = 0.0
        self._problem: str | None = None

    def refresh(self) -> None:
        """Catch up with the catalogue, which is one small query when nothing changed, and start background work when
        that is due: checking a snapshot just opened, and building without one, with a damaged one, with a long tail or
        many deletions.

        Raises:
            FingerprintMismatchError: the snapshot belongs to another detector.
            CatalogError: the catalogue cannot be read.
        """
        with self._live.level():
            pass
        if self._live.due or self._live.unchecked:
            self._start_upkeep()

    def bring_up_to_date(self) -> None:
        """Catch up, and wait until whatever is due is written. For the end of an ingest.

        Raises:
            VectorIndexError: the snapshot belongs to another detector, or could not be written; what was ingested is
                safe in the catalogue.
        """
        with self._live.level():
            pass
        if self._live.due:
            self._live.maintain(wait=True)

    def build(self) -> IndexStatus:
        """Build the index anew from the catalogue, whatever is there. Searches go on meanwhile, on the old one.

        Raises:
            VectorIndexError: it could not be written; the old one stays in use.
        """
        self._live.rebuild()
        self._problem = None
        return self.status()

    def nearest(self, vectors: npt.NDArray[np.float32], k: int, wanted: ImageFilter | None = None) -> Hits:
        """The k images most like each query, best first; equal cosines by rising id.

        Exact up to the setting `exact_search_max` and for filters that leave few images; above, approximate in which
        images it finds, never in their scores.

        Args:
            vectors: [Q, 384] embeddings by this index's detector; need not be normalised.
            k: at least 1.
            wanted: which images may be found; None for all.

        Returns:
            `ids` [Q, k] internal image ids, -1 where no more may be found; `scores` [Q, k] cosines.

        Raises:
            UsageError: a vector of another length, without direction, or not finite; k below 1.
        """
        if k < 1:
            raise UsageError(f"a search returns at least one match, not {k}")
        queries = _normalised(vectors)
        return self._store().search(queries, k, self._allowed(wanted))

    def same_picture(
        self, hashes: Sequence[bytes], max_distance: int, wanted: ImageFilter | None = None
    ) -> tuple[HashHit, ...]:
        """All images within `max_distance` bits (inclusive) of any of these PDQ hashes, nearest first, then by id.

        Images whose own hash is of a lower quality than the setting `pdq_min_quality` are never found.

        Args:
            hashes: 32 bytes each; an image near several of them is found once for each.
            max_distance: bits of 256, at least 0.
            wanted: which images may be found; None for all.

        Raises:
            UsageError: a hash is not 32 bytes, or the distance is negative.
        """
        if max_distance < 0 or any(len(bits) != HASH_BYTES for bits in hashes):
            raise UsageError("a PDQ hash has 256 bits (64 hexadecimal digits), and distances are not negative")
        self._store()
        queries = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)
        return self._live.hashes.search(queries, max_distance, self._allowed(wanted))

    def listed_picture(self, hashes: Sequence[bytes], max_distance: int) -> tuple[HashHit, ...]:
        """All entries of hash lists within `max_distance` bits (inclusive) of any of these PDQ hashes, nearest first;
        `image_id` is the internal id of the entry.

        Args:
            hashes: 32 bytes each; an entry near several of them is found once for each.
            max_distance: bits of 256, at least 0.
        """
        self._store()
        queries = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)
        return self._live.listed.store.search(queries, max_distance)

    def vectors_of(self, image_ids: Sequence[int]) -> dict[int, npt.NDArray[np.float32]]:
        """The embeddings [384] of those of these images that can be found, by internal id, as the catalogue has them
        and without asking it."""
        return self._store().vectors_of(np.array(image_ids, np.int64))

    @property
    def change_id(self) -> int:
        """The catalogue's change counter as of the last `refresh`."""
        return self._live.change_id

    @property
    def knows_lists(self) -> bool:
        """Whether there are hash lists, as of the last `refresh`."""
        return self._live.listed.any

    def admits(self, image_id: int, wanted: ImageFilter | None) -> bool:
        """Whether an image meets a filter."""
        allowed = self._allowed(wanted)
        return allowed is None or bool(allowed.mask(np.array([image_id]))[0])

    def neighbours(self, k: int, wanted: ImageFilter | None = None) -> Neighbours:
        """The k nearest others of every image: ids [N], rising; neighbour ids [N, k], -1 where there are no more;
        cosines [N, k]. With `wanted`, of the images that meet it and among them only."""
        return nearest_neighbours(self._store(), k, self._allowed(wanted))

    @property
    def size(self) -> int:
        """Embeddings that can be found."""
        return self._store().count

    @property
    def snapshot_id(self) -> str:
        """What was searched: the digest of the snapshot, `unsaved` without one, and after a `+` the newest embedding
        and tombstone when there are some it does not have. The same content gives the same digest everywhere."""
        return _snapshot_id(self._store())

    def status(self) -> IndexStatus:
        """Catch up and say how the index is; starts no building. Waits until a snapshot just opened was checked."""
        try:
            with self._live.level():
                pass
            self._live.check()
            with self._live.level() as (session, store):
                catalogue_count = embeddings.count(session, self.fingerprint)
                behind: IndexState | None = "stale" if store.count != catalogue_count else None
                return self._status(store, self._live.trouble or behind or "ready", catalogue_count, self._problem)
        except FingerprintMismatchError as error:
            with self._catalog.reading() as session:
                catalogue_count = embeddings.count(session, self.fingerprint)
            return self._status(None, "other_detector", catalogue_count, str(error))

    def _status(
        self, store: VectorStore | None, state: IndexState, catalogue_count: int, problem: str | None
    ) -> IndexStatus:
        manifest = store.manifest if store else None
        return IndexStatus(
            fingerprint=self.fingerprint,
            state=state,
            count=store.count if store else 0,
            catalogue_count=catalogue_count,
            tail=store.tail if store else 0,
            deleted=store.deleted if store else 0,
            snapshot=_snapshot_id(store) if store else "",
            kind=manifest.kind if manifest else "exact",
            parameters=manifest.parameters if manifest else {},
            recall=manifest.recall if manifest else None,
            milliseconds=manifest.milliseconds if manifest else None,
            built_at=datetime.fromisoformat(manifest.built_at) if manifest else None,
            bytes=manifest.bytes if manifest else 0,
            problem=problem,
        )

    def verify(self) -> IndexVerification:
        """Compare every file with its checksum and the index with the catalogue, and search for stored vectors."""
        self.settle()
        return verify(self._live)

    def settle(self) -> None:
        """Wait for the background work that is under way."""
        upkeep = self._upkeep
        if upkeep is not None:
            upkeep.join()

    def close(self) -> None:
        """Stop background work at its next step and wait for it. What is not written yet is in the catalogue."""
        self._closing.set()
        self.settle()

    def _store(self) -> VectorStore:
        store = self._live.store
        if store is None:
            self.refresh()
            with self._live.level() as (_, store):
                pass
        return store

    def _allowed(self, wanted: ImageFilter | None) -> Allowed | None:
        if wanted is None or wanted == EVERYTHING:
            return None
        change_id = self._live.change_id
        with self._filtering:
            if self._filters_of != change_id:
                self._filters.clear()
                self._filters_of = change_id
            known = self._filters.get(wanted)
        if known is not None:
            return known
        with self._catalog.reading() as session:
            allowed = Allowed(images.matching_ids(session, wanted))
        with self._filtering:
            if self._filters_of == change_id:
                if len(self._filters) >= FILTERS_KEPT:
                    self._filters.pop(next(iter(self._filters)))
                self._filters[wanted] = allowed
        return allowed

    def _start_upkeep(self) -> None:
        with self._starting:
            busy = self._upkeep is not None and self._upkeep.is_alive()
            if not busy and not self._closing.is_set() and time.monotonic() >= self._retry_at:
                self._retry_at = time.monotonic() + RETRY_SECONDS
                self._upkeep = Thread(target=self._keep_up, name="dejafake-index", daemon=True)
                self._upkeep.start()

    def _keep_up(self) -> None:
        try:
            self._live.maintain(wait=False)
        except _ClosingError:
            return
        except DejafakeError as error:
            logger.warning("%s", error)
            self._problem = str(error)
            return
        self._problem = None
        self._retry_at = time.monotonic() + BUSY_SECONDS if self._live.due else 0.0

    def _give_up_when_closing(self) -> None:
        if self._closing.is_set():
            raise _ClosingError


class _ClosingError(Exception):
    """The index is being closed; whatever is being built is dropped."""


def _snapshot_id(store: VectorStore) -> str:
    manifest = store.manifest
    base = manifest.snapshot if manifest else "unsaved"
    marks = (store.watermark, store.tombstone_watermark)
    if manifest and marks == (manifest.watermark, manifest.tombstone_watermark):
        return base
    return f"{base}+{marks[0]}.{marks[1]}"


def _normalised(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    values = np.asarray(vectors, np.float64)
    if values.ndim != 2 or values.shape[1] != EMBEDDING_DIMENSION:
        raise UsageError(
            f"a query embedding has {EMBEDDING_DIMENSION} numbers, not shape {list(values.shape)}: "
            "was it made by another detector?"
        )
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise UsageError("a query embedding must be made of finite numbers, not all zero")
    unit: npt.NDArray[np.float32] = (values / norms).astype(np.float32)
    return unit
