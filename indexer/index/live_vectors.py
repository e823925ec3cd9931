"""A store of the embeddings of one detector or copy descriptor that follows the catalogue."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.database import Catalog
from indexer.catalog.records.detections import Watermarks
from indexer.index.catching_up import catalogue_blocks, disagreement, follow_embeddings
from indexer.index.live_part import LivePart
from indexer.index.sources import EmbeddingSource
from indexer.index.vectors import SnapshotFolder, SnapshotPlan, VectorStore
from indexer.settings import Settings
from indexer.threads import thread_count


class LiveVectors(LivePart[VectorStore]):
    """The vectors of `source`."""

    def __init__(
        self,
        source: EmbeddingSource,
        catalog: Catalog,
        settings: Settings,
        pause: Callable[[], None],
        publish: Callable[[LivePart[VectorStore], VectorStore], None],
    ) -> None:
        self.source = source
        self.folder = SnapshotFolder(source.folder, source.fingerprint, source.dimension)
        super().__init__(self.folder, catalog, settings.tail_merge_at, pause, publish)
        self._threads = settings.threads
        self._plan = SnapshotPlan(
            settings.exact_search_max, thread_count(settings.threads), pause, settings.search_recall
        )

    def catch_up(self, session: Session, store: VectorStore, marks: Watermarks) -> None:
        """As `LivePart.catch_up`."""
        follow_embeddings(session, self.source, store, marks)

    def disagreement(self, session: Session, store: VectorStore) -> str | None:
        """As `LivePart.disagreement`."""
        return disagreement(session, self.source, store)

    def catalogue_count(self, session: Session) -> int:
        """As `LivePart.catalogue_count`."""
        return self.source.table.count(session, self.source.fingerprint)

    def _open(self) -> VectorStore:
        return VectorStore.open(self.folder, threads=self._threads)

    def _empty(self) -> VectorStore:
        return VectorStore(self.folder, None, threads=self._threads)

    def _write(self, store: VectorStore) -> None:
        store.write_snapshot(self._plan)

    def _write_from_catalogue(self) -> None:
        with self._catalog.reading() as session:
            newest = self.source.table.newest_id(session, self.source.fingerprint)
            tombstone = changes.newest_tombstone(session)
        blocks = catalogue_blocks(self._catalog, self.source, newest)
        self.folder.write(blocks, newest, tombstone, replace(self._plan, retrain=True))

    def _of_wrong_kind(self, store: VectorStore) -> bool:
        manifest = store.manifest
        return manifest is not None and (manifest.kind == "ivf") != (manifest.count > self._plan.exact_max)
