"""When and where the images of a campaign were seen: first, last, growth, and the order of platforms."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from indexer.sightings import Sighting


@dataclass(frozen=True, slots=True)
class GrowthStep:
    """A day (UTC) with sightings, and the cumulative numbers of sightings and different images at its end."""

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

    `busiest_day` is the (first) day with the most sightings, `half_by` the time by which half of them had been made.
    `platforms` are in order of first sighting; `growth` has a step for each day with sightings.
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
    """The course of a campaign from the sightings of each image."""
    dated = sorted(
        (sighting.posted_at.astimezone(UTC), image, sighting.platform or "")
        for image, of_image in enumerate(sightings)
        for sighting in of_image
        if sighting.posted_at is not None
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
    image_ids: set[int] = set()
    for count, (at, image, _) in enumerate(dated, 1):
        image_ids.add(image)
        steps[at.date()] = GrowthStep(at.date(), count, len(image_ids))
    return list(steps.values())
