"""One run of a command at a time in a home folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.catalog.database import Catalog
from indexer.errors import ConflictError


@contextmanager
def only_one(catalog: Catalog, lock: Path, command: str, advice: str = "wait until it ends") -> Iterator[None]:
    """Holds the file `lock`, which lies in the home folder, while `command` writes to the catalogue.

    Raises:
        ConflictError: another run holds it; `advice` says what to do.
        ReadOnlyError: this user may only read the home.
    """
    catalog.require_writable()
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise ConflictError(f"another `{command}` is running in {lock.parent}: {advice}") from None
