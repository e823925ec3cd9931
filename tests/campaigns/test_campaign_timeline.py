from datetime import UTC, datetime, timedelta

import pytest

from indexer.campaigns.timeline import timeline
from indexer.campaigns.wording import automatic_name, is_automatic, same_origin_reason

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_no_times_make_no_timeline() -> None:
    assert timeline(()) is None


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        ([NOON], "day"),
        ([NOON, NOON + timedelta(days=40)], "day"),
        ([NOON, NOON + timedelta(days=200)], "week"),
        ([NOON, NOON + timedelta(days=3_000)], "quarter"),
        ([datetime(1, 1, 1, tzinfo=UTC), NOON, datetime(9999, 12, 31, tzinfo=UTC)], "century"),
    ],
)
def test_every_sighting_is_in_one_bar_and_every_bar_inside_the_drawing(times: list[datetime], unit: str) -> None:
    drawn = timeline(times)
    assert drawn is not None
    assert drawn.unit == unit
    assert sum(bar.count for bar in drawn.bars) == len(times)
    for bar in drawn.bars:
        assert drawn.left <= bar.x
        assert bar.x + bar.width <= drawn.width
        assert drawn.top <= bar.y
        assert bar.y + bar.height == pytest.approx(drawn.base, abs=0.02)
    assert max(bar.height for bar in drawn.bars) == pytest.approx(drawn.base - drawn.top)
    assert all(drawn.left <= tick.x <= drawn.width for tick in drawn.ticks)


def test_bars_stand_on_their_days_in_utc() -> None:
    early = datetime.fromisoformat("2026-03-02T01:00:00+05:00")
    drawn = timeline([NOON, NOON, early])
    assert drawn is not None
    assert [(bar.day, bar.count) for bar in drawn.bars] == [("2026-03-01", 1), ("2026-03-02", 2)]


def test_automatic_names_are_known_as_such_and_given_ones_are_not() -> None:
    for name in (automatic_name(3, None), automatic_name(12_345, NOON)):
        assert is_automatic(name)
    assert automatic_name(12_345, NOON) == "Campaign of 12,345 images, first seen 2026-03-02"
    for given in ("Teapot", "Campaign of 3 images, first seen in Spain", ""):
        assert not is_automatic(given)


def test_a_cosine_below_a_bound_is_never_shown_as_at_it() -> None:
    assert same_origin_reason(0.8999, "ab" * 32) == "same origin, cosine 0.89 (uncalibrated) (to abababababab)"
    assert "cosine 0.93 " in same_origin_reason(0.93, "ab" * 32)
