"""The newest images that meet a filter, found on SQLite without ever scanning what does not meet it.

Each part of a filter is a stream of image ids, newest first, straight from an index. One part leads and the others are
looked up for each of its images. SQLite keeps no statistics that tell a rare generator from a common one, so the
statement counts a little of every stream and lets the shortest lead. PostgreSQL knows and needs none of this.
"""

# ruff: noqa: S608 - every fragment of SQL is written in this file; what users say travels as parameters

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, TextClause, bindparam, text

from indexer.catalog.records import ImageFilter
from indexer.catalog.types import JsonText, UtcDateTime, clean_text, folded, month_of

COUNTED = 5_000
"""How far a stream is counted; two streams longer than this lead equally well."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """Ids of images that meet one part of the filter. `newest_first` yields them as `id`, each at least once; `rows`
    is what to count; `holds` tests whether the image `{id}` is among them."""

    newest_first: str
    rows: str
    holds: str


def newest_ids(wanted: ImageFilter, before: int, count: int) -> TextClause:
    """A sub-select of the ids of the newest `count` images that meet `wanted` and are older than the id `before`."""
    streams = [stream for stream in (_seen(wanted), _collected(wanted), *_told(wanted)) if stream is not None]
    labelled = _labelled(wanted, alone=not streams)
    streams += [] if labelled is None else [labelled]
    sizes = ", ".join(
        f"(SELECT count(*) FROM ({each.rows} LIMIT {COUNTED})) AS of_{n}" for n, each in enumerate(streams)
    )
    leads = "\nUNION ALL\n".join(_lead(streams, place) for place in range(len(streams)))
    statement = f"WITH sizes AS MATERIALIZED (SELECT {sizes}) {leads}" if len(streams) > 1 else leads
    return text(statement).bindparams(*_parameters(wanted), bindparam("before", before), bindparam("count", count))


def _lead(streams: Sequence[_Stream], place: int) -> str:
    """Ids that meet all parts, led by the stream at `place`; none unless that is the (first) shortest."""
    leader = streams[place]
    where = " AND ".join(
        ["lead.id IS NOT NULL", *(each.holds.format(id="lead.id") for each in streams if each is not leader)]
    )
    shortest = [f"of_{place} < of_{n}" for n in range(place)]
    shortest += [f"of_{place} <= of_{n}" for n in range(place + 1, len(streams))]
    limit = f"(SELECT CASE WHEN {' AND '.join(shortest)} THEN :count ELSE 0 END FROM sizes)" if shortest else ":count"
    return f"SELECT id FROM (SELECT DISTINCT lead.id FROM ({leader.newest_first}) AS lead WHERE {where} LIMIT {limit})"


def _labelled(wanted: ImageFilter, *, alone: bool) -> _Stream | None:
    """Images by label, technique, generator: some index of `image` has exactly the ones given. All images, if nothing
    is given and there is no other part."""
    given = {"label": wanted.label, "technique": wanted.technique, "generator": wanted.generator}
    equal = [f"{column} = :{column}" for column, value in given.items() if value is not None]
    if not equal and not alone:
        return None
    where = " AND ".join([*equal, "id < :before"])
    return _Stream(
        newest_first=f"SELECT id FROM image WHERE {where} ORDER BY id DESC",
        rows=f"SELECT 1 FROM image WHERE {where}",
        holds=f"EXISTS (SELECT 1 FROM image WHERE id = {{id}} AND {' AND '.join(equal)})",
    )


def _collected(wanted: ImageFilter) -> _Stream | None:
    """Images of collections, merged from one stream a collection."""
    if not wanted.collections:
        return None
    named = "SELECT id AS part FROM collection WHERE name IN (SELECT value FROM json_each(:collections))"
    inside = "collection_image WHERE collection_id"
    return _Stream(
        newest_first=_merged(f"{named}", f"{inside} = parts.part", f"{inside} = merged.part"),
        rows=f"SELECT 1 FROM {inside} IN ({named}) AND image_id < :before",
        holds=f"EXISTS (SELECT 1 FROM {inside} IN ({named}) AND image_id = {{id}})",
    )


def _told(wanted: ImageFilter) -> list[_Stream]:
    """Images by what their files say of themselves; one stream a condition, each with an index of its own."""
    places = {
        "model_hash": ("provenance WHERE model_hash", wanted.model_hash),
        "made_with": ("provenance WHERE made_with_folded", wanted.made_with),
        "digital_source_type": ("provenance WHERE digital_source_type", wanted.digital_source_type),
        "declared_technique": ("declared_technique WHERE technique", wanted.declared_technique),
    }
    given = [f"{column} = :{name}" for name, (column, value) in places.items() if value is not None]
    return [
        _Stream(
            newest_first=f"SELECT image_id AS id FROM {rows} AND image_id < :before ORDER BY image_id DESC",
            rows=f"SELECT 1 FROM {rows} AND image_id < :before",
            holds=f"EXISTS (SELECT 1 FROM {rows} AND image_id = {{id}})",
        )
        for rows in given
    ]


def _seen(wanted: ImageFilter) -> _Stream | None:
    """Images by sighting. A range of dates is merged from one stream a month that has sightings."""
    platform = ["platform = :platform"] if wanted.platform is not None else []
    times = ["posted_at >= :posted_from"] if wanted.posted_from is not None else []
    times += ["posted_at < :posted_to"] if wanted.posted_to is not None else []
    if not platform and not times:
        return None
    holds = f"EXISTS (SELECT 1 FROM sighting WHERE {' AND '.join([*platform, 'image_id = {id}', *times])})"
    if not times:
        newest = "SELECT image_id AS id FROM sighting WHERE platform = :platform AND image_id < :before"
        rows = "SELECT 1 FROM sighting WHERE platform = :platform AND image_id < :before"
        return _Stream(f"{newest} ORDER BY image_id DESC", rows, holds)
    start = ["posted_month >= :first_month"] if wanted.posted_from is not None else []
    end = ["posted_month <= :last_month"] if wanted.posted_to is not None else []
    in_range = " AND ".join([*platform, *start, *end, *times])
    later = " AND ".join([*platform, "posted_month > months.part", *end])
    of_month = " AND ".join([*platform, *times])
    return _Stream(
        newest_first=_merged(
            _each_month(" AND ".join([*platform, *(start or ["posted_month IS NOT NULL"]), *end]), later),
            f"sighting WHERE posted_month = parts.part AND {of_month}",
            f"sighting WHERE posted_month = merged.part AND {of_month}",
        ),
        rows=f"SELECT 1 FROM sighting WHERE {in_range} AND image_id < :before",
        holds=holds,
    )


def _each_month(first: str, later: str) -> str:
    """The months in which something was posted: from one to the next, skipping what lies between. `later` must bound
    the month from below only once, because an index walk starts at one bound."""
    return f"""WITH RECURSIVE months(part) AS (
        SELECT (SELECT min(posted_month) FROM sighting WHERE {first})
        UNION ALL
        SELECT (SELECT min(posted_month) FROM sighting WHERE {later}) FROM months WHERE part IS NOT NULL
    ) SELECT part FROM months WHERE part IS NOT NULL"""


def _merged(parts: str, of_first: str, of_next: str) -> str:
    """One stream from many: the newest id of each part, and then, always for the part whose id was newest, its next
    one. `ORDER BY` in a recursive select makes its queue a priority queue (SQLite, lang_with.html)."""
    newest = "ORDER BY image_id DESC LIMIT 1"
    return f"""WITH RECURSIVE merged(part, id) AS (
        SELECT part, (SELECT image_id FROM {of_first} AND image_id < :before {newest}) FROM ({parts}) AS parts
        UNION ALL
        SELECT part, (SELECT image_id FROM {of_next} AND image_id < merged.id {newest})
        FROM merged WHERE id IS NOT NULL
        ORDER BY 2 DESC
    ) SELECT id FROM merged"""


def _parameters(wanted: ImageFilter) -> list[BindParameter[object]]:
    """The values the filter gives, as the columns hold them."""
    found: list[BindParameter[object]] = [
        bindparam(name, clean_text(value).strip())
        for name in ("label", "technique", "generator", "platform", "digital_source_type", "declared_technique")
        if (value := getattr(wanted, name)) is not None
    ]
    found += [
        bindparam(name, folded(value))
        for name in ("model_hash", "made_with")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.collections:
        names = [clean_text(name).strip() for name in wanted.collections]
        found.append(bindparam("collections", names, type_=JsonText()))
    if wanted.posted_from is not None:
        found.append(bindparam("posted_from", wanted.posted_from, type_=UtcDateTime()))
        found.append(bindparam("first_month", month_of(wanted.posted_from)))
    if wanted.posted_to is not None:
        found.append(bindparam("posted_to", wanted.posted_to, type_=UtcDateTime()))
        found.append(bindparam("last_month", month_of(wanted.posted_to)))
    return found
