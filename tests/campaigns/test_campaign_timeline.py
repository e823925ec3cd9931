from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from indexer.campaigns.reasons import calibrated_reason, origin_reason, reason_words
from indexer.campaigns.report.timeline import timeline
from indexer.catalog.campaigns.names import shown_name
from tests.verdict.test_verdict import CALIBRATION

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


def test_a_name_is_made_of_what_is_known_unless_a_person_gave_one() -> None:
    assert shown_name(None, 12_345, NOON) == "Campaign of 12,345 images, first seen 2026-03-02"
    assert shown_name(None, 3, None) == "Campaign of 3 images"
    assert shown_name("Campaign of 9 images", 3, None) == "Campaign of 9 images"


def test_a_cosine_below_a_bound_is_never_shown_as_at_it() -> None:
    assert reason_words(origin_reason(0.8999, "ab" * 32)) == "same origin, cosine 0.89 (uncalibrated) (to abababababab)"
    assert "cosine 0.93 " in reason_words(origin_reason(0.93, "ab" * 32))


def test_a_report_gives_the_probability_of_the_stored_cosine_and_none_of_a_rounded_one() -> None:
    assert CALIBRATION.same_origin is not None
    measured = replace(CALIBRATION.same_origin, knots=((0.99, 0.5), (1.0, 1.0)), suggested=None, confirmed=None)
    told = calibrated_reason(origin_reason(0.9994, "ab" * 32), measured)
    assert told.probability == measured.probability(0.9994)
    assert told.probability == pytest.approx(0.97, abs=0.001)
    assert reason_words(told) == "same origin 0.99, calibrated 0.97 (to abababababab)"
    rounded = replace(origin_reason(0.99, "ab" * 32), rounded=True)
    assert calibrated_reason(rounded, measured) == rounded
    assert calibrated_reason(told, None) == told
