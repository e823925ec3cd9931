"""The rollout benchmark measures what it says, beside its peers."""

from pathlib import Path

from benchmarks.rollout import MOST, measure
from indexer.settings import Settings


def test_each_batch_has_a_row_with_its_ratio_and_the_three_ways_agree(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home", device="cpu", precision="fp32", threads=1)
    report = measure(settings, tmp_path / "random", [1, 2], 1, blocks=2)

    assert [row.pictures for row in report.rows] == [1, 2]
    for row, check in zip(report.rows, report.checks, strict=False):
        assert min(row.plain_ms, row.rollout_ms, row.naive_ms) > 0
        assert (check.value, check.holds) == (row.rollout_ratio, row.rollout_ratio <= MOST)
    assert report.checks[-1].name == "largest difference to the naive rollout"
    assert report.checks[-1].holds
