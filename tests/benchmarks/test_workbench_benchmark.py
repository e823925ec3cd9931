"""The workbench's benchmark asks for every page it says it asks for, and they show something."""

from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import workbench as benchmark


def test_every_page_is_timed_on_a_filled_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "REPEATS", 2)
    monkeypatch.setattr(benchmark, "CHANGES", 2)
    made = benchmark.run(900, tmp_path, Console(quiet=True))
    sizes = {row.page: row.kib for row in made.rows}
    assert {"/images: all", "/campaigns", "/campaigns/{id}", "/images/{sha256}, each another"} <= set(sizes)
    assert sizes["/images: fakes"] > sizes["/images: nothing"] > 5
    assert [check.aim for check in made.checks] == ["<= 150 ms"] * 2
    assert made.figures["first_request_of_all_ms"] > 0
