"""Times as people, cameras and programs write them: understood where they mean one thing, kept as text where not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from indexer.exchange.bundle.layout import Moment
from indexer.imaging.limits import ImageLimits
from indexer.sources import DateOrder, open_source
from indexer.sources.times import AmbiguousTimeError, as_time
from search_api.bodies.fields import Utc

MARCH = datetime(2026, 3, 2, tzinfo=UTC)
HALF_PAST_NINE = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026:03:02 09:30:00", HALF_PAST_NINE),
        ("2026:03:02 10:30:00+01:00", HALF_PAST_NINE),
        ("2026-03-01T24:00:00", MARCH),
        ("2026-03-02 09:30 UTC", HALF_PAST_NINE),
        ("2026-03-02T10:30:00 +0100", HALF_PAST_NINE),
        ("2026/3/2 9:30", HALF_PAST_NINE),
        ("2026年3月2日", MARCH),
        ("Mon, 2 Mar 2026 10:30:00 +0100", HALF_PAST_NINE),
        ("Mon Mar 02 09:30:00 +0000 2026", HALF_PAST_NINE),
        ("Mon Mar 02 2026 10:30:00 GMT+0100 (Central European Standard Time)", HALF_PAST_NINE),
        ("2nd of March 2026", MARCH),
        ("March 2, 2026 at 9:30 AM", HALF_PAST_NINE),
        ("02-Mar-2026", MARCH),
        ("3/3/2026", MARCH + timedelta(days=1)),
        ("13/2/2026", datetime(2026, 2, 13, tzinfo=UTC)),
        ("2/13/2026", datetime(2026, 2, 13, tzinfo=UTC)),
        ("1772443800", HALF_PAST_NINE),
        ("1772443800000", HALF_PAST_NINE),
        ("1772443800000000", HALF_PAST_NINE),
        ("1772443800000000000", HALF_PAST_NINE),
        ("1772443800.25", HALF_PAST_NINE + timedelta(milliseconds=250)),
        ("20260302", MARCH),
        ("20260302093000", HALF_PAST_NINE),
        ("46083", MARCH),
        ("46083.3958333333", HALF_PAST_NINE),
    ],
)
def test_spellings_that_mean_one_time_are_understood(text: str, moment: datetime) -> None:
    assert as_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "2015:08:22 24:08:19",
        "2026-02-30",
        "202603020930",
        "2026",
        "12",
        "-1772443800",
        "99999999999999999999",
        "0001-01-01T00:00:00+10:00",
        "2026-03-02T09:30+25:00",
        "13:00 PM 2 March 2026",
        "2 Brumaire 2026",
        "yesterday",
        "9" * 70_000,
    ],
)
def test_what_means_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time that can be read"):
        as_time(text)


@pytest.mark.parametrize("text", ["02/03/2026", "2.3.2026 09:30", "02/03/26", "31-12-26"])
def test_day_and_month_are_not_guessed(text: str) -> None:
    with pytest.raises(AmbiguousTimeError):
        as_time(text)


def test_the_order_of_day_and_month_can_be_said() -> None:
    assert as_time("02/03/2026", DateOrder.DAY_FIRST) == MARCH
    assert as_time("03/02/26 9:30", DateOrder.MONTH_FIRST) == HALF_PAST_NINE
    assert as_time("13/02/2026", DateOrder.MONTH_FIRST) == datetime(2026, 2, 13, tzinfo=UTC)


def dated(folder: Path, *dates: str) -> Path:
    path = folder / "m.csv"
    path.write_text("path,posted_at\n" + "".join(f"a.png,{date}\n" for date in dates), encoding="utf-8")
    return path


def test_a_time_that_cannot_be_read_stays_as_text_and_costs_no_picture(
    plant: Callable[..., Path], limits: ImageLimits
) -> None:
    found = list(open_source(dated(plant("a.png"), "0000:00:00 00:00:00", "02/03/2026", "2026-03-02"), limits))
    assert [item.fields for item in found] == [
        {"posted_at": "0000:00:00 00:00:00"},
        {"posted_at": "02/03/2026"},
        {},
    ]
    assert [[remark.kind for remark in item.remarks] for item in found] == [["time_not_read"], ["time_ambiguous"], []]
    assert [item.sighting and item.sighting.posted_at for item in found] == [None, None, MARCH]


def test_one_date_shows_how_the_whole_column_is_written(plant: Callable[..., Path], limits: ImageLimits) -> None:
    first, _ = open_source(dated(plant("a.png"), "02/03/2026", "31/12/2025"), limits)
    assert first.sighting is not None
    assert first.sighting.posted_at == MARCH
    contradicted, *_ = open_source(dated(plant("a.png"), "02/03/2026", "31/12/2025", "12/31/2025"), limits)
    assert contradicted.sighting is None
    said, *_ = open_source(dated(plant("a.png"), "03/02/2026"), limits, dates=DateOrder.MONTH_FIRST)
    assert said.sighting is not None
    assert said.sighting.posted_at == MARCH


def test_unlikely_years_and_counts_of_days_are_kept_and_remarked_upon(
    plant: Callable[..., Path], limits: ImageLimits
) -> None:
    found = list(open_source(dated(plant("a.png"), "1969-12-31", "9999-01-01", "46083", "2026-03-02"), limits))
    assert all(item.sighting and item.sighting.posted_at for item in found)
    kinds = [[remark.kind for remark in item.remarks] for item in found]
    assert kinds == [["time_unlikely"], ["time_unlikely"], ["time_from_days"], []]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "+01:00"])
def test_times_of_every_unit_and_zone_in_parquet_are_read(
    unit: str, zone: str | None, plant: Callable[..., Path], limits: ImageLimits
) -> None:
    path = plant("a.png") / "m.parquet"
    counts = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    stamps = pa.array([1_772_443_800 * counts[unit] + (unit == "ns"), None], pa.int64()).cast(pa.timestamp(unit, zone))
    pq.write_table(pa.table({"path": ["a.png"] * 2, "date": stamps}), path)
    dated_row, without = open_source(path, limits)
    assert dated_row.sighting is not None
    assert dated_row.sighting.posted_at == HALF_PAST_NINE
    assert without.sighting is None


def test_a_time_in_parquet_that_python_cannot_hold_costs_no_row(
    plant: Callable[..., Path], limits: ImageLimits
) -> None:
    path = plant("a.png") / "m.parquet"
    stamps = pa.array([2**60, 1_772_443_800_000], pa.int64()).cast(pa.timestamp("ms"))
    pq.write_table(pa.table({"path": ["a.png"] * 2, "date": stamps}), path)
    far, near = open_source(path, limits)
    assert far.fields == {"date": f"{2**60} ms since 1970"}
    assert near.sighting is not None
    assert near.sighting.posted_at == HALF_PAST_NINE


def test_numbers_in_json_and_parquet_are_unix_times(plant: Callable[..., Path], limits: ImageLimits) -> None:
    folder = plant("a.png")
    (folder / "m.jsonl").write_text('{"path": "a.png", "date": 1772443800}\n', encoding="utf-8")
    pq.write_table(pa.table({"path": ["a.png"], "date": [1772443800000.0]}), folder / "m.parquet")
    for name in ("m.jsonl", "m.parquet"):
        (item,) = open_source(folder / name, limits)
        assert item.sighting is not None
        assert item.sighting.posted_at == HALF_PAST_NINE


@pytest.mark.parametrize("value", [46102, 1772443800, 1772443800.5, "1772443800", " 46102 ", "-1"])
def test_where_times_are_typed_by_programs_a_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="is a number"):
        TypeAdapter(Utc).validate_python(value)
    with pytest.raises(ValidationError, match="is a number"):
        TypeAdapter(Moment).validate_python(value)
    assert TypeAdapter(Utc).validate_python("2026-03-02T10:30:00+01:00") == HALF_PAST_NINE
    assert TypeAdapter(Moment).validate_python("2026-03-02T10:30:00+01:00") == HALF_PAST_NINE
