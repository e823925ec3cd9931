"""Thresholds hold their stated error rates on pictures never seen, or are refused."""

import numpy as np
import pytest

from indexer.calibration import AbstainZone
from indexer.calibration.intervals import fewest_for, lower_bound, upper_bound
from indexer.calibration.thresholds import abstain_zone
from indexer.errors import UsageError
from indexer.estimates import effective_size, group_numbers


def scores(size: int, seed: int, apart: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    fake = np.arange(2 * size) < size
    return np.where(fake, apart, -apart) / 2 + rng.normal(size=2 * size), fake


def zone_of(size: int, seed: int = 0, *, rate: float = 0.05, apart: float = 2.0) -> AbstainZone:
    odds, fake = scores(size, seed, apart)
    return abstain_zone(odds, fake, np.arange(len(odds)), rate, rate)


def test_stated_rates_hold_on_fresh_pictures() -> None:
    odds, fake = scores(20_000, seed=99)
    for seed in range(20):
        zone = zone_of(400, seed)
        assert (odds[~fake] > zone.fake_above).mean() <= 0.05
        assert zone.authentic_below is not None
        assert (odds[fake] < zone.authentic_below).mean() <= 0.05


def test_the_upper_end_of_the_interval_meets_the_stated_rate_and_no_lower_threshold_would() -> None:
    odds, fake = scores(500, seed=1)
    zone = zone_of(500, seed=1)
    assert zone.false_positive_rate.high <= 0.05
    next_lower = np.sort(odds[~fake])[::-1][round(zone.false_positive_rate.value * 500) + 1]
    assert upper_bound((odds[~fake] > next_lower).mean(), 500) > 0.05


def test_too_few_authentic_pictures_for_the_stated_rate_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"0\.05 needs 72 independent authentic pictures, here are 71.*--fpr"):
        zone_of(71)
    assert zone_of(72).false_positive_rate.value == 0


def test_pictures_of_one_group_count_as_one() -> None:
    odds, fake = scores(400, seed=0)
    codes = group_numbers([f"group {number // 20}" for number in range(800)], 800)
    assert effective_size(codes[~fake]) == 20
    with pytest.raises(UsageError, match="groups that count as 20"):
        abstain_zone(odds, fake, codes, 0.05, 0.05)


def test_too_few_fakes_leave_out_leaning_authentic() -> None:
    odds, fake = scores(400, seed=0)
    kept = ~fake | (np.arange(800) < 50)
    zone = abstain_zone(odds[kept], fake[kept], np.arange(kept.sum()), 0.05, 0.05)
    assert zone.authentic_below is None
    assert zone.false_negative_rate is None


def test_classes_far_apart_leave_the_gap_undecided() -> None:
    odds, fake = scores(200, seed=0, apart=40.0)
    zone = zone_of(200, apart=40.0)
    assert zone.authentic_below is not None
    assert odds[~fake].max() >= zone.authentic_below > odds[~fake].min()
    assert odds[fake].min() <= zone.fake_above < odds[fake].max()
    assert zone.false_positive_rate.value == 0


@pytest.mark.parametrize("rate", [0.0, 0.5, -1.0, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match=r"--fpr is a rate between 0 and 0\.5"):
        zone_of(100, rate=rate)


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    """The 95 % interval of 3 in 50, as published tables have it."""
    assert (lower_bound(3 / 50, 50), upper_bound(3 / 50, 50)) == pytest.approx((0.01255, 0.16548), abs=1e-5)
    assert upper_bound(0.0, fewest_for(0.01)) <= 0.01 < upper_bound(0.0, fewest_for(0.01) - 1)
    assert (float(lower_bound(0.0, 10)), float(upper_bound(1.0, 10))) == (0.0, 1.0)
