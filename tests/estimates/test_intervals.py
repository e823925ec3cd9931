"""Intervals: they cover what they say, they keep their width, and where nothing can be said there is none."""

import numpy as np
import pytest

from indexer.errors import UsageError
from indexer.estimates import FEW_GROUPS, FEWEST_GROUPS, Estimate, bootstrap, clopper_pearson, group_numbers, wilson
from indexer.estimates.resampling import NO_SPREAD, tail_of
from indexer.evaluation import metrics

Reals = np.ndarray


def grouped_mean(groups: int, size: int, seed: int) -> tuple[Estimate, Estimate]:
    """The mean of pictures whose groups differ (N(0, 1)) more than pictures inside them (N(0, 0.5)); the truth is 0.
    With an interval by groups, and as if the pictures were independent."""
    chance = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(groups), size)
    values = chance.normal(size=groups)[numbers] + 0.5 * chance.normal(size=groups * size)

    def mean(weights: Reals) -> Reals:
        return (weights @ values / weights.sum(axis=1))[:, None]

    one_class = np.ones(len(values), np.bool_)
    by_groups = bootstrap(mean, one_class, groups=numbers, seed=seed, resamples=300)[0]
    return by_groups, bootstrap(mean, one_class, seed=seed, resamples=300)[0]


@pytest.mark.parametrize("groups", [5, 7, 9, 20])
def test_intervals_of_few_groups_cover_the_truth_about_as_often_as_they_say(groups: int) -> None:
    covered = blind = 0
    for seed in range(100):
        by_groups, independent = grouped_mean(groups, 6, seed)
        covered += by_groups.bounds[0] <= 0 <= by_groups.bounds[1]
        blind += independent.bounds[0] <= 0 <= independent.bounds[1]
    assert covered >= 86  # of 95 promised; bounded by 94 for five groups
    assert blind < 75


@pytest.mark.parametrize("groups", range(1, FEWEST_GROUPS))
def test_fewer_groups_give_no_interval_and_say_why(groups: int) -> None:
    found, _ = grouped_mean(groups, 10, 1)
    assert found.interval is None
    assert found.no_interval is not None
    assert found.no_interval.startswith(f"only {groups} group")
    assert "5 are needed" in str(found)


def test_the_class_in_fewest_groups_decides() -> None:
    fake = np.arange(100) < 50
    score = np.random.default_rng(0).normal(size=100) + fake
    of_fakes = ["one" if one else None for one in fake]
    assert metrics.roc_auc(fake, score, groups=of_fakes).interval is None
    rates = metrics.rates_at(fake, score, groups=of_fakes)
    assert (rates.tpr.interval, rates.accuracy.interval) == (None, None)
    assert rates.fpr.interval is not None
    assert [point.tpr.interval for point in metrics.operating_points(fake, score, groups=of_fakes)] == [None] * 3


def test_groups_that_hold_both_classes_are_drawn_inside_too() -> None:
    fake = np.tile([True, True, False, False], 6)
    groups = np.repeat(np.arange(6), 4)
    seen: list[Reals] = []

    def watch(weights: Reals) -> Reals:
        seen.append(weights)
        return weights[:, :1]

    bootstrap(watch, fake, groups=groups, resamples=100)
    drawn = np.concatenate(seen[1:])
    assert (drawn[:, 0] != drawn[:, 1]).any()
    for number in range(6):
        sides = [drawn[:, (groups == number) & side].sum(axis=1) for side in (fake, ~fake)]
        assert (sides[0] == sides[1]).all()
    assert (drawn.sum(axis=1) == 24).all()


def test_many_groups_are_drawn_whole_with_the_plain_percentiles() -> None:
    assert tail_of(FEW_GROUPS) == 0.025
    tails = [tail_of(groups) for groups in range(2, FEW_GROUPS)]
    assert tails == sorted(tails)
    assert max(tails) < 0.01


@pytest.mark.parametrize("fakes", [5, 20, 60])
def test_a_perfect_area_has_the_exact_interval_of_its_disjoint_pairs(fakes: int) -> None:
    fake = np.arange(100) < fakes
    apart = metrics.roc_auc(fake, fake.astype(float))
    pairs = min(fakes, 100 - fakes)
    assert apart.interval == pytest.approx((0.025 ** (1 / pairs), 1.0))
    assert metrics.roc_auc(fake, -fake.astype(float)).interval == pytest.approx((0.0, 1 - 0.025 ** (1 / pairs)))


def test_the_interval_of_a_perfect_area_covers_areas_below_one() -> None:
    """Exponential scores of means 1 and 49: the area is 49 / 50, and few pictures are all in order by chance."""
    truth, perfect, covered = 49 / 50, 0, 0
    fake = np.arange(16) < 8
    for seed in range(300):
        score = np.random.default_rng(seed).exponential(np.where(fake, 49.0, 1.0))
        found = metrics.roc_auc(fake, score, seed=seed, resamples=50)
        if found.value == 1:
            perfect += 1
            covered += found.bounds[0] <= truth <= found.bounds[1]
    assert perfect > 30
    assert covered == perfect


def test_a_perfect_area_of_groups_counts_groups() -> None:
    fake = np.arange(60) < 30
    groups = np.arange(60) // 5
    found = metrics.roc_auc(fake, fake.astype(float), groups=groups)
    assert found.interval == clopper_pearson(6, 6).interval
    assert metrics.roc_auc(fake, fake.astype(float), groups=np.arange(60) // 15).interval is None


def test_a_value_that_no_resample_changes_claims_no_certainty() -> None:
    fake = np.arange(40) < 20
    same = metrics.roc_auc(fake, np.zeros(40))
    assert (same.value, same.interval, same.no_interval) == (0.5, None, NO_SPREAD)
    assert metrics.average_precision(fake, fake.astype(float)).interval is None
    assert metrics.macro_mean([1.0] * 20, [0, 1] * 10).interval is None


@pytest.mark.parametrize(("hits", "of"), [(0, 3), (3, 3), (1, 3), (0, 50), (50, 50)])
def test_shares_of_independent_pictures_keep_their_width_however_few(hits: int, of: int) -> None:
    found = metrics.mean([1.0] * hits + [0.0] * (of - hits))
    assert found.interval == wilson(hits, of).interval
    assert found.bounds[1] - found.bounds[0] > 0.05


def test_intervals_of_proportions_are_the_published_ones() -> None:
    """Brown, Cai & DasGupta, Statistical Science 16:101 (2001), and 1 - 0.025^(1/n) for none of n."""
    assert wilson(0, 10).interval == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert clopper_pearson(0, 10).interval == pytest.approx((0.0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10).interval == pytest.approx((0.025**0.1, 1.0))
    for refused in ((3, 2), (0, 0), (-1, 2)):
        with pytest.raises(ValueError, match="not a proportion"):
            wilson(*refused)


def test_an_estimate_has_both_ends_or_neither() -> None:
    assert Estimate.alone(0.5, "why").interval is None
    with pytest.raises(ValueError, match="two ends"):
        Estimate(0.5, None, 0.6)
    with pytest.raises(ValueError, match="above its end"):
        Estimate(0.5, 0.6, 0.4)


def test_groups_are_numbered_by_name_and_pictures_without_one_apart() -> None:
    assert group_numbers(["a", None, "a", None, 0], 5).tolist() == [0, 1, 0, 2, 3]
    assert group_numbers(None, 3).tolist() == [0, 1, 2]
    with pytest.raises(UsageError, match="1 groups were given for 2"):
        group_numbers(["a"], 2)
