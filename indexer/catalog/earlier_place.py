"""Where earlier versions put the catalogue of a home whose path contains `?` or `%`: beside it, shared by several
homes, because the path went into a URL unescaped. Such a catalogue is detected here, so that no empty one is created
instead.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from indexer.catalog.schema import VERSION_TABLE
from indexer.errors import CatalogError


def refuse_if_left_behind(file: Path) -> None:
    """Checks that a missing catalogue was not put elsewhere by an earlier version.

    Args:
        file: where the catalogue belongs.

    Raises:
        CatalogError: an earlier version put it elsewhere; says what to do.
    """
    if file.exists():
        return
    for earlier in _earlier(file):
        if _is_catalogue(earlier):
            raise CatalogError(
                f"an earlier dejafake put the catalogue of this home at {str(earlier)!r}, where homes of similar names "
                f"share it: stop dejafake and copy that file, and those beside it that end in -wal and -shm, to "
                f"{str(file)!r}; or move it away to start with an empty catalogue; see docs/upgrading.md"
            )


def _earlier(file: Path) -> Iterator[Path]:
    if not set("?%") & set(str(file)):
        return
    url = f"sqlite:///{file}"
    for path in dict.fromkeys((make_url(url).database, str(file).partition("?")[0])):
        if path and Path(path) != file:
            yield Path(path)


def _is_catalogue(file: Path) -> bool:
    try:
        if not file.is_file():
            return False
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchone()
    except (sqlite3.Error, OSError, ValueError):
        return False
    return row is not None
