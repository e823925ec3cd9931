"""The index of local features follows the catalogue, in one state with the other indexes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from PIL import Image

from indexer.catalog.copies import local_features
from indexer.catalog.records.filters import ImageFilter
from indexer.copies.features import FEATURES_FINGERPRINT, pack
from indexer.copies.features.sift import features_of, query_features
from indexer.index import SearchIndex
from indexer.vocabulary import LabelValue
from tests.made_pictures import scene

DETECTOR = "f" * 64


@pytest.fixture(scope="module")
def packed() -> list[bytes]:
    """The packed features of six pictures."""
    return [pack(features_of(scene(number))) for number in range(6)]


@pytest.fixture
def open_features(archive: Any) -> Iterator[Callable[[], SearchIndex]]:
    """Opens indexes with local features over `archive`, as one process each would."""
    opened: list[SearchIndex] = []

    def make() -> SearchIndex:
        opened.append(SearchIndex(archive.catalog, archive.settings, DETECTOR, features=FEATURES_FINGERPRINT))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


def take(archive: Any, image_ids: Sequence[int], packed: Sequence[bytes]) -> None:
    with archive.catalog.writing() as session:
        local_features.add(session, FEATURES_FINGERPRINT, list(zip(image_ids, packed, strict=True)))


def nearest(index: SearchIndex, picture: Image.Image, wanted: ImageFilter | None = None) -> list[int]:
    index.refresh()
    return [image_id for image_id, _ in index.view().features_near(query_features(picture), 3, wanted)]


def test_pictures_are_found_by_their_features_at_once_and_deleted_ones_never(
    archive: Any, open_features: Callable, packed: list[bytes]
) -> None:
    index, other = open_features(), open_features()
    assert nearest(index, scene(2)) == []
    ids = archive.plant(6, LabelValue.FAKE)
    take(archive, ids, packed)
    for one in (index, other):
        assert nearest(one, scene(2))[0] == ids[2]
        assert nearest(one, scene(2), ImageFilter(label=LabelValue.AUTHENTIC)) == [], "a filter is kept to"
    index.build()
    view, named = index.view(), index.snapshot_id
    archive.delete(ids[2:3])
    for one in (index, other, open_features()):
        assert ids[2] not in nearest(one, scene(2))
    assert view.features_near(query_features(scene(2)), 1)[0][0] == ids[2], "a search works on one state"
    assert (view.snapshot_id, index.snapshot_id != named) == (named, True)


def test_what_is_damaged_is_read_from_the_catalogue_and_written_anew(
    archive: Any, open_features: Callable, packed: list[bytes]
) -> None:
    ids = archive.plant(6)
    take(archive, ids, packed)
    status = open_features().build().features
    assert status is not None
    assert (status.state, status.count, status.tail) == ("ready", 6, 0)
    folder = archive.settings.index_dir / "features" / FEATURES_FINGERPRINT
    (largest,) = folder.glob("*.lists")
    content = bytearray(largest.read_bytes())
    content[-1] ^= 1
    largest.write_bytes(content)
    index = open_features()
    assert not index.verify().ok
    assert index.status().features.state == "damaged"
    assert nearest(index, scene(1))[0] == ids[1], "answers stay right"
    index.settle()
    assert index.status().features.state == "ready"
    assert index.verify().ok


def test_damaged_features_of_one_image_do_not_stop_the_others(
    archive: Any, open_features: Callable, packed: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    ids = archive.plant(3)
    take(archive, ids, [packed[0], b"no features", packed[2]])
    index = open_features()
    assert nearest(index, scene(2))[0] == ids[2]
    assert "damaged" in caplog.text
    assert index.build().features.count == 2


def test_an_index_of_another_catalogue_is_not_used(archive: Any, open_features: Callable, packed: list[bytes]) -> None:
    """A catalogue that was restored gives the same ids to other pictures."""
    ids = archive.plant(2)
    take(archive, ids, packed[:2])
    open_features().build()
    with archive.catalog.writing() as session:
        from sqlalchemy import update

        from indexer.catalog.tables.copies import LocalFeaturesRow

        session.execute(update(LocalFeaturesRow).where(LocalFeaturesRow.image_id == ids[0]).values(codes=packed[5]))
    index = open_features()
    assert nearest(index, scene(5))[0] == ids[0]
