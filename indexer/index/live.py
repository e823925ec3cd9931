"""The stores one process searches, kept level with the catalogue and with the snapshots any process makes current."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import RLock

from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.database import Catalog
from indexer.catalog.records import Watermarks
from indexer.catalog.types import EMBEDDING_DIMENSION
from indexer.errors import FingerprintMismatchError, VectorIndexError
from indexer.index.catching_up import catalogue_blocks, disagreement, follow_embeddings, follow_hashes
from indexer.index.listed import ListedHashes
from indexer.index.status import IndexState
from indexer.settings import Settings
from indexer.threads import thread_count
from indexer.vectors import HashStore, SnapshotFolder, SnapshotPlan, VectorStore

logger = logging.getLogger(__name__)

UNREADABLE = "unreadable"


class LiveIndex:
    """A vector store and hash stores, of images and of lists, that follow one catalogue. Threads may share it.

    `store` is None before it is first `level`. Whoever searches takes it once and uses it to the end; it is never
    changed for a worse one: a new store is put in its place when it has caught up.
    """

    def __init__(self, catalog: Catalog, settings: Settings, fingerprint: str, pause: Callable[[], None]) -> None:
        """`pause` is called between the steps of a build and may raise to give up."""
        self.folder = SnapshotFolder(settings.index_dir / fingerprint, fingerprint, EMBEDDING_DIMENSION)
        self.hashes = HashStore(settings.pdq_min_quality, threads=settings.threads)
        self.listed = ListedHashes(threads=settings.threads)
        self.store: VectorStore | None = None
        self.change_id = 0
        self._catalog = catalog
        self._settings = settings
        self._plan = SnapshotPlan(
            settings.exact_search_max, thread_count(settings.threads), pause, settings.search_recall
        )
        self._levelling = RLock()
        self._refused: tuple[str, IndexState] | None = None
        self._checked: str | None = None

    @contextmanager
    def level(self) -> Iterator[tuple[Session, VectorStore]]:
        """The catalogue at one moment and the store holding exactly that; one statement when nothing changed.

        The first call opens the current snapshot. A damaged one, or one of another catalogue, is refused with a
        warning, and all embeddings are read from the catalogue instead.

        Raises:
            FingerprintMismatchError: the snapshot belongs to another detector.
        """
        with self._levelling, self._catalog.reading() as session:
            if self.store is not None and changes.newest(session) == self.change_id:
                yield session, self.store
                return
            marks = self._marks(session)
            store = self.store or self._first(session, marks)
            follow_embeddings(session, store, marks)
            follow_hashes(session, self.hashes, marks)
            self.listed.follow(session, marks.change_id)
            self.change_id = marks.change_id
            self.store = store
            yield session, store

    def _first(self, session: Session, marks: Watermarks) -> VectorStore:
        name = self._pointer()
        store = self._opened(name)
        if store is None:
            return self._empty()
        follow_embeddings(session, store, marks)
        if store.snapshot and (wrong := disagreement(session, store)):
            self._refuse(
                store.snapshot, "stale", f"the vector index in {self.folder.path} is of another state: {wrong}"
            )
            return self._empty()
        return store

    def _opened(self, name: str | None) -> VectorStore | None:
        """A store on the current snapshot, which is `name`; None when it is damaged, and refused for that."""
        try:
            return VectorStore.open(self.folder, threads=self._settings.threads)
        except FingerprintMismatchError:
            raise
        except VectorIndexError as error:
            self._refuse(name, "damaged", str(error))
            return None

    def _empty(self) -> VectorStore:
        return VectorStore(self.folder, None, threads=self._settings.threads)

    def _marks(self, session: Session) -> Watermarks:
        return changes.watermarks(session, self.folder.fingerprint)

    def _pointer(self) -> str | None:
        try:
            return self.folder.current()
        except VectorIndexError:
            return UNREADABLE

    def _refuse(self, name: str | None, state: IndexState, why: str) -> None:
        self._refused = (name or UNREADABLE, state)
        logger.warning("%s; it is built anew from the catalogue", why)

    @property
    def trouble(self) -> IndexState | None:
        """What is wrong with the snapshot that is current, None when nothing is."""
        name = self._pointer()
        if self._refused and self._refused[0] == name:
            return self._refused[1]
        return "missing" if name is None and self.store and self.store.count else None

    @property
    def due(self) -> bool:
        """Whether there is a snapshot to follow or to write. Reads one small file."""
        store = self.store
        if store is None:
            return False
        return (
            self._pointer() != store.snapshot
            or self.trouble is not None
            or max(store.tail, store.deleted) >= self._settings.tail_merge_at
            or self._of_wrong_kind(store)
        )

    @property
    def unchecked(self) -> bool:
        """Whether the vectors of the snapshot in use were not yet compared with their checksum."""
        return self.store is not None and self.store.snapshot not in (None, self._checked)

    def check(self) -> None:
        """Compare the vectors of the snapshot in use with their checksum, once. A damaged one is refused with a
        warning, and all embeddings are read from the catalogue instead."""
        store = self.store
        if store is None or not self.unchecked:
            return
        try:
            store.check(self._plan.pause)
        except VectorIndexError as error:
            if self._pointer() == store.snapshot:  # else another process has replaced it, and may have removed it
                self._refuse(store.snapshot, "damaged", str(error))
                self._take(self._empty())
        else:
            self._checked = store.snapshot

    def _of_wrong_kind(self, store: VectorStore) -> bool:
        """The setting of how much is searched exactly was changed."""
        manifest = store.manifest
        return manifest is not None and (manifest.kind == "ivf") != (manifest.count > self._plan.exact_max)

    def maintain(self, *, wait: bool) -> None:
        """Check the snapshot in use, follow the one another process made current, or else write what is due into a new
        one.

        Args:
            wait: for another process that is building; otherwise leave it to that one.

        Raises:
            VectorIndexError: the snapshot could not be written; the old one stays in use.
        """
        self.check()  # damage must not be written into a new snapshot, whose checksums would hide it
        with self.folder.lock(wait=wait) as ours:
            if ours and not self._follow() and self.due and self.store:
                self._write(self.store)
        self._follow()
        self.check()

    def _write(self, store: VectorStore) -> None:
        started = time.monotonic()
        store.write_snapshot(self._plan)
        logger.info("the vector index was merged: %d embeddings, %.1f s", store.count, time.monotonic() - started)

    def rebuild(self) -> None:
        """Write a new snapshot from the catalogue alone, whatever is there, and follow it. Waits for its turn.

        Raises:
            VectorIndexError: it could not be written; the old one stays in use.
        """
        with self.folder.lock(wait=True):
            with self._catalog.reading() as session:
                marks = self._marks(session)
            blocks = catalogue_blocks(self._catalog, self.folder.fingerprint, marks.embedding_id)
            anew = replace(self._plan, retrain=True)
            self.folder.write(blocks, marks.embedding_id, marks.tombstone_id, anew)
            self._follow()

    def _follow(self) -> bool:
        """Switch to the current snapshot if it is another one, once it was checked and has caught up."""
        name = self._pointer()
        if name is None or (self.store and name == self.store.snapshot):
            return False
        if self._refused and name == self._refused[0]:
            return False
        store = self._opened(name)
        if store is None:
            return False
        self._take(store)
        self._refused = None
        return True

    def _take(self, store: VectorStore) -> None:
        """Let it catch up and put it in the place of the one in use."""
        with self._catalog.reading() as session:  # most of it here, where no search waits
            follow_embeddings(session, store, self._marks(session))
        with self._levelling, self._catalog.reading() as session:
            follow_embeddings(session, store, self._marks(session))
            self.store = store
