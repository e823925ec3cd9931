"""The index of copy embeddings follows the catalogue beside the detector's, in one state with it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from indexer.catalog.copies import descriptors
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import UsageError
from indexer.index import SearchIndex
from indexer.index.sources import EmbeddingSource
from indexer.vocabulary import LabelValue

DETECTOR, DESCRIPTOR, DIMENSION = "f" * 64, "c" * 64, 24


def describe(archive: Any, image_ids: Sequence[int]) -> np.ndarray:
    """Give images random copy embeddings; returns them."""
    vectors = np.random.default_rng(image_ids[0]).standard_normal((len(image_ids), DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with archive.catalog.writing() as session:
        descriptor_id = descriptors.register(session, "planted", DESCRIPTOR, DIMENSION, {})
        copy_embeddings.add(session, descriptor_id, list(zip(image_ids, vectors, strict=True)))
    return vectors


@pytest.fixture
def open_copies(archive: Any) -> Iterator[Callable[[], SearchIndex]]:
    """Opens indexes with a copy descriptor over `archive`, as one process each would."""
    opened: list[SearchIndex] = []
    source = EmbeddingSource.of_descriptor(DESCRIPTOR, DIMENSION, archive.settings)

    def make() -> SearchIndex:
        opened.append(SearchIndex(archive.catalog, archive.settings, DETECTOR, source))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


def test_copies_are_found_at_once_and_deleted_ones_never(archive: Any, open_copies: Callable) -> None:
    index, other = open_copies(), open_copies()
    index.refresh()
    ids = archive.plant(8, LabelValue.FAKE)
    vectors = describe(archive, ids)
    for one in (index, other):
        one.refresh()
        hits = one.nearest_copies(vectors, 3)
        assert hits.ids[:, 0].tolist() == ids
        truth = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")[:, :3]
        np.testing.assert_array_equal(hits.ids, np.array(ids)[truth])
    archive.delete(ids[:1])
    archive.plant(2)
    for one in (index, other):
        one.refresh()
        assert one.view().copies_lacking == 2, "two images have no copy embedding"
        assert ids[0] not in one.nearest_copies(vectors, 8).ids
        assert one.view().copy_vectors_of(ids[:2]).keys() == {ids[1]}
    authentic = ImageFilter(label=LabelValue.AUTHENTIC)
    assert (index.nearest_copies(vectors, 2, authentic).ids == -1).all(), "a filter is kept to"


def test_a_search_works_on_one_state_of_both_indexes_and_names_it(archive: Any, open_copies: Callable) -> None:
    index = open_copies()
    ids = archive.plant(4)
    index.refresh()
    index.settle()
    index.refresh()
    view, named = index.view(), index.snapshot_id
    vectors = describe(archive, ids)  # the detector's embeddings stay what they were
    index.refresh()
    assert (view.nearest_copies(vectors, 1).ids == -1).all(), "what came since is not in this state"
    assert view.snapshot_id == named != index.snapshot_id
    index.build()
    assert index.snapshot_id.count("/") == 1
    assert index.snapshot_id == open_copies().build().snapshot, "the same content has the same name"


def test_a_damaged_copy_index_is_built_anew_and_the_other_left_alone(archive: Any, open_copies: Callable) -> None:
    ids = archive.plant(9)
    vectors = describe(archive, ids)
    status = open_copies().build()
    assert status.copies is not None
    assert (status.copies.state, status.copies.count, status.copies.fingerprint) == ("ready", 9, DESCRIPTOR)
    archive.delete(ids[:1])  # what is damaged below is its row, which only the checksum covers
    folder = archive.settings.index_dir / "copies" / DESCRIPTOR
    file = folder / (folder / "CURRENT").read_text().strip() / "vectors.f32"
    damaged = bytearray(file.read_bytes())
    damaged[5] ^= 1
    file.write_bytes(damaged)
    kept = (archive.settings.index_dir / DETECTOR / "CURRENT").read_text()
    index = open_copies()
    (problem,) = index.verify().problems
    assert "vectors.f32 is damaged" in problem
    status = index.status()
    assert (status.state, status.copies.state) == ("ready", "damaged")
    assert index.nearest_copies(vectors[1:], 1).ids[:, 0].tolist() == ids[1:], "answers stay right"
    index.refresh()
    index.settle()
    assert index.status().copies.state == "ready"
    verified = index.verify()
    assert (verified.ok, verified.files, verified.self_queries) == (True, 4, 16)
    assert (archive.settings.index_dir / DETECTOR / "CURRENT").read_text() == kept


def test_what_is_added_long_after_a_build_is_merged_in_the_background(archive: Any, open_copies: Callable) -> None:
    first = archive.plant(3)
    describe(archive, first)
    index = open_copies()
    index.build()
    describe(archive, archive.plant(55))
    index.refresh()
    index.settle()
    status = index.status()
    assert (status.copies.tail, status.copies.count, status.copies.state) == (0, 58, "ready")
    assert index.glance().copies == status.copies


def test_without_a_descriptor_no_copy_is_found_and_a_wrong_dimension_is_refused(
    archive: Any, open_index: Callable, open_copies: Callable
) -> None:
    vectors = describe(archive, archive.plant(2))
    plain = open_index()
    plain.refresh()
    assert (plain.nearest_copies(vectors, 2).ids == -1).all()
    assert plain.status().copies is None
    with pytest.raises(UsageError, match="has 24 numbers"):
        open_copies().nearest_copies(np.ones((1, 25), np.float32), 1)
