"""Facet counts say what the catalogue's own queries say, for every condition, and follow its changes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.facets import facets as facets_module
from indexer.catalog.facets.counting import FACETS
from indexer.catalog.facets.facets import Facets
from indexer.catalog.images import collections, images, labels, provenance, sightings
from indexer.catalog.records.facets import Facet
from indexer.catalog.records.filters import REPEATED, ImageFilter
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.catalog.tables.campaigns import CampaignMemberRow, CampaignRow
from indexer.errors import UsageError
from indexer.sightings import NewSighting
from indexer.vocabulary import CredentialState, EvidenceKind, LabelValue, MemberState, ProvenanceKind, Technique
from tests.catalog.catalogue_rows import AUTHENTIC, FAKE, add_image, day, digest, said

IMAGES = 60
MOST = 100


def fill(session: Session) -> None:
    """Images that differ in everything a facet counts."""
    rng = np.random.default_rng(5)
    for number in (1, 2):
        session.execute(
            insert(CampaignRow).values(
                id=f"cmp_{number}", size=2, cohesion=1, platforms=[], created_at=day(1), updated_at=day(1)
            )
        )
    for name in ("desk", "archive"):
        collections.ensure(session, name)
    for number in range(1, IMAGES + 1):
        image_id = add_image(session, number)
        technique = Technique(str(rng.choice([Technique.SPLICE, Technique.FACE_SWAP])))
        label = LabelValue(str(rng.choice([FAKE, AUTHENTIC])))
        stated = [said(label, source=str(rng.choice(["ana", "bo"])), technique=technique, generator="roop")]
        if rng.random() < 0.2:
            stated += [said(FAKE, source="x"), said(AUTHENTIC, source="y")]
        if rng.random() < 0.9:
            labels.state(session, image_id, stated)
        sightings.add(session, image_id, list(seen(rng, number)))
        for name in ("desk", "archive"):
            if rng.random() < 0.4:
                collections.add_images(session, name, [image_id])
        provenance.record(session, image_id, list(findings(rng)))
        if rng.random() < 0.6:
            member = {"image_id": image_id, "rank": number, "strength": 1.0, "exemplar": False}
            state = str(rng.choice(list(MemberState)))
            session.execute(
                insert(CampaignMemberRow).values(campaign_id=f"cmp_{rng.integers(1, 3)}", state=state, **member)
            )


def seen(rng: np.random.Generator, number: int) -> Iterator[NewSighting]:
    for place in range(int(rng.integers(0, 4))):
        yield NewSighting(
            url=f"https://example/{number}/{place}",
            platform=str(rng.choice(["x", "vk"])) if rng.random() < 0.8 else None,
            account=str(rng.choice(["@a", "@b", "@c"])) if rng.random() < 0.8 else None,
            posted_at=day(int(rng.integers(1, 20)), int(rng.integers(1, 6))) if rng.random() < 0.8 else None,
        )


def findings(rng: np.random.Generator) -> Iterator[ProvenanceFinding]:
    if rng.random() < 0.5:
        state = str(rng.choice(["trusted", "valid", "a state of the future"]))
        yield ProvenanceFinding(
            ProvenanceKind.CONTENT_CREDENTIALS,
            EvidenceKind.SELF_DECLARED,
            "a manifest",
            made_with="Firefly",
            fields={"credentials": {"validation_state": state}},
        )
    for name in ("FIREFLY", "Ideogram"):
        if rng.random() < 0.4:
            yield ProvenanceFinding(
                ProvenanceKind.SOFTWARE, EvidenceKind.SELF_DECLARED, "software", made_with=name, model_hash="aa"
            )


FILTERS = {
    "nothing": ImageFilter(),
    "label": ImageFilter(label=FAKE),
    "platform": ImageFilter(platform="x"),
    "account and platform": ImageFilter(platform="x", account="@b"),
    "one account in a range": ImageFilter(account="@b", posted_from=day(3, 2), posted_to=day(9, 4)),
    "platform in whole months": ImageFilter(platform="vk", posted_from=day(1, 2), posted_to=day(1, 4)),
    "before all": ImageFilter(posted_to=day(1, 1, 1999)),
    "after all": ImageFilter(posted_from=day(2, 2, 2999)),
    "from within a month": ImageFilter(posted_from=day(10, 5)),
    "collections": ImageFilter(collections=("desk", "none such"), disputed=False),
    "what is not decided": ImageFilter(membership=MemberState.SUGGESTED, disputed=True),
    "of the file": ImageFilter(made_with="firefly", c2pa_state=CredentialState.VALID, model_hash="AA"),
    "who says so": ImageFilter(label_source="ana", campaign="cmp_1"),
    "an unheard-of account": ImageFilter(account="@nobody", label_source="ana"),
}


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    with catalog.writing() as session:
        fill(session)
    return catalog


def as_value(name: str, value: str) -> Any:
    if name == "disputed":
        return value == "true"
    return (value,) if name in REPEATED else value


def check(session: Session, wanted: ImageFilter, facet: Facet) -> None:
    """Each value's count is how many images there are with that value instead of what the filter says of it."""
    for value in facet.values:
        other = replace(wanted, **{facet.field: as_value(facet.field, value.value)})
        assert value.images == len(images.matching_ids(session, other)), (facet.field, value)
    assert list(facet.values) == sorted(facet.values, key=lambda one: (-one.images, one.value)) or not facet.distinct


def test_counts_are_those_of_the_catalogues_own_queries(filled: Catalog) -> None:
    counting = Facets(filled)
    for name, wanted in FILTERS.items():
        answer = counting.counts(wanted, MOST)
        assert tuple(facet.field for facet in answer.facets) == FACETS
        with filled.reading() as session:
            assert answer.images == len(images.matching_ids(session, wanted)), name
            for facet in answer.facets:
                check(session, wanted, facet)
            for month in answer.months:
                start = datetime.fromisoformat(f"{month.month}-01T00:00:00+00:00")
                end = start.replace(month=start.month + 1)
                within = replace(wanted, posted_from=start, posted_to=end)
                assert month.images == len(images.matching_ids(session, within)), (name, month)
    assert all(facet.distinct for facet in counting.counts(ImageFilter(), MOST).facets), "a facet that counts nothing"


def test_pages_of_the_new_conditions_are_what_the_conditions_say(filled: Catalog) -> None:
    with filled.reading() as session:
        for name, wanted in FILTERS.items():
            page = images.page(session, wanted, limit=1000)
            ids = images.find_ids(session, [image.sha256 for image in page.items])
            assert [ids[image.sha256] for image in page.items] == images.matching_ids(session, wanted).tolist()[::-1], (
                name
            )


def test_values_are_the_most_frequent_and_the_chosen_one(filled: Catalog) -> None:
    counting = Facets(filled)
    (accounts,) = [
        facet for facet in counting.counts(ImageFilter(account="@nobody"), 1).facets if facet.field == "account"
    ]
    assert [value.value for value in accounts.values][1:] == ["@nobody"]
    assert (accounts.values[1].images, accounts.distinct) == (0, 3)
    (campaigns,) = [facet for facet in counting.counts(ImageFilter(), 9).facets if facet.field == "campaign"]
    assert {value.name for value in campaigns.values} == {"Campaign of 2 images"}


def test_an_empty_catalogue_has_no_counts(catalog: Catalog) -> None:
    answer = Facets(catalog).counts(ImageFilter(label=FAKE, platform="x", posted_from=day(2)), MOST)
    assert (answer.images, answer.months, {facet.distinct for facet in answer.facets}) == (0, (), {0})


def test_the_most_sighted_come_first_page_by_page(filled: Catalog) -> None:
    counting, cursor, listed = Facets(filled), None, []
    while True:
        page = counting.most_sighted(ImageFilter(label=FAKE), 7, cursor)
        listed += [image.sha256 for image in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    with filled.reading() as session:
        matching = images.matching_ids(session, ImageFilter(label=FAKE)).tolist()
        known = images.details(session, matching)
    expected = sorted(known, key=lambda number: (-len(known[number].sightings), -number))
    assert listed == [known[number].image.sha256 for number in expected]
    with pytest.raises(UsageError, match="cursor"):
        counting.most_sighted(ImageFilter(), 7, "x")


def test_a_change_is_counted_at_once_where_counting_is_quick(filled: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets_module, "AT_ONCE_SECONDS", 1e9)
    counting = Facets(filled)
    before = counting.counts(ImageFilter(), MOST)
    with filled.writing() as session:
        add_image(session, IMAGES + 1)
    after = counting.counts(ImageFilter(), MOST)
    assert (after.images, after.current) == (before.images + 1, True)


def test_where_it_is_slow_the_old_counts_are_marked_and_new_ones_made(
    filled: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets_module, "AT_ONCE_SECONDS", 0.0)
    counting = Facets(filled)
    before = counting.counts(ImageFilter(), MOST)
    assert before.current
    with filled.writing() as session:
        images.delete(session, digest(1), "")
    go_on, make = Event(), facets_module._make

    def held(*given: Any) -> Any:
        assert go_on.wait(60)
        return make(*given)

    monkeypatch.setattr(facets_module, "_make", held)
    stale = counting.counts(ImageFilter(), MOST)
    assert (stale.images, stale.current, stale.counted_at) == (before.images, False, before.counted_at)
    go_on.set()
    counting.close()
    after = counting.counts(ImageFilter(), MOST)
    assert (after.images, after.current) == (before.images - 1, True)
