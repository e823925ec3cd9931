"""Pages of filtered images, details, deletion: right on both databases, and one statement each."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import product

import numpy as np
import pytest
from sqlalchemy.orm import Session

from indexer.catalog import Catalog, changes
from indexer.catalog.campaigns import campaigns
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import collections, images, labels, newest, sightings, sources
from indexer.catalog.records.campaigns import CampaignMember, ClusteringRun, NewCampaign, Reason
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import CatalogCounts, Image, NewImage
from indexer.catalog.records.sources import NewSource
from indexer.errors import UsageError
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelValue, ReasonKind, Technique
from tests.catalog.catalogue_rows import AUTHENTIC, FAKE, UNKNOWN, add_image, day, detection, digest, new_image, said

IMAGES = 40
VALUES = (FAKE, AUTHENTIC, UNKNOWN)
TECHNIQUES = (Technique.FACE_SWAP, Technique.SPLICE)
GENERATORS = ("roop", "flux")
PLATFORMS = ("x", "telegram", "weibo")
COLLECTIONS = ("desk", "archive")


def fill(session: Session) -> dict[int, tuple[LabelValue, Technique, str, list[NewSighting], set[str]]]:
    """Images with all kinds of things about them; returns by number what each was given."""
    rng = np.random.default_rng(7)
    given = {}
    for name in COLLECTIONS:
        collections.ensure(session, name)
    for number in range(1, IMAGES + 1):
        image_id = add_image(session, number)
        value, technique, generator = rng.choice(VALUES), rng.choice(TECHNIQUES), str(rng.choice(GENERATORS))
        value, technique = LabelValue(str(value)), Technique(str(technique))
        labels.state(session, image_id, [said(value, technique=technique, generator=generator)])
        seen = [
            NewSighting(
                url=f"https://example/{number}/{place}",
                platform=str(rng.choice(PLATFORMS)) if rng.random() < 0.8 else None,
                posted_at=day(int(rng.choice((3, 20))), int(rng.integers(1, 6))) if rng.random() < 0.8 else None,
            )
            for place in range(int(rng.integers(0, 4)))
        ]
        sightings.add(session, image_id, seen)
        inside = {name for name in COLLECTIONS if rng.random() < 0.4}
        for name in inside:
            collections.add_images(session, name, [image_id])
        given[number] = (value, technique, generator, seen, inside)
    return given


def filters() -> Iterator[ImageFilter]:
    """Every combination of given and not given, some with two values."""
    for label, technique, generator, platform, inside, start, end in product(
        (None, FAKE),
        (None, Technique.SPLICE),
        (None, "roop"),
        (None, "telegram"),
        ((), ("desk", "no such")),
        (None, day(20, 2)),
        (None, day(3, 4)),
    ):
        yield ImageFilter(label, technique, generator, platform, inside, start, end)
    yield ImageFilter(collections=("desk", "archive"))
    yield ImageFilter(platform="x", collections=("archive", "desk"))
    yield ImageFilter(generator="unheard of")
    yield ImageFilter(platform="unheard of")
    yield ImageFilter(collections=("unheard of",))
    yield ImageFilter(posted_from=day(1, 3), posted_to=day(1, 3))
    yield ImageFilter(posted_from=day(1, 1, 1), posted_to=day(31, 12, 9999))


def meets(wanted: ImageFilter, given: tuple[LabelValue, Technique, str, list[NewSighting], set[str]]) -> bool:
    """The filter's own words, in Python."""

    def fits(seen: NewSighting) -> bool:
        at: datetime | None = seen.posted_at
        return (
            wanted.platform in (None, seen.platform)
            and (wanted.posted_from is None or (at is not None and at >= wanted.posted_from))
            and (wanted.posted_to is None or (at is not None and at < wanted.posted_to))
        )

    value, technique, generator, seen, inside = given
    about_sightings = (wanted.platform, wanted.posted_from, wanted.posted_to) != (None, None, None)
    return (
        wanted.label in (None, value)
        and wanted.technique in (None, technique)
        and wanted.generator in (None, generator)
        and (not about_sightings or any(fits(one) for one in seen))
        and (not wanted.collections or bool(inside & set(wanted.collections)))
    )


def pages(session: Session, wanted: ImageFilter, limit: int) -> list[Image]:
    """All pages, one after the other."""
    found, cursor = [], None
    while True:
        page = images.page(session, wanted, limit=limit, cursor=cursor)
        assert len(page.items) == limit or page.next_cursor is None
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_every_filter_selects_what_it_says_newest_first(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """With streams counted to their end and with streams too long to be counted."""
    with catalog.writing() as session:
        given = fill(session)
    with catalog.reading() as session:
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        for wanted, counted in product(filters(), (newest.COUNTED, 7) if is_sqlite else (newest.COUNTED,)):
            monkeypatch.setattr(newest, "COUNTED", counted)
            numbers = [number for number, facts in given.items() if meets(wanted, facts)]
            assert images.matching_ids(session, wanted).tolist() == numbers, wanted
            found = pages(session, wanted, limit=25)
            assert [image.sha256 for image in found] == [digest(number) for number in reversed(numbers)], wanted


def test_a_page_is_one_statement(catalog: Catalog, statements: AbstractContextManager[list[str]]) -> None:
    wanted = ImageFilter(FAKE, None, "roop", "x", ("desk",), day(1), day(1, 6))
    with catalog.writing() as session:
        fill(session)
    with catalog.reading() as session, statements as asked:
        images.page(session, wanted, limit=10, cursor=None)
    assert len(asked) == 1


def test_a_page_says_where_the_next_one_starts_even_when_images_come_and_go(catalog: Catalog) -> None:
    with catalog.writing() as session:
        for number in range(1, 8):
            add_image(session, number)
        first = images.page(session, ImageFilter(), limit=3)
        add_image(session, 8)
        images.delete(session, digest(5), "the last of the first page")
        second = images.page(session, ImageFilter(), limit=3, cursor=first.next_cursor)
    assert [image.sha256 for image in first.items] == [digest(7), digest(6), digest(5)]
    assert [image.sha256 for image in second.items] == [digest(4), digest(3), digest(2)]


def test_a_cursor_nobody_gave_out_is_refused(catalog: Catalog) -> None:
    with catalog.reading() as session:
        for cursor in ("", "x", "!!", "W10", "WyJpbWFnZXMiXQ", "WyJpbWFnZXMiLCAiMSJd", "MTI", "é", "[" * 9999):
            with pytest.raises(UsageError, match="not a cursor"):
                images.page(session, ImageFilter(), limit=3, cursor=cursor)


def test_a_cursor_of_another_list_is_refused(catalog: Catalog) -> None:
    with catalog.writing() as session:
        for name in "abc":
            collections.create(session, name)
        other = collections.page(session, 1).next_cursor
        with pytest.raises(UsageError, match="not a cursor of this list of images"):
            images.page(session, ImageFilter(), limit=3, cursor=other)


def test_a_page_of_no_or_endless_items_is_refused(catalog: Catalog) -> None:
    with catalog.reading() as session:
        for limit in (0, -1, 1001):
            with pytest.raises(UsageError, match="1 to 1000"):
                images.page(session, ImageFilter(), limit=limit)


def describe(session: Session, number: int) -> int:
    """An image with one of everything about it."""
    image_id = add_image(session, number)
    labels.state(session, image_id, [said(FAKE, reason='a "reason"\n')])
    labels.state(session, image_id, [said(AUTHENTIC, "bob")])
    sightings.add(session, image_id, [NewSighting(url=f"https://example/{number}", posted_at=day(2), caption="{} 'x'")])
    sources.add(session, image_id, NewSource("m.csv", f"row {number}", {"déjà": "vu \0", "b": "2\ud800"}))
    for name in ("zoo", "desk"):
        collections.ensure(session, name)
        collections.add_images(session, name, [image_id])
    detector_id = detectors.register(session, "small", "f" * 64, True, {"limits": ["none"]})
    embeddings.add(session, detector_id, [(image_id, detection(number, p_fake=1 / 3))])
    return image_id


def clustered(session: Session, *members: tuple[int, int]) -> None:
    found = [
        (
            image_id,
            CampaignMember(
                digest(number), 1 / 3, exemplar=True, reasons=(Reason(ReasonKind.SAME_PICTURE, value=12.0),)
            ),
        )
        for image_id, number in members
    ]
    run = ClusteringRun("f" * 64, {"k": 15}, "snapshot-1", 2, 1, 0, day(1), day(2))
    campaigns.save(session, run, [NewCampaign("cmp_aaaaaaaaaaaa", "Pope in a coat", 0.9, found)])


def test_details_are_everything_in_the_order_asked_for(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [describe(session, number) for number in (1, 2)]
        clustered(session, (ids[1], 2))
    with catalog.reading() as session:
        found = images.details(session, [ids[1], 99, ids[0], ids[1]])
        assert list(found) == [ids[1], ids[0]]
        assert images.get(session, digest(2)) == found[ids[1]]
        assert images.get(session, digest(3)) is None
    details = found[ids[1]]
    facts = new_image(2)
    assert details.image.sha256 == digest(2)
    assert (details.image.pdq, details.image.notes) == (facts.pdq.hex(), facts.notes)
    assert [(label.value, label.source, label.reason) for label in details.labels] == [
        (FAKE, "alice", 'a "reason"'),
        (AUTHENTIC, "bob", None),
    ]
    (seen,) = details.sightings
    assert (seen.url, seen.posted_at, seen.caption) == ("https://example/2", day(2), "{} 'x'")
    assert seen.recorded_at.utcoffset().total_seconds() == 0
    assert details.collections == ("desk", "zoo")
    (membership,) = details.campaigns
    assert (membership.campaign, membership.name, membership.exemplar) == ("cmp_aaaaaaaaaaaa", "Pope in a coat", True)
    assert membership.strength == 0.333333333
    (detected,) = details.detections
    assert (detected.detector, detected.fingerprint, detected.trained) == ("small", "f" * 64, True)
    assert detected.logits == detection(2).logits
    assert detected.p_fake == 0.333333333
    (source,) = details.sources
    assert (source.source, source.location, source.fields) == ("m.csv", "row 2", {"déjà": "vu \ufffd", "b": "2\ufffd"})
    assert found[ids[0]].campaigns == ()


def test_details_of_many_images_are_one_statement(
    catalog: Catalog, statements: AbstractContextManager[list[str]]
) -> None:
    with catalog.writing() as session:
        ids = [describe(session, number) for number in range(1, 13)]
    with catalog.reading() as session:
        with statements as asked:
            assert len(images.details(session, ids)) == 12
        assert len(asked) == 1
        assert images.details(session, []) == {}


def test_any_number_of_images_can_be_looked_up_at_once(catalog: Catalog) -> None:
    many = [digest(number) for number in range(33_000)]
    with catalog.writing() as session:
        added = {digest(number): add_image(session, number) for number in (5, 32_999)}
        assert images.find_ids(session, many) == added
        assert len(images.details(session, range(33_000))) == 2
        assert images.find_ids(session, []) == {}


def test_an_image_added_again_is_the_same_image(catalog: Catalog) -> None:
    with catalog.writing() as session:
        assert add_image(session, 1) == add_image(session, 1)
        assert images.counts(session).images == 1


def test_images_are_found_by_the_start_of_their_sha256(catalog: Catalog) -> None:
    with catalog.writing() as session:
        for number in range(200):
            add_image(session, number)
        everything = sorted(digest(number) for number in range(200))
        assert images.starting_with(session, digest(7)) == (digest(7),)
        assert images.starting_with(session, "f", limit=300) == tuple(s for s in everything if s.startswith("f"))
        assert images.starting_with(session, "0" * 20) == ()


def test_deleting_an_image_takes_everything_that_hangs_on_it_and_leaves_a_tombstone(catalog: Catalog) -> None:
    with catalog.writing() as session:
        ids = [describe(session, number) for number in (1, 2)]
        clustered(session, (ids[0], 1))
        assert images.delete(session, digest(1), "asked by the person shown")
        assert not images.delete(session, digest(1), "again")
    with catalog.reading() as session:
        assert images.counts(session) == CatalogCounts(
            images=1, fake=0, authentic=0, unknown=1, disputed=1, sightings=1, collections=2, campaigns=0, embeddings=1
        )
        tombstones, buried = changes.tombstones_since(session, 0)
        assert (tombstones.tolist(), buried.tolist()) == ([1], [ids[0]])
        assert {entry.images for entry in collections.page(session, 10).items} == {1}
        assert embeddings.since(session, "f" * 64, 0, 10).image_ids.tolist() == [ids[1]]


def test_ids_of_deleted_images_are_never_given_to_others(catalog: Catalog) -> None:
    with catalog.writing() as session:
        before = add_image(session, 1)
        images.delete(session, digest(1), "test")
        assert add_image(session, 2) > before
        images.delete(session, digest(2), "test")
        assert add_image(session, 1) > before + 1


def test_counts_add_up(catalog: Catalog) -> None:
    with catalog.writing() as session:
        given = fill(session)
        by_value = {value: sum(facts[0] == value for facts in given.values()) for value in VALUES}
        counted = images.counts(session)
    assert (counted.images, counted.fake, counted.authentic, counted.unknown) == (IMAGES, *by_value.values())
    assert counted.sightings == sum(len(facts[3]) for facts in given.values())


def test_a_picture_s_facts_survive_whatever_a_file_says_of_itself(catalog: Catalog) -> None:
    odd = NewImage("e" * 64, 2**40, "JP\0EG", 1, 1, "RGB\ud800", 1, ("note \0", "\ud800"), bytes(32), 0, "m")
    with catalog.writing() as session:
        images.add(session, odd)
        found = images.get(session, "e" * 64)
    assert found is not None
    assert (found.image.byte_size, found.image.format) == (2**40, "JP\ufffdEG")
    assert found.image.notes == ("note \ufffd", "\ufffd")
