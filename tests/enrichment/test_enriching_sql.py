"""A table of a database is answered by key, into a table of its own or into added columns, and nothing else changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from indexer.enrichment.sql import tables as sql_tables
from indexer.enrichment.sql.run import SqlEnrichment, SqlReport, SqlTarget
from indexer.errors import DejafakeError, NotFoundError, UsageError
from indexer.imaging.decoding import sha256_hex
from indexer.workspace import Workspace
from tests.made_pictures import png

TABLE = 'Media; "odd" name'
"""A name that only quoting makes harmless."""


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A database with five media: two known, one new, one that is no hash, one without anything."""
    engine = sa.create_engine(database_url)
    media = sa.Table(
        TABLE,
        sa.MetaData(),
        sa.Column("media id", sa.String(20), primary_key=True),
        sa.Column("sha256", sa.Text),
        sa.Column("file", sa.Text),
        sa.Column("seen", sa.DateTime),
        sa.Column("shared", sa.Integer),
    )
    media.metadata.create_all(engine)
    known = [sha256_hex(png(0)), sha256_hex(png(1)), "f" * 64, "not a hash", None]
    with engine.begin() as connection:
        connection.execute(
            media.insert(), [{"media id": f"m{n}", "sha256": digest, "shared": 7} for n, digest in enumerate(known)]
        )
    yield engine
    engine.dispose()


def target(database_url: str, **options: Any) -> SqlTarget:
    return SqlTarget(**{"url": database_url, "table": TABLE, "key": "media id", **options})


def enriched(workspace: Workspace, database_url: str, **options: Any) -> SqlReport:
    return SqlEnrichment(workspace, target(database_url, **options), {}).run()


def rows(engine: sa.Engine, table: str) -> list[dict[str, Any]]:
    held = sa.Table(table, sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.select(held).order_by(held.columns["media id"]))]


def outcomes(engine: sa.Engine, table: str) -> list[str | None]:
    return [row["dejafake_outcome"] for row in rows(engine, table)]


EXPECTED = ["known_fake_match", "known_fake_match", "not_assessable", None, None]


def test_answers_go_into_a_table_of_their_own(workspace: Workspace, engine: sa.Engine, database_url: str) -> None:
    before = rows(engine, TABLE)
    report = enriched(workspace, database_url)
    own = f"{TABLE}_dejafake"
    assert (report.output, report.rows) == (own, 5)
    assert report.outcomes == {"error": 2, "known_fake_match": 2, "not_assessable": 1}
    assert rows(engine, TABLE) == before
    assert outcomes(engine, own) == EXPECTED
    answered = rows(engine, own)
    assert [row["media id"] for row in answered] == [row["media id"] for row in before]
    assert answered[0]["dejafake_match_sha256"] == sha256_hex(png(0))
    assert answered[0]["dejafake_matches"] == 1
    assert "not a SHA-256" in answered[3]["dejafake_error"]
    assert "nothing to search with" in answered[4]["dejafake_error"]


def test_answers_go_into_added_columns_and_no_other_is_touched(
    workspace: Workspace, engine: sa.Engine, database_url: str
) -> None:
    before = rows(engine, TABLE)
    enriched(workspace, database_url, in_place=True)
    after = rows(engine, TABLE)
    assert [{name: row[name] for name in before[0]} for row in after] == before
    assert {name for name in after[0] if name not in before[0]} == {
        name for name in after[0] if name.startswith("dejafake_")
    }
    assert outcomes(engine, TABLE) == EXPECTED
    assert sa.inspect(engine).get_table_names() == [TABLE]


@pytest.mark.parametrize("options", [{}, {"in_place": True}], ids=["own table", "columns"])
def test_it_goes_on_with_the_rows_that_have_no_answer(
    workspace: Workspace,
    engine: sa.Engine,
    database_url: str,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sql_tables, "_PAGE", 2)
    monkeypatch.setattr("indexer.enrichment.answering.ROWS_PER_GROUP", 2)

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SqlEnrichment(workspace, target(database_url, **options), {}).run(stop)
    report = enriched(workspace, database_url, **options)
    assert report.rows == 3
    assert outcomes(engine, report.output) == EXPECTED
    with engine.begin() as connection:
        held = sa.Table(TABLE, sa.MetaData(), autoload_with=engine)
        connection.execute(held.insert(), {"media id": "later", "sha256": sha256_hex(png(3))})
    assert enriched(workspace, database_url, **options).rows == 1
    assert enriched(workspace, database_url, **options).rows == 0


def test_pictures_are_read_below_the_folder_that_was_named(
    workspace: Workspace, engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(2))
    (tmp_path / "b.png").write_bytes(png(2))
    held = sa.Table(TABLE, sa.MetaData(), autoload_with=engine)
    with engine.begin() as connection:
        connection.execute(held.delete())
        connection.execute(held.insert(), [{"media id": "a", "file": "a.png"}, {"media id": "b", "file": "../b.png"}])
    report = enriched(workspace, database_url, pictures=folder)
    a, b = rows(engine, report.output)
    assert a["dejafake_match_sha256"] == sha256_hex(png(2))
    assert "not a path inside" in b["dejafake_error"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"table": "nothing"}, NotFoundError, "no table nothing"),
        ({"key": "nothing"}, NotFoundError, "found: media id, sha256"),
        ({"key": "shared"}, UsageError, "not its primary key, nor unique"),
        ({"into": TABLE}, UsageError, "is something else"),
        ({"into": "a", "in_place": True}, UsageError, "not both"),
        ({"url": "nonsense"}, UsageError, "SQLAlchemy URL"),
        ({"url": "sqlite:////nowhere/at/all.db"}, DejafakeError, "refused"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing_behind(
    workspace: Workspace,
    engine: sa.Engine,
    database_url: str,
    options: dict[str, Any],
    error: type[DejafakeError],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        SqlEnrichment(workspace, target(database_url, **options), {})
    assert sa.inspect(engine).get_table_names() == [TABLE]
    assert not any(name.startswith("dejafake_") for name in rows(engine, TABLE)[0])


def test_paths_without_a_folder_are_asked_about(workspace: Workspace, engine: sa.Engine, database_url: str) -> None:
    with pytest.raises(UsageError, match="--pictures FOLDER"):
        SqlEnrichment(workspace, target(database_url), {"path": "file"})
    job = SqlEnrichment(workspace, target(database_url), {})
    assert job.mapping == {"sha256": "sha256"}
    job.run()


def test_the_tables_of_a_catalogue_are_not_changed(workspace: Workspace) -> None:
    url = workspace.settings.catalog_url
    with pytest.raises(UsageError, match="holds a dejafake catalogue"):
        SqlEnrichment(workspace, SqlTarget(url, "image", "sha256", in_place=True), {})
