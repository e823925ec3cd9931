"""The search index promises the catalogue's answers: new images at once, deleted ones never, filters, refusals."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event

from indexer.catalog.images import labels
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.labels import NewLabel
from indexer.errors import UsageError
from indexer.index import SearchIndex, catching_up
from indexer.vocabulary import LabelSource, LabelValue

FAKE = ImageFilter(label=LabelValue.FAKE)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements made meanwhile."""
    made: list[str] = []
    asking = get_ident()

    def note(*call: Any) -> None:
        if get_ident() == asking:
            made.append(call[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_catalogue_without_a_snapshot_is_searched_at_once_and_gets_one(archive: Any, open_index: Callable) -> None:
    archive.plant(40)
    index = open_index()
    assert index.status().state == "missing"
    index.refresh()
    archive.check(index)
    index.settle()
    status = index.status()
    assert (status.state, status.count, status.catalogue_count, status.tail) == ("ready", 40, 40, 0)
    archive.check(index)
    archive.check(open_index())


def test_an_empty_catalogue_is_ready_and_finds_nothing(open_index: Callable) -> None:
    index = open_index()
    index.refresh()
    assert index.status().state == "ready"
    assert index.nearest(np.eye(384, dtype=np.float32)[:1], 3).ids.tolist() == [[-1, -1, -1]]
    assert index.same_picture([bytes(32)], 31) == ()


def test_more_than_one_block_of_new_embeddings_is_followed_to_its_end(
    archive: Any, open_index: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "ROWS_AT_ONCE", 8)
    archive.plant(20)
    index = open_index()
    index.refresh()
    archive.check(index)
    archive.plant(17)
    index.refresh()
    archive.check(index)


def test_additions_and_deletions_show_at_the_next_refresh(archive: Any, open_index: Callable) -> None:
    first = archive.plant(30)
    index = open_index()
    index.build()
    archive.plant(10)
    archive.delete(first[:5])
    index.refresh()
    archive.check(index)
    status = index.status()
    assert (status.count, status.tail, status.deleted) == (35, 10, 5)


def test_an_image_that_follows_a_deleted_newest_one_is_found(archive: Any, open_index: Callable) -> None:
    index = open_index()
    newest = archive.plant(5)[-1]
    index.refresh()
    archive.delete([newest])
    index.refresh()
    archive.plant(1)
    index.refresh()
    archive.check(index)
    archive.check(open_index())


def test_a_long_tail_is_merged_in_the_background(archive: Any, open_index: Callable) -> None:
    archive.plant(30)
    index = open_index()
    before = index.build().snapshot
    archive.plant(49)
    index.refresh()
    index.settle()
    assert index.status().tail == 49
    archive.plant(1)
    index.refresh()
    index.settle()
    status = index.status()
    assert (status.tail, status.count) == (0, 80)
    assert status.snapshot != before
    archive.check(index)


def test_many_deletions_are_merged_away_in_the_background(archive: Any, open_index: Callable) -> None:
    ids = archive.plant(80)
    index = open_index()
    index.build()
    archive.delete(ids[:50])
    index.refresh()
    index.settle()
    assert (index.status().deleted, index.status().count) == (0, 30)
    archive.check(index)


def test_a_refresh_without_news_is_one_statement(archive: Any, open_index: Callable) -> None:
    archive.plant(5)
    index = open_index()
    index.build()
    index.refresh()
    with statements() as made:
        index.refresh()
    assert [statement.split()[0] for statement in made] == ["BEGIN", "SELECT"]


def test_a_filter_is_looked_up_once_while_nothing_changes(archive: Any, open_index: Callable) -> None:
    ids = archive.plant(5, LabelValue.FAKE)
    index = open_index()
    index.refresh()
    query = archive.vectors[ids[0]][None]
    with statements() as made:
        for _ in range(3):
            index.nearest(query, 1, FAKE)
    assert len(made) == 2  # BEGIN and SELECT


def test_a_filter_confines_what_is_found(archive: Any, open_index: Callable) -> None:
    fakes = archive.plant(20, LabelValue.FAKE)
    others = archive.plant(20)
    index = open_index()
    index.refresh()
    query = archive.vectors[others[0]][None]
    assert index.nearest(query, 1).ids.tolist() == [[others[0]]]
    found = index.nearest(query, 30, FAKE)
    assert set(found.ids[0].tolist()) == {*fakes, -1}
    assert index.same_picture([archive.hashes[others[0]]], 0, FAKE) == ()
    assert [hit.image_id for hit in index.same_picture([archive.hashes[fakes[3]]], 0, FAKE)] == [fakes[3]]
    assert index.admits(fakes[0], FAKE)
    assert not index.admits(others[0], FAKE)
    assert index.admits(others[0], None)
    assert index.admits(others[0], ImageFilter())


def test_a_changed_label_changes_what_a_filter_finds_at_the_next_refresh(archive: Any, open_index: Callable) -> None:
    image_id, other = archive.plant(2, LabelValue.FAKE)
    index = open_index()
    index.refresh()
    query = archive.vectors[image_id][None]
    assert index.nearest(query, 1, FAKE).ids.tolist() == [[image_id]]
    with archive.catalog.writing() as session:
        labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk")])
    index.refresh()
    assert index.nearest(query, 1, FAKE).ids.tolist() == [[other]]


def test_hashes_of_low_quality_are_not_compared(archive: Any, open_index: Callable) -> None:
    poor, good = archive.plant(1, quality=49)[0], archive.plant(1, quality=50)[0]
    index = open_index()
    index.refresh()
    found = index.same_picture([archive.hashes[poor], archive.hashes[good]], 31)
    assert [(hit.image_id, hit.distance, hit.query_index) for hit in found] == [(good, 0, 1)]


def test_queries_need_not_be_normalised(archive: Any, open_index: Callable) -> None:
    image_id = archive.plant(10)[3]
    index = open_index()
    index.refresh()
    found = index.nearest(archive.vectors[image_id][None] * 17, 1)
    assert found.ids.tolist() == [[image_id]]
    assert found.scores[0, 0] >= 0.999999


@pytest.mark.parametrize(
    "query",
    [np.ones((1, 512)), np.ones(384), np.zeros((1, 384)), np.full((1, 384), np.nan), np.full((1, 384), np.inf)],
    ids=["another length", "not a batch", "zero", "not a number", "infinite"],
)
def test_a_query_that_is_no_embedding_is_refused(open_index: Callable, query: np.ndarray) -> None:
    with pytest.raises(UsageError, match="embedding"):
        open_index().nearest(query, 3)


def test_senseless_numbers_are_refused(open_index: Callable) -> None:
    index = open_index()
    with pytest.raises(UsageError, match="at least one"):
        index.nearest(np.ones((1, 384), np.float32), 0)
    with pytest.raises(UsageError, match="256 bits"):
        index.same_picture([bytes(31)], 31)
    with pytest.raises(UsageError, match="256 bits"):
        index.same_picture([bytes(32)], -1)


def test_neighbours_cover_every_image_that_is_left(archive: Any, open_index: Callable) -> None:
    ids = archive.plant(25)
    archive.delete(ids[:1])
    index = open_index()
    index.refresh()
    found, neighbours, cosines = index.neighbours(4)
    assert found.tolist() == ids[1:]
    assert neighbours.shape == cosines.shape == (24, 4)
    np.testing.assert_array_equal(neighbours[0], index.nearest(archive.vectors[ids[1]][None], 5).ids[0, 1:])


def test_the_snapshot_id_says_what_was_searched(archive: Any, open_index: Callable) -> None:
    ids = archive.plant(5)
    index = open_index()
    index.refresh()
    index.settle()
    built = index.snapshot_id
    assert built == index.build().snapshot  # the same content
    archive.plant(1)
    index.refresh()
    added = index.snapshot_id
    archive.delete(ids[:1])
    index.refresh()
    assert len({built, added, index.snapshot_id}) == 3
    assert index.snapshot_id.startswith(f"{built}+")


def test_a_smaller_limit_of_exact_search_rebuilds_the_index(archive: Any, open_index: Callable) -> None:
    archive.plant(400)
    assert open_index().build().kind == "exact"
    index = open_index(settings=archive.settings.model_copy(update={"exact_search_max": 300}))
    index.refresh()
    index.settle()
    status = index.status()
    assert (status.state, status.kind) == ("ready", "ivf")
    assert status.parameters["lists"] > 1
    assert status.recall is not None
    assert status.recall >= archive.settings.search_recall - 0.02
    assert status.milliseconds is not None
    archive.check(index, k=1)


def test_verification_of_a_sound_index_finds_nothing(archive: Any, open_index: Callable) -> None:
    archive.plant(30)
    index = open_index()
    assert index.verify().problems == ("there is no index yet; searches go through all embeddings",)
    index.build()
    verified = index.verify()
    assert verified.ok
    assert (verified.files, verified.self_queries) == (2, 30)


def test_threads_search_rightly_while_images_come_and_go(archive: Any, open_index: Callable) -> None:
    kept = archive.plant(30)
    index: SearchIndex = open_index()
    index.refresh()
    queries = np.array([archive.vectors[image_id] for image_id in kept])

    def search(_: int) -> bool:
        index.refresh()
        found = index.nearest(queries, 2)
        return found.ids[:, 0].tolist() == kept and bool((found.ids >= 0).all())

    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(search, range(60))
        for _ in range(8):
            archive.delete(archive.plant(20)[:10])
        assert all(answers)
    index.refresh()
    archive.check(index)
    index.settle()
    archive.check(index)
