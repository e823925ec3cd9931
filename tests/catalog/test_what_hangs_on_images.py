"""Sightings, sources, collections and campaigns: kept once, counted right, found again."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.campaigns import campaigns
from indexer.catalog.images import collections, images, sightings, sources
from indexer.catalog.records.campaigns import CampaignMember, ClusteringRun, NewCampaign, Reason
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.sources import NewSource
from indexer.catalog.tables.sightings import SightingRow
from indexer.errors import ConflictError, NotFoundError, UsageError
from indexer.sightings import NewSighting
from indexer.vocabulary import ReasonKind
from tests.catalog.catalogue_rows import add_image, day, digest

EAST = timezone(timedelta(hours=5, minutes=30))


def seen_of(session: Session, number: int):
    details = images.get(session, digest(number))
    assert details is not None
    return details.sightings


def test_the_same_sighting_is_kept_once(catalog: Catalog) -> None:
    sighting = NewSighting(url="https://example/1", platform="x", posted_at=day(1))
    same_elsewhere = NewSighting(
        url=" https://example/1", platform="x", posted_at=datetime(2024, 1, 1, 5, 30, tzinfo=EAST)
    )
    with catalog.writing() as session:
        image_id = add_image(session, 1)
        assert sightings.add(session, image_id, [sighting, sighting]) == 1
        assert sightings.add(session, image_id, [same_elsewhere]) == 0
        assert sightings.add(session, add_image(session, 2), [sighting]) == 1
        assert sightings.add(session, image_id, [NewSighting(url="https://example/1", platform="x")]) == 1


def test_a_sighting_that_says_nothing_is_none(catalog: Catalog) -> None:
    with catalog.writing() as session:
        assert sightings.add(session, add_image(session, 1), [NewSighting(), NewSighting(url=" ", claim="")]) == 0


TIMES = {
    datetime(2024, 3, 1, 0, 30, 0, 123456, tzinfo=EAST): "2024-02-29T19:00:00.123456+00:00",
    datetime(1, 1, 1, tzinfo=UTC): "0001-01-01T00:00:00+00:00",
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC): "9999-12-31T23:59:59.999999+00:00",
}


def test_times_come_back_in_utc(catalog: Catalog) -> None:
    with catalog.writing() as session:
        for number, given in enumerate(TIMES):
            sightings.add(session, add_image(session, number), [NewSighting(posted_at=given)])
    with catalog.reading() as session:
        for number, (given, kept) in enumerate(TIMES.items()):
            (seen,) = seen_of(session, number)
            assert seen.posted_at is not None
            assert seen.posted_at.isoformat() == kept
            end = given + timedelta(seconds=1) if given.year < 9999 else None
            found = images.page(session, ImageFilter(posted_from=given, posted_to=end), limit=5)
            assert [image.sha256 for image in found.items] == [digest(number)]


def test_a_time_before_the_year_1_is_refused(catalog: Catalog) -> None:
    with catalog.writing() as session, pytest.raises(UsageError, match="not a usable time"):
        sightings.add(session, add_image(session, 1), [NewSighting(posted_at=datetime(1, 1, 1, tzinfo=EAST))])


def test_a_platform_without_end_is_refused(catalog: Catalog) -> None:
    with catalog.writing() as session, pytest.raises(UsageError, match="at most 200"):
        sightings.add(session, add_image(session, 1), [NewSighting(platform="x" * 201)])


def test_texts_of_any_length_and_script_are_kept(catalog: Catalog) -> None:
    long = NewSighting(url="https://e/" + "u" * 9_000, account="@ж" * 5_000, caption="🙈\n" * 20_000, claim="'\";--")
    with catalog.writing() as session:
        sightings.add(session, add_image(session, 1), [long])
        (seen,) = seen_of(session, 1)
    assert (seen.url, seen.account, seen.caption, seen.claim) == (
        long.url,
        long.account,
        (long.caption or "").strip(),
        long.claim,
    )


def test_the_same_place_is_recorded_once(catalog: Catalog) -> None:
    with catalog.writing() as session:
        image_id = add_image(session, 1)
        assert sources.add(session, image_id, NewSource("m.csv", "row 1", {"a": "1"}))
        assert not sources.add(session, image_id, NewSource("m.csv", "row 1", {"a": "2"}))
        assert sources.add(session, image_id, NewSource("m.csv", "row 2"))
        details = images.get(session, digest(1))
    assert details is not None
    assert [(source.location, source.fields) for source in details.sources] == [("row 1", {"a": "1"}), ("row 2", {})]


def test_collections_count_their_images(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [add_image(session, number) for number in range(4)]
        collections.create(session, "desk", "of the desk")
        assert collections.add_images(session, "desk", [ids[0], ids[1], ids[0]]) == 2
        assert collections.add_images(session, "desk", [ids[1], ids[2]]) == 1
        assert collections.remove_images(session, "desk", [ids[0], ids[3]]) == 1
        collections.ensure(session, " desk ")
        found = collections.get(session, "desk")
    assert found is not None
    assert (found.name, found.description, found.images) == ("desk", "of the desk", 2)


def test_collections_are_paged_by_name(catalog: Catalog) -> None:
    with catalog.writing() as session:
        for name in ("c", "a", "b"):
            collections.create(session, name)
        first = collections.page(session, 2)
        second = collections.page(session, 2, first.next_cursor)
    assert [entry.name for entry in first.items + second.items] == ["a", "b", "c"]
    assert second.next_cursor is None


def test_a_collection_can_be_renamed_and_deleted_and_its_images_stay(catalog: Catalog) -> None:
    with catalog.writing() as session:
        collections.create(session, "desk")
        collections.add_images(session, "desk", [add_image(session, 1)])
        collections.rename(session, "desk", "archive")
        assert len(images.page(session, ImageFilter(collections=("archive",)), limit=5).items) == 1
        collections.delete(session, "archive")
        assert images.counts(session).images == 1
        assert images.counts(session).collections == 0


def test_names_that_are_taken_missing_or_impossible_are_refused(catalog: Catalog) -> None:
    with catalog.writing() as session:
        collections.create(session, "desk")
        collections.create(session, "archive")
        with pytest.raises(ConflictError, match="already a collection named 'desk'"):
            collections.create(session, "desk")
        with pytest.raises(ConflictError, match="already a collection named 'desk'"):
            collections.rename(session, "archive", "desk")
        for wrong in ("", " ", "n" * 201):
            with pytest.raises(UsageError):
                collections.create(session, wrong)
        for missing in (
            lambda: collections.delete(session, "none"),
            lambda: collections.rename(session, "none", "some"),
            lambda: collections.add_images(session, "none", [1]),
            lambda: collections.remove_images(session, "none", [1]),
        ):
            with pytest.raises(NotFoundError, match="no collection named 'none'"):
                missing()
        assert collections.get(session, "archive") is not None


def run(number: int) -> ClusteringRun:
    return ClusteringRun("f" * 64, {"k": 15, "x": [1.5]}, f"snapshot-{number}", 9, 2, 1, day(number), day(number + 1))


def campaign(identity: str, *members: tuple[int, int, float, bool], name: str = "a name") -> NewCampaign:
    found = [
        (image_id, CampaignMember(digest(number), strength, exemplar, (Reason(ReasonKind.SAME_PICTURE, value=12.0),)))
        for image_id, number, strength, exemplar in members
    ]
    return NewCampaign(identity, name, 0.875, found)


def test_campaigns_are_saved_with_their_members_dates_and_platforms(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [add_image(session, number) for number in range(4)]
        sightings.add(
            session, ids[0], [NewSighting(platform="x", posted_at=day(3)), NewSighting(platform="x", url="u")]
        )
        sightings.add(session, ids[1], [NewSighting(platform="telegram", posted_at=day(1))])
        sightings.add(session, ids[3], [NewSighting(platform="vk", posted_at=day(9))])
        parts = [(ids[0], 0, 0.5, False), (ids[1], 1, 0.25, True), (ids[2], 2, 0.75, False), (99, 99, 1.0, False)]
        campaigns.save(session, run(1), [campaign("cmp_a", *parts), campaign("cmp_gone", (99, 99, 1.0, True))])
    with catalog.reading() as session:
        (found,) = campaigns.page(session, 10).items
        assert campaigns.get(session, "cmp_a") == found
        assert (found.size, found.cohesion, found.platforms) == (3, 0.875, ("telegram", "x"))
        assert (found.first_seen, found.last_seen) == (day(1), day(3))
        assert {key: value.tolist() for key, value in campaigns.current_members(session).items()} == {"cmp_a": ids[:3]}
        assert campaigns.last_run(session) == run(1)
        first = campaigns.members(session, "cmp_a", 2)
        rest = campaigns.members(session, "cmp_a", 2, first.next_cursor)
    assert [member.sha256 for member in first.items + rest.items] == [digest(1), digest(2), digest(0)]
    assert first.items[0] == CampaignMember(digest(1), 0.25, True, (Reason(ReasonKind.SAME_PICTURE, value=12.0),))
    assert rest.next_cursor is None


def test_a_new_run_replaces_campaigns_and_keeps_when_those_that_stay_were_made(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [add_image(session, number) for number in range(2)]
        campaigns.save(
            session, run(1), [campaign("cmp_a", (ids[0], 0, 1, True)), campaign("cmp_b", (ids[1], 1, 1, True))]
        )
        before = campaigns.get(session, "cmp_a")
    with catalog.writing() as session:
        campaigns.save(
            session, run(2), [campaign("cmp_a", (ids[1], 1, 1, True)), campaign("cmp_c", (ids[0], 0, 1, True))]
        )
    with catalog.reading() as session:
        after = campaigns.get(session, "cmp_a")
        assert campaigns.get(session, "cmp_b") is None
        assert campaigns.last_run(session) == run(2)
    assert before is not None
    assert after is not None
    assert after.created_at == before.created_at
    assert after.updated_at > before.updated_at


def test_campaigns_are_paged_largest_first(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [add_image(session, number) for number in range(7)]
        sizes = {"cmp_a": 2, "cmp_b": 3, "cmp_c": 1, "cmp_d": 1}
        left = iter(ids)
        made = [campaign(key, *((next(left), 0, 1.0, True) for _ in range(size))) for key, size in sizes.items()]
        campaigns.save(session, run(1), made)
        found, cursor = [], None
        for _ in range(4):
            page = campaigns.page(session, 1, cursor)
            found += [entry.id for entry in page.items]
            cursor = page.next_cursor
    assert found == ["cmp_b", "cmp_a", "cmp_d", "cmp_c"]
    assert cursor is None


def test_a_campaign_is_renamed_and_one_that_is_not_there_is_not(catalog: Catalog) -> None:
    with catalog.writing() as session:
        campaigns.save(session, run(1), [campaign("cmp_a", (add_image(session, 1), 1, 1, True))])
        campaigns.rename(session, "cmp_a", " Pope in a coat ")
        found = campaigns.get(session, "cmp_a")
        assert found is not None
        assert found.name == "Pope in a coat"
        with pytest.raises(NotFoundError, match="no campaign 'cmp_b'"):
            campaigns.rename(session, "cmp_b", "name")
        with pytest.raises(UsageError):
            campaigns.rename(session, "cmp_a", " ")


def test_a_sighting_in_another_spelling_is_the_same_one_and_the_first_spelling_is_kept(catalog: Catalog) -> None:
    given = "https://www.example.org/post/1"
    other = "http://Example.org/post/1/?utm_source=x"
    with catalog.writing() as session:
        image_id = add_image(session, 1)
        assert sightings.add(session, image_id, [NewSighting(url=given)]) == 1
        assert sightings.add(session, image_id, [NewSighting(url=other)]) == 0
        assert sightings.add(session, image_id, [NewSighting(url=other, caption="new words")]) == 1
        assert sightings.add(session, image_id, [NewSighting(url=given + "?id=2")]) == 1
        assert sightings.images_at(session, [other], 5) == (digest(1),)
        assert sightings.images_at(session, ["https://example.org/post/1?id=3"], 5) == ()
        urls = list(session.scalars(select(SightingRow.url).order_by(SightingRow.id)))
    assert urls == [given, other, given + "?id=2"]
