"""The benchmark of enrichment runs whole on small tables, and its checks judge what they say."""

import json
from pathlib import Path

import pytest

from benchmarks import enrichment as benchmark
from benchmarks.enrichment import Run, compare
from tests.tiny_detectors import tiny_detector


def test_both_kinds_of_table_are_enriched_at_both_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "FAKES", 2)
    monkeypatch.setattr(benchmark, "_in_a_process", benchmark.enrich)
    made = benchmark.measure(tmp_path, 40, str(tiny_detector(tmp_path / "detector", seed=1)))
    document = json.loads(made.as_json())
    assert [(row["format"], row["rows"]) for row in document["rows"]] == [
        ("csv", 40),
        ("sqlite", 40),
        ("csv", 400),
        ("sqlite", 400),
    ]
    assert all(row["rows_a_second"] > 0 and row["peak_mib"] > 0 for row in document["rows"])
    assert len(made.checks) == 4


def run(rows: int, cpu_seconds: float, peak_mib: float) -> Run:
    return Run("csv", rows, 2 * cpu_seconds, cpu_seconds, rows / cpu_seconds, peak_mib)


def test_memory_that_grows_and_time_that_bends_upwards_do_not_hold() -> None:
    assert [check.holds for check in compare(run(10, 1.0, 500.0), run(100, 10.0, 530.0))] == [True, True]
    assert [check.holds for check in compare(run(10, 1.0, 500.0), run(100, 16.0, 600.0))] == [False, False]
