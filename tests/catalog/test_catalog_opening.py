"""Opening a catalogue: what is made, what is refused, and in which words."""

import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.images import images
from indexer.catalog.schema import VERSION_TABLE
from indexer.errors import CatalogError, CatalogTooNewError
from tests.catalog.catalogue_rows import add_image, digest


def refusal(url: str) -> str:
    with pytest.raises(CatalogError) as caught:
        Catalog.open(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_new_catalogue_is_made_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there.sqlite"
    with Catalog.open(f"sqlite:///{path}") as catalog, catalog.reading() as session:
        assert images.counts(session).images == 0
    assert path.is_file()


def test_what_was_written_is_there_when_opened_again(database_url: str) -> None:
    with Catalog.open(database_url) as catalog, catalog.writing() as session:
        add_image(session, 1)
    with Catalog.open(database_url) as catalog, catalog.reading() as session:
        assert images.get(session, digest(1)) is not None


def test_a_failed_transaction_leaves_nothing(database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        with pytest.raises(ZeroDivisionError), catalog.writing() as session:
            _ = add_image(session, 1) / 0
        with catalog.reading() as session:
            assert images.counts(session).images == 0


def test_a_reader_sees_one_state_while_others_write(database_url: str) -> None:
    with Catalog.open(database_url) as catalog, catalog.reading() as reader:
        assert images.counts(reader).images == 0
        with catalog.writing() as session:
            add_image(session, 1)
        assert images.counts(reader).images == 0


def test_a_catalogue_of_a_newer_schema_is_refused_and_left_alone(database_url: str) -> None:
    Catalog.open(database_url).close()
    revision = set_revision(database_url, "9999")
    with pytest.raises(CatalogTooNewError, match=r"made by a newer dejafake \(schema 9999, .*upgrade dejafake"):
        Catalog.open(database_url)
    set_revision(database_url, revision)
    Catalog.open(database_url).close()


def set_revision(url: str, revision: str) -> str:
    """Writes the schema's revision, and gives the one that stood there."""
    engine = create_engine(url)
    with engine.begin() as connection:
        before = str(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one())
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :revision"), {"revision": revision})
    engine.dispose()
    return before


def test_several_may_open_a_new_catalogue_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Catalog.open(database_url), range(8)))
    for number, catalog in enumerate(opened):
        with catalog.writing() as session:
            assert add_image(session, number) == number + 1
        catalog.close()


def test_sqlite_keeps_foreign_keys_and_a_write_ahead_log(tmp_path: Path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalog, catalog.reading() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 60_000}


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"\xff\xd8\xff and so on" * 100)
    before = path.read_bytes()
    assert "file is not a database" in refusal(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_folder_is_no_catalogue(tmp_path: Path) -> None:
    assert str(tmp_path) in refusal(f"sqlite:///{tmp_path}")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in refusal(f"sqlite:///{tmp_path / 'file' / 'catalogue.sqlite'}")


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    sqlite3.connect(path).close()
    assert "readonly" in refusal(f"sqlite:///file:{path}?mode=ro&uri=true")


def test_writing_to_a_read_only_catalogue_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    Catalog.open(f"sqlite:///{path}").close()
    with (
        Catalog.open(f"sqlite:///file:{path}?mode=ro&uri=true") as catalog,
        pytest.raises(CatalogError, match="readonly"),
        catalog.writing() as session,
    ):
        add_image(session, 1)


def test_a_full_disk_is_one_clear_error_and_nothing_is_half_written(tmp_path: Path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalog:
        with pytest.raises(CatalogError, match="database or disk is full"), catalog.writing() as session:
            fill_a_full_disk(session)
        with catalog.reading() as session:
            assert images.counts(session).images == 0


def fill_a_full_disk(session: Session) -> None:
    session.execute(text("PRAGMA max_page_count = 1"))  # no page more than there are
    for number in range(1_000):
        add_image(session, number)


def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Catalog.open(f"sqlite:///{path}") as catalog, catalog.writing() as session:
        for number in range(300):
            add_image(session, number)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    assert "malformed" in refusal(f"sqlite:///{path}")


def test_tables_of_someone_else_are_not_touched(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE image (id INTEGER)"))
    engine.dispose()
    assert "already has a table 'image'" in refusal(database_url)


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        message = refusal(f"postgresql://desk:tops3cret@127.0.0.1:{port}/fakes?sslpassword=als0secret")
    assert "tops3cret" not in message
    assert "als0secret" not in message
    assert f"desk:***@127.0.0.1:{port}/fakes" in message


def test_a_database_that_is_not_there_is_named(postgresql_url: str) -> None:
    missing = make_url(postgresql_url).set(database="nowhere").render_as_string(hide_password=False)
    assert 'database "nowhere" does not exist' in refusal(missing)


def test_a_password_in_the_server_s_own_words_is_hidden(postgresql_url: str) -> None:
    url = make_url(postgresql_url).set(password="tops3cret", database="tops3cret_fakes")
    assert 'database "***_fakes" does not exist' in refusal(url.render_as_string(hide_password=False)).split(": ", 1)[1]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not a url with s3cret", "not one"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("mysql://u:s3cret@h/d", "mysql is not supported"),
        ("postgresql+psycopg2://u:s3cret@h/d", "not supported"),
        ("postgresql://u:s3cret@h:port/d", "not one"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, words: str) -> None:
    message = refusal(url)
    assert words in message
    assert "s3cret" not in message


def test_the_url_it_shows_has_no_password(postgresql_url: str) -> None:
    with_password = make_url(postgresql_url).set(password="tops3cret").render_as_string(hide_password=False)
    with Catalog.open(with_password) as catalog:
        assert "tops3cret" not in catalog.url
