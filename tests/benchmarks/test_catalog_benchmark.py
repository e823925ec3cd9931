"""The catalogue's benchmark asks everything it says it asks, and reports it."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import catalog as benchmark
from benchmarks.reporting import report


def test_every_query_is_timed_on_a_filled_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "REPEATS", 1)
    made = benchmark.run(1_500, tmp_path / "c.sqlite", Console(quiet=True))
    report.write(made, tmp_path / "report.json")
    document = json.loads((tmp_path / "report.json").read_text())
    assert set(document) >= {"machine", "versions", "rows", "checks"}
    assert [check["aim"] for check in document["checks"]] == ["< 20 ms", "< 20 ms"]
    returned = {row["query"]: row["returned"] for row in document["rows"]}
    assert returned["page: no filter"] == 50
    assert returned["page: unheard-of generator"] == 0
    assert returned["page: posted five years"] == 50
    assert returned["details of 100 random hits"] > 90
    assert all(row["p50_ms"] > 0 for row in document["rows"])
