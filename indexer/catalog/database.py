"""The catalogue as a whole: opening it, and its reading and writing transactions on SQLite and PostgreSQL.

There is one writer at a time, so ids are committed in rising order and readers can follow them as watermarks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from indexer.catalog import changes, schema
from indexer.errors import CatalogError

WRITER_LOCK = 0x64656A6166616B65
"""Key of the PostgreSQL advisory lock that makes writers take turns ("dejafake")."""
BUSY_SECONDS = 60
_WRITER = "dejafake_writer"
_PASSWORD_KEYS = ("password", "sslpassword")


class Catalog:
    """An open catalogue. Threads may share it; close it when done, or use it as a context manager."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        reading: dict[str, Any] = {}
        if engine.dialect.name == "postgresql":
            reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = engine.execution_options(**reading)
        self._writer = engine.execution_options(**{_WRITER: True})
        self.url = _shown(engine.url)
        """Where the catalogue is, as a URL without its password."""

    @classmethod
    def open(cls, url: str) -> Catalog:
        """The catalogue at an SQLAlchemy URL (`sqlite:///path` or `postgresql://user:password@host/name`), created
        when it is not there and upgraded when it is of an older version. Safe to call from several processes at once.

        Raises:
            CatalogTooNewError: it was made by a newer dejafake.
            CatalogError: it cannot be reached, read or written.
        """
        parsed = _parse(url)
        engine = _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql_engine(parsed)
        try:
            with _explained(parsed):
                _prepare(engine)
        except (OSError, Timeout) as error:
            engine.dispose()
            raise _refused(parsed, error) from error
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the catalogue from its first statement to its end.

        Raises:
            CatalogError: the database cannot be read.
        """
        with _explained(self._engine.url), Session(self._reader, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is one transaction: committed at the end, undone by an exception. Waits for its turn; must
        not be nested.

        Raises:
            CatalogError: the database cannot be written, or another writer took longer than a minute.
        """
        with _explained(self._engine.url), Session(self._writer, autoflush=False) as session, session.begin():
            _take_turn(session.connection())
            changes.begin(session)
            yield session

    def close(self) -> None:
        """Give up all connections."""
        self._engine.dispose()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise CatalogError("the database URL is not one: write sqlite:///path or postgresql://user@host/name") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise CatalogError(f"{parsed.drivername} is not supported: the catalogue lives in SQLite or PostgreSQL")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise CatalogError("a catalogue in memory could not be shared: give a file, sqlite:///path")
    return parsed


def _shown(url: URL) -> str:
    hidden = {key: "***" for key in _PASSWORD_KEYS if key in url.query}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite URL; None for PostgreSQL, and for an SQLite `file:` URI, which says itself what may be."""
    if url.get_backend_name() != "sqlite" or url.database is None or url.database.startswith("file:"):
        return None
    return Path(url.database)


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=56)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where `begin` below says, not where sqlite3 guesses
        for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "temp_store=MEMORY", "cache_size=-32768"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writer = connection.get_execution_options().get(_WRITER)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    return create_engine(
        url,
        connect_args={"options": "-c timezone=UTC", "connect_timeout": 10, "application_name": "dejafake"},
        pool_size=8,
        max_overflow=24,
        pool_pre_ping=True,
    )


def _take_turn(connection: Connection) -> None:
    """Wait until this transaction is the only writer. SQLite does so by BEGIN IMMEDIATE."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(WRITER_LOCK)))


def _prepare(engine: Engine) -> None:
    """Bring the schema up to date; when it is, nobody who writes is waited for."""
    path = _sqlite_file(engine.url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    with engine.connect() as connection:
        if schema.is_current(connection):
            return
    # switching a new SQLite file to its write-ahead log does not wait for others who do the same: they queue here
    queue = FileLock(f"{path}.lock", timeout=BUSY_SECONDS) if path is not None else nullcontext()
    with queue, engine.execution_options(**{_WRITER: True}).connect() as connection:
        driver = connection.connection.dbapi_connection
        sqlite = driver if isinstance(driver, sqlite3.Connection) else None
        if sqlite is not None:
            sqlite.execute("PRAGMA journal_mode=WAL")
            sqlite.execute("PRAGMA foreign_keys=OFF")  # SQLite alters a table by dropping its old copy
        try:
            with connection.begin():
                _take_turn(connection)
                schema.upgrade(connection)
        finally:
            if sqlite is not None:
                sqlite.execute("PRAGMA foreign_keys=ON")


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    """Turn what the database refuses into one line that names the catalogue, never its password."""
    try:
        yield
    except (OperationalError, InternalError, PoolTimeoutError, sqlite3.Error) as error:
        raise _refused(url, error) from error
    except DBAPIError as error:
        if type(error) is DatabaseError:  # a damaged file; subclasses are mistakes of the caller's
            raise _refused(url, error) from error
        raise


def _refused(url: URL, error: Exception) -> CatalogError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    reason = " ".join(str(cause).split()) or type(cause).__name__
    for secret in (url.password, *(url.query.get(key) for key in _PASSWORD_KEYS)):
        if isinstance(secret, str) and secret:
            reason = reason.replace(secret, "***")
    return CatalogError(f"the catalogue {_shown(url)} cannot be used: {reason[:400]}")
