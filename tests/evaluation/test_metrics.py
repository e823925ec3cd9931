"""Figures are those of scikit-learn; intervals cover as they should, and know groups."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from indexer.errors import UsageError
from indexer.estimates import bootstrap, wilson
from indexer.evaluation import metrics


def scored(n: int, seed: int, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and scores in (0, 1), rounded so that there are ties."""
    chance = np.random.default_rng(seed)
    fake = chance.random(n) < 0.4
    fake[:2] = True, False
    score = 1 / (1 + np.exp(-(chance.normal(size=n) + shift * fake)))
    return fake, score.round(2)


@pytest.mark.parametrize("seed", range(5))
def test_areas_are_those_of_scikit_learn(seed: int) -> None:
    fake, score = scored(57 + 40 * seed, seed)
    assert metrics.roc_auc(fake, score, resamples=10).value == pytest.approx(roc_auc_score(fake, score))
    assert metrics.average_precision(fake, score, resamples=10).value == pytest.approx(
        average_precision_score(fake, score)
    )


@pytest.mark.parametrize("seed", range(3))
def test_resampled_areas_are_those_of_scikit_learn_on_the_drawn_pictures(seed: int) -> None:
    fake, score = scored(60, seed)
    weights = np.random.default_rng(seed).integers(0, 4, len(fake)).astype(float)
    weights[:2] = 1
    ranked = metrics._Ranked(fake, score)
    tpr, fpr = ranked.rates(weights[None])
    expected = roc_auc_score(fake, score, sample_weight=weights)
    assert metrics._trapezium(tpr, fpr)[0] == pytest.approx(expected)


def test_share_of_fakes_found_at_a_bound_on_false_alarms() -> None:
    fake, score = scored(300, 3)
    fprs, tprs, thresholds = roc_curve(fake, score, drop_intermediate=False)
    for point in metrics.operating_points(fake, score, (0.01, 0.05, 0.1), resamples=20):
        place = np.flatnonzero(fprs <= point.max_fpr)[-1]
        assert point.tpr.value == pytest.approx(tprs[place])
        assert point.threshold == pytest.approx(thresholds[place])
        assert point.tpr.low <= point.tpr.value <= point.tpr.high


def test_no_threshold_is_named_when_the_highest_score_is_a_false_alarm() -> None:
    (point,) = metrics.operating_points([True, False], [0.2, 0.9], (0.1,), resamples=5)
    assert point.threshold is None
    assert point.tpr.value == 0


def test_rates_at_a_threshold_count_what_lies_on_it_as_fake() -> None:
    rates = metrics.rates_at([1, 1, 1, 0, 0], [0.9, 0.5, 0.1, 0.5, 0.2], threshold=0.5, resamples=50)
    assert rates.tpr.value == pytest.approx(2 / 3)
    assert rates.fpr.value == pytest.approx(1 / 2)
    assert rates.accuracy.value == pytest.approx(3 / 5)


def test_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    fake, p_fake = scored(4_000, 1)
    found = metrics.calibration_error(fake, p_fake, resamples=20).value
    bins = metrics.reliability(fake, p_fake)
    assert sum(one.n for one in bins) == 4_000
    assert len(bins) == metrics.BINS
    assert max(one.n for one in bins) < 1.5 * min(one.n for one in bins)
    assert found == pytest.approx(sum(one.n * abs(one.share - one.p_fake) for one in bins) / 4_000)
    truth = np.random.default_rng(0).random(4_000) < p_fake
    assert metrics.calibration_error(truth, p_fake, resamples=20).value < 0.03 < found


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Scores N(0, 1) and N(1, 1): the true area is Phi(1 / sqrt 2)."""
    truth, hits = 0.7602499, 0
    fake = np.arange(120) < 60
    for seed in range(60):
        score = np.random.default_rng(seed).normal(size=120) + fake
        interval = metrics.roc_auc(fake, score, seed=seed, resamples=300)
        hits += interval.low <= truth <= interval.high
    assert hits >= 52  # 95 % of 60 is 57; fewer than 52 has a chance below 1 %


def test_a_seed_gives_the_same_interval_and_another_seed_another() -> None:
    fake, score = scored(80, 1)
    assert metrics.roc_auc(fake, score, seed=4) == metrics.roc_auc(fake, score, seed=4)
    assert metrics.roc_auc(fake, score, seed=4) != metrics.roc_auc(fake, score, seed=5)


def test_copies_in_one_group_do_not_narrow_the_interval() -> None:
    fake, score = scored(40, 2)
    groups = [f"photo {number}" for number in range(40)]
    alone = metrics.roc_auc(fake, score)
    copied = metrics.roc_auc(np.tile(fake, 10), np.tile(score, 10), groups=groups * 10)
    blind = metrics.roc_auc(np.tile(fake, 10), np.tile(score, 10))
    assert copied.value == pytest.approx(alone.value)
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert blind.high - blind.low < 0.5 * (alone.high - alone.low)


def test_resampling_keeps_classes_and_groups_whole() -> None:
    """Ten groups of two fakes, ten authentic pictures alone, ten groups of one of each."""
    fake = np.array([True] * 20 + [False] * 10 + [True, False] * 10)
    groups = [f"f{number // 2}" for number in range(20)] + [None] * 10 + [f"m{number // 2}" for number in range(20)]
    seen: list[np.ndarray] = []

    def watch(weights: np.ndarray) -> np.ndarray:
        seen.append(weights)
        return weights[:, :1]

    bootstrap(watch, fake, groups=groups, seed=1, resamples=200)
    drawn = np.concatenate(seen[1:])
    assert drawn.shape == (200, 50)
    assert (drawn[:, 0:20:2] == drawn[:, 1:20:2]).all()
    assert (drawn[:, 30::2] == drawn[:, 31::2]).all()
    assert [set(drawn[:, part].sum(axis=1)) for part in (slice(20), slice(20, 30), slice(30, 50))] == [{20}, {10}, {20}]
    assert (drawn[:, 0] != drawn[:, 2]).any()


def test_shares_of_all_or_nothing_are_not_claimed_to_be_sure() -> None:
    everything = metrics.mean([1.0] * 20)
    assert (everything.value, everything.high) == (1.0, 1.0)
    assert everything.low == pytest.approx(wilson(20, 20).low)
    one_group = metrics.mean([1.0] * 20, groups=["same"] * 20)
    assert (one_group.value, one_group.interval) == (1.0, None)
    assert one_group.no_interval == "only 1 group of a class, 5 are needed"
    five = metrics.mean([1.0] * 20, groups=[f"group {number % 5}" for number in range(20)])
    assert five.interval == wilson(5, 5).interval


def test_the_macro_mean_weighs_classes_alike() -> None:
    values, classes = [1, 1, 1, 1, 0], [0, 0, 0, 0, 1]
    assert metrics.mean(values).value == pytest.approx(0.8)
    assert metrics.macro_mean(values, classes).value == pytest.approx(0.5)


def test_curves_start_and_end_where_they_should_and_stay_short() -> None:
    fake, score = scored(5_000, 5)
    score = score + np.random.default_rng(1).random(5_000) / 1e3
    curve = metrics.roc_curve(fake, score)
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert len(curve.x) <= 300
    assert metrics.precision_recall_curve(fake, score).x[-1] == 1


@pytest.mark.parametrize(
    ("fake", "score", "word"),
    [
        ([True, True], [0.1, 0.2], "only fakes"),
        ([False], [0.1], "only authentic"),
        ([], [], "no pictures"),
        ([True, False], [0.1], "one of each"),
        ([True, False], [0.1, float("nan")], "finite"),
    ],
)
def test_what_cannot_be_measured_is_said(fake: list[bool], score: list[float], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        metrics.roc_auc(fake, score)
