"""A bar chart of sightings over time. Geometry only; the template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

_BINS = 48
_LENGTHS = (
    (1, "day"),
    (2, "two days"),
    (7, "week"),
    (14, "two weeks"),
    (30, "30 days"),
    (91, "quarter"),
    (365, "year"),
    (3_650, "decade"),
    (36_500, "century"),
)
_WIDTH, _HEIGHT, _LEFT, _TOP, _BASE = 960.0, 170.0, 34.0, 14.0, 138.0
_TICKS = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """`count` sightings in the period that begins on `day`; x, y, width and height in SVG units."""

    day: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A date under the axis."""

    text: str
    x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A drawing of `width` by `height`; a bar covers one `unit` of time and the axis is at `base`. `growth` is a line
    of the cumulative share of sightings at the end of each bar.
    """

    width: float
    height: float
    left: float
    top: float
    base: float
    unit: str
    highest: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    growth: tuple[tuple[float, float], ...]


def timeline(posted: Sequence[datetime]) -> Timeline | None:
    """The timeline for these times (UTC, any order, any years); None when there are none."""
    if not posted:
        return None
    days = sorted(time.astimezone(UTC).date().toordinal() for time in posted)
    span = days[-1] - days[0] + 1
    length, unit = next(choice for choice in _LENGTHS if span <= choice[0] * _BINS or choice is _LENGTHS[-1])
    bins = max(-(-span // length), 12)
    counts = [0] * bins
    for day in days:
        counts[(day - days[0]) // length] += 1
    step = (_WIDTH - _LEFT) / bins
    highest = max(counts)
    bars = tuple(
        Bar(
            day=_date(days[0], position * length),
            count=count,
            x=round(_LEFT + position * step + step * 0.08, 2),
            y=round(_BASE - (_BASE - _TOP) * count / highest, 2),
            width=round(step * 0.84, 2),
            height=round((_BASE - _TOP) * count / highest, 2),
        )
        for position, count in enumerate(counts)
        if count
    )
    every = -(-bins // _TICKS)
    ticks = tuple(
        Tick(
            _date(days[0], position * length),
            round(_LEFT + position * step, 2),
            "end" if position > 0.95 * bins else "start",
        )
        for position in range(0, bins, every)
    )
    growth = tuple(
        (round(_LEFT + (position + 1) * step, 2), round(_BASE - (_BASE - _TOP) * so_far / len(days), 2))
        for position, so_far in enumerate(accumulate(counts))
    )
    return Timeline(_WIDTH, _HEIGHT, _LEFT, _TOP, _BASE, unit, highest, bars, ticks, ((_LEFT, _BASE), *growth))


def _date(first: int, days: int) -> str:
    try:
        return (datetime.fromordinal(first) + timedelta(days=days)).strftime("%Y-%m-%d")
    except OverflowError:
        return ""
