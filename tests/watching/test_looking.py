"""Watches report each image that came after them once, whatever happens in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.campaigns import campaigns
from indexer.catalog.images import images
from indexer.catalog.records.campaigns import ClusteringRun, NewCampaign
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.watches import Watch
from indexer.catalog.tables.watches import WatchRow
from indexer.catalog.watches import arrivals as watch_arrivals
from indexer.catalog.watches import events as watch_events
from indexer.catalog.watches import watches
from indexer.errors import ConflictError, NotFoundError, UsageError
from indexer.vocabulary import LabelValue
from indexer.watching import Alerts
from indexer.watching.matching import nearby
from tests.watching.watched_catalogue import (
    LATER,
    NOW,
    add,
    digest,
    embed,
    events,
    found,
    look,
    lookout,
    member,
    pdq,
    vector,
    watch_picture,
)

NOTHING = Alerts(0, 0)


def test_a_picture_is_found_again_by_all_three_relations_among_what_came_later(catalog: Catalog) -> None:
    add(catalog, 1, hash_=pdq(7), like=vector(7))
    watch = watch_picture(catalog, 7)
    near, mirrored = add(catalog, 3, hash_=pdq(7, flipped=31)), add(catalog, 2, hash_=pdq(1_007))
    like = add(catalog, 4, like=vector(7, spread=0.2))
    add(catalog, 5, hash_=pdq(7, flipped=32), like=vector(5))
    same = add(catalog, 7, like=vector(7))
    assert look(catalog) == Alerts(4, 1)
    assert dict(found(catalog, watch)) == {
        near: "same_picture",
        mirrored: "same_picture",
        same: "same_file",
        like: "same_origin",
    }
    said = {one.sha256: one.statement for one in events(catalog, watch)}
    assert "PDQ distance 31, at most 31" in said[near]
    assert "mirrored" in said[mirrored]
    assert "may be of the same origin: cosine 0.98" in said[like]
    assert look(catalog) == NOTHING


def test_an_embedding_that_is_made_later_is_looked_at_but_not_of_an_image_from_before(catalog: Catalog) -> None:
    add(catalog, 1)
    watch = watch_picture(catalog, 7)
    new = add(catalog, 2)
    assert look(catalog) == NOTHING
    embed(catalog, 1, vector(7))
    embed(catalog, 2, vector(7))
    assert look(catalog) == Alerts(1, 1)
    assert found(catalog, watch) == [(new, "same_origin")]


def test_conditions_report_what_meets_them_when_it_comes(catalog: Catalog) -> None:
    add(catalog, 1)
    with catalog.writing() as session:
        watch = watches.add_filter(session, "new fakes", ImageFilter(label=LabelValue.FAKE), most=1)
    add(catalog, 2)
    fake = add(catalog, 3)
    assert look(catalog) == Alerts(1, 1)
    assert found(catalog, watch) == [(fake, None)]


def cluster(catalog: Catalog, *numbers: int) -> None:
    with catalog.writing() as session:
        ids = images.find_ids(session, [digest(number) for number in numbers])
        members = [(ids[digest(number)], member(number)) for number in numbers]
        run = ClusteringRun("f" * 64, {}, "snapshot", len(numbers), 1, 0, NOW, NOW)
        campaigns.save(session, run, [NewCampaign("cmp_one", "one", 0.9, members)])


def test_a_campaign_reports_who_joins_it_however_old_the_image_and_however_often_it_is_clustered(
    catalog: Catalog,
) -> None:
    for number in (1, 2, 3, 4):
        add(catalog, number)
    cluster(catalog, 1, 2)
    with catalog.writing() as session:
        watch = watches.add_campaign(session, "one", "cmp_one", most=1)
    cluster(catalog, 1, 2)
    assert look(catalog) == NOTHING
    cluster(catalog, 1, 3)
    assert look(catalog) == Alerts(1, 1)
    cluster(catalog, 1, 2, 3)
    assert look(catalog) == NOTHING, "who left and comes back is known"
    (event,) = events(catalog, watch)
    assert (event.sha256, event.evidence["reasons"]) == (digest(3), ["same picture, PDQ 12"])


def test_a_paused_watch_is_silent_and_finds_what_it_missed_when_it_is_resumed(catalog: Catalog) -> None:
    watch = watch_picture(catalog, 7)
    with catalog.writing() as session:
        watches.pause(session, watch.id, NOW)
    add(catalog, 7)
    assert look(catalog) == NOTHING
    with catalog.writing() as session:
        watches.resume(session, watch.id, NOW)
    assert look(catalog) == Alerts(1, 1)


def test_killed_between_finding_and_recording_nothing_is_lost_and_nothing_comes_twice(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watch_picture(catalog, 7)
    monkeypatch.setattr("indexer.watching.searching._AT_ONCE", 2)
    expected = [add(catalog, number, hash_=pdq(7)) for number in range(10, 15)]
    stops = iter((False, True))
    assert lookout(catalog).look(NOW, lambda: next(stops)) == Alerts(2, 1)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch_events, "record", killed)
    with pytest.raises(KeyboardInterrupt):
        look(catalog)
    monkeypatch.undo()
    assert look(catalog) == Alerts(3, 1)
    assert [sha256 for sha256, _ in found(catalog, watch)] == expected


def test_several_processes_that_look_at_once_report_each_image_once(catalog: Catalog) -> None:
    watch = watch_picture(catalog, 7)
    for number in range(10, 30):
        add(catalog, number, hash_=pdq(7))
    with ThreadPoolExecutor(4) as threads:
        alerts = sum(done.alerts for done in threads.map(lambda _: look(catalog), range(4)))
    assert alerts == len(events(catalog, watch)) == 20


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Lets something happen, once, while images are compared with watched pictures."""
    pending = [happens]

    def compared(*given: object) -> object:
        if pending:
            pending.pop()()
        return nearby(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("indexer.watching.searching.nearby", compared)


def test_others_write_while_watches_are_looked_for(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watch_picture(catalog, 7)
    first = add(catalog, 10, hash_=pdq(7))
    came: list[str] = []
    meanwhile(monkeypatch, lambda: came.append(add(catalog, 11, hash_=pdq(7))))
    assert look(catalog) == Alerts(2, 1)
    assert [sha256 for sha256, _ in found(catalog, watch)] == [first, *came]


def test_what_another_process_recorded_meanwhile_is_not_recorded_again(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, other = watch_picture(catalog, 7), watch_picture(catalog, 8)
    add(catalog, 7)
    add(catalog, 8)
    theirs: list[Alerts] = []
    meanwhile(monkeypatch, lambda: theirs.append(look(catalog)))
    assert look(catalog) == NOTHING
    assert theirs == [Alerts(2, 2)]
    assert len(events(catalog, watch)) == len(events(catalog, other)) == 1


@pytest.mark.parametrize("change", ["pause", "delete"])
def test_a_watch_that_is_paused_or_deleted_meanwhile_reports_nothing(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    watch, other = watch_picture(catalog, 7), watch_picture(catalog, 8)
    add(catalog, 7)
    add(catalog, 8)

    def changed() -> None:
        with catalog.writing() as session:
            if change == "pause":
                watches.pause(session, watch.id, NOW)
            else:
                watches.delete(session, watch.id)

    meanwhile(monkeypatch, changed)
    assert look(catalog) == Alerts(1, 1)
    assert len(events(catalog, other)) == 1
    if change == "pause":
        assert events(catalog, watch) == ()
        with catalog.writing() as session:
            watches.resume(session, watch.id, NOW)
        assert look(catalog) == Alerts(1, 1)


def test_a_member_that_left_or_was_deleted_meanwhile_is_not_reported(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        add(catalog, number)
    cluster(catalog, 1)
    with catalog.writing() as session:
        watch = watches.add_campaign(session, "one", "cmp_one", most=5)
    cluster(catalog, 1, 2, 3)
    joined = watch_arrivals.joined

    def then_left(session: Session, watch_id: str, limit: int) -> object:
        members = joined(session, watch_id, limit)
        monkeypatch.undo()
        with catalog.writing() as writing:
            images.delete(writing, digest(2), "meanwhile")
        return members

    monkeypatch.setattr(watch_arrivals, "joined", then_left)
    assert look(catalog) == Alerts(1, 1)
    assert found(catalog, watch) == [(digest(3), None)]


def test_the_event_of_a_deleted_image_stays_with_its_digest(catalog: Catalog) -> None:
    watch = watch_picture(catalog, 7)
    add(catalog, 7)
    look(catalog)
    with catalog.writing() as session:
        images.delete(session, digest(7), "asked to")
    (event,) = events(catalog, watch)
    assert (event.sha256, event.in_catalogue) == (digest(7), False)
    add(catalog, 7)
    assert look(catalog) == NOTHING, "an image is known by its bytes"
    assert events(catalog, watch)[0].in_catalogue


def broken(catalog: Catalog, kind: str) -> Watch:
    """A watch whose row says what this version does not understand."""
    watch = watch_picture(catalog, 8)
    said = {"filter": {"filter": {"label": "of a later version"}}, "hashes": {"hashes": [["original", "zz", 512]]}}
    with catalog.writing() as session:
        session.execute(update(WatchRow).where(WatchRow.id == watch.id).values(**said[kind]))
    return watch


@pytest.mark.parametrize("kind", ["filter", "hashes"])
def test_a_watch_that_cannot_be_looked_at_holds_up_no_other_and_is_logged_once(
    catalog: Catalog, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    before, bad, after = watch_picture(catalog, 7), broken(catalog, kind), watch_picture(catalog, 7)
    searching = lookout(catalog)
    add(catalog, 7)
    assert searching.look(NOW) == Alerts(2, 2)
    assert len(events(catalog, before)) == len(events(catalog, after)) == 1
    add(catalog, 9, hash_=pdq(7))
    assert searching.look(NOW) == Alerts(2, 2)
    assert [record.getMessage() for record in caplog.records if bad.id in record.getMessage()] == [
        f"watch {bad.id} cannot be looked at; it is tried again, and the others go on"
    ]


def test_a_watch_whose_findings_cannot_be_written_holds_up_no_other_and_loses_nothing(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = watch_picture(catalog, 7), watch_picture(catalog, 7)
    add(catalog, 7)
    record = watch_events.record

    def fails(session: Session, watch_id: str, *rest: Any) -> int:
        if watch_id == bad.id:
            raise ValueError("not to be written")
        return record(session, watch_id, *rest)

    monkeypatch.setattr(watch_events, "record", fails)
    searching = lookout(catalog)
    assert searching.look(NOW) == Alerts(1, 1)
    assert searching.look(NOW) == NOTHING
    assert len(events(catalog, good)) == 1
    assert len(caplog.records) == 1
    monkeypatch.undo()
    assert searching.look(NOW) == Alerts(1, 1)
    assert len(events(catalog, bad)) == 1


def test_events_are_polled_by_cursor_and_there_is_always_a_next_one(catalog: Catalog) -> None:
    watch, other = watch_picture(catalog, 7), watch_picture(catalog, 8)
    for number in (10, 11):
        add(catalog, number, hash_=pdq(7))
    add(catalog, 8)
    look(catalog)
    with catalog.reading() as session:
        first = watch_events.page(session, watch.id, 1)
        second = watch_events.page(session, watch.id, 5, first.next_cursor)
        empty = watch_events.page(session, watch.id, 5, second.next_cursor)
        everything = watch_events.page(session, None, 10)
        with pytest.raises(UsageError, match="not a cursor"):
            watch_events.page(session, other.id, 5, first.next_cursor)
    assert [len(page.items) for page in (first, second, empty, everything)] == [1, 1, 0, 3]
    add(catalog, 12, hash_=pdq(7))
    look(catalog)
    with catalog.reading() as session:
        assert [one.sha256 for one in watch_events.page(session, watch.id, 5, empty.next_cursor).items] == [digest(12)]


def test_watches_are_bounded_named_and_of_something(catalog: Catalog) -> None:
    with catalog.writing() as session:
        made = watches.add_filter(session, "one", ImageFilter(platform="x"), most=1)
        with pytest.raises(ConflictError, match="DEJAFAKE_WATCHES_MAX"):
            watches.add_filter(session, "two", ImageFilter(platform="x"), most=1)
        with pytest.raises(UsageError, match="at least one condition"):
            watches.add_filter(session, "all", ImageFilter(), most=5)
        with pytest.raises(UsageError, match="needs a name"):
            watches.add_filter(session, " ", ImageFilter(platform="x"), most=5)
        with pytest.raises(NotFoundError, match="no campaign"):
            watches.add_campaign(session, "gone", "cmp_gone", most=5)
        watches.delete(session, made.id)
        for change in (watches.pause, watches.resume):
            with pytest.raises(NotFoundError):
                change(session, made.id, NOW)
        with pytest.raises(NotFoundError):
            watches.delete(session, made.id)


@pytest.mark.parametrize(
    "wanted",
    [
        ImageFilter(collections=("a", "b"), posted_from=NOW, posted_to=LATER),
        ImageFilter(label=LabelValue.FAKE, made_with="ComfyUI", posted_to=LATER),
    ],
)
def test_conditions_come_back_as_they_were_given(catalog: Catalog, wanted: ImageFilter) -> None:
    with catalog.writing() as session:
        made = watches.add_filter(session, "one", wanted, most=1)
        (looking,) = watch_arrivals.looking(session, watch_arrivals.looking_ids(session))
        assert watches.page(session, 5).items == (made,)
    assert made.filter == looking.filter == wanted
