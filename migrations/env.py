"""How alembic runs the migrations: on the connection that `Catalog.open` hands over; for the `alembic` command of
developers on the catalogue that the settings name (`DEJAFAKE_DATABASE_URL`)."""

from alembic import context
from sqlalchemy import Connection, create_engine

from indexer.catalog.schema import VERSION_TABLE
from indexer.catalog.tables.base import Base
from indexer.settings import Settings


def migrate(connection: Connection) -> None:
    """Run what alembic was asked for, inside the connection's transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    engine = create_engine(Settings.load().catalog_url)
    with engine.begin() as opened:
        migrate(opened)
    engine.dispose()
