"""The watermark benchmark tells what is found where there is none, and where there is one."""

from pathlib import Path

import pytest

from benchmarks.watermark import CHANGES, UNMARKED, measure
from indexer.demo.photographs import PHOTOGRAPHS
from indexer.errors import DejafakeError
from indexer.imaging.limits import ImageLimits
from indexer.provenance.watermark import MESSAGES

LIMITS = ImageLimits(10_000_000, 10_000_000, 10)


def test_every_message_and_every_change_has_a_row(tmp_path: Path) -> None:
    for name in ("chelsea", "coffee"):
        PHOTOGRAPHS[name].rgb().resize((320, 256)).save(tmp_path / f"{name}.png")
    report = measure(tmp_path, LIMITS, 1)
    unmarked, marked = report.rows[: len(CHANGES)], report.rows[len(CHANGES) :]
    assert [(row.watermark, row.change) for row in unmarked] == [(UNMARKED, change) for change in CHANGES]
    assert len(marked) == 2 * len(MESSAGES) * len(CHANGES)
    assert {row.found.n for row in unmarked} == {2}
    assert {row.found.n for row in marked} == {1}
    untouched = [row.right.share for row in marked if row.change == "as it is"]
    assert sum(untouched) > len(untouched) / 2
    assert report.holds


def test_pictures_that_are_too_small_are_one_clear_error(tmp_path: Path) -> None:
    PHOTOGRAPHS["chelsea"].rgb().resize((200, 150)).save(tmp_path / "small.png")
    with pytest.raises(DejafakeError, match="holds no picture of 65,536"):
        measure(tmp_path, LIMITS, 1)
