"""Every field of a sighting has all its parts: a column, a manifest's column, request fields, bundles, reports."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from indexer.campaigns.report.table import COLUMNS
from indexer.catalog.tables.sightings import SightingRow
from indexer.exchange.bundle.layout import BundledSighting
from indexer.sightings import SIGHTING_FIELDS, NewSighting, Sighting, SightingKind, addresses_of
from indexer.sources.columns import KNOWN_COLUMNS
from search_api.bodies.images import IngestFields, SightingReport

OF_EACH_KIND: dict[SightingKind, Any] = {
    SightingKind.ADDRESS: "https://a.example/1",
    SightingKind.TIME: datetime(2026, 3, 1, tzinfo=UTC),
}


def a_value(name: str) -> Any:
    return OF_EACH_KIND.get(SIGHTING_FIELDS[name].kind, "words")


@pytest.mark.parametrize("name", SIGHTING_FIELDS)
def test_a_field_is_stored_read_sent_bundled_and_reported(name: str) -> None:
    assert name in SightingRow.__table__.columns, "give the table a column, and write a migration"
    assert KNOWN_COLUMNS[name][0] == name
    assert name in COLUMNS
    assert SIGHTING_FIELDS[name].help.endswith("."), "a sentence"
    for body in (IngestFields, SightingReport):
        assert body.model_fields[name].description == SIGHTING_FIELDS[name].help
    nothing = dict.fromkeys(SIGHTING_FIELDS)
    bundled = BundledSighting.model_validate({**nothing, name: a_value(name)})
    assert NewSighting(**bundled.model_dump()) == NewSighting(**{name: a_value(name)})
    assert SightingReport.model_validate({name: a_value(name)}).record() == NewSighting(**{name: a_value(name)})


def test_what_is_stored_of_a_sighting_is_what_was_told_and_when() -> None:
    assert [field.name for field in fields(Sighting)] == [*SIGHTING_FIELDS, "recorded_at"]
    own = {"id", "image_id", "digest", "posted_month", "recorded_at"}
    assert set(SightingRow.__table__.columns.keys()) == {*SIGHTING_FIELDS, *own}
    assert set(BundledSighting.model_fields) == set(SightingReport.model_fields) == set(SIGHTING_FIELDS)


def test_the_addresses_of_a_sighting_are_the_place_and_its_archived_copy() -> None:
    assert addresses_of(NewSighting(url="a", platform="x", archive_url="b")) == ("a", "b")
    assert addresses_of(NewSighting(platform="x", url="")) == ()
