"""An SQLite catalogue that may be read but not written: a shared drive, a mount for reading, another user's home.

SQLite reads a write-ahead log only with its index, the -shm file, which it cannot make here. Without a log the file is
read as it is, and changes made during a read are detected.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine

from indexer.errors import CatalogError, ReadOnlyError

BUSY_SECONDS: Final = 60


class ReadOnlyFile:
    """The file of a catalogue that may not be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_as = self._now()

    @classmethod
    def of(cls, path: Path) -> "ReadOnlyFile | None":
        """The catalogue at `path` if it may only be read; None if it may be written or created.

        Raises:
            ReadOnlyError: there is none, and none may be created.
        """
        folder = path.parent
        if path.exists():
            return None if os.access(path, os.W_OK) and os.access(folder, os.W_OK) else cls(path)
        if folder.is_dir() and not os.access(folder, os.W_OK):
            raise ReadOnlyError(
                f"there is no catalogue in {folder}, which cannot be written: choose another with --home"
            )
        return None

    def refusal(self) -> ReadOnlyError:
        """The error for an attempt to write."""
        return ReadOnlyError(
            f"{self._path.parent} cannot be written by this user: what is there can be read (search, show, export …); "
            "to change it, get the right to write, or choose another home with --home"
        )

    def engine(self, url: URL) -> Engine:
        """Connections that read."""
        return create_engine(url, creator=self._connect, pool_size=8, max_overflow=56)

    def begin(self, engine: Engine) -> Any:
        """Call before reading: the current state of the file. Data cached from an earlier state is dropped."""
        now = self._now()
        if now != self._read_as:
            engine.dispose()
            self._read_as = now
        return now

    def check(self, began: Any) -> None:
        """Call after reading: checks that nobody changed the file in the meantime.

        Raises:
            CatalogError: somebody did, and without a log the read may be inconsistent.
        """
        if not began[2] and self._now()[:2] != began[:2]:
            raise CatalogError(f"the catalogue {self._path} was changed while it was read: run it again")

    def _now(self) -> tuple[int, int, bool]:
        """When the file was last written, its size, and whether it has a log."""
        try:
            stat, log = self._path.stat(), self._beside("-wal")
            return stat.st_mtime_ns, stat.st_size, log.exists() and log.stat().st_size > 0
        except OSError:  # missing or being replaced: opening it will report that
            return 0, 0, False

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def _connect(self) -> sqlite3.Connection:
        how = "mode=ro&immutable=1"
        if self._now()[2]:
            how = "mode=ro"
            if not self._beside("-shm").exists():
                raise CatalogError(
                    f"the catalogue {self._path} was not closed, and what is in its log can be read only by who may "
                    "write: let them run `dejafake doctor` once"
                )
        uri = f"file:{quote(str(self._path))}?{how}"
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
