"""An SQL table to enrich: read in pages by its key; the answers go to columns of it or to a table of their own.

Any database that SQLAlchemy supports. Tables and columns are reflected, never concatenated as text. In the table itself
only the added columns are written, and only if the answers are to go there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from indexer.catalog.schema import VERSION_TABLE
from indexer.catalog.tables.types import clean_text
from indexer.enrichment.columns import Cell, CellKind, Column
from indexer.enrichment.mapping import ColumnMapping
from indexer.enrichment.rows import RowQuery
from indexer.errors import DejafakeError, NotFoundError, UsageError
from indexer.sources.cells import as_text
from indexer.sources.items import printable
from indexer.sources.places import Places
from indexer.sources.rows import Row

_PAGE = 512
_TYPES: Mapping[CellKind, type[sa.types.TypeEngine[Any]]] = {
    CellKind.TEXT: sa.Text,
    CellKind.INTEGER: sa.BigInteger,
    CellKind.NUMBER: sa.Double,
}


@dataclass(frozen=True, slots=True)
class KeyedQuery:
    """The query of a row of a database, and its key."""

    key: Any
    query: RowQuery


class Database:
    """A database that is not the catalogue's. Close it when done.

    Raises:
        UsageError: not a URL of a database, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url)
            if parsed.drivername in ("postgresql", "postgres"):
                parsed = parsed.set(drivername="postgresql+psycopg")
            self.engine = sa.create_engine(parsed)
        except (ArgumentError, NoSuchModuleError, ValueError):
            raise UsageError("--sql takes an SQLAlchemy URL: sqlite:///path or postgresql://user@host/name") from None
        except ModuleNotFoundError as error:
            raise UsageError(f"the driver of this database is not installed: pip install {error.name}") from None
        self._password = parsed.password

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turns errors of the database into one line without its password."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())
            if self._password:
                reason = reason.replace(str(self._password), "***")
            raise DejafakeError(
                f"the database refused ({printable(reason)[:300]}): fix that and run the same command again; what was "
                "written is kept"
            ) from None

    def table(self, name: str) -> sa.Table | None:
        """A table or view by its name, `schema.name` outside the default schema; None if there is none."""
        inspector = sa.inspect(self.engine)
        schema, dot, bare = name.partition(".")
        for schema_name, called in [(None, name), (schema, bare)] if dot else [(None, name)]:
            if inspector.has_table(called, schema=schema_name):
                return sa.Table(called, sa.MetaData(), schema=schema_name, autoload_with=self.engine, resolve_fks=False)
        return None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


class AnsweredTable:
    """A table whose rows are to be answered, and where the answers go; call `open_answers` before writing.

    Args:
        database: where it is.
        name, key: the table, and the column that tells its rows apart.
        into: the table for the answers, created if missing; None writes them into the table itself.
        columns: the added columns, under their prefix.

    Raises:
        NotFoundError: no such table or column.
        UsageError: the key's values are not unique.
        DejafakeError: the database reports an error.
    """

    def __init__(self, database: Database, name: str, key: str, into: str | None, columns: Sequence[Column]) -> None:
        self._database = database
        self._columns = columns
        self._into = into
        with database.explained():
            table = database.table(name)
            if table is None:
                raise NotFoundError(f"the database has no table {printable(name)[:100]}: check --table")
            self._table = table
            if key not in table.columns:
                raise NotFoundError(f"{name} has no column {printable(key)[:100]}; found: {_listed(table)}")
            self._check_key(key)
        self._answers = self._table
        self._key = self._table.columns[key]

    def open_answers(self) -> None:
        """Create the table or the columns for the answers, or use those that exist.

        Raises:
            UsageError: something else has that name, or may not be changed.
            DejafakeError: the database reports an error.
        """
        with self._database.explained():
            if self._into is None:
                self._add_columns()
            else:
                self._answers = self._own_table(self._into)

    @property
    def names(self) -> list[str]:
        """The columns of the table, without added ones."""
        added = {column.name for column in self._columns}
        return [column.name for column in self._table.columns if column.name not in added]

    def remaining(self) -> int:
        """The number of rows without an answer."""
        with self._database.explained(), self._database.engine.connect() as connection:
            lacking = sa.select(sa.func.count()).select_from(self._joined()).where(self._lacking())
            return int(connection.execute(lacking).scalar_one())

    def queries(self, mapping: ColumnMapping, places: Places) -> Iterator[KeyedQuery]:
        """The query of each row without an answer, by rising key. Every page is a transaction: no lock is held."""
        fields = [self._table.columns[name] for name in mapping.by_field.values()]
        page = sa.select(self._key, *fields).select_from(self._joined()).where(self._lacking())
        page = page.order_by(self._key).limit(_PAGE)
        following = page
        while True:
            with self._database.explained(), self._database.engine.connect() as connection:
                rows = connection.execute(following).all()
            for key, *values in rows:
                cells = {
                    name: text
                    for name, value in zip(mapping.by_field.values(), values, strict=True)
                    if (text := as_text(value.hex() if isinstance(value, bytes) else value))
                }
                query = mapping.query(Row(0, cells), places)
                yield KeyedQuery(key, replace(query, location=f"{self._key.name} {printable(str(key))[:100]}"))
            if not rows:
                return
            following = page.where(self._key > rows[-1][0])

    def write(self, answers: Sequence[tuple[Any, Sequence[Cell]]]) -> None:
        """Write the cells of some rows by key in one transaction."""
        key_name = "key_"
        while key_name in self._table.columns:  # a parameter may not be called like a column
            key_name += "_"
        named = [
            {key_name: key} | {column.name: _clean(cell) for column, cell in zip(self._columns, cells, strict=True)}
            for key, cells in answers
        ]
        with self._database.explained(), self._database.engine.begin() as connection:
            if self._answers is self._table:
                connection.execute(sa.update(self._table).where(self._key == sa.bindparam(key_name)), named)
            else:
                rows = [{self._key.name: row.pop(key_name)} | row for row in named]
                connection.execute(sa.insert(self._answers), rows)

    def _joined(self) -> sa.FromClause:
        if self._answers is self._table:
            return self._table
        return self._table.outerjoin(self._answers, self._answers.columns[self._key.name] == self._key)

    def _lacking(self) -> sa.ColumnElement[bool]:
        if self._answers is not self._table:
            return self._answers.columns[self._key.name].is_(None)
        first, last = self._columns[0].name, self._columns[-1].name  # the outcome, the error: one of them is filled
        return sa.and_(self._table.columns[first].is_(None), self._table.columns[last].is_(None))

    def _check_key(self, key: str) -> None:
        table, column = self._table, self._table.columns[key]
        inspector = sa.inspect(self._database.engine)
        uniques: list[set[str | None]] = [
            set(constraint["column_names"]) for constraint in inspector.get_unique_constraints(table.name, table.schema)
        ]
        uniques += [
            set(constraint["column_names"])
            for constraint in inspector.get_indexes(table.name, table.schema)
            if constraint["unique"]
        ]
        if {key} not in [{constraint.name for constraint in table.primary_key.columns}, *uniques]:
            raise UsageError(
                f"the column {printable(key)} of {table.name} is not its primary key, nor unique: rows could not be "
                "told apart; give a --key that is"
            )
        with self._database.engine.connect() as connection:
            nameless = sa.select(sa.func.count()).select_from(table).where(column.is_(None))
            count = connection.execute(nameless).scalar_one()
        if count:
            raise UsageError(f"{count} rows of {table.name} have no {printable(key)}: give a --key that all rows have")

    def _own_table(self, into: str) -> sa.Table:
        key, there = self._key, self._database.table(into)
        if there is None:
            schema, dot, bare = into.partition(".")
            created = sa.Table(
                bare if dot else into,
                sa.MetaData(),
                sa.Column(key.name, key.type, primary_key=True, autoincrement=False),
                *(sa.Column(column.name, _TYPES[column.kind]()) for column in self._columns),
                schema=schema if dot else None,
            )
            created.create(self._database.engine)
            return created
        required = {key.name, *(column.name for column in self._columns)}
        missing = sorted(required - {column.name for column in there.columns})
        if missing:
            raise UsageError(
                f"the table {printable(into)} is there already and is something else (it has no {missing[0]}): choose "
                "another --into"
            )
        return there

    def _add_columns(self) -> None:
        """Add the missing columns to the table."""
        table = self._table
        if sa.inspect(self._database.engine).has_table(VERSION_TABLE):
            raise UsageError("this database holds a dejafake catalogue, whose tables are not changed: use --into")
        with self._database.engine.begin() as connection:
            operations = Operations(MigrationContext.configure(connection))
            for column in self._columns:
                if column.name not in table.columns:
                    added = sa.Column(column.name, _TYPES[column.kind]())
                    operations.add_column(table.name, added, schema=table.schema)
        self._table = self._answers = sa.Table(
            table.name, sa.MetaData(), schema=table.schema, autoload_with=self._database.engine, resolve_fks=False
        )
        self._key = self._table.columns[self._key.name]


def _listed(table: sa.Table) -> str:
    return ", ".join(printable(column.name)[:60] for column in list(table.columns)[:30])


def _clean(cell: Cell) -> Cell:
    return clean_text(cell) if isinstance(cell, str) else cell
