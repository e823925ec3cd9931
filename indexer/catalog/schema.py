"""Upgrades a catalogue to the schema of this version, with the scripts in `migrations/`. They are beside the package in
a source tree, and inside it as `_migrations` in an installed wheel.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

import indexer
from indexer.catalog.tables import watches as watch_tables  # noqa: F401 - its tables belong to the schema
from indexer.catalog.tables.base import Base
from indexer.errors import CatalogError, CatalogTooNewError

VERSION_TABLE = "dejafake_schema"


def migrations_folder() -> Path:
    """Where the migration scripts are."""
    package = Path(indexer.__file__).parent
    inside = package / "_migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def alembic_config(connection: Connection) -> Config:
    """The alembic configuration for `connection`, whose transaction stays with the caller."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """The database's revision, None when it has no catalogue yet."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def is_current(connection: Connection) -> bool:
    """Whether the database has the schema of this version.

    Raises:
        CatalogTooNewError: the database is at a revision this version does not know.
    """
    known = ScriptDirectory.from_config(alembic_config(connection))
    head, current = known.get_current_head(), revision_of(connection)
    if current is not None and current not in {script.revision for script in known.walk_revisions()}:
        raise CatalogTooNewError(
            f"this catalogue was made by a newer dejafake (schema {current}, known here up to {head}): upgrade dejafake"
        )
    return current == head


def upgrade(connection: Connection) -> None:
    """Create the tables or upgrade them to the newest revision; does nothing when they are current.

    Raises:
        CatalogTooNewError: the database is at a revision this version does not know.
        CatalogError: there are tables of the same names that are not dejafake's.
    """
    if is_current(connection):
        return
    if revision_of(connection) is None:
        strangers = sorted(set(inspect(connection).get_table_names()) & set(Base.metadata.tables))
        if strangers:
            raise CatalogError(
                f"the database already has a table {strangers[0]!r} that is not dejafake's: give it one of its own"
            )
    command.upgrade(alembic_config(connection), "head")
