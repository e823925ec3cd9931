"""What could keep a process alive for ever: another writer, a lost server, a pass or a build that does not end."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from filelock import FileLock
from sqlalchemy import make_url

from indexer.catalog import database
from indexer.catalog.database import WRITER_LOCK, Catalog
from indexer.catalog.records.detections import Watermarks
from indexer.detector import shared_passes
from indexer.detector.shared_passes import SharedPasses
from indexer.errors import CatalogError, VectorIndexError
from indexer.index import search_index
from indexer.index.catching_up import follow_hashes
from indexer.index.vectors import HashStore, SnapshotFolder, pointed
from indexer.settings import Settings
from indexer.threads import ahead
from indexer.workspace import Workspace


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """What hangs waits for this, until the test is over."""
    over = threading.Event()
    yield over
    over.set()


def test_a_writer_that_does_not_end_is_not_waited_for_for_ever(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 1)
    plain = make_url(postgresql_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with Catalog.open(postgresql_url) as catalog, psycopg.connect(plain) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [WRITER_LOCK])
        with pytest.raises(CatalogError, match="lock timeout"), catalog.writing():
            pass
        other.execute("SELECT pg_advisory_unlock(%s)", [WRITER_LOCK])
        with catalog.writing():
            pass


def test_a_server_that_is_gone_without_a_word_is_noticed(postgresql_url: str) -> None:
    with Catalog.open(postgresql_url) as catalog, catalog.reading() as session:
        connection = session.connection().connection.dbapi_connection
        assert isinstance(connection, psycopg.Connection)
        told = {option.keyword.decode(): option.val for option in connection.pgconn.info}
    assert (told["keepalives"], told["tcp_user_timeout"]) == (b"1", b"60000")
    assert told["connect_timeout"] == b"10"


def test_a_pass_that_does_not_end_is_left_behind(hanging: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_passes, "CLOSING_SECONDS", 0.01)

    def detector() -> None:
        hanging.wait()
        raise AssertionError("not reached while the test runs")

    passes = SharedPasses(detector, 8)  # type: ignore[arg-type]
    passes.submit(np.zeros((3, 384, 384), np.float32))
    passes.close()
    assert passes._thread is not None
    assert passes._thread.daemon


def test_upkeep_that_does_not_end_is_left_behind(
    hanging: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "CLOSING_SECONDS", 0.01)
    with Workspace(Settings.load(home=tmp_path)) as workspace:
        monkeypatch.setattr(workspace.index._live, "maintain", lambda *, wait: hanging.wait())
        workspace.index._start_upkeep()
    assert workspace.index._upkeep is not None
    assert workspace.index._upkeep.daemon


def test_a_build_of_a_stopped_process_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pointed, "LOCK_SECONDS", 0.1)
    folder = SnapshotFolder(tmp_path, "0" * 64, 384)
    with FileLock(tmp_path / pointed.LOCK, is_singleton=False):
        with pytest.raises(VectorIndexError, match="another process builds the index"), folder.lock(wait=True):
            pass
        with folder.lock(wait=False) as ours:
            assert not ours
    with folder.lock(wait=True) as ours:
        assert ours


def test_hashes_that_the_catalogue_promises_and_does_not_have_end_the_catching_up(tmp_path: Path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path / 'catalogue.sqlite'}") as catalog, catalog.reading() as session:
        marks = Watermarks(5, 0, 0, 0)
        with pytest.raises(VectorIndexError, match="image 5"):
            follow_hashes(session, HashStore(50, threads=1), marks)


def test_an_item_that_is_stuck_does_not_hold_a_consumer_that_stops(
    hanging: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "STOPPING_SECONDS", 0.01)

    def prepare(item: int) -> int:
        if item:
            hanging.wait()
        return item

    prepared = ahead.prepared_ahead(prepare, range(10), workers=2, window=4)
    assert next(prepared) == 0
    prepared.close()
    assert not hanging.is_set()


def test_what_a_consumer_takes_to_the_end_comes_whole_and_in_order() -> None:
    assert list(ahead.prepared_ahead(str, range(50), workers=3, window=4)) == [str(number) for number in range(50)]
