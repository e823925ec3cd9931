"""One store of the index, kept in step with the catalogue and with the current snapshot of any process. Vectors and
local features have this in common; what differs is in the subclasses.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from indexer.catalog.database import Catalog
from indexer.catalog.records.detections import Watermarks
from indexer.errors import FingerprintMismatchError, VectorIndexError
from indexer.index.status import IndexState

logger = logging.getLogger(__name__)

UNREADABLE = "unreadable"


class Folder(Protocol):
    """The snapshots of a store; see `SnapshotFolder`."""

    @property
    def path(self) -> Path:
        """Where they lie."""

    def current(self) -> str | None:
        """Name of the snapshot in use, None when there is none."""

    def lock(self, *, wait: bool) -> AbstractContextManager[bool]:
        """Hold the lock for building."""


class Store(Protocol):
    """What is searched; see `VectorStore`."""

    @property
    def snapshot(self) -> str | None:
        """Name of the snapshot it was opened on."""

    @property
    def count(self) -> int:
        """The number of what can be found."""

    @property
    def tail(self) -> int:
        """Of that, what is not in the snapshot."""

    @property
    def deleted(self) -> int:
        """What is in the snapshot and cannot be found any more."""

    def check(self, pause: Callable[[], None]) -> None:
        """Verify what opening does not."""


S = TypeVar("S", bound=Store)


class LivePart(ABC, Generic[S]):
    """A store that follows one catalogue. Its owner calls `follow` while nobody else does, and searches what was then
    published; `check`, `maintain` and `rebuild` may be called at any time.

    `store` is None before the first `follow`. A new store replaces it only after it has caught up.
    """

    def __init__(
        self,
        folder: Folder,
        catalog: Catalog,
        merge_at: int,
        pause: Callable[[], None],
        publish: "Callable[[LivePart[S], S], None]",
    ) -> None:
        """Args:
        merge_at: additions or deletions that make a new snapshot due.
        pause: called between the steps of a build; may raise to abort it.
        publish: lets a store catch up and puts it in the place of the one in use.
        """
        self.files = folder
        self.store: S | None = None
        self._catalog = catalog
        self._merge_at = merge_at
        self._pause = pause
        self._publish = publish
        self._refused: tuple[str, IndexState] | None = None
        self._checked: str | None = None

    @abstractmethod
    def catch_up(self, session: Session, store: S, marks: Watermarks) -> None:
        """Bring a store to the state of a session, whose watermarks are given."""

    @abstractmethod
    def disagreement(self, session: Session, store: S) -> str | None:
        """Why a store that has caught up in this session cannot belong to this catalogue; None when it can."""

    @abstractmethod
    def catalogue_count(self, session: Session) -> int:
        """How many the catalogue holds of what the store should."""

    @abstractmethod
    def _open(self) -> S:
        """A store on the current snapshot, an empty one if there is none."""

    @abstractmethod
    def _empty(self) -> S:
        """A store on no snapshot."""

    @abstractmethod
    def _write(self, store: S) -> None:
        """Write a snapshot of a store; the folder's lock is held."""

    @abstractmethod
    def _write_from_catalogue(self) -> None:
        """Write a snapshot from the catalogue alone; the folder's lock is held."""

    def _of_wrong_kind(self, store: S) -> bool:
        """Whether the settings now ask for another kind of snapshot."""
        return False

    def follow(self, session: Session, marks: Watermarks) -> S:
        """The store in use, brought to the state of a session. The first call opens the current snapshot; a damaged
        one, or one of another catalogue, is rejected with a warning, and everything is read from the catalogue instead.

        Raises:
            FingerprintMismatchError: the snapshot belongs to another detector or descriptor.
        """
        store = self.store or self._first(session, marks)
        self.catch_up(session, store, marks)
        return store

    def _first(self, session: Session, marks: Watermarks) -> S:
        store = self._opened(self._pointer())
        if store is None:
            return self._empty()
        self.catch_up(session, store, marks)
        if store.snapshot and (wrong := self.disagreement(session, store)):
            self._refuse(store.snapshot, "stale", f"the index in {self.files.path} is of another state: {wrong}")
            return self._empty()
        return store

    def _opened(self, name: str | None) -> S | None:
        """A store on the current snapshot `name`; None if it is damaged, and so rejected."""
        try:
            return self._open()
        except FingerprintMismatchError:
            raise
        except VectorIndexError as error:
            self._refuse(name, "damaged", str(error))
            return None

    def _pointer(self) -> str | None:
        try:
            return self.files.current()
        except VectorIndexError:
            return UNREADABLE

    def _refuse(self, name: str | None, state: IndexState, why: str) -> None:
        self._refused = (name or UNREADABLE, state)
        logger.warning("%s; it is built anew from the catalogue", why)

    @property
    def searched(self) -> S:
        """The store in use, once there is one."""
        if self.store is None:
            raise AssertionError("an index that has caught up has a store")
        return self.store

    @property
    def trouble(self) -> IndexState | None:
        """What is wrong with the current snapshot, if anything."""
        name = self._pointer()
        if self._refused and self._refused[0] == name:
            return self._refused[1]
        return "missing" if name is None and self.store and self.store.count else None

    @property
    def has_snapshot(self) -> bool:
        """Whether there is a current snapshot, valid or not. Reads one small file."""
        return self._pointer() is not None

    @property
    def due(self) -> bool:
        """Whether there is a snapshot to switch to or to write. Reads one small file."""
        store = self.store
        if store is None:
            return False
        return (
            self._pointer() != store.snapshot
            or self.trouble is not None
            or max(store.tail, store.deleted) >= self._merge_at
            or self._of_wrong_kind(store)
        )

    @property
    def unchecked(self) -> bool:
        """Whether the snapshot in use has not been verified against its checksums in full yet."""
        return self.store is not None and self.store.snapshot not in (None, self._checked)

    def check(self) -> None:
        """Verify the snapshot in use against its checksums in full, once. A damaged one is rejected with a warning, and
        everything is read from the catalogue instead.
        """
        store = self.store
        if store is None or not self.unchecked:
            return
        try:
            store.check(self._pause)
        except VectorIndexError as error:
            if self._pointer() == store.snapshot:  # otherwise another process has replaced it, and may have removed it
                self._refuse(store.snapshot, "damaged", str(error))
                self._publish(self, self._empty())
        else:
            self._checked = store.snapshot

    def maintain(self, *, wait: bool) -> None:
        """Verify the snapshot in use, switch to one that another process made current, or write a new one if due.

        Args:
            wait: wait for another process that is building; otherwise leave it to that process.

        Raises:
            VectorIndexError: the snapshot could not be written; the old one stays in use.
        """
        self.check()  # damage must not be copied into a new snapshot, whose checksums would hide it
        if self.due:
            with self.files.lock(wait=wait) as ours:
                if ours and not self._switch() and self.due and self.store:
                    self._merge(self.store)
        self._switch()
        self.check()

    def _merge(self, store: S) -> None:
        started = time.monotonic()
        self._write(store)
        took = time.monotonic() - started
        logger.info("the index in %s was merged: %d in it, %.1f s", self.files.path, store.count, took)

    def rebuild(self) -> None:
        """Write a new snapshot from the catalogue alone, ignoring existing ones, and switch to it. Waits for its turn.

        Raises:
            VectorIndexError: it could not be written; the old one stays in use.
        """
        with self.files.lock(wait=True):
            self._write_from_catalogue()
            self._switch()

    def _switch(self) -> bool:
        """Switch to the current snapshot if it is a different one, once it is verified and has caught up."""
        name = self._pointer()
        if name is None or (self.store and name == self.store.snapshot):
            return False
        if self._refused and name == self._refused[0]:
            return False
        store = self._opened(name)
        if store is None:
            return False
        self._publish(self, store)
        self._refused = None
        return True
