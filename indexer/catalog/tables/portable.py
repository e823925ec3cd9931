"""The few SQL constructs that differ between SQLite and PostgreSQL, with one meaning on both."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from sqlalchemy import ARRAY, BigInteger, BindParameter, Boolean, Dialect, FromClause, Integer, Text, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Values(TypeDecorator[Sequence[Any]]):
    """A list of values as ONE parameter: an array on PostgreSQL, JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that carries the list."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(self.item))

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        """To the database."""
        return json.dumps(value) if dialect.name == "sqlite" else value


class _OneOf(FunctionElement[bool]):
    """`column` is one of the values of a list parameter."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        """The condition itself: `… = 1`, which SQLite functions get, would prevent the use of indexes."""
        return self


def one_of(column: ColumnElement[Any] | InstrumentedAttribute[Any], values: Iterable[int] | Iterable[str]) -> _OneOf:
    """The condition that `column` is among `values`, as a single parameter regardless of their number."""
    item: TypeEngine[Any] = BigInteger() if isinstance(column.type, Integer) else Text()
    listed = [int(value) if isinstance(column.type, Integer) else value for value in values]
    parameter: BindParameter[Sequence[Any]] = bindparam(None, listed, type_=_Values(item), unique=True)
    return _OneOf(column, parameter)


def among(column: ColumnElement[Any], name: str) -> _OneOf:
    """The condition that `column` is among the values of the list parameter `name`, for a statement that is built once
    and executed with different lists: SQLAlchemy then compiles it only once.
    """
    item: TypeEngine[Any] = BigInteger() if isinstance(column.type, Integer) else Text()
    return _OneOf(column, bindparam(name, type_=_Values(item)))


@compiles(_OneOf, "sqlite")
def _one_of_sqlite(element: _OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are compiled SQL


@compiles(_OneOf, "postgresql")
def _one_of_postgresql(element: _OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY ({values})"


class json_rows(FunctionElement[str]):  # noqa: N801 - an SQL function
    """Aggregate: the given columns of all rows as JSON text, an array of arrays, in no guaranteed order; NULL or `[]`
    when there are no rows. Floats must hold at most 15 significant digits, which is what SQLite prints.
    """

    type = Text()
    inherit_cache = True


@compiles(json_rows, "sqlite")
def _json_rows_sqlite(element: json_rows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **kw)}))"


@compiles(json_rows, "postgresql")
def _json_rows_postgresql(element: json_rows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **kw)})) AS text)"


class nested_json(FunctionElement[str]):  # noqa: N801 - an SQL function
    """A column of JSON text as a value inside `json_rows`, not as a string."""

    type = Text()
    inherit_cache = True


@compiles(nested_json, "sqlite")
def _nested_json_sqlite(element: nested_json, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json({compiler.process(element.clauses, **kw)})"


@compiles(nested_json, "postgresql")
def _nested_json_postgresql(element: nested_json, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS json)"


def insert_new(
    session: Session,
    table: type[DeclarativeBase],
    rows: Sequence[Mapping[str, Any]],
    returning: InstrumentedAttribute[Any],
) -> list[Any]:
    """Insert `rows`, in order, leaving out those that break a unique constraint.

    Returns:
        The `returning` column of the rows that were new.
    """
    if not rows:
        return []
    bare: FromClause = table.__table__  # the mapped class would go through the ORM, which takes twice as long
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(bare).on_conflict_do_nothing().returning(bare.c[returning.key])  # type: ignore[arg-type]
    return list(session.execute(statement, [dict(row) for row in rows]).scalars())
