"""The feature index: what is added is found, what is deleted is not, and files survive being killed and damaged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.copies.features import FEATURES_FINGERPRINT, QueryFeatures, pack
from indexer.copies.features.sift import features_of, query_features
from indexer.errors import FingerprintMismatchError, UsageError, VectorIndexError
from indexer.index.features import FeatureFolder, FeatureStore, PackedBlock, digest_of, folder, voting
from indexer.index.vectors import Allowed
from tests.made_pictures import scene

SEEDS = range(16)


@pytest.fixture(scope="module")
def packed() -> dict[int, bytes]:
    return {seed: pack(features_of(scene(seed))) for seed in SEEDS}


@pytest.fixture(scope="module")
def cropped() -> QueryFeatures:
    """Of the middle of picture 5."""
    return query_features(scene(5).crop((90, 60, 400, 300)))


@pytest.fixture
def files(tmp_path: Path) -> FeatureFolder:
    return FeatureFolder(tmp_path / "features", FEATURES_FINGERPRINT)


def add(store: FeatureStore, packed: dict[int, bytes], seeds: range) -> None:
    store.add(np.array(seeds, np.int64), [packed[seed] for seed in seeds], max(seeds) + 1)


def found(store: FeatureStore, query: QueryFeatures, allowed: Allowed | None = None) -> list[int]:
    return [image_id for image_id, _ in store.search(query, 50, allowed)]


def written(files: FeatureFolder, store: FeatureStore) -> FeatureStore:
    with files.lock(wait=True):
        store.write_snapshot()
    return FeatureStore.open(files, threads=1)


def test_a_part_of_a_picture_finds_it_mirrored_too(
    files: FeatureFolder, packed: dict[int, bytes], cropped: QueryFeatures
) -> None:
    store = FeatureStore(files, None, threads=1)
    add(store, packed, SEEDS)
    (first, votes), (_, next_votes) = store.search(cropped, 2)
    assert first == 5
    assert votes > 1.2 * next_votes
    assert found(store, QueryFeatures(cropped.mirrored, cropped.upright))[0] == 5
    assert store.search(cropped, 50) == store.search(cropped, 50)


def test_one_by_one_and_all_at_once_find_the_same(
    files: FeatureFolder, packed: dict[int, bytes], cropped: QueryFeatures
) -> None:
    at_once, by_one = FeatureStore(files, None, threads=1), FeatureStore(files, None, threads=1)
    add(at_once, packed, SEEDS)
    for seed in SEEDS:
        add(by_one, packed, range(seed, seed + 1))
    assert (by_one.count, by_one.tail, by_one.watermark) == (16, 16, 16)
    assert dict(by_one.search(cropped, 50)) == pytest.approx(dict(at_once.search(cropped, 50)))


def test_deleted_images_and_those_a_filter_excludes_are_not_found(
    files: FeatureFolder, packed: dict[int, bytes], cropped: QueryFeatures
) -> None:
    store = FeatureStore(files, None, threads=1)
    add(store, packed, range(8))
    store = written(files, store)
    add(store, packed, range(8, 16))
    before = store.at_this_moment()
    assert 5 not in found(store, cropped, Allowed(np.array([1, 9], np.int64)))
    assert found(store, cropped, Allowed(np.array([5], np.int64))) == [5]
    store.delete(np.array([5, 12, 999], np.int64), 7)
    assert 5 not in found(store, cropped)
    assert found(store, cropped, Allowed(np.array([5], np.int64))) == []
    assert (store.count, store.tail, store.deleted, store.tombstone_watermark) == (14, 7, 1, 7)
    assert found(before, cropped)[0] == 5, "a search goes on in the state it began with"


def test_what_was_saved_is_there_again_and_deletions_stay(
    files: FeatureFolder, packed: dict[int, bytes], cropped: QueryFeatures
) -> None:
    store = FeatureStore(files, None, threads=1)
    add(store, packed, range(10))
    first = written(files, store)
    assert (first.count, first.tail, first.watermark) == (10, 0, 10)
    assert first.search(cropped, 50) == store.search(cropped, 50)
    first.delete(np.array([5], np.int64), 3)
    add(first, packed, range(10, 16))
    second = written(files, first)
    assert (second.count, second.deleted, second.tombstone_watermark) == (15, 0, 3), "merged: nothing is left of it"
    assert 5 not in found(second, cropped)
    assert second.sample(100) == {seed: digest_of(packed[seed]) for seed in SEEDS if seed != 5}
    second.check()
    assert files.bytes < 1 << 20


def test_parts_that_differ_much_in_size_are_left_alone_with_their_deletions(
    files: FeatureFolder, packed: dict[int, bytes], cropped: QueryFeatures
) -> None:
    store = FeatureStore(files, None, threads=1)
    add(store, packed, range(14))
    store = written(files, store)
    lists = {path.name for path in files.path.glob("*.lists")}
    add(store, packed, range(14, 16))
    store.delete(np.array([5], np.int64), 1)
    store = written(files, store)
    assert lists < {path.name for path in files.path.glob("*.lists")}
    assert (store.count, store.deleted) == (15, 1)
    assert 5 not in found(store, cropped)
    assert found(store, query_features(scene(15)))[0] == 15


def test_an_index_from_the_catalogue_alone_replaces_what_was_there(
    files: FeatureFolder, packed: dict[int, bytes], cropped: QueryFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "IMAGES_OF_A_PART", 6)
    written(files, FeatureStore(files, None))
    blocks = (PackedBlock(np.array([seed, 100 + seed], np.int64), (packed[seed], b"")) for seed in SEEDS)
    with files.lock(wait=True):
        name = files.write(blocks, 99, 4)
    store = FeatureStore.open(files, threads=1)
    assert (store.snapshot, store.count, store.watermark, store.tombstone_watermark) == (name, 16, 99, 4)
    assert len([*files.path.glob("*.lists")]) == 3
    assert found(store, cropped)[0] == 5


def test_pictures_without_features_only_move_the_watermark(files: FeatureFolder, cropped: QueryFeatures) -> None:
    store = FeatureStore(files, None, threads=1)
    assert store.search(cropped, 50) == []
    store.add(np.array([1, 2], np.int64), [b"", b""], 8)
    assert (store.count, store.watermark) == (0, 8)
    store = written(files, store)
    assert (store.count, store.watermark, store.search(cropped, 50)) == (0, 8, [])
    plain = query_features(Image.new("RGB", (300, 200), "grey"))
    assert store.search(plain, 50) == []


def test_repeating_patterns_and_the_same_features_again_do_no_harm(
    files: FeatureFolder, packed: dict[int, bytes]
) -> None:
    tile = scene(3).crop((100, 100, 140, 130))
    brick = Image.new("RGB", (480, 360))
    for left in range(0, 480, 40):
        for top in range(0, 360, 30):
            brick.paste(tile, (left, top))
    store = FeatureStore(files, None, threads=1)
    add(store, packed, SEEDS)
    add(store, packed, SEEDS)
    assert store.count == 16
    assert all(np.isfinite(votes) for _, votes in store.search(query_features(brick), 50))


def test_damaged_bytes_are_not_added(files: FeatureFolder, packed: dict[int, bytes]) -> None:
    store = FeatureStore(files, None)
    with pytest.raises(UsageError, match="stored local features"):
        store.add(np.array([1, 2], np.int64), [packed[1], packed[2][:-3]], 2)
    assert (store.count, store.watermark) == (0, 0)


@pytest.mark.parametrize("kind", ["lists", "images", "gone", "json"])
def test_damage_is_noticed_when_opened(files: FeatureFolder, packed: dict[int, bytes], kind: str) -> None:
    store = FeatureStore(files, None)
    add(store, packed, range(8))
    store = written(files, store)
    store.delete(np.array([1], np.int64), 1)
    written(files, store)
    (path,) = files.path.glob(f"*.{kind}")
    data = path.read_bytes()
    at = 5_000 if kind == "lists" else 40 if len(data) > 48 else 0
    path.write_bytes(data[:at] + bytes(255 - byte for byte in data[at : at + 8]) + data[at + 8 :])
    with pytest.raises(VectorIndexError, match="index"):
        FeatureStore.open(files)


def test_damage_among_the_codes_is_noticed_when_checked(files: FeatureFolder, packed: dict[int, bytes]) -> None:
    store = FeatureStore(files, None)
    add(store, packed, range(4))
    written(files, store)
    (path,) = files.path.glob("*.lists")
    data = path.read_bytes()
    path.write_bytes(data[:-100] + bytes(255 - byte for byte in data[-100:]))
    opened = FeatureStore.open(files, threads=1)
    assert isinstance(opened.search(query_features(scene(1)), 50), list), "hostile ids and codes end in no crash"
    with pytest.raises(VectorIndexError, match="damaged"):
        opened.check()


def test_features_of_another_method_are_refused(files: FeatureFolder, packed: dict[int, bytes]) -> None:
    store = FeatureStore(files, None)
    add(store, packed, range(2))
    written(files, store)
    with pytest.raises(FingerprintMismatchError, match="dejafake index build"):
        FeatureStore.open(FeatureFolder(files.path, "0" * 64))


def test_what_a_killed_build_left_is_removed_and_what_is_current_stays(
    files: FeatureFolder, packed: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(files, None)
    add(store, packed, range(4))
    store = written(files, store)
    add(store, packed, range(4, 8))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FeatureFolder, "make_current", full)
    with files.lock(wait=True), pytest.raises(VectorIndexError, match="No space left"):
        store.write_snapshot()
    monkeypatch.undo()
    assert FeatureStore.open(files).count == 4
    assert written(files, store).count == 8
    assert len([*files.path.glob("*.json")]) == len([*files.path.glob("*.lists")]) == 1


def test_two_processes_share_a_folder(files: FeatureFolder, packed: dict[int, bytes], cropped: QueryFeatures) -> None:
    mine = FeatureStore(files, None, threads=1)
    add(mine, packed, range(8))
    mine = written(files, mine)
    theirs = FeatureStore.open(files, threads=1)
    add(theirs, packed, range(8, 16))
    written(files, theirs)
    assert found(mine, cropped)[0] == 5, "files that were replaced can still be read"
    assert files.current() != mine.snapshot
    with files.lock(wait=True), files.lock(wait=False) as ours:
        assert not ours


def test_a_picture_that_is_all_repetition_gets_no_votes(files: FeatureFolder) -> None:
    some = features_of(scene(2))
    same = replace(some, descriptors=np.repeat(some.descriptors[:1], len(some), axis=0))
    store = FeatureStore(files, None, threads=1)
    store.add(np.array([1], np.int64), [pack(same)], 1)
    assert store.search(QueryFeatures(same, same.mirrored()), 5) == []


def test_a_feature_votes_for_an_image_once_and_the_more_the_nearer_it_is() -> None:
    distances = np.array([[0, 10, 20, 40] + [50] * 27 + [100]], np.float32)
    ids = np.array([[7, 7, 8, 7] + [9] * 27 + [6]], np.int64)
    images, given = voting.votes(distances, ids)
    assert dict(zip(images.tolist(), given.tolist(), strict=True)) == pytest.approx({6: 0, 7: 1, 8: 0.8, 9: 0.5})
