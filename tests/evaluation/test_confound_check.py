"""Facts that tell the classes apart without looking are found out; groups never leak between folds."""

import numpy as np
import pytest

from indexer.errors import UsageError
from indexer.evaluation.classifiers import confound_auc, held_out, held_out_classes, logistic_regression

CHANCE = np.random.default_rng(7)
FAKE = np.arange(200) % 2 == 0


def test_classes_of_different_size_are_found_out() -> None:
    widths = np.where(FAKE, 512, 640) + CHANCE.normal(size=200) * 40
    found = confound_auc(np.stack([widths, CHANCE.normal(size=200)], axis=1), FAKE, resamples=50)
    assert found.value > 0.9
    assert found.low <= found.value <= found.high


def test_trees_find_what_a_straight_line_does_not() -> None:
    """Fakes are all of middling compression, authentic pictures of low or high."""
    quality = np.where(FAKE, CHANCE.uniform(70, 80, 200), CHANCE.choice([60.0, 90.0], 200))
    assert confound_auc(quality[:, None], FAKE, resamples=50).value > 0.9


def test_facts_that_say_nothing_stay_near_a_half() -> None:
    assert confound_auc(CHANCE.normal(size=(200, 4)), FAKE, resamples=50).value < 0.65


def test_a_group_is_never_on_both_sides() -> None:
    """A feature names the group, and classes go by group: only a leak between folds could make use of it."""
    groups = np.repeat(np.arange(40), 5)
    fake = CHANCE.permutation(40)[groups] % 2 == 0
    table = np.eye(40)[groups]
    leaking = held_out(table, fake, logistic_regression)
    kept = held_out(table, fake, logistic_regression, groups=[str(group) for group in groups])
    assert ((leaking > 0) == fake).mean() > 0.95
    assert ((kept > 0) == fake).mean() < 0.75


def test_generators_are_named_from_pictures_of_other_groups() -> None:
    classes = np.repeat([0, 1, 2], 20)
    table = np.eye(3)[classes] + CHANCE.normal(size=(60, 3)) * 0.1
    groups = [f"group {number // 2}" for number in range(60)]
    assert (held_out_classes(table, classes, groups=groups) == classes).mean() > 0.95


def test_a_generator_of_a_single_group_is_no_failure_but_is_not_named() -> None:
    classes = np.array([0] * 6 + [1] * 6 + [2] * 2)
    groups = [*(f"a{number}" for number in range(12)), "only", "only"]
    named = held_out_classes(np.eye(3)[classes], classes, groups=groups)
    assert (named[:12] == classes[:12]).all()
    assert (named[12:] != 2).all()


def test_what_is_the_matter_with_too_few_independent_pictures_is_said() -> None:
    table, fake = np.zeros((4, 1)), np.array([True, True, False, False])
    with pytest.raises(UsageError, match=r"all 2 fake pictures are of one group.*add fake pictures of other groups"):
        confound_auc(table, fake, groups=["a", "a", "b", "c"])
    with pytest.raises(UsageError, match="all 2 authentic pictures are of one group"):
        confound_auc(table, fake, groups=["a", "b", "c", "c"])
    with pytest.raises(UsageError, match="there is 1 fake picture,"):
        confound_auc(table, np.array([True, False, False, False]))
    with pytest.raises(UsageError, match="no class has pictures of two groups"):
        held_out_classes(table, fake.astype(np.int64), groups=["a", "a", "b", "b"])
    with pytest.raises(UsageError, match="cannot be"):
        confound_auc(np.zeros((3, 1)), np.array([True, False]))
