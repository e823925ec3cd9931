"""Hash search promises: exactly the images within the distance, in order, without deleted or unreadable ones."""

import numpy as np

from indexer.index.vectors import Allowed, HashHit, HashStore


def flipped(bits: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    unpacked = np.unpackbits(bits)
    unpacked[random.permutation(256)[:count]] ^= 1
    return np.packbits(unpacked)


def planted(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """A query and hashes [count] whose distance to it runs over 0..79."""
    random = np.random.default_rng(1)
    query = random.integers(0, 256, 32, np.uint8)
    return query, np.stack([flipped(query, place % 80, random) for place in range(count)])


def test_all_images_within_the_distance_and_no_other_are_found_nearest_first() -> None:
    query, hashes = planted()
    ids = np.arange(400) * 2 + 7
    store = HashStore(0)
    store.add(ids, hashes, np.full(400, 90))
    for limit in (0, 31, 64):
        found = store.search(query[None], limit)
        truth = sorted((place % 80, 7 + 2 * place) for place in range(400) if place % 80 <= limit)
        assert [(hit.distance, hit.image_id) for hit in found] == truth


def test_each_query_that_is_near_is_named() -> None:
    query, hashes = planted(3)
    store = HashStore(0)
    store.add(np.arange(1, 4), hashes, np.full(3, 90))
    far = np.bitwise_not(query)
    assert store.search(np.stack((far, query, far)), 1) == (HashHit(1, 0, 1), HashHit(2, 1, 1))


def test_many_queries_are_answered_as_one_by_one() -> None:
    _, hashes = planted(200)
    store = HashStore(0, threads=2)
    store.add(np.arange(200), hashes, np.full(200, 90))
    together = store.search(hashes[:20], 31)
    for index in range(20):
        alone = [(hit.image_id, hit.distance) for hit in store.search(hashes[index : index + 1], 31)]
        assert [(hit.image_id, hit.distance) for hit in together if hit.query_index == index] == alone


def test_hashes_of_low_quality_deleted_images_and_images_outside_the_filter_are_never_found() -> None:
    query, hashes = planted(4)
    store = HashStore(50)
    store.add(np.arange(1, 5), hashes, np.array([49, 50, 100, 100]))
    store.delete(np.array([3, 999]), 8)
    assert [hit.image_id for hit in store.search(query[None], 31)] == [2, 4]
    assert [hit.image_id for hit in store.search(query[None], 31, Allowed(np.array([4, 1])))] == [4]
    assert (store.count, store.watermark, store.tombstone_watermark) == (2, 4, 8)


def test_adding_again_changes_nothing_and_does_not_bring_back_the_deleted() -> None:
    query, hashes = planted(4)
    store = HashStore(0)
    store.add(np.arange(1, 3), hashes[:2], np.full(2, 90))
    store.delete(np.array([1]), 1)
    store.add(np.arange(1, 5), hashes, np.full(4, 90))
    assert [hit.image_id for hit in store.search(query[None], 31)] == [2, 3, 4]


def test_an_empty_store_and_no_query_find_nothing() -> None:
    query, hashes = planted(1)
    store = HashStore(0)
    assert store.search(query[None], 31) == ()
    store.add(np.array([1]), hashes, np.array([90]))
    assert store.search(np.empty((0, 32), np.uint8), 31) == ()


def test_hashes_of_one_picture_find_what_each_alone_would_find() -> None:
    """Near ones are looked for together: as many as a picture has, of planted distances from another."""
    random = np.random.default_rng(5)
    middle = random.integers(0, 256, 32, np.uint8)
    asked = np.stack([middle, *(flipped(middle, bits, random) for bits in (5, 39, 40, 41, 60, 90)), ~middle])
    hashes = np.stack([flipped(asked[place % len(asked)], place % 64, random) for place in range(600)])
    store = HashStore(0)
    store.add(np.arange(600), hashes, np.full(600, 90))
    together = store.search(asked, 31)
    distances = np.bitwise_count(asked[:, None] ^ hashes[None]).sum(2)
    truth = [
        HashHit(image, int(distances[query, image]), query) for query, image in np.argwhere(distances <= 31).tolist()
    ]
    assert list(together) == sorted(truth, key=lambda hit: (hit.distance, hit.image_id, hit.query_index))
    assert {hit.query_index for hit in together} == set(range(len(asked)))


def test_a_replaced_hash_is_found_in_the_place_of_the_old_one_and_quality_counts_anew() -> None:
    query, hashes = planted(3)
    store = HashStore(50)
    store.add(np.arange(1, 4), hashes, np.array([90, 90, 40]))
    before = store.at_this_moment()
    store.change(np.array([1, 3, 9]), np.stack((~query, query, query)), np.array([90, 90, 90]), 7)
    assert [(hit.image_id, hit.distance) for hit in store.search(query[None], 31)] == [(3, 0), (2, 1)]
    assert [hit.image_id for hit in store.search(~query[None], 0)] == [1]
    assert [hit.image_id for hit in before.search(query[None], 31)] == [1, 2]
    assert (store.change_watermark, store.watermark) == (7, 3)
    store.add(np.array([4]), hashes[:1], np.array([90]))
    assert [hit.image_id for hit in store.search(query[None], 0)] == [3, 4]
