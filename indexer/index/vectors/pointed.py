"""A folder of snapshots of which one is current: `CURRENT` names it, one process at a time builds another."""

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from indexer.errors import VectorIndexError
from indexer.index.vectors.durable import SealedFile, fsync_folder

T = TypeVar("T")

CURRENT = "CURRENT"
LOCK = "build.lock"
LOCK_SECONDS = 600.0
BUILDING = "building-"
"""What the names of files that are not finished begin with."""
SNAPSHOT_NAME = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class PointedFolder:
    """The folder `path`."""

    path: Path

    def current(self) -> str | None:
        """Name of the snapshot in use, None when there is none.

        Raises:
            VectorIndexError: the pointer is unreadable or not a snapshot's name.
        """
        try:
            name = (self.path / CURRENT).read_bytes()[:64].decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VectorIndexError(f"the vector index in {self.path} cannot be read: {error.strerror}") from error
        if not SNAPSHOT_NAME.fullmatch(name):
            raise VectorIndexError(f"the vector index in {self.path} is damaged: {CURRENT} names no snapshot")
        return name

    def opened(self, open_snapshot: Callable[[str], T]) -> T | None:
        """What `open_snapshot` makes of the snapshot in use, None when there is none; of a newer one where another
        process replaced it, and removed parts of it, since the pointer was read.

        Raises:
            VectorIndexError: the pointer is unreadable, or `open_snapshot` raised it of the snapshot in use.
        """
        name = self.current()
        while name is not None:
            try:
                return open_snapshot(name)
            except VectorIndexError:
                newer = self.current()
                if newer == name:
                    raise
                name = newer
        return None

    @contextlib.contextmanager
    def lock(self, *, wait: bool) -> Iterator[bool]:
        """Hold the lock for building and sweeping in this folder; the system releases it if the process is killed.

        Args:
            wait: wait for its holder, at most `LOCK_SECONDS`: a suspended process would hold it for ever.

        Yields:
            Whether the lock was acquired; always true with `wait`.

        Raises:
            VectorIndexError: it was not acquired in time, or the folder cannot be used.
        """
        with self.errors():
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / LOCK, thread_local=False, is_singleton=False)
            try:
                lock.acquire(timeout=LOCK_SECONDS if wait else 0)
            except Timeout:
                if wait:
                    raise VectorIndexError(
                        f"another process builds the index in {self.path} for {LOCK_SECONDS / 60:g} minutes now: "
                        "end it if it hangs, and run the same again"
                    ) from None
        try:
            yield lock.is_locked
        finally:
            lock.release()

    def make_current(self, name: str) -> None:
        """Name the snapshot in use, in one rename. Needs the lock."""
        pointer = self.path / f"{BUILDING}{secrets.token_hex(8)}"
        with SealedFile(pointer) as file:
            file.write(f"{name}\n".encode())
        pointer.replace(self.path / CURRENT)
        fsync_folder(self.path)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Says in one line what could not be written and what to do."""
        try:
            yield
        except OSError as error:
            raise VectorIndexError(
                f"the vector index could not be written to {self.path}: {error.strerror or error}; the previous one "
                "stays in use. Make room (or allow writing there), then run `dejafake index build`"
            ) from error
