"""The state that a search holds to its end, and how long what is known of a filter is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import get_ident
from typing import Any

from sqlalchemy import Engine, Table, event, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import iterate

from indexer.catalog import changes, hash_lists, jobs
from indexer.catalog.database import Catalog
from indexer.catalog.images import collections, images, labels, sightings
from indexer.catalog.images.filters import FILTERED_TABLES, conditions
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.watches import LookingWatch
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.watches import arrivals as watch_arrivals
from indexer.catalog.watches import watches
from indexer.sightings import NewSighting
from indexer.vocabulary import CredentialState, HashAlgorithm, LabelSource, LabelValue, MemberState, Technique

FAKE = ImageFilter(label=LabelValue.FAKE)
TEAM = ImageFilter(collections=("team-b",))
WATCH = LookingWatch("w", None, None, FAKE, 0, 0, 0)
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@contextmanager
def statements() -> Iterator[list[str]]:
    made: list[str] = []
    asking = get_ident()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if get_ident() == asking:
            made.append(" ".join(statement.split()).lower())

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def looked_up(made: list[str]) -> bool:
    """Whether the images of a filter were read."""
    return any("group_concat" in one or "string_agg" in one for one in made)


def test_a_view_goes_on_as_it_was_while_images_come_and_go(archive: Any, open_index: Callable) -> None:
    first, second = archive.plant(2)
    index = open_index()
    index.refresh()
    view = index.view()
    said = view.snapshot_id, view.size, view.newest_image
    before = {image_id: archive.vectors[image_id][None] for image_id in (first, second)}
    hashes = {image_id: archive.hashes[image_id] for image_id in (first, second)}
    archive.delete([first])
    (third,) = archive.plant(1)
    index.refresh()
    assert view.nearest(before[first], 1).ids.tolist() == [[first]]
    assert third not in view.nearest(archive.vectors[third][None], 3).ids
    assert [hit.image_id for hit in view.same_picture([hashes[first]], 0)] == [first]
    assert view.same_picture([archive.hashes[third]], 0) == ()
    assert (view.snapshot_id, view.size, view.newest_image) == said
    now = index.view()
    assert now.nearest(archive.vectors[third][None], 1).ids.tolist() == [[third]]
    assert now.same_picture([hashes[first]], 0) == ()
    assert (now.snapshot_id, now.size) == (index.snapshot_id, 2)
    assert now.snapshot_id != said[0]


def test_a_view_is_one_state_across_a_new_snapshot(archive: Any, open_index: Callable) -> None:
    archive.plant(60)
    index = open_index()
    index.refresh()
    view = index.view()
    index.build()
    assert index.snapshot_id != view.snapshot_id
    assert view.size == index.size == 60
    archive.check(index)


def add_a_job(session: Session) -> None:
    jobs.add(session, [], job_id="job_1", digest="d" * 64, callback_url="https://example.org/told")


WRITES: dict[str, Callable[[Session], object]] = {
    "nothing": lambda session: None,
    "a job": add_a_job,
    "a lease": lambda session: jobs.claim(session, "worker"),
    "a settled callback": lambda session: jobs.settle_callback(session, "job_1", delivered=True, again_at=None),
    "a job that is gone": lambda session: jobs.delete(session, "job_1"),
    "a watch": lambda session: watches.add_filter(session, "all", FAKE, most=9),
    "how far a watch is": lambda session: watch_arrivals.advance(session, WATCH, image_after=1, embedding_after=1),
    "a hash list": lambda session: hash_lists.add(session, "A", LabelValue.FAKE, [(HashAlgorithm.PDQ, bytes(32))]),
    "a deletion of nothing": lambda session: images.delete(session, "e" * 64, "not there"),
}


def test_writes_that_no_filter_depends_on_leave_what_is_known(archive: Any, open_index: Callable) -> None:
    ids = archive.plant(3, LabelValue.FAKE)
    index = open_index()
    index.refresh()
    query = archive.vectors[ids[0]][None]
    index.nearest(query, 1, FAKE)
    for name, write in WRITES.items():
        with archive.catalog.writing() as session:
            write(session)
        with statements() as made:
            index.refresh()
            assert index.nearest(query, 1, FAKE).ids.tolist() == [[ids[0]]]
        assert not looked_up(made), name


def test_what_filters_depend_on_is_read_again_at_once_in_every_process(archive: Any, open_index: Callable) -> None:
    first, second, third = archive.plant(3, LabelValue.FAKE)
    here, there = open_index(), open_index()
    query = archive.vectors[first][None]
    other_process = Catalog.open(archive.settings.catalog_url)

    def found(wanted: ImageFilter) -> list[set[int]]:
        answers = []
        for index in (here, there):
            index.refresh()
            answers.append({*index.nearest(query, 9, wanted).ids[0].tolist()} - {-1})
        return answers

    assert found(FAKE) == [{first, second, third}] * 2
    assert found(TEAM) == [set()] * 2
    with other_process.writing() as session:
        labels.state(session, first, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk")])
    assert found(FAKE) == [{second, third}] * 2
    with other_process.writing() as session:
        collections.ensure(session, "team-b")
        collections.add_images(session, "team-b", [first, second])
    assert found(TEAM) == [{first, second}] * 2
    with other_process.writing() as session:
        collections.remove_images(session, "team-b", [second])
    assert found(TEAM) == [{first}] * 2
    with other_process.writing() as session:
        collections.rename(session, "team-b", "team-c")
    assert found(TEAM) == [set()] * 2
    with other_process.writing() as session:
        sightings.add(session, second, [NewSighting(platform="example-social")])
    assert found(ImageFilter(platform="example-social")) == [{second}] * 2
    archive.delete([third])
    assert found(FAKE) == [{second}] * 2
    (fourth,) = archive.plant(1, LabelValue.FAKE)
    assert found(FAKE) == [{second, fourth}] * 2
    other_process.close()


def test_a_write_that_is_undone_counts_for_nothing(archive: Any) -> None:
    (image_id,) = archive.plant(1, LabelValue.FAKE)
    with archive.catalog.reading() as session:
        before = changes.newest(session)
    with suppress(RuntimeError), archive.catalog.writing() as session:
        labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk")])
        raise RuntimeError
    with archive.catalog.writing():
        pass
    with archive.catalog.reading() as session:
        after = changes.newest(session)
    assert (after.change_id, after.filters_id) == (before.change_id + 1, before.filters_id)


def test_every_table_that_a_filter_reads_is_counted() -> None:
    every = ImageFilter(
        label=LabelValue.FAKE,
        technique=Technique.SPLICE,
        generator="g",
        platform="p",
        posted_from=NOW,
        posted_to=NOW + timedelta(days=1),
        collections=("c",),
        model_hash="m",
        made_with="w",
        digital_source_type="d",
        declared_technique=Technique.SPLICE,
        account="a",
        campaign="cmp_1",
        membership=MemberState.SUGGESTED,
        label_source="s",
        disputed=True,
        c2pa_state=CredentialState.VALID,
        least_content=10,
    )
    assert None not in [getattr(every, name) for name in every.__slots__], "a new field: give it a value here"
    elements = [*iterate(select(ImageRow.id).where(*conditions(every)))]
    assert {one.name for one in elements if isinstance(one, Table)} == FILTERED_TABLES
