"""The stores one process searches, kept in step with the catalogue together: a search takes one state of them all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.database import Catalog
from indexer.catalog.records.detections import Watermarks
from indexer.index.catching_up import follow_hashes
from indexer.index.filters import FilterCache
from indexer.index.hash_lists import ListedHashes
from indexer.index.live_features import LiveFeatures
from indexer.index.live_part import LivePart
from indexer.index.live_vectors import LiveVectors
from indexer.index.sources import EmbeddingSource
from indexer.index.vectors import HashStore
from indexer.index.view import IndexView
from indexer.settings import Settings

AnyPart = LivePart[Any]


class LiveIndex:
    """Stores of vectors and of hashes (of images and of lists) that follow one catalogue. Threads may share it.

    `view` is None before the first `catch_up`. A search takes the view once and uses it to the end.

    Attributes:
        vectors: the embeddings of the detector.
        copies: those of the copy descriptor, None without one.
        features: the local features, None where they are turned off.
        parts: all that have snapshots.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        detector: EmbeddingSource,
        descriptor: EmbeddingSource | None,
        features: str | None,
        pause: Callable[[], None],
    ) -> None:
        """Args:
        features: fingerprint of the method of local features, None for none.
        pause: called between the steps of a build; may raise to abort it.
        """
        self.vectors = LiveVectors(detector, catalog, settings, pause, self._publish)
        self.copies = None if descriptor is None else LiveVectors(descriptor, catalog, settings, pause, self._publish)
        self.features = None if features is None else LiveFeatures(features, catalog, settings, pause, self._publish)
        self.parts: tuple[AnyPart, ...] = tuple(
            part for part in (self.vectors, self.copies, self.features) if part is not None
        )
        self.hashes = HashStore(settings.pdq_min_quality, threads=settings.threads)
        self.listed = ListedHashes(threads=settings.threads)
        self.view: IndexView | None = None
        self.pause = pause
        self._filters = FilterCache(catalog)
        self._catalog = catalog
        self._levelling = RLock()

    @contextmanager
    def catch_up(self) -> Iterator[Session]:
        """Bring the stores to the catalogue's current state; one statement when nothing changed. Yields the session in
        which it was read.

        The first call opens the current snapshots. A damaged one, or one of another catalogue, is rejected with a
        warning, and everything is read from the catalogue instead.

        Raises:
            FingerprintMismatchError: a snapshot belongs to another detector or descriptor.
        """
        with self._levelling, self._catalog.reading() as session:
            view = self.view
            if view is None or changes.newest(session).change_id != view.change_id:
                self._follow_catalogue(session, changes.watermarks(session), {})
            yield session

    def _follow_catalogue(self, session: Session, marks: Watermarks, opened: dict[AnyPart, Any]) -> None:
        """Bring all stores to the state of a session, and publish it to searches.

        Args:
            opened: stores that take the place of those in use; they have caught up.
        """
        stores: dict[AnyPart, Any] = {
            part: opened[part] if part in opened else part.follow(session, marks) for part in self.parts
        }
        follow_hashes(session, self.hashes, marks)
        self.listed.follow(session, marks.change_id)
        for part, store in stores.items():
            part.store = store
        self.view = IndexView(
            vectors=stores[self.vectors].at_this_moment(),
            copies=None if self.copies is None else stores[self.copies].at_this_moment(),
            features=None if self.features is None else stores[self.features].at_this_moment(),
            hashes=self.hashes.at_this_moment(),
            listed=self.listed.store.at_this_moment(),
            change_id=marks.change_id,
            filters_id=marks.filters_id,
            knows_lists=self.listed.any,
            lists_fakes=self.listed.any_fake,
            _filters=self._filters,
        )

    def _publish(self, part: AnyPart, store: Any) -> None:
        """Let a store catch up, then put it in the place of the one in use."""
        with self._catalog.reading() as session:  # catch up on most of it here, while no search waits
            part.catch_up(session, store, changes.watermarks(session))
        with self._levelling, self._catalog.reading() as session:
            marks = changes.watermarks(session)
            part.catch_up(session, store, marks)
            self._follow_catalogue(session, marks, {part: store})

    @property
    def due(self) -> bool:
        """Whether there is a snapshot to switch to or to write. Reads a small file of each part."""
        return any(part.due for part in self.parts)

    @property
    def unchecked(self) -> bool:
        """Whether a snapshot in use has not been verified in full yet."""
        return any(part.unchecked for part in self.parts)

    def check(self) -> None:
        """As `LivePart.check`, of all parts."""
        for part in self.parts:
            part.check()

    def maintain(self, *, wait: bool) -> None:
        """As `LivePart.maintain`, of all parts."""
        for part in self.parts:
            part.maintain(wait=wait)

    def rebuild(self) -> None:
        """As `LivePart.rebuild`, of all parts."""
        for part in self.parts:
            part.rebuild()
