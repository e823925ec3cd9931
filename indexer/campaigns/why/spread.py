"""When and where the images of a campaign were seen: first, last, how it grew, how it went from place to place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from indexer.catalog.records import Sighting


@dataclass(frozen=True, slots=True)
class GrowthStep:
    """A day (UTC) with sightings, and how many sightings and different images there were up to its end."""

    day: date
    sightings: int
    images: int


@dataclass(frozen=True, slots=True)
class FirstOn:
    """The first dated sighting on a platform."""

    platform: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Spread:
    """The course of a campaign by its dated sightings, UTC; times are None when none is dated.

    `busiest_day` has the most sightings (the first of such days), `half_by` is when half of them had been made.
    `platforms` are in the order in which each was first seen; `growth` has a step a day with sightings.
    """

    sightings: int
    undated: int
    first_seen: datetime | None
    last_seen: datetime | None
    busiest_day: date | None
    on_busiest_day: int
    half_by: datetime | None
    platforms: tuple[FirstOn, ...]
    growth: tuple[GrowthStep, ...]


def spread_of(sightings: Sequence[Sequence[Sighting]]) -> Spread:
    """The course of images, each with its sightings."""
    dated = sorted(
        (seen.posted_at.astimezone(UTC), image, seen.platform or "")
        for image, of_image in enumerate(sightings)
        for seen in of_image
        if seen.posted_at is not None
    )
    total = sum(len(of_image) for of_image in sightings)
    if not dated:
        return Spread(total, total, None, None, None, 0, None, (), ())
    days = Counter(at.date() for at, _, _ in dated)
    busiest = min(days, key=lambda day: (-days[day], day))
    first_on: dict[str, datetime] = {}
    for at, _, platform in dated:
        if platform:
            first_on.setdefault(platform, at)
    return Spread(
        sightings=total,
        undated=total - len(dated),
        first_seen=dated[0][0],
        last_seen=dated[-1][0],
        busiest_day=busiest,
        on_busiest_day=days[busiest],
        half_by=dated[(len(dated) - 1) // 2][0],
        platforms=tuple(FirstOn(platform, at) for platform, at in first_on.items()),
        growth=tuple(_growth(dated)),
    )


def _growth(dated: Sequence[tuple[datetime, int, str]]) -> list[GrowthStep]:
    steps: dict[date, GrowthStep] = {}
    known: set[int] = set()
    for count, (at, image, _) in enumerate(dated, 1):
        known.add(image)
        steps[at.date()] = GrowthStep(at.date(), count, len(known))
    return list(steps.values())
