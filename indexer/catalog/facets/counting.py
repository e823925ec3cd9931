"""Counts facets over the catalogue's columns: each condition is a mask over the images, each facet one count of codes.

Conditions that have no column here (`model_hash`, `digital_source_type`, `declared_technique`) are asked in SQL, and so
are the first and last month of a range of dates that begins or ends within one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from indexer.catalog.facets.columns import NONE, FacetColumns, Ids, Stated, distinct_pairs
from indexer.catalog.images import images
from indexer.catalog.images.filters import stored
from indexer.catalog.records.facets import Facet, FacetValue, MonthCount
from indexer.catalog.records.filters import Given, ImageFilter, given_fields
from indexer.catalog.tables.sightings import SightingRow
from indexer.catalog.tables.types import month_of

Mask = npt.NDArray[np.bool_]
FACETS: Final = (
    "label",
    "disputed",
    "membership",
    "technique",
    "generator",
    "platform",
    "account",
    "collections",
    "campaign",
    "made_with",
    "c2pa_state",
    "label_source",
)
"""The conditions that are facets, in order."""
_DATES: Final = frozenset({"posted_from", "posted_to"})
_OF_SIGHTINGS: Final = frozenset({"platform", "account"}) | _DATES


class Counting:
    """The masks of one filter over the columns, and what is counted with them.

    Args:
        session: sees the catalogue that the columns are of, or a later one.
    """

    def __init__(self, session: Session, columns: FacetColumns, image_filter: ImageFilter) -> None:
        self._session = session
        self._columns = columns
        self._given = {given.name: given for given in given_fields(image_filter)}
        self._seen = {name: self._sighted(given) for name, given in self._given.items() if name in _OF_SIGHTINGS}
        self._masks = {name: self._mask(given) for name, given in self._given.items() if name not in _OF_SIGHTINGS}
        if image_filter.least_content is not None:
            self._masks["least_content"] = self._asked(replace(ImageFilter(), least_content=image_filter.least_content))

    def matching(self, but: frozenset[str] = frozenset()) -> Mask:
        """[N], true at the images that meet all conditions but these; a sighting must meet those on sightings."""
        met = np.ones(len(self._columns.ids), np.bool_)
        for name, mask in self._masks.items():
            if name not in but:
                met &= mask
        sighted = self._sightings(but)
        if sighted is not None:
            seen = np.zeros(len(met), np.bool_)
            seen[self._columns.sightings.images[sighted]] = True
            met &= seen
        return met

    def facets(self, most: int) -> Iterator[Facet]:
        """All facets with at most so many values each, and the chosen one."""
        for name in FACETS:
            counts, names, shown = self._counts(name)
            yield _facet(name, counts, names, shown, self._chosen(name), most)

    def months(self) -> tuple[MonthCount, ...]:
        """Images by month of sighting, without the conditions on dates."""
        months = self._columns.sightings.months
        counts = self._seen_with(months, _DATES)
        return tuple(MonthCount(months.names[at], int(counts[at])) for at in np.flatnonzero(counts).tolist())

    def most_sighted(self, most: int, after: tuple[int, int] | None) -> list[tuple[int, int]]:
        """How often the images that match were sighted, and their internal ids: the most sighted, and of these the
        newest, first; after that place."""
        ids, sighted = self._columns.ids, self._columns.sightings.per_image
        at = np.flatnonzero(self.matching())
        if after is not None:
            at = at[(sighted[at] < after[0]) | ((sighted[at] == after[0]) & (ids[at] < after[1]))]
        keys = sighted[at].astype(np.int64) * len(ids) + at  # positions rise with ids
        if len(keys) > most:
            at = at[np.argpartition(keys, -most)[-most:]]
        order = np.lexsort((-ids[at], -sighted[at]))
        return list(zip(sighted[at[order]].tolist(), ids[at[order]].tolist(), strict=True))

    def _counts(self, name: str) -> tuple[npt.NDArray[np.int64], Sequence[str], dict[str, str]]:
        """How many images have each value, the values, and other words for them."""
        sightings = self._columns.sightings
        if name == "platform":
            return self._seen_with(sightings.platforms, frozenset({name})), sightings.platforms.names, {}
        if name == "account":
            return self._seen_with(sightings.accounts, frozenset({name})), sightings.accounts.names, {}
        values = self._columns.values[name]
        met = self.matching(frozenset({name}))
        counts = np.bincount(values.codes[met[values.images]], minlength=len(values.names))
        return counts, values.names, dict(values.shown)

    def _seen_with(self, stated: Stated, but: frozenset[str]) -> npt.NDArray[np.int64]:
        """How many images have a sighting with each value: each counts once."""
        met = self.matching(but | _OF_SIGHTINGS)  # the sighting that has the value must meet the other conditions
        sighted = self._sightings(but)
        if sighted is None:
            codes = stated.pairs.codes[met[stated.pairs.images]]
        else:
            images = self._columns.sightings.images
            rows = sighted & met[images] & (stated.codes != NONE)
            codes = distinct_pairs(stated.codes[rows], images[rows], len(met))[0]
        return np.bincount(codes, minlength=len(stated.names))

    def _sightings(self, but: frozenset[str]) -> Mask | None:
        """[S], true at the sightings that meet all conditions on them but these; None without conditions."""
        masks = [mask for name, mask in self._seen.items() if name not in but]
        return np.logical_and.reduce(masks) if masks else None

    def _sighted(self, given: Given) -> Mask:
        sightings, value = self._columns.sightings, stored(given)
        if given.name == "platform":
            return sightings.platforms.is_value(value)
        if given.name == "account":
            return sightings.accounts.is_value(value)
        months, lower = sightings.months, given.name == "posted_from"
        month = month_of(value)
        code = month - sightings.first_month
        met: Mask = (months.codes > code) if lower else (months.codes < code) & (months.codes != NONE)
        if lower:
            met &= months.codes != NONE
        within = months.codes == code if code >= 0 else np.zeros(len(met), np.bool_)
        if lower and _begins_a_month(value):
            return met | within
        if not lower and _begins_a_month(value):
            return met
        met[np.searchsorted(sightings.ids, self._within(month, value, lower))] = True
        return met

    def _within(self, month: int, value: datetime, lower: bool) -> Ids:
        """The sightings of a month before or after a time."""
        side = SightingRow.posted_at >= value if lower else SightingRow.posted_at < value
        listed = select(func.aggregate_strings(cast(SightingRow.id, String), ","))
        text = self._session.execute(listed.where(SightingRow.posted_month == month, side)).scalar_one()
        ids = np.fromstring(text or "", dtype=np.int64, sep=",")
        return ids[np.isin(ids, self._columns.sightings.ids)]

    def _mask(self, given: Given) -> Mask:
        values = self._columns.values.get(given.name)
        if values is None:
            return self._asked(replace(ImageFilter(), **{given.name: given.value}))
        wanted = stored(given)
        listed = {_written(each) for each in (wanted if isinstance(wanted, list) else [wanted])}
        codes = [code for code, name in enumerate(values.names) if name in listed]
        mask = np.zeros(len(self._columns.ids), np.bool_)
        mask[values.images[np.isin(values.codes, codes)]] = True
        return mask

    def _asked(self, image_filter: ImageFilter) -> Mask:
        return self._columns.mask(images.matching_ids(self._session, image_filter))

    def _chosen(self, name: str) -> frozenset[str]:
        if name not in self._given:
            return frozenset()
        value = stored(self._given[name])
        return frozenset(_written(each) for each in (value if isinstance(value, list) else [value]))


def _facet(
    name: str,
    counts: npt.NDArray[np.int64],
    names: Sequence[str],
    shown: dict[str, str],
    chosen: frozenset[str],
    most: int,
) -> Facet:
    present = np.flatnonzero(counts)
    frequent = present
    if len(present) > most:
        least = np.partition(counts[present], -most)[-most]
        frequent = present[counts[present] >= least]
    listed = sorted((-int(counts[at]), names[at]) for at in frequent.tolist())[:most]
    known = {value for _, value in listed}
    others = dict.fromkeys(sorted(chosen - known), 0)
    others |= {names[at]: int(counts[at]) for at in present.tolist() if names[at] in others} if others else {}
    values = [*((value, -count) for count, value in listed), *others.items()]
    return Facet(name, tuple(FacetValue(value, count, shown.get(value)) for value, count in values), len(present))


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _begins_a_month(value: datetime) -> bool:
    return value == value.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
