"""Scores become probabilities that hold on pictures the map was not fitted on."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from indexer.calibration import Calibration, Method, ScoreHead
from indexer.calibration.fit import CalibrationOptions, Material, calibrate
from indexer.calibration.scores import fit_one, folds
from indexer.errors import UsageError
from indexer.estimates import group_numbers
from tests.calibration.planted_scores import material

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def calibrated(made: Material, **options: object) -> Calibration:
    return calibrate(made, CalibrationOptions(**options), NOW)  # type: ignore[arg-type]


def test_a_known_temperature_is_recovered() -> None:
    found = calibrated(material(4_000, temperature=2.5), method="temperature")
    assert found.scores.slope == pytest.approx(1 / 2.5, rel=0.06)
    assert found.scores.intercept == 0


def test_a_known_shift_is_recovered_by_platt() -> None:
    found = calibrated(material(4_000, temperature=2.0, shift=1.5), method="platt")
    assert found.scores.slope == pytest.approx(1 / 2.0, rel=0.06)
    assert found.scores.intercept == pytest.approx(-1.5, abs=0.15)


def test_auto_takes_platt_for_a_shifted_score_rather_than_a_temperature() -> None:
    assert calibrated(material(1_000, shift=3.0)).scores.method is not Method.TEMPERATURE


def test_calibration_makes_an_overconfident_score_honest_on_held_out_pictures() -> None:
    check = calibrated(material(1_500, temperature=4.0)).check
    assert check.after.ece.high < check.before.ece.low
    assert check.after.log_loss.high < check.before.log_loss.low
    assert check.after.brier.value < check.before.brier.value
    assert sum(one.count for one in check.reliability) == 1_500


def test_a_score_that_is_right_already_is_left_nearly_as_it_is() -> None:
    found = calibrated(material(4_000))
    odds = np.linspace(-4, 4, 9)
    assert found.scores.probabilities(odds) == pytest.approx(1 / (1 + np.exp(-odds)), abs=0.05)


def test_isotonic_is_refused_with_few_pictures_and_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"200 fakes and 200 authentic.*--method platt"):
        calibrated(material(300), method="isotonic")
    assert calibrated(material(300)).scores.method is not Method.ISOTONIC


def test_an_isotonic_map_never_falls_and_never_says_certain() -> None:
    found = calibrated(material(1_000), method="isotonic").scores
    probabilities = found.probabilities(np.linspace(-50, 50, 400))
    assert (np.diff(probabilities) >= 0).all()
    assert 0 < probabilities[0] < probabilities[-1] < 1


@pytest.mark.parametrize("method", [Method.TEMPERATURE, Method.PLATT])
def test_classes_told_apart_without_a_fault_get_no_certainty(method: Method) -> None:
    odds = np.concatenate([np.full(50, -30.0), np.full(50, 30.0)])
    found = fit_one(odds, odds > 0, method).probabilities(odds)
    assert 0.9 < found[-1] < 0.99
    assert 0.01 < found[0] < 0.1


def test_a_score_that_points_the_wrong_way_is_refused() -> None:
    made = material(600)
    with pytest.raises(UsageError, match="does not rise with fakeness"):
        calibrated(replace(made, logits=-made.logits), method="platt")


def test_pictures_of_one_group_are_held_out_together() -> None:
    codes = group_numbers([f"group {number // 5}" for number in range(200)], 200)
    fake = np.arange(200) % 2 == 0
    held_out = []
    for train, test in folds(fake, codes, seed=3):
        assert not set(codes[train]) & set(codes[test])
        held_out += list(test)
    assert sorted(held_out) == list(range(200))


def test_a_class_of_one_group_cannot_be_held_out() -> None:
    made = material(300)
    named = tuple("one source" if fake else None for fake in made.fake)
    with pytest.raises(UsageError, match="other groups"):
        calibrated(replace(made, groups=named))


def test_several_logits_count_by_their_log_odds() -> None:
    head = ScoreHead("softmax", 1)
    logits = np.array([[0.0, 1.0, -1.0], [3.0, -2.0, 800.0]])
    p = np.exp(logits[0]) / np.exp(logits[0]).sum()
    assert head.log_odds(logits) == pytest.approx([np.log(p[1] / (1 - p[1])), -802.0])


def test_the_same_seed_gives_the_same_calibration() -> None:
    assert calibrated(material(300), seed=7) == calibrated(material(300), seed=7)


def test_too_few_fakes_are_refused() -> None:
    made = material(500)
    rare = replace(made, fake=np.arange(500) < 10)
    with pytest.raises(UsageError, match="has 10 known fakes, and 20 are needed"):
        calibrated(rare)
