import numpy as np

from indexer.campaigns.grouping.clustering import GroupingRule, group_images
from indexer.campaigns.grouping.graph import links
from indexer.campaigns.grouping.members import roles

RULE = GroupingRule(min_size=3, bound=0.1)


def test_strength_falls_with_the_distance_to_the_group() -> None:
    one, other = np.triu_indices(5, 1)
    alike = links(np.append(one, 0), np.append(other, 5), np.append(np.full(10, 0.04), 0.08))
    grouping = group_images(6, links([], [], []), alike, RULE)
    found = roles(grouping, links([], [], []), alike, RULE, np.full(6, 100))
    assert found.strength.tolist() == [1.0] * 5 + [0.5]


def test_copies_of_one_picture_are_as_strong_as_they_are_alike_and_the_largest_stands_for_them() -> None:
    copies = links([0, 1, 2], [1, 2, 3], [2, 8, 4])
    alike = links([], [], [])
    grouping = group_images(4, copies, alike, RULE)
    found = roles(grouping, copies, alike, RULE, np.array([10, 90, 400, 30]))
    assert found.strength.tolist() == [0.9922, 0.9922, 0.9844, 0.9844]
    assert found.exemplar.tolist() == [False, False, True, False]
    assert found.copy.other.tolist() == [1, 0, 3, 2]
    assert found.copy.distance.tolist() == [2, 2, 4, 4]
    assert found.relative.other.tolist() == [-1] * 4


def test_exemplars_are_the_best_connected_pictures_one_in_four() -> None:
    # a star: 0 is linked to all others
    alike = links(np.zeros(7, int), np.arange(1, 8), np.full(7, 0.02))
    grouping = group_images(8, links([], [], []), alike, RULE)
    found = roles(grouping, links([], [], []), alike, RULE, np.full(8, 100))
    assert found.exemplar[0]
    assert found.exemplar.sum() == 2


def test_the_nearest_relative_is_of_another_picture() -> None:
    copies = links([0], [1], [5])
    alike = links([0, 0, 1], [1, 2, 2], [0.001, 0.05, 0.03])
    grouping = group_images(3, copies, alike, RULE)
    found = roles(grouping, copies, alike, RULE, np.full(3, 100))
    assert found.relative.other.tolist() == [2, 2, 1]
    assert found.relative.distance.tolist() == [0.05, 0.03, 0.03]
