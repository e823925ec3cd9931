"""The difference benchmark measures what it says, beside its peers."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.difference import LEAST_IOU, measure
from benchmarks.made_up.edits import EDITS, VISIBLE, edit
from benchmarks.reporting.report import Report
from indexer.demo.photographs import PHOTOGRAPHS
from indexer.errors import DejafakeError
from indexer.imaging.alterations import ALTERATIONS
from indexer.imaging.limits import ImageLimits

LIMITS = ImageLimits(10_000_000, 10_000_000, 10)


def photographs(count: int, folder: Path) -> None:
    """Puts `count` small photographs into a folder."""
    for number in range(count):
        picture = PHOTOGRAPHS[("chelsea", "coffee")[number % 2]].rgb().resize((300, 200))
        picture.save(folder / f"{number}.jpg", quality=94 - number)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("photographs")
    photographs(4, folder)
    return measure(folder, LIMITS, 2, skip=1)


def test_every_edit_and_every_re_share_has_a_row(report: Report) -> None:
    assert [row.change for row in report.rows] == [*EDITS, *ALTERATIONS]
    assert report.parameters["pictures"] == 2
    for row in report.rows:
        assert (row.iou is None) == (row.change in ALTERATIONS)
        assert (row.false_alarms is None) == (row.change in EDITS)
        assert row.registered.n == 2


def test_checks_hold_edits_to_the_least_iou_and_re_shares_to_the_rate(report: Report) -> None:
    by_name = {row.change: row for row in report.rows}
    for name in EDITS:
        (check,) = (check for check in report.checks if check.name == f"{name}: median IoU")
        assert (check.value, check.holds) == (by_name[name].iou, (by_name[name].iou or 0) >= LEAST_IOU)
    (alarms,) = (check for check in report.checks if check.name.startswith("false alarms"))
    assert alarms.name == f"false alarms, all {2 * len(ALTERATIONS)} re-shares"


@pytest.mark.parametrize("name", list(EDITS))
def test_an_edit_is_visible_repeatable_and_stays_in_its_region(name: str) -> None:
    picture, other = (PHOTOGRAPHS[one].rgb().resize((300, 200)) for one in ("chelsea", "coffee"))
    one, again = edit(name, picture, other, "seed"), edit(name, picture, other, "seed")
    assert one is not None
    assert again is not None
    assert one.copy.tobytes() == again.copy.tobytes()
    copy = np.asarray(one.copy.resize(picture.size), np.float32)
    change = np.abs(copy - np.asarray(picture, np.float32)).max(axis=2)
    assert change[one.region].mean() > VISIBLE / 2 > change[~one.region].mean()
    assert 0.002 < one.region.mean() < 0.2


def test_an_edit_that_nobody_would_see_is_not_made() -> None:
    flat = Image.new("RGB", (200, 200), (120, 120, 120))
    assert edit("inpaint", flat, flat, "seed") is None


def test_a_source_with_too_few_pictures_is_one_clear_error(tmp_path: Path) -> None:
    photographs(2, tmp_path)
    with pytest.raises(DejafakeError, match="fewer than two pictures"):
        measure(tmp_path, LIMITS, 5, skip=1)
