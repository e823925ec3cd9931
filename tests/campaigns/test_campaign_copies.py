"""Near PDQ hashes are found exactly, as comparing all pairs would find them."""

import numpy as np
import pytest

from indexer.campaigns.grouping.copies import copies_among
from indexer.campaigns.grouping.graph import LinkKind, pieces


def hashes(count: int, seed: int = 0) -> np.ndarray:
    """Random hashes; a third of them again with up to 45 bits changed, some mirrored, some unchanged."""
    random = np.random.default_rng(seed)
    made = random.integers(0, 256, (count, 32), dtype=np.uint8)
    for copy in range(count - count // 3, count):
        made[copy] = made[copy - count // 2]
        for bit in random.choice(256, random.integers(0, 46), replace=False):
            made[copy, bit // 8] ^= np.uint8(1 << (bit % 8))
        if copy % 3 == 0:
            made[copy] ^= np.uint8(0x55)
    made[-2:] = made[0]
    return made


@pytest.mark.parametrize("max_distance", [0, 1, 16, 31, 40])
def test_exactly_the_near_pairs_are_linked_and_say_whether_mirrored(max_distance: int) -> None:
    made = hashes(600)
    plain = np.bitwise_count(made[:, None] ^ made[None]).sum(2, dtype=int)
    turned = np.bitwise_count(made[:, None] ^ made[None] ^ np.uint8(0x55)).sum(2, dtype=int)
    one, other = np.triu_indices(len(made), 1)
    near, near_mirrored = plain[one, other] <= max_distance, turned[one, other] <= max_distance
    found = copies_among(made, max_distance, 1)
    mirrored = found.kind == LinkKind.SAME_PICTURE_MIRRORED
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    # of three equal hashes the outer two are linked through the middle one, and only the first meets others
    _, first, number = np.unique(made, axis=0, return_index=True, return_inverse=True)
    stands = first[number] == np.arange(len(made))
    wanted = (near | near_mirrored) & stands[one] & stands[other]
    expected = set(zip(one[wanted].tolist(), other[wanted].tolist(), strict=True))
    equal = {(0, len(made) - 2), (len(made) - 2, len(made) - 1)}
    assert expected <= set(pairs)
    assert all(pair in expected or plain[pair] == 0 for pair in pairs)
    assert equal <= set(pairs)
    for (low, high), distance, turn in zip(pairs, found.distance, mirrored, strict=True):
        assert distance == (turned if turn else plain)[low, high]
        assert turn == (plain[low, high] > max_distance)


def test_threads_do_not_change_the_links() -> None:
    made = hashes(400, seed=1)
    one, other = (copies_among(made, 31, threads) for threads in (1, 4))
    assert one.first.tobytes() == other.first.tobytes()
    assert one.distance.tobytes() == other.distance.tobytes()
    assert one.kind.tobytes() == other.kind.tobytes()


def test_many_equal_hashes_make_few_links_and_hang_together() -> None:
    made = np.tile(hashes(1), (20_000, 1))
    found = copies_among(made, 31, 2)
    assert len(found) == 19_999
    assert pieces(len(made), found).max() == 0


def test_no_hashes_and_one_make_no_links() -> None:
    assert len(copies_among(np.empty((0, 32), np.uint8), 31, 1)) == 0
    assert len(copies_among(hashes(1), 31, 1)) == 0
