"""The SQL conditions of an `ImageFilter`, for finding all images that meet it, and for pages on PostgreSQL.

They are made from the declaration of the fields; nothing here names one of them.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from operator import eq as equals
from operator import ge, le, lt
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, or_, select

from indexer.catalog.records.filters import FILTER_FIELDS, Comparison, Given, ImageFilter, given_fields
from indexer.catalog.tables.base import Base
from indexer.catalog.tables.collections import CollectionImageRow, CollectionRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.sightings import SightingRow
from indexer.catalog.tables.types import as_utc, clean_text, folded, month_of
from indexer.imaging.content import LEAST_QUALITY

IMAGES: Final = ImageRow.__tablename__
SIGHTINGS: Final = SightingRow.__tablename__
COLLECTIONS: Final = CollectionRow.__tablename__
FILTERED_TABLES = frozenset(
    {field.table for field in FILTER_FIELDS.values()} | {CollectionImageRow.__tablename__, IMAGES}
)
"""The tables that a filter's conditions read: what is known of them is known until one of them is written."""
_OPERATORS: Final = {Comparison.EQUAL: equals, Comparison.AT_LEAST: ge, Comparison.BEFORE: lt}
_MONTH_OPERATORS: Final = {Comparison.AT_LEAST: ge, Comparison.BEFORE: le}


def conditions(image_filter: ImageFilter) -> list[ColumnElement[bool]]:
    """Conditions on `image` that all must hold; none for an empty filter."""
    met: list[ColumnElement[bool]] = []
    for table, given in by_table(image_filter):
        rows: FromClause = Base.metadata.tables[table]
        if table == IMAGES:
            met += [_met(rows, condition) for condition in given]
        elif table == SIGHTINGS:
            met.append(ImageRow.id.in_(select(rows.c.image_id).where(*_seen(rows, given))))
        elif table == COLLECTIONS:
            named = [one_of(rows.c[condition.field.column_name], stored(condition)) for condition in given]
            inside = select(CollectionImageRow.image_id).join(CollectionRow).where(*named)
            met.append(ImageRow.id.in_(inside))
        else:  # each by itself: what a generator wrote and what a signature says are different findings
            met += [ImageRow.id.in_(select(rows.c.image_id).where(_met(rows, condition))) for condition in given]
    if image_filter.least_content is not None:
        met.append(has_content(image_filter.least_content))
    return met


def has_content(least: int) -> ColumnElement[bool]:
    """Whether an image has at least so much in it: `indexer.imaging.content.has_too_little`, in SQL."""
    return or_(ImageRow.content >= least, and_(ImageRow.content.is_(None), ImageRow.pdq_quality >= LEAST_QUALITY))


def by_table(image_filter: ImageFilter) -> list[tuple[str, list[Given]]]:
    """The fields that are set, together with those about the same table."""
    given = given_fields(image_filter)
    tables = dict.fromkeys(condition.field.table for condition in given)
    return [(table, [condition for condition in given if condition.field.table == table]) for table in tables]


def stored(given: Given) -> Any:
    """The value as the column holds it."""
    value = given.value
    if isinstance(value, tuple):
        return [clean_text(name).strip() for name in value]
    if isinstance(value, datetime):
        return as_utc(value)
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return folded(value) if given.field.folded else clean_text(value).strip()
    return value


def _met(rows: FromClause, given: Given) -> ColumnElement[bool]:
    value = stored(given)
    column = rows.c[given.field.column_name]
    met: ColumnElement[bool] = _OPERATORS[given.field.comparison](column, value)
    return met


def _seen(rows: FromClause, given: Sequence[Given]) -> list[ColumnElement[bool]]:
    """Months are bounded as well as times, because the month is the first column of the index."""
    met = []
    for condition in given:
        if condition.field.comparison in _MONTH_OPERATORS:
            met.append(_MONTH_OPERATORS[condition.field.comparison](rows.c.posted_month, month_of(condition.value)))
        met.append(_met(rows, condition))
    return met
