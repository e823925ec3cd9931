"""Columns of many images come as arrays, the same on each kind of database."""

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.catalog.images import columns, images, labels, provenance, sightings
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.sightings import NewSighting
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, ProvenanceKind, Technique
from tests.catalog.catalogue_rows import add_image, day, digest

FAKES = ImageFilter(label=LabelValue.FAKE)


def finding(model_hash: str | None, seed: str) -> ProvenanceFinding:
    return ProvenanceFinding(
        ProvenanceKind.GENERATION,
        EvidenceKind.SELF_DECLARED,
        "made by a generator",
        Technique.TEXT_TO_IMAGE,
        "a generator",
        model_hash,
        None,
        {"generation": {"seed": seed}},
    )


def test_images_that_meet_a_filter_come_by_digest_however_many_are_read_at_once(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "AT_ONCE", 2)
    with catalog.writing() as session:
        ids = {digest(number): add_image(session, number) for number in range(6)}
        for image_id in list(ids.values())[:5]:
            labels.state(session, image_id, [NewLabel(LabelValue.FAKE, LabelSource.HUMAN, "desk")])
    with catalog.reading() as session:
        parts = list(columns.image_columns(session, FAKES))
        known = images.details(session, list(ids.values()))
    table = columns.joined(parts)
    assert [len(part.ids) for part in parts] == [2, 2, 1]
    assert [one.decode() for one in table.sha256] == sorted(list(ids)[:5])
    for place, image_id in enumerate(table.ids.tolist()):
        image = known[image_id].image
        assert table.sha256[place].decode() == image.sha256
        assert table.pdq[place].tobytes().hex() == image.pdq
        assert (table.pdq_quality[place], table.pixels[place]) == (image.pdq_quality, image.width * image.height)
    assert len(columns.joined([]).ids) == 0
    assert columns.joined([]).pdq.dtype == np.uint8


def test_first_dates_and_named_models_are_those_of_images_that_meet_the_filter(catalog: Catalog) -> None:
    with catalog.writing() as session:
        one, other, undated = (add_image(session, number) for number in range(3))
        for image_id in (one, undated):
            labels.state(session, image_id, [NewLabel(LabelValue.FAKE, LabelSource.HUMAN, "desk")])
        for image_id in (one, other):
            urls = [("https://a.example/1", day(5)), ("https://a.example/2", day(2))]
            sightings.add(session, image_id, [NewSighting(url=url, posted_at=posted) for url, posted in urls])
            provenance.record(session, image_id, [finding(None, "1"), finding("abcdef", "2")])
        sightings.add(session, undated, [NewSighting(url="https://a.example/3")])
    with catalog.reading() as session:
        assert list(columns.first_posted(session, FAKES)) == [(one, day(2))]
        assert list(columns.named_models(session, FAKES)) == [(one, "abcdef", {"generation": {"seed": "2"}})]
