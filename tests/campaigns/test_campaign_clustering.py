import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from indexer.campaigns.grouping.clustering import GroupingRule, group_images
from indexer.campaigns.grouping.graph import Links, links
from tests.campaigns.planted import NO_LINKS, NOBODY, nearest_links, planted


def rule(bound: float = 0.2, min_size: int = 3, **other: float) -> GroupingRule:
    return GroupingRule(min_size=min_size, bound=bound, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize("bound", [0.1, 0.2])
@pytest.mark.parametrize("seed", [0, 1])
def test_planted_groups_are_found_and_noise_is_left_out(seed: int, bound: float) -> None:
    vectors, truth = planted(seed, groups=40, sizes=(3, 40))
    found = group_images(len(vectors), NO_LINKS, nearest_links(vectors), rule(bound))
    assert adjusted_rand_score(truth, found.group_of) > 0.97
    assert found.group_of.max() + 1 == 40
    assert (found.group_of[truth == NOBODY] < 0).mean() > 0.9


def test_groups_that_all_hang_together_by_chains_are_told_apart() -> None:
    vectors, truth = planted(0, groups=40, sizes=(3, 40), chain=200)
    found = group_images(len(vectors), NO_LINKS, nearest_links(vectors), rule())
    members = truth != NOBODY
    assert adjusted_rand_score(truth[members], found.group_of[members]) > 0.97
    assert np.bincount(found.group_of[found.group_of >= 0]).max() < 0.1 * len(vectors)


@pytest.mark.parametrize("size", [3, 20, 600])
def test_one_group_that_is_everything_is_found_whole(size: int) -> None:
    vectors, _ = planted(0, groups=1, sizes=(size, size + 1), noise=0)
    found = group_images(size, NO_LINKS, nearest_links(vectors), rule())
    assert found.group_of.tolist() == [0] * size


def test_a_large_group_without_parts_is_kept_whole() -> None:
    vectors, truth = planted(0, groups=2, sizes=(300, 301), noise=0)
    found = group_images(600, NO_LINKS, nearest_links(vectors), rule(large=50, large_share=0))
    assert adjusted_rand_score(truth, found.group_of) == 1.0


def test_a_large_group_that_has_parts_is_split_into_them() -> None:
    # three tight groups, each pair of them linked a little further than inside: looser than HDBSCAN minds by itself
    size, at = 40, 0
    first, second, distance = [], [], []
    for _ in range(3):
        for one in range(size):
            for other in range(one + 1, min(one + 4, size)):
                first.append(at + one)
                second.append(at + other)
                distance.append(0.1 + 0.0001 * one)
        at += size
    for one in range(2 * size):
        first.append(one)
        second.append(one + size)
        distance.append(0.1045)
    made = links(first, second, distance)
    whole = group_images(at, NO_LINKS, made, rule())
    split = group_images(at, NO_LINKS, made, rule(large=50, large_share=0))
    assert np.bincount(whole.group_of).tolist() == [3 * size]
    assert np.bincount(split.group_of).tolist() == [size] * 3


def test_nothing_one_image_and_two_images_make_no_group() -> None:
    for images in range(3):
        found = group_images(images, NO_LINKS, NO_LINKS, rule())
        assert found.group_of.tolist() == [NOBODY] * images


def test_only_noise_makes_no_group() -> None:
    vectors, _ = planted(0, groups=200, sizes=(1, 2), noise=0)
    found = group_images(len(vectors), NO_LINKS, nearest_links(vectors), rule(0.1))
    assert (found.group_of == NOBODY).all()


def test_identical_vectors_are_one_group() -> None:
    everyone = np.ones((30, 64)) / 8
    found = group_images(30, NO_LINKS, nearest_links(everyone), rule(0.1))
    assert found.group_of.tolist() == [0] * 30


def test_copies_of_one_picture_are_never_split() -> None:
    vectors, _ = planted(1, groups=10, sizes=(5, 20))
    random = np.random.default_rng(0)
    copies = links(*random.integers(len(vectors), size=(2, 60)), np.full(60, 10))
    found = group_images(len(vectors), copies, nearest_links(vectors), rule())
    for one, other in zip(copies.first, copies.second, strict=True):
        assert found.group_of[one] == found.group_of[other]


def test_enough_copies_of_one_picture_are_a_group_without_any_embedding() -> None:
    copies = links([0, 1, 4], [1, 2, 5], [10, 31, 2])
    assert group_images(6, copies, NO_LINKS, rule()).group_of.tolist() == [0, 0, 0, -1, -1, -1]


def test_copies_count_as_images_but_not_as_a_dense_group_of_pictures() -> None:
    # two copies of one picture and one relative: three images, although only two pictures
    made = group_images(3, links([0], [1], [4]), links([1], [2], [0.05]), rule())
    assert made.group_of.tolist() == [0, 0, 0]
    # many copies of one picture do not tear it out of its series
    vectors, truth = planted(2, groups=5, sizes=(12, 13), noise=0)
    again = np.concatenate([vectors, np.repeat(vectors[:1], 30, axis=0)])
    copies = links(np.zeros(30, int), np.arange(len(vectors), len(again)), np.full(30, 2))
    found = group_images(len(again), copies, nearest_links(again, k=45), rule())
    assert adjusted_rand_score(truth, found.group_of[: len(vectors)]) == 1.0


def test_a_picture_at_the_edge_joins_its_nearest_neighbour_and_says_so() -> None:
    # a dense group 0..5, and 6 linked only to 0, within two and a half times the length of the links inside
    one, other = np.triu_indices(6, 1)
    made = links(np.append(one, 0), np.append(other, 6), np.append(np.full(15, 0.02), 0.045))
    found = group_images(7, NO_LINKS, made, rule())
    assert found.group_of.tolist() == [0] * 7
    assert found.placed.tolist() == [False] * 6 + [True]


def test_a_picture_farther_than_a_group_reaches_is_no_member_although_it_is_within_the_bound() -> None:
    # 6 has two links to the dense group 0..5, so that HDBSCAN would take it in
    one, other = np.triu_indices(6, 1)
    made = links(np.append(one, [0, 1]), np.append(other, [6, 6]), np.append(np.full(15, 0.02), [0.15, 0.15]))
    assert group_images(7, NO_LINKS, made, rule()).group_of.tolist() == [0] * 6 + [NOBODY]
    assert group_images(7, NO_LINKS, made, rule(stretch=8)).group_of.tolist() == [0] * 7


def test_a_chain_whose_ends_are_far_from_what_stands_for_it_is_split() -> None:
    # each of 200 pictures is linked to the two next: all links are short, and the ends have nothing in common
    place = np.arange(198)
    made = links(np.append(place, place), np.append(place + 1, place + 2), np.full(396, 0.05))
    whole = group_images(200, NO_LINKS, made, rule(farthest=1e9))
    split = group_images(200, NO_LINKS, made, rule())
    assert np.bincount(whole.group_of).tolist() == [200]
    assert len(np.bincount(split.group_of)) > 2
    for number in range(split.group_of.max() + 1):
        assert np.ptp(np.flatnonzero(split.group_of == number)) < 80


def test_a_calibration_counts_improbable_links_as_longer_and_keeps_their_order() -> None:
    weighing = rule(0.2, calibrated=((0.8, 0.1), (0.9, 0.9), (0.98, 1.0)))  # type: ignore[arg-type]
    distances = np.array([0.001, 0.02, 0.05, 0.1, 0.15, 0.2])
    weighed = weighing.weighed(distances)
    assert (np.diff(weighed) > 0).all()
    assert (np.diff(weighed) >= 0).all()
    assert weighed[-1] == pytest.approx(0.2 * 1.9)
    assert weighed[0] == pytest.approx(0.005)


def test_a_few_nearly_identical_pictures_do_not_stand_in_for_the_group_around_them() -> None:
    # twenty pictures .05 from each other, but 0..2 and 3..5 nearly identical
    one, other = np.triu_indices(20, 1)
    identical = (other < 3) | ((one > 2) & (other < 6))
    found = group_images(20, NO_LINKS, links(one, other, np.where(identical, 1e-5, 0.05)), rule())
    assert found.group_of.tolist() == [0] * 20


def test_links_beyond_the_bound_join_nothing() -> None:
    one, other = np.triu_indices(6, 1)
    made = links(np.append(one, 0), np.append(other, 6), np.append(np.full(15, 0.02), 0.21))
    assert group_images(7, NO_LINKS, made, rule()).group_of.tolist() == [0] * 6 + [NOBODY]


def test_the_same_evidence_gives_the_same_bits() -> None:
    vectors, _ = planted(3, groups=20, sizes=(3, 30), chain=100)
    evidence = nearest_links(vectors)
    one, other = (group_images(len(vectors), NO_LINKS, evidence, rule()) for _ in range(2))
    assert one.group_of.tobytes() == other.group_of.tobytes()
    assert one.placed.tobytes() == other.placed.tobytes()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("chain", [0, 100])
def test_the_groups_do_not_depend_on_how_images_are_numbered(seed: int, chain: int) -> None:
    vectors, _ = planted(4, groups=20, sizes=(3, 30), chain=chain)
    evidence = nearest_links(vectors)
    new_number = np.random.default_rng(seed).permutation(len(vectors))
    moved: Links = links(new_number[evidence.first], new_number[evidence.second], evidence.distance)
    before = group_images(len(vectors), NO_LINKS, evidence, rule())
    after = group_images(len(vectors), NO_LINKS, moved, rule())
    # a picture as near to one group as to another may go either way; that is why images are numbered by SHA-256
    assert adjusted_rand_score(before.group_of, after.group_of[new_number]) > (0.98 if chain else 0.9999)
