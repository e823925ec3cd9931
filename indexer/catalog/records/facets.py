"""Records of facet counts: frozen dataclasses, free of SQLAlchemy."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a condition, as the condition takes it, and how many images have it. `name`: to show instead."""

    value: str
    images: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of the condition `field`, and how many different ones there are (`distinct`). Counted
    are the images that meet all other conditions."""

    field: str
    values: tuple[FacetValue, ...]
    distinct: int


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many images have a sighting posted in a month (2026-03, UTC)."""

    month: str
    images: int


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """How many images meet the conditions (`images`), and the facets. `months` holds every month with sightings, and is
    counted without the conditions on dates. `counted_at`: as of when; `current`: nothing that matters has changed
    since. Otherwise a new count is being made in the background."""

    images: int
    facets: tuple[Facet, ...]
    months: tuple[MonthCount, ...]
    counted_at: datetime
    current: bool
