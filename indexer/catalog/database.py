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
from sqlalchemy.sql import Executable

from indexer.catalog import changes, schema
from indexer.catalog.read_only import BUSY_SECONDS, ReadOnlyFile
from indexer.errors import CatalogError

WRITER_LOCK = 0x64656A6166616B65
"""Key of the PostgreSQL advisory lock that makes writers take turns ("dejafake")."""
_NOTICES_A_LOST_SERVER = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": BUSY_SECONDS * 1000,
}
"""What libpq is told so that a server that is gone without a word ends the wait within a minute, not in two hours."""
_WRITER = "dejafake_writer"
_WRITTEN = "dejafake_written"
_PASSWORD_KEYS = ("password", "sslpassword")


class Catalog:
    """An open catalogue. Threads may share it; close it when done, or use it as a context manager."""

    def __init__(self, engine: Engine, only_read: ReadOnlyFile | None = None) -> None:
        self._engine = engine
        self._only_read = only_read
        reading: dict[str, Any] = {}
        if engine.dialect.name == "postgresql":
            reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = engine.execution_options(**reading)
        self._writer = engine.execution_options(**{_WRITER: True})
        event.listen(engine, "before_execute", _notice)
        self.url = _shown(engine.url)
        """Where the catalogue is, as a URL without its password."""

    @classmethod
    def open(cls, url: str | URL) -> Catalog:
        """The catalogue at an SQLAlchemy URL (`sqlite:///path` or `postgresql://user:password@host/name`): created if
        missing, upgraded if older, opened read-only where this user may not write. Safe to call from several processes
        at once.

        Raises:
            CatalogTooNewError: it was made by a newer dejafake.
            CatalogError: it cannot be reached or read.
        """
        parsed = _parse(url)
        path = _sqlite_file(parsed)
        only_read = None if path is None else ReadOnlyFile.of(path)
        if only_read is not None:
            engine = _sqlite_engine(only_read.engine(parsed))
        elif parsed.get_backend_name() == "sqlite":
            engine = _sqlite_engine(
                create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=56)
            )
        else:
            engine = _postgresql_engine(parsed)
        try:
            with _explained(parsed):
                if only_read is None:
                    _prepare(engine)
                else:
                    _check_version(engine)
        except (OSError, Timeout) as error:
            engine.dispose()
            raise _refused(parsed, error) from error
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, only_read)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one consistent state of the catalogue from its first statement on.

        Raises:
            CatalogError: the database cannot be read.
        """
        only_read = self._only_read
        began = None if only_read is None else only_read.begin(self._engine)
        with _explained(self._engine.url), Session(self._reader, autoflush=False) as session:
            yield session
        if only_read is not None:
            only_read.check(began)

    @property
    def read_only(self) -> bool:
        """Whether this user may only read it."""
        return self._only_read is not None

    def require_writable(self) -> None:
        """Call before work whose result will be written.

        Raises:
            ReadOnlyError: it cannot be written.
        """
        if self._only_read is not None:
            raise self._only_read.refusal()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session for one writing transaction: committed at the end, rolled back on an exception. Waits for its turn;
        must not be nested.

        Raises:
            ReadOnlyError: this user may read it only.
            CatalogError: the database cannot be written, or another writer took longer than a minute.
        """
        self.require_writable()
        with _explained(self._engine.url), Session(self._writer, autoflush=False) as session, session.begin():
            written = _Written()
            _take_turn(session.connection(execution_options={_WRITTEN: written}))
            changes.begin(session)
            yield session
            session.flush()
            if written.filters:
                changes.count_for_filters(session)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Written:
    """What one writing transaction has written; `filters` says whether it may change what a filter selects."""

    def __init__(self) -> None:
        self.filters = False


def _notice(connection: Connection, statement: Executable, *_: object) -> None:
    written = connection.get_execution_options().get(_WRITTEN)
    if isinstance(written, _Written) and not written.filters:
        written.filters = changes.concerns_filters(statement)


def _parse(url: str | URL) -> URL:
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
    """The file of an SQLite URL; None for PostgreSQL, and for an SQLite `file:` URI, which states its own mode."""
    if url.get_backend_name() != "sqlite" or url.database is None or url.database.startswith("file:"):
        return None
    return Path(url.database)


def _sqlite_engine(engine: Engine) -> Engine:
    """Sets up how connections are prepared and transactions begin."""

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # `begin` below starts transactions, instead of sqlite3's own guess
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
        connect_args={
            "options": f"-c timezone=UTC -c lock_timeout={BUSY_SECONDS}s",
            "connect_timeout": 10,
            "application_name": "dejafake",
            **_NOTICES_A_LOST_SERVER,
        },
        pool_size=8,
        max_overflow=24,
        pool_pre_ping=True,
    )


def _take_turn(connection: Connection) -> None:
    """Wait until this transaction is the only writer. On SQLite, BEGIN IMMEDIATE does that."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(WRITER_LOCK)))


def _check_version(engine: Engine) -> None:
    with engine.connect() as connection:
        if not schema.is_current(connection):
            raise CatalogError(
                f"the catalogue {_shown(engine.url)} was made by an older dejafake and must be upgraded, which this "
                "user may not: ask somebody with write access to run `dejafake doctor` once"
            )


def _prepare(engine: Engine) -> None:
    """Upgrade the schema if needed; if it is current, do not wait for writers."""
    path = _sqlite_file(engine.url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    with engine.connect() as connection:
        if schema.is_current(connection):
            return
    # switching a new SQLite file to write-ahead logging does not wait for other processes doing the same: they queue
    # here
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
    """Turn database errors into one line that names the catalogue, never its password."""
    try:
        yield
    except (OperationalError, InternalError, PoolTimeoutError, sqlite3.Error) as error:
        raise _refused(url, error) from error
    except DBAPIError as error:
        if type(error) is DatabaseError:  # a damaged file; subclasses are programming errors
            raise _refused(url, error) from error
        raise


def _refused(url: URL, error: Exception) -> CatalogError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    reason = " ".join(str(cause).split()) or type(cause).__name__
    for secret in (url.password, *(url.query.get(key) for key in _PASSWORD_KEYS)):
        if isinstance(secret, str) and secret:
            reason = reason.replace(secret, "***")
    return CatalogError(f"the catalogue {_shown(url)} cannot be used: {reason[:400]}")
