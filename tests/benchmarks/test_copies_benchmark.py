"""The copies benchmark measures what it says, goes on where it was stopped, and keeps its halves apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.alterations import ALTERATIONS, Strength, alter
from benchmarks.copying.measuring import Options, measure
from benchmarks.copying.peers import of_scores
from benchmarks.copying.precision import micro_average_precision, recall_at_precision
from benchmarks.copying.traps import KINDS
from benchmarks.copying.trials import Part, TrialFile
from benchmarks.reporting.report import Report
from indexer.errors import SourceError, UsageError
from indexer.settings import Settings
from tests.tiny_detectors import tiny_detector

ASKED = ("mirrored", "crop_centre")


def smooth(folder: Path, count: int, seed: int) -> Path:
    """Pictures of smooth random colours, which are all different."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 255, (12, 12, 3), dtype=np.uint8))
        coarse.resize((160, 160), Image.Resampling.BICUBIC).filter(ImageFilter.SMOOTH).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return smooth(tmp_path_factory.mktemp("copies") / "known", 4, 3)


@pytest.fixture(scope="module")
def report(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    work = tmp_path_factory.mktemp("work")
    strangers = smooth(work / "strangers", 6, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmarks.copying.queries.ALTERATIONS", {name: ALTERATIONS[name] for name in ASKED})
        patch.setattr("benchmarks.copying.traps.KINDS", {"blank": KINDS["blank"]})
        options = Options((pictures,), strangers=(strangers,), made_traps=2, queries=1)
        detector = tiny_detector(work / "detector", seed=1)
        settings = Settings.load(home=work / "home", keep_originals=True, detector=str(detector))
        first = measure(options, settings, work / "run")
        asked = (work / "run" / "trials-all.jsonl").read_text().count("\n")
        again = measure(options, settings, work / "run")
        assert (work / "run" / "trials-all.jsonl").read_text().count("\n") == asked, "nothing is asked twice"
        with pytest.raises(UsageError, match="another --work"):
            measure(Options((strangers,)), settings, work / "run")
    assert again.rows == first.rows
    return first


def test_each_alteration_and_strength_has_a_row_and_all_of_them_add_up(report: Report) -> None:
    rows = {(row.queries, row.strength): row for row in report.rows}

    assert all(rows[f"ours: {name}", strength.name.lower()].n == 1 for name in ASKED for strength in Strength)
    assert rows["all altered copies", "all"].n == len(ASKED) * len(Strength)
    assert rows["trap: blank", "all"].n == 2
    assert rows["strangers", "all"].first is None


def test_an_unaltered_picture_is_claimed_and_first_for_every_peer(report: Report) -> None:
    (row,) = (row for row in report.rows if row.queries == "unaltered")

    assert row.claimed.share == row.first.share == row.pdq.share == row.cls.share == 1.0
    assert row.sscd is None


def test_the_aims_are_checked_and_precisions_are_told_for_each_peer(report: Report) -> None:
    names = {check.name for check in report.checks}

    assert {"original first", "claimed rightly", "strangers: claimed as the same picture"} <= names
    assert {f"micro_average_precision_{name}" for name in ("product", "pdq", "cls")} <= set(report.figures)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_with_one_seed_gives_the_same_bytes(name: str) -> None:
    picture = Image.linear_gradient("L").resize((96, 64)).convert("RGB")

    assert alter(name, picture, Strength.MIDDLE, 3) == alter(name, picture, Strength.MIDDLE, 3)


def test_micro_precision_ranks_the_pairs_of_all_queries_together() -> None:
    scores, right = np.array([3, 2, 1], np.float32), np.array([1, 0, 1], np.float32)

    assert micro_average_precision(scores, right, 2) == pytest.approx((1 + 2 / 3) / 2)
    assert micro_average_precision(scores, right, 4) == pytest.approx((1 + 2 / 3) / 4)
    assert recall_at_precision(scores, right, 2, 0.9) == 0.5
    assert micro_average_precision(np.ones(2, np.float32), np.array([1, 0], np.float32), 1) == 0.5


def test_of_several_copies_of_one_known_picture_only_the_best_counts() -> None:
    asked = of_scores(np.array([0.9, 0.8, 0.7], np.float32), frozenset({0, 1}))

    assert asked.first
    assert [right for _, right in asked.scores] == [True, False]


def test_halves_keep_pictures_apart_and_are_the_whole_together() -> None:
    names = [f"{number:064x}" for number in range(50)]
    tune, test = ({name for name in names if part.has(name)} for part in (Part.TUNE, Part.TEST))

    assert tune | test == set(names)
    assert not tune & test
    assert tune
    assert test


def test_a_run_of_other_parameters_is_not_gone_on_with(tmp_path: Path) -> None:
    TrialFile(tmp_path / "trials.jsonl", {"known": 3})

    with pytest.raises(UsageError, match="other parameters"):
        TrialFile(tmp_path / "trials.jsonl", {"known": 4})


def test_a_folder_without_pictures_and_no_queries_are_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    settings = Settings.load(home=tmp_path / "home", keep_originals=True)
    options = Options((tmp_path / "empty",))

    with pytest.raises(SourceError):
        measure(options, settings, tmp_path)
    with pytest.raises(UsageError, match="at least 1"):
        measure(replace(options, queries=0), settings, tmp_path)
