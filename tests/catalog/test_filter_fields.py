"""Every field of a filter has all its parts: a column with an index, SQL on both databases, words, option, request."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.dialects import postgresql

from indexer.catalog.images.filters import FILTERED_TABLES, conditions
from indexer.catalog.images.newest import newest_ids
from indexer.catalog.records.filters import (
    FILTER_FIELDS,
    FILTER_TYPES,
    REPEATED,
    SHARED_FIELDS,
    ImageFilter,
    given_fields,
)
from indexer.catalog.tables.base import Base
from indexer.cli.filters import filter_options, image_filter
from search_api.bodies.fields import Conditions

DOCS = Path(__file__).parents[2] / "docs"


def a_value(name: str) -> Any:
    kind = FILTER_TYPES[name]
    if kind is bool:
        return True
    if issubclass(kind, StrEnum):
        return next(iter(kind))
    if issubclass(kind, datetime):
        return datetime(2026, 3, 1, tzinfo=UTC)
    return ("Abc",) if name in REPEATED else "Abc"


def only(name: str) -> ImageFilter:
    return replace(ImageFilter(), **{name: a_value(name)})


def leading_columns(table: str) -> set[str]:
    """The first columns of the table's indexes."""
    described = Base.metadata.tables[table]
    keys = [one for one in described.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint)]
    listed = [list(one.columns) for one in (*described.indexes, *keys)]
    return {columns[0].name for columns in listed if columns}


def options() -> list[click.Option]:
    @click.command
    @filter_options
    def command(**_conditions: object) -> None: ...

    return [one for one in command.params if isinstance(one, click.Option)]


@pytest.mark.parametrize("name", FILTER_FIELDS)
def test_a_field_names_a_column_that_leads_an_index(name: str) -> None:
    field = FILTER_FIELDS[name]
    assert field.table in FILTERED_TABLES
    assert field.column_name in Base.metadata.tables[field.table].columns
    column = "posted_month" if field.column == "sighting.posted_at" else field.column_name
    assert column in leading_columns(field.table), "SQLite would read the whole table: give the column an index"


@pytest.mark.parametrize("name", FILTER_FIELDS)
def test_a_field_has_a_condition_and_a_stream(name: str) -> None:
    (condition,) = conditions(only(name))
    assert FILTER_FIELDS[name].column_name in str(condition.compile(dialect=postgresql.dialect()))
    stream = newest_ids(only(name), 2**63 - 1, 10)
    assert f":{name}" in str(stream)
    assert stream.compile().params[name] is not None


@pytest.mark.parametrize("name", SHARED_FIELDS)
def test_a_field_is_an_option_and_part_of_requests_in_the_same_words(name: str) -> None:
    field = FILTER_FIELDS[name]
    assert field.help.endswith("."), "a sentence"
    assert Conditions.model_fields[name].description == field.help
    (option,) = [one for one in options() if one.name == name]
    assert option.help is not None
    assert option.help.startswith(field.help)
    for page in ("cli.md", "http-api.md"):
        words = " ".join((DOCS / page).read_text(encoding="utf-8").split())
        assert field.help in words, f"{page} is older than the field: make docs"


@pytest.mark.parametrize("name", SHARED_FIELDS)
def test_what_users_give_reaches_the_filter(name: str) -> None:
    given = a_value(name)
    typed = given.replace(tzinfo=None) if isinstance(given, datetime) else given
    empty = {other: () if other in REPEATED else None for other in SHARED_FIELDS}
    assert image_filter(None, **{**empty, name: typed}) == only(name)
    assert Conditions.model_validate({name: given}).image_filter(None) == only(name)
    assert [one.name for one in given_fields(only(name))] == [name]


def test_bodies_and_commands_have_no_fields_besides() -> None:
    assert tuple(Conditions.model_fields) == SHARED_FIELDS
    assert tuple(option.name for option in options()) == SHARED_FIELDS
