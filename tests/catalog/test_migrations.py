"""The migrations make exactly the tables the code uses, and can be taken back."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect

import indexer
from indexer.catalog import Catalog, schema
from indexer.catalog.detections import calibrations
from indexer.catalog.images import images, provenance, sightings
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.tables.base import Base
from indexer.sightings import NewSighting
from indexer.vocabulary import Technique
from tests.catalog.catalogue_rows import add_image, digest

SECOND_SCHEMA_IMAGE = f"""
INSERT INTO image (sha256, byte_size, format, width, height, mode, frames, notes, pdq, pdq_quality, pdq_method,
    added_at, label, technique, disputed)
VALUES ('{digest(1)}', 1000, 'PNG', 64, 48, 'RGB', 1, '[]', '', 90, 'test', '2026-01-01 00:00:00.000000', 'unknown',
    'unknown', false)
"""
"""An image as the first two schemas keep it: their tables have fewer columns than the code of today writes."""


def open_and_close(url: str) -> None:
    with Catalog.open(url) as catalog, catalog.writing() as session:
        add_image(session, 1)


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"sqlite_sequence", schema.VERSION_TABLE}


def test_migrations_and_tables_agree(database_url: str) -> None:
    open_and_close(database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
        assert tables(connection) == set(Base.metadata.tables)
    engine.dispose()


def test_a_catalogue_goes_down_to_nothing_and_up_again(database_url: str) -> None:
    open_and_close(database_url)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "base")
        assert tables(connection) == set()
        assert schema.revision_of(connection) is None
    engine.dispose()
    open_and_close(database_url)


def test_a_catalogue_of_the_first_schema_keeps_its_images_and_takes_calibrations(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0001")
        assert "calibration" not in tables(connection)
        connection.exec_driver_sql(SECOND_SCHEMA_IMAGE)
    engine.dispose()
    with Catalog.open(database_url) as catalog, catalog.reading() as session:
        assert images.find_ids(session, [digest(1)])
        assert calibrations.list(session, "f" * 64) == ()


def test_images_of_the_second_schema_are_kept_and_their_files_count_as_not_read(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0002")
        connection.exec_driver_sql(SECOND_SCHEMA_IMAGE)
    engine.dispose()
    with Catalog.open(database_url) as catalog, catalog.writing() as session:
        ids = images.find_ids(session, [digest(1)])
        assert provenance.unread(session, list(ids.values())) == set(ids.values())


def test_findings_and_sightings_of_an_earlier_schema_can_be_searched_by(database_url: str) -> None:
    engine = create_engine(database_url)
    fields = json.dumps({"generation": {"techniques": ["inpainting", "fine_tuned_model"]}})
    finding = f"""
        INSERT INTO provenance (image_id, kind, worth, statement, technique, fields)
        SELECT id, 'generation', 'self_declared', 'said', 'inpainting', '{fields}' FROM image"""
    with engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0005")
        connection.exec_driver_sql(SECOND_SCHEMA_IMAGE)
        for _ in range(2):
            connection.exec_driver_sql(finding)
        connection.exec_driver_sql("""
            INSERT INTO sighting (image_id, digest, url, archive_url, recorded_at)
            SELECT id, '', 'https://social.example/1', 'https://archive.example/1', added_at FROM image""")
    engine.dispose()
    with Catalog.open(database_url) as catalog, catalog.reading() as session:
        for declared in (Technique.INPAINTING, Technique.FINE_TUNED_MODEL):
            assert len(images.matching_ids(session, ImageFilter(declared_technique=declared))) == 1
        for url in ("https://social.example/1", "https://archive.example/1"):
            assert sightings.images_at(session, [url], 5) == (digest(1),)


def test_addresses_of_an_earlier_schema_are_found_in_other_spellings_and_come_back_down(database_url: str) -> None:
    url, spelled = "https://www.example.org/post/1", "http://example.org/post/1/?utm_source=x"
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), "0008")
        connection.exec_driver_sql(SECOND_SCHEMA_IMAGE)
        for number, one in enumerate((url, spelled, f"{url}?id=2")):
            connection.exec_driver_sql(f"""
                INSERT INTO sighting (image_id, digest, url, posted_at, recorded_at)
                SELECT id, '{number}', '{one}', '2026-03-01 10:00:00.000000', added_at FROM image""")
    engine.dispose()
    posted = datetime(2026, 3, 1, 10, tzinfo=UTC)
    with Catalog.open(database_url) as catalog:
        with catalog.reading() as session:
            for asked in (url, spelled, f"{spelled}&id=2"):
                assert sightings.images_at(session, [asked], 5) == (digest(1),)
            assert sightings.images_at(session, [f"{url}?id=3"], 5) == ()
        with catalog.writing() as session:
            again = [NewSighting(url=f"{one}#x", posted_at=posted) for one in (url, spelled, f"{url}?id=2")]
            (image_id,) = images.find_ids(session, [digest(1)]).values()
            assert sightings.add(session, image_id, again) == 0, "each of them is there"
    engine = create_engine(database_url)
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "0009")
        kept = connection.exec_driver_sql("SELECT url FROM sighting ORDER BY id").scalars().all()
        assert list(kept) == [url, spelled, f"{url}?id=2"], "none is lost on the way"
        assert connection.exec_driver_sql("SELECT count(*) FROM seen_address").scalar_one() == 3
    engine.dispose()


def test_developers_check_their_models_with_the_alembic_command(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`[tool.alembic]` in pyproject.toml finds the scripts, the settings name the database."""
    monkeypatch.setenv("DEJAFAKE_DATABASE_URL", database_url)
    config = Config(toml_file=Path(indexer.__file__).parents[1] / "pyproject.toml")
    command.upgrade(config, "head")
    command.check(config)  # raises when tables and migrations differ
    open_and_close(database_url)


def test_migrations_are_found_inside_an_installed_wheel(tmp_path: Path) -> None:
    """A wheel carries `migrations` as `indexer/_migrations` (pyproject.toml)."""
    tree = Path(indexer.__file__).parents[1]
    without_caches = ignore_patterns("__pycache__")
    copytree(tree / "indexer", tmp_path / "indexer", ignore=without_caches)
    copytree(tree / "migrations", tmp_path / "indexer" / "_migrations", ignore=without_caches)
    program = (
        "from indexer.catalog import Catalog, schema; Catalog.open('sqlite:///made.sqlite').close();"
        "print(schema.migrations_folder())"
    )
    made = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert Path(made.stdout.strip()) == tmp_path / "indexer" / "_migrations"


def test_the_wheel_carries_the_migrations() -> None:
    import tomllib

    with (Path(indexer.__file__).parents[1] / "pyproject.toml").open("rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"migrations": "indexer/_migrations"}
