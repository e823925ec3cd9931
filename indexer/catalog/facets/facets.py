"""Facet counts of a catalogue, for a process that answers many: columns in memory, made anew when the catalogue has
changed.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock, Thread
from time import perf_counter
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.campaigns.names import shown_name
from indexer.catalog.cursors import check_limit, decode, encode
from indexer.catalog.database import Catalog
from indexer.catalog.facets import columns as facet_columns
from indexer.catalog.facets.counting import Counting
from indexer.catalog.images.details import IMAGE_COLUMNS, image_of
from indexer.catalog.records.facets import Facet, FacetCounts
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import Image
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.campaigns import CampaignRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.types import utc_now
from indexer.errors import DejafakeError

logger = logging.getLogger("dejafake.facets")

AT_ONCE_SECONDS: Final = 0.1
"""Columns that took less than this to make are made anew while the caller waits; others in the background."""
VALUES_MAX: Final = 100
"""Most values of a facet."""
_ANSWERS: Final = 64
_SIGHTED: Final = "most sighted images"


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """Columns, the change they are as of, and how long they took to make."""

    columns: facet_columns.FacetColumns
    change: int
    at: datetime
    seconds: float


class Facets:
    """The facets of one catalogue. Threads may share it; close it when done.

    A count is exact as of one moment. When the catalogue has changed since, columns that are made quickly are made
    anew at once; otherwise the counts of before are given, marked as such, while new ones are made in the background.
    The first caller waits.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._making = Lock()
        self._made: _Made | None = None
        self._thread: Thread | None = None
        self._answers: OrderedDict[tuple[int, ImageFilter, int], FacetCounts] = OrderedDict()
        self._kept = Lock()

    def counts(self, image_filter: ImageFilter, most: int) -> FacetCounts:
        """The facets of the images that meet a filter, at most `most` values each.

        Raises:
            CatalogError: the catalogue cannot be read.
        """
        with self._catalog.reading() as session:
            change = changes.newest(session).filters_id
            made = self._columns(session, change)
            key = (made.change, image_filter, most)
            with self._kept:
                answer = self._answers.get(key)
            if answer is None:
                answer = self._counted(session, made, image_filter, most)
                with self._kept:
                    self._answers[key] = answer
                    while len(self._answers) > _ANSWERS:
                        self._answers.popitem(last=False)
        return replace(answer, current=made.change >= change)

    def most_sighted(self, image_filter: ImageFilter, limit: int, cursor: str | None = None) -> Page[Image]:
        """The images that meet a filter, those with the most sightings first, of these the newest.

        Raises:
            UsageError: a bad limit or cursor.
            CatalogError: the catalogue cannot be read.
        """
        check_limit(limit)
        after = decode(_SIGHTED, cursor, int, int)
        with self._catalog.reading() as session:
            made = self._columns(session, changes.newest(session).filters_id)
            counting = Counting(session, made.columns, image_filter)
            ranked = counting.most_sighted(limit + 1, None if after is None else (after[0], after[1]))
            listed = ranked[:limit]
            rows = session.execute(select(*IMAGE_COLUMNS).where(one_of(ImageRow.id, [each[1] for each in listed])))
            known = {row.id: image_of(row) for row in rows}
        following = encode(_SIGHTED, *listed[-1]) if len(ranked) > limit else None
        return Page(tuple(known[each[1]] for each in listed if each[1] in known), following)

    def close(self) -> None:
        """Waits for the background to finish."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _counted(self, session: Session, made: _Made, image_filter: ImageFilter, most: int) -> FacetCounts:
        counting = Counting(session, made.columns, image_filter)
        facets = tuple(
            _with_names(session, facet) if facet.field == "campaign" else facet for facet in counting.facets(most)
        )
        return FacetCounts(
            images=int(counting.matching().sum()),
            facets=facets,
            months=counting.months(),
            counted_at=made.at,
            current=True,
        )

    def _columns(self, session: Session, change: int) -> _Made:
        made = self._made
        if made is not None and made.change >= change:
            return made
        if made is not None and made.seconds > AT_ONCE_SECONDS:
            self._begin()
            return made
        with self._making:
            made = self._made
            if made is None or made.change < change:
                made = self._made = _make(session, change)
        return made

    def _begin(self) -> None:
        with self._kept:
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = Thread(target=self._renew, name="count-facets")
            self._thread.start()

    def _renew(self) -> None:
        try:
            with self._making, self._catalog.reading() as session:
                self._made = _make(session, changes.newest(session).filters_id)
        except DejafakeError as error:
            logger.error("facets cannot be counted: %s", error)


def _make(session: Session, change: int) -> _Made:
    started, at = perf_counter(), utc_now()
    columns = facet_columns.read(session)
    return _Made(columns, change, at, perf_counter() - started)


def _with_names(session: Session, facet: Facet) -> Facet:
    """The facet of campaigns with their names."""
    ids = [value.value for value in facet.values]
    columns = (CampaignRow.id, CampaignRow.given_name, CampaignRow.size, CampaignRow.first_seen)
    rows = session.execute(select(*columns).where(one_of(CampaignRow.id, ids)))
    names = {row.id: shown_name(row.given_name, row.size, row.first_seen) for row in rows}
    return replace(facet, values=tuple(replace(each, name=names.get(each.value)) for each in facet.values))
