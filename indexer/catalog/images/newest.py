"""The newest images that meet a filter, found on SQLite without scanning images that do not.

Each part of a filter is a stream of image ids, newest first, straight from an index. One stream leads, and the others
are looked up for each of its images. SQLite has no statistics that distinguish a rare generator from a common one, so
the statement counts the start of every stream and lets the shortest lead. PostgreSQL has such statistics and needs none
of this.

Streams are made from the declaration of a filter's fields; a field's column must lead an index with the image's id.
Of the columns of `image`, those in `TOGETHER` have an index for each of their combinations and make one stream; each
other one is a stream by itself.
"""

# ruff: noqa: S608 - every fragment of SQL is written in this file; what users say travels as parameters

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BindParameter, TextClause, bindparam, text

from indexer.catalog.images.filters import COLLECTIONS, IMAGES, SIGHTINGS, by_table, stored
from indexer.catalog.records.filters import Comparison, Given, ImageFilter, given_fields
from indexer.catalog.tables.types import JsonText, UtcDateTime, month_of

TOGETHER = frozenset({"label", "technique", "generator"})
_ACCOUNT = "account"
COUNTED = 5_000
"""How far a stream is counted; two streams longer than this lead equally well."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """Ids of images that meet one part of the filter. `newest_first` yields them as `id`, each at least once; `rows`
    is what to count; `holds` tests whether the image `{id}` is among them."""

    newest_first: str
    rows: str
    holds: str


def newest_ids(image_filter: ImageFilter, before: int, count: int) -> TextClause:
    """A sub-select of the ids of the newest `count` images that meet `image_filter`, below the id `before`."""
    streams = list(_streams(image_filter)) or [_labelled([])]
    sizes = ", ".join(
        f"(SELECT count(*) FROM ({each.rows} LIMIT {COUNTED})) AS of_{n}" for n, each in enumerate(streams)
    )
    leads = "\nUNION ALL\n".join(_lead(streams, index) for index in range(len(streams)))
    statement = f"WITH sizes AS MATERIALIZED (SELECT {sizes}) {leads}" if len(streams) > 1 else leads
    parameters = [parameter for given in given_fields(image_filter) for parameter in _parameters(given)]
    parameters = [parameter for parameter in parameters if f":{parameter.key}" in statement]
    return text(statement).bindparams(*parameters, bindparam("before", before), bindparam("count", count))


def _streams(image_filter: ImageFilter) -> Iterator[_Stream]:
    """One stream a table; of tables that say several things of an image, one a field. That of `image` comes last: when
    none is short, another leads."""
    for table, given in sorted(by_table(image_filter), key=lambda part: part[0] == IMAGES):
        if table == IMAGES:
            yield from (_labelled([one]) for one in given if one.name not in TOGETHER)
            together = [one for one in given if one.name in TOGETHER]
            if together:
                yield _labelled(together)
        elif table == SIGHTINGS:
            yield _seen(given)
        elif table == COLLECTIONS:
            yield from map(_collected, given)
        else:
            yield from map(_told, given)


def _lead(streams: Sequence[_Stream], index: int) -> str:
    """Ids that meet all parts, led by the stream at `index`; none unless that stream is the (first) shortest."""
    leader = streams[index]
    where = " AND ".join(
        ["lead.id IS NOT NULL", *(each.holds.format(id="lead.id") for each in streams if each is not leader)]
    )
    shortest = [f"of_{index} < of_{n}" for n in range(index)]
    shortest += [f"of_{index} <= of_{n}" for n in range(index + 1, len(streams))]
    limit = f"(SELECT CASE WHEN {' AND '.join(shortest)} THEN :count ELSE 0 END FROM sizes)" if shortest else ":count"
    return f"SELECT id FROM (SELECT DISTINCT lead.id FROM ({leader.newest_first}) AS lead WHERE {where} LIMIT {limit})"


def _met(given: Given) -> str:
    return f"{given.field.column_name} {given.field.comparison} :{given.name}"


def _labelled(given: Sequence[Given]) -> _Stream:
    """Images by columns of their own: some index of `image` has exactly the ones given. All images, if none is."""
    equal = [_met(condition) for condition in given]
    where = " AND ".join([*equal, "id < :before"])
    return _Stream(
        newest_first=f"SELECT id FROM image WHERE {where} ORDER BY id DESC",
        rows=f"SELECT 1 FROM image WHERE {where}",
        holds=f"EXISTS (SELECT 1 FROM image WHERE {' AND '.join(['id = {id}', *equal])})",
    )


def _collected(given: Given) -> _Stream:
    """Images of collections, merged from one stream per collection."""
    named = f"SELECT id AS part FROM collection WHERE name IN (SELECT value FROM json_each(:{given.name}))"
    inside = "collection_image WHERE collection_id"
    return _Stream(
        newest_first=_merged(f"{named}", f"{inside} = parts.part", f"{inside} = merged.part"),
        rows=f"SELECT 1 FROM {inside} IN ({named}) AND image_id < :before",
        holds=f"EXISTS (SELECT 1 FROM {inside} IN ({named}) AND image_id = {{id}})",
    )


def _told(given: Given) -> _Stream:
    """Images by a column of a table that says something of them, such as what their files say of themselves."""
    rows = f"{given.field.table} WHERE {_met(given)}"
    return _Stream(
        newest_first=f"SELECT image_id AS id FROM {rows} AND image_id < :before ORDER BY image_id DESC",
        rows=f"SELECT 1 FROM {rows} AND image_id < :before",
        holds=f"EXISTS (SELECT 1 FROM {rows} AND image_id = {{id}})",
    )


def _seen(given: Sequence[Given]) -> _Stream:
    """Images by sighting. A date range, unless it is of one account, is merged from one stream per month with
    sightings."""
    equal = [_met(condition) for condition in given if condition.field.comparison is Comparison.EQUAL]
    by_account = any(condition.name == _ACCOUNT for condition in given)
    if by_account:  # its sightings are few: its index leads, and "+" keeps the platform's from leading
        equal = [condition if condition.startswith(_ACCOUNT) else f"+{condition}" for condition in equal]
    times = [_met(condition) for condition in given if condition.field.comparison is not Comparison.EQUAL]
    holds = f"EXISTS (SELECT 1 FROM sighting WHERE {' AND '.join([*equal, 'image_id = {id}', *times])})"
    if by_account or not times:
        of_all = f"FROM sighting WHERE {' AND '.join([*equal, *times])} AND image_id < :before"
        newest = f"SELECT image_id AS id {of_all} ORDER BY image_id DESC"
        return _Stream(newest, f"SELECT 1 {of_all}", holds)
    start = [
        f"posted_month >= :{_month(condition)}"
        for condition in given
        if condition.field.comparison is Comparison.AT_LEAST
    ]
    end = [
        f"posted_month <= :{_month(condition)}"
        for condition in given
        if condition.field.comparison is Comparison.BEFORE
    ]
    in_range = " AND ".join([*equal, *start, *end, *times])
    later = " AND ".join([*equal, "posted_month > months.part", *end])
    of_month = " AND ".join([*equal, *times])
    return _Stream(
        newest_first=_merged(
            _each_month(" AND ".join([*equal, *(start or ["posted_month IS NOT NULL"]), *end]), later),
            f"sighting WHERE posted_month = parts.part AND {of_month}",
            f"sighting WHERE posted_month = merged.part AND {of_month}",
        ),
        rows=f"SELECT 1 FROM sighting WHERE {in_range} AND image_id < :before",
        holds=holds,
    )


def _month(given: Given) -> str:
    """The name of the parameter with the month of a date."""
    return f"{given.name}_month"


def _each_month(first: str, later: str) -> str:
    """The months with posts, jumping from one to the next. `later` must bound the month from below only once, because
    an index scan starts at one bound.
    """
    return f"""WITH RECURSIVE months(part) AS (
        SELECT (SELECT min(posted_month) FROM sighting WHERE {first})
        UNION ALL
        SELECT (SELECT min(posted_month) FROM sighting WHERE {later}) FROM months WHERE part IS NOT NULL
    ) SELECT part FROM months WHERE part IS NOT NULL"""


def _merged(parts: str, of_first: str, of_next: str) -> str:
    """Merges many streams: the newest id of each part, then repeatedly the next id of the part whose id was newest.
    `ORDER BY` in a recursive select makes its queue a priority queue (SQLite, lang_with.html).
    """
    newest = "ORDER BY image_id DESC LIMIT 1"
    return f"""WITH RECURSIVE merged(part, id) AS (
        SELECT part, (SELECT image_id FROM {of_first} AND image_id < :before {newest}) FROM ({parts}) AS parts
        UNION ALL
        SELECT part, (SELECT image_id FROM {of_next} AND image_id < merged.id {newest})
        FROM merged WHERE id IS NOT NULL
        ORDER BY 2 DESC
    ) SELECT id FROM merged"""


def _parameters(given: Given) -> Iterator[BindParameter[object]]:
    """The value a field gives, as its column holds it."""
    value = stored(given)
    if isinstance(value, list):
        yield bindparam(given.name, value, type_=JsonText())
    elif given.field.comparison is not Comparison.EQUAL:
        yield bindparam(given.name, value, type_=UtcDateTime())
        yield bindparam(_month(given), month_of(value))
    else:
        yield bindparam(given.name, value.value if isinstance(value, StrEnum) else value)
