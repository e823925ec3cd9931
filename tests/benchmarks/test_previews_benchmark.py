"""The previews benchmark tells previews of the picture itself from those of what it was before."""

from pathlib import Path

import pytest

from benchmarks.made_up.edits import EDITS
from benchmarks.previews import OTHER, SAME, measure
from indexer.demo.photographs import PHOTOGRAPHS
from indexer.errors import DejafakeError
from indexer.imaging.limits import ImageLimits

LIMITS = ImageLimits(10_000_000, 10_000_000, 10)


def test_every_kind_of_preview_has_a_row(tmp_path: Path) -> None:
    for name in ("chelsea", "coffee"):
        PHOTOGRAPHS[name].rgb().resize((300, 200)).save(tmp_path / f"{name}.png")
    report = measure(tmp_path, LIMITS, 5)
    by_name = {row.preview: row for row in report.rows}
    assert {*SAME, *(f"before {edit}" for edit in EDITS), OTHER} < set(by_name)
    assert all(by_name[name].from_64.share == 0 for name in SAME)
    assert by_name[OTHER].from_64.share == 1
    assert report.holds


def test_one_picture_is_too_few(tmp_path: Path) -> None:
    PHOTOGRAPHS["chelsea"].rgb().save(tmp_path / "one.png")
    with pytest.raises(DejafakeError, match="fewer than two pictures"):
        measure(tmp_path, LIMITS, 5)
