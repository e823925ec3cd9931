"""Calibrations are counted up, never overwritten, retired on request, and checked when read; on both databases."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from indexer.calibration import (
    AbstainZone,
    Bin,
    Calibration,
    Estimate,
    Method,
    OriginBand,
    OriginMap,
    Quality,
    ScoreCheck,
    ScoreHead,
    ScoreMap,
)
from indexer.catalog import Catalog
from indexer.catalog.detections import calibrations
from indexer.errors import CatalogError, ConflictError, NotFoundError

ONE, OTHER = "1" * 64, "2" * 64
SURE = Estimate(0.1, 0.05, 0.2)
QUALITY = Quality(SURE, SURE, SURE)
CALIBRATION = Calibration(
    detector="d",
    fingerprint=ONE,
    data_set="collection desk-2026",
    authentic=400,
    fake=300,
    groups=None,
    requested_method="auto",
    head=ScoreHead("sigmoid", 0),
    scores=ScoreMap(Method.PLATT, 0.7, -0.2),
    check=ScoreCheck(5, QUALITY, QUALITY, (), (Bin(10, 0.2, SURE),)),
    zone=AbstainZone(0.05, 0.05, 1.5, -1.0, Estimate(0.03, 0.01, 0.05), None, 400.0, 300.0),
    same_origin=OriginMap(
        kind="generator",
        knots=((0.2, 0.1), (0.8, 0.9)),
        base_rate=0.4,
        neighbours=10,
        pictures=700,
        origins=12,
        pairs=7_000,
        check=QUALITY,
        stated_suggested=0.8,
        stated_confirmed=0.95,
        suggested=OriginBand(0.8, 0.6, Estimate(0.85, 0.81, 0.9), 3_000),
        confirmed=None,
    ),
    origin_missing=None,
    seed=0,
    made_with="0.1.0",
    measured_at=datetime(2026, 5, 1, tzinfo=UTC),
)


def add(catalog: Catalog, fingerprint: str = ONE) -> int:
    with catalog.writing() as session:
        return calibrations.add(session, replace(CALIBRATION, fingerprint=fingerprint)).version


def active(catalog: Catalog) -> int | None:
    with catalog.reading() as session:
        return calibrations.active_version(session, ONE)


def edit(catalog: Catalog, **changed: object) -> None:
    """What somebody with an SQL client may do."""
    with catalog.writing() as session:
        record = json.loads(session.execute(text("SELECT record FROM calibration")).scalar_one())
        session.execute(text("UPDATE calibration SET record = :r"), {"r": json.dumps(record | changed)})


def test_a_calibration_is_read_back_as_it_was_stored(catalog: Catalog) -> None:
    add(catalog)
    with catalog.reading() as session:
        assert calibrations.get(session, ONE, 1).calibration == CALIBRATION


def test_versions_count_up_for_each_detector_and_the_newest_is_active(catalog: Catalog) -> None:
    assert active(catalog) is None
    assert [add(catalog), add(catalog, OTHER), add(catalog)] == [1, 1, 2]
    assert active(catalog) == 2


def test_retiring_makes_the_one_before_active_and_its_version_is_never_used_again(catalog: Catalog) -> None:
    add(catalog), add(catalog)
    with catalog.writing() as session:
        retired = calibrations.retire(session, ONE, 2)
    assert active(catalog) == 1
    assert add(catalog) == 3
    with catalog.reading() as session:
        assert [(one.version, one.retired_at) for one in calibrations.list(session, ONE)] == [
            (3, None),
            (2, retired),
            (1, None),
        ]


def test_what_cannot_be_retired_is_said(catalog: Catalog) -> None:
    add(catalog)
    with catalog.writing() as session:
        calibrations.retire(session, ONE, 1)
        with pytest.raises(ConflictError, match="retired on"):
            calibrations.retire(session, ONE, 1)
        with pytest.raises(NotFoundError, match="calibrate list"):
            calibrations.retire(session, ONE, 7)
        with pytest.raises(NotFoundError, match="calibrate list"):
            calibrations.get(session, OTHER, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"fingerprint": OTHER},
        {"authentic": 0},
        {"data_set": "\x1b[2Jcleared"},
        {"data_set": "x" * 10_000},
        {"measured_at": "2026-05-01T00:00:00"},
        {"scores": {"method": "platt", "slope": -1.0, "intercept": 0.0}},
        {"scores": {"method": "platt", "slope": "NaN", "intercept": 0.0}},
        {"scores": {"method": "isotonic", "slope": None, "intercept": None, "knots": [[0.0, 0.9], [1.0, 0.1]]}},
        {"scores": {"method": "isotonic", "slope": None, "intercept": None, "knots": []}},
        {"zone": None},
        {"head": {"kind": "softmax", "fake_index": -1}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_row_somebody_edited_is_refused_in_one_line_and_can_be_retired(
    catalog: Catalog, changed: dict[str, object]
) -> None:
    add(catalog)
    edit(catalog, **changed)
    with catalog.reading() as session, pytest.raises(CatalogError, match="calibrate retire 1") as refusal:
        calibrations.get(session, ONE, 1)
    assert str(refusal.value).isprintable()
    with catalog.writing() as session:
        calibrations.retire(session, ONE, 1)
    assert active(catalog) is None


def test_a_row_that_is_no_json_is_refused(catalog: Catalog) -> None:
    add(catalog)
    with catalog.writing() as session:
        session.execute(text("UPDATE calibration SET record = '{\"detector\": '"))
    with catalog.reading() as session, pytest.raises(CatalogError, match="damaged"):
        calibrations.list(session, ONE)
